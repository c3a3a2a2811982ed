#!/usr/bin/env python3
"""Names and sentences keep to the project's words (ARCHITECTURE.md, "Words"): no name in src or tests is a retired
one, and no sentence in a comment, a text or a document begins with a word that makes readers go back.

vocabulary.py ROOT        prints each fault with its file and line; exit 1 if there is one
vocabulary.py --self-test   made-up texts: each kind of fault is found, and nothing else"""
import io
import re
import tokenize

import checker

# A name is retired if it has one of these between underscores or capitals, or is one of the next ones.
RETIRED_PARTS = set("""
    desk deed deeds wish wishes wished turnover turnovers storm newcomer newcomers manner certainty situation
    seat seats bury buried swept crowd crowds disbelieve disbelieved witness trouble troubles told tell tells telling
    conversation door doors house
    """.split())
RETIRED_NAMES = set("""
    Turn Scene Departure Leaving Opening Ending UnderWay HouseRules Library BodyPlaces TurnedAway LeftValue
    Seating hear heard hears said carry carried beat beats returning let_others_pass kept_since is_told made_up_id
    look_around hurry held_back gentle rages leaving emptying under_way scene departure library
    """.split())
API_NAMES = {"troubles"}  # a field of /readyz, which the page takes as it comes
SENTENCES_ONLY = {".md", ".yaml", ".yml", ".json", ".toml", ".1", ".5", ".8"}
STRING = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
CPP = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|#include[^\n]*|' + STRING, re.DOTALL)
CSS = re.compile(r"/\*.*?\*/|" + STRING, re.DOTALL)
SCRIPT = re.compile(r"//[^\n]*|/\*.*?\*/|[`{}]|" + STRING, re.DOTALL)
TEMPLATE = re.compile(r"\\.|`|\$\{", re.DOTALL)
HTML_NAMES = re.compile(r'(?<=\s)(?:class|id|name|value|for|aria-\w+by)="([^"]*)"')
NAME = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z_]\w*")
PART = re.compile(r"[A-Z]?[a-z]+")
MARGIN = r"^\s*(?:#|\*|-|\d+\.|\.(?:[A-Z][a-z0-9]\s+)+)?\s*"  # of a comment, a list, a man page
OPENING = re.compile(rf"""(?:{MARGIN}|[.;:]\s+|//\s*|[>"'`])"""
                     r"""(Of|Who(?! may ask")|Whoever|Whom|That which|So long)(?:\s|$)""")


def is_retired(name):
    return name.rstrip("_") in RETIRED_NAMES or any(part.lower() in RETIRED_PARTS for part in PART.findall(name))


def lines(text):
    return enumerate(text.split("\n"), 1)


def blank(text):
    return "\n" * text.count("\n")


def without(pattern):
    """A reader of a language: its code, with the lines kept, but without what the pattern finds."""
    return lambda source: pattern.sub(lambda skipped: blank(skipped.group()), source)


def code_of_script(source):
    """JavaScript without comments, strings and the text of templates; what a template puts in is code."""
    kept, inside, at = [], [""], 0
    while at < len(source):
        in_template = inside[-1] == "`"
        found = (TEMPLATE if in_template else SCRIPT).search(source, at)
        end = found.start() if found else len(source)
        kept.append(blank(source[at:end]) if in_template else source[at:end])
        token, at = (found.group(), found.end()) if found else ("", end)
        kept.append(blank(token))
        if token == "}" or (token == "`" and in_template):
            inside.pop()
        elif token in ("{", "${", "`"):
            inside.append(token)
    return "".join(kept)


def names_of_html(source):
    """What its elements are called, each on its line."""
    return "\n".join(" ".join(HTML_NAMES.findall(line)) for line in source.split("\n"))


def code_of_python(source):
    """Names alone, each on its line, but for those of imports: what they name is called so where it is defined."""
    found = [[] for _ in source.split("\n")]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and not token.line.lstrip().startswith(("import ", "from ")):
            found[token.start[0] - 1].append(token.string)
    return "\n".join(map(" ".join, found))


CODE = {**dict.fromkeys((".h", ".cpp", ".c"), without(CPP)), **dict.fromkeys((".js", ".cjs"), code_of_script),
        ".css": without(CSS), ".html": names_of_html, ".py": code_of_python}


def faults_in_names(suffix, source):
    allowed = API_NAMES if suffix in (".js", ".html", ".css") else ()
    return [(number, f"{name} is a retired name") for number, line in lines(CODE[suffix](source))
            for name in NAME.findall(line) if is_retired(name) and name not in allowed]


def faults_in_sentences(text):
    return [(number, f"a sentence begins with '{opening.group(1)}'") for number, line in lines(text)
            for opening in OPENING.finditer(line)]


def faults(path):
    text = path.read_text(encoding="utf-8")
    names = faults_in_names(path.suffix, text) if path.suffix in CODE else []
    return names + faults_in_sentences(re.sub(r"^## .*$", "", text, flags=re.MULTILINE))


# A text of each kind, the lines with retired names in it, and the lines with sentences that begin badly.
MADE_UP = (
    (".cpp", '// a Desk\nstd::string desk = "desk; x";\n#include "desk.h"\nint open_desk(TellUse use);  // Of none.\n',
     {2: "desk", 4: "open_desk TellUse"}, {4: "Of"}),
    (".h", 'auto text = R"(desk "desk)";\nreport("Of those");\n', {}, {2: "Of"}),
    (".js", "// a deed\nsay(`It's a deed of ${row.deeds({ a: `desk` })} deeds`, \"deed\");\n"
            "for (const tellsRoom of x) `Who knows`;\nready.troubles; troublesOf(x);  // Of none.\n",
     {2: "deeds", 3: "tellsRoom", 4: "troublesOf"}, {3: "Who", 4: "Of"}),
    (".css", "/* deeds\n Whom it concerns. */\n.deeds button, #troubles { content: 'desk'; }\n",
     {3: "deeds"}, {2: "Whom"}),
    (".html", '<!-- a deed -->\n<p class="big deed" title="a deed">Of the desk</p>\n<p>\nOf it</p>\n',
     {2: "deed"}, {2: "Of", 4: "Of"}),
    (".py", '# told\nimport desk\ndef test_it_is_told(heard):\n    """So long as it lasts"""\n    return "told"\n',
     {3: "test_it_is_told heard"}, {4: "So long"}),
    (".8", ".Sh DESK\n.It Sy Whoever\n.Pp\nWell. Of it\n.Sy Of all\ncup. Offers\n", {},
     {2: "Whoever", 4: "Of", 5: "Of"}),
    (".md", 'well. Whoever\n* So long as\nthe door (CONTRACT "Who may ask"). Offers\n', {},
     {1: "Whoever", 2: "So long"}),
)


def self_test():
    for suffix, text, names, openings in MADE_UP:
        found = faults_in_names(suffix, text) if suffix in CODE else []
        expected = [(line, f"{name} is a retired name") for line, retired in names.items() for name in retired.split()]
        if found != expected or faults_in_sentences(text) != [
                (line, f"a sentence begins with '{opening}'") for line, opening in openings.items()]:
            print(suffix, found, faults_in_sentences(text))
            return 1
    names = {"Turn": True, "hear": True, "turn_": False, "returns": False, "Housekeeping": False, "told_by": True}
    return 0 if all(is_retired(name) == expected for name, expected in names.items()) else 1


def faults_in_tree(root):
    files = [path for folder in ("src", "tests", "docs", "packaging") for path in sorted((root / folder).rglob("*"))
             if path.is_file() and path.suffix in CODE.keys() | SENTENCES_ONLY]
    files += [root / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "config.toml", "dev")]
    return [f"{path.relative_to(root)}: its name has a retired word" for path in files if is_retired(path.stem)] + [
        f"{path.relative_to(root)}:{number}: {fault}" for path in files if path.name != "vocabulary.py"
        for number, fault in faults(path)]


if __name__ == "__main__":
    checker.run(__doc__, faults_in_tree, self_test)
