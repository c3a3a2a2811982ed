#!/usr/bin/env python3
"""Names and sentences keep to the project's words (ARCHITECTURE.md, "Words"). No name in src or tests is a retired one.
No sentence in a comment, a text or a document begins with a word that makes readers go back. No title of a test, and
no sentence outside of src, has a retired word; a title begins with its subject.

vocabulary.py ROOT        prints each fault with its file and line; exit 1 if there is one
vocabulary.py --self-test   sample texts: each kind of fault is found, and nothing else"""
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
# In sentences: words without another meaning that the project needs.
RETIRED_WORDS = re.compile(r"""\b(desk|deeds?|wish(?:es)?|turnovers?|storms?|newcomers?|certainty|seats?|bury|buried|
    swept|crowds?|disbelieved?|witness|troubles?|told|tells?|telling|doors?|house|hears?|heard|gentle|rages?|hurry|
    whoever|look\ around|held\ back)\b""", re.IGNORECASE | re.VERBOSE)
LATE_SUBJECT = re.compile(r"(?:of|who|whoever|whom|that|so|what|where|when|while|if)\b", re.IGNORECASE)
SENTENCES_ONLY = {".md", ".yaml", ".yml", ".json", ".toml", ".1", ".5", ".8", ".sql", ".lua", ".cmake", ".txt", ".supp",
                  ".service", ".socket", ".example", ".bash-completion", ".Debian", ".postrm", ".prerm", ""}
STRING = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
CPP = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|#include[^\n]*|' + STRING, re.DOTALL)
CSS = re.compile(r"/\*.*?\*/|" + STRING, re.DOTALL)
SCRIPT = re.compile(r"//[^\n]*|/\*.*?\*/|[`{}]|" + STRING, re.DOTALL)
TEMPLATE = re.compile(r"\\.|`|\$\{", re.DOTALL)
HTML_NAMES = re.compile(r'(?<=\s)(?:class|id|name|value|for|aria-\w+by)="([^"]*)"')
NAME = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z_]\w*")
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}")
CODE_SPAN = re.compile(r"`[^`\n]*`|<[^>\n]*>")
TITLE = re.compile(r"""(?:TEST_CASE\w*|SECTION)\(((?:\s*"(?:\\.|[^"\\\n])*")+)|add_test\(NAME\s+("[^"]*")"""
                   r"""|def test_(\w+)\(""")
MARGIN = r"^\s*(?:#|\*|--?|\d+\.|\.(?:[A-Z][a-z0-9]\s+)+)?\s*"  # of a comment, a list, a man page
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


def faults_in_titles(text):
    found = []
    for title in TITLE.finditer(text):
        number = text.count("\n", 0, title.start()) + 1
        words = "".join(re.findall(r'"([^"]*)"', title[1] or title[2] or "")) or title[3].replace("_", " ")
        found += [(number, f"a title has the retired word '{word}'") for word in RETIRED_WORDS.findall(words)]
        if LATE_SUBJECT.match(words.split(": ")[-1]) and not title[0].startswith("SECTION"):
            found.append((number, "a title does not begin with its subject"))
    return found


def sentences(suffix, text):
    """Its lines, of code with the comments alone, and without what stands there as code."""
    if suffix in (".h", ".cpp", ".c"):
        text = CPP.sub(lambda token: token[0] if token[0].startswith("//") else blank(token[0]), text)
        text = "\n".join(line[line.find("//"):] if "//" in line else "" for line in text.split("\n"))
    elif suffix == ".py":
        kept = [""] * (text.count("\n") + 2)
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT or token.string.startswith('"""'):
                for number, line in enumerate(token.string.split("\n"), token.start[0]):
                    kept[number] += line
        text = "\n".join(kept[1:])
    return CODE_SPAN.sub("", text)


def faults_in_words(suffix, text):
    return [(number, f"a sentence has the retired word '{word}'") for number, line in lines(sentences(suffix, text))
            for word in RETIRED_WORDS.findall(line)]


def faults(path, is_in_src):
    text = path.read_text(encoding="utf-8")
    names = faults_in_names(path.suffix, text) if path.suffix in CODE else []
    found = names + faults_in_sentences(re.sub(r"^## .*$", "", text, flags=re.MULTILINE))
    if is_in_src or path.suffix in (".js", ".cjs", ".css", ".html", ".json"):
        return found
    words = re.sub(r"^## Words$.*?(?=^## )", lambda table: blank(table[0]), text, flags=re.MULTILINE | re.DOTALL)
    return found + faults_in_titles(text) + faults_in_words(path.suffix, words)


# A text of each kind, the lines with retired names in it, and the lines with sentences that begin badly.
SAMPLES = (
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


# A text of each kind, and the lines with bad titles or retired words.
WORDS = (
    (".cpp", 'TEST_CASE("a room is told "\n  "once") {\n  desk("told");  // as told\n}\nSECTION("of two") {}\n'
             'TEST_CASE("of two") {}\n', [1, 6], [3]),
    (".py", 'def test_what_is_heard(told):\n    """A wish."""\n    return "told"  # a seat\n', [1, 1], [2, 3]),
    (".txt", 'add_test(NAME "e2e: who asks"\n', [1], []),
    (".sql", "-- A storm.\nCREATE TABLE seated (x);\n", [], [1]),
    (".md", "`told` is a field.\nThe door is told.\n", [], [2, 2]),
)


def self_test():
    for suffix, text, titles, words in WORDS:
        if [[number for number, _ in found] for found in (faults_in_titles(text), faults_in_words(suffix, text))] != [
                titles, words]:
            print(suffix, faults_in_titles(text), faults_in_words(suffix, text))
            return 1
    for suffix, text, names, openings in SAMPLES:
        found = faults_in_names(suffix, text) if suffix in CODE else []
        expected = [(line, f"{name} is a retired name") for line, retired in names.items() for name in retired.split()]
        if found != expected or faults_in_sentences(text) != [
                (line, f"a sentence begins with '{opening}'") for line, opening in openings.items()]:
            print(suffix, found, faults_in_sentences(text))
            return 1
    names = {"Turn": True, "hear": True, "turn_": False, "returns": False, "Housekeeping": False, "told_by": True,
             "STORM": True}
    return 0 if all(is_retired(name) == expected for name, expected in names.items()) else 1


FOLDERS = ("src", "tests", "docs", "packaging", "systemd", "schema", "cmake", ".ci")
ROOT_FILES = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CMakeLists.txt", "config.toml", "dev", ".clang-tidy",
              ".flake8", ".gitignore", ".git-blame-ignore-revs")


def is_of_the_project(path):
    """Neither an input of a fuzzer nor another's text."""
    return (path.is_file() and path.suffix in CODE.keys() | SENTENCES_ONLY and "seeds" not in path.parts
            and "__pycache__" not in path.parts and path.name not in ("copyright", "vocabulary.py"))


def faults_in_tree(root):
    files = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*")) if is_of_the_project(path)]
    files += [root / name for name in ROOT_FILES]
    return [f"{path.relative_to(root)}: its name has a retired word" for path in files if is_retired(path.stem)] + [
        f"{path.relative_to(root)}:{number}: {fault}" for path in files
        for number, fault in faults(path, root / "src" in path.parents)]


if __name__ == "__main__":
    checker.run(__doc__, faults_in_tree, self_test)
