#!/usr/bin/env python3
"""Names and sentences keep to the project's words (ARCHITECTURE.md, "Words"): no identifier in src or tests is a
retired one, and no sentence in a comment or a document begins with a word that makes readers go back.

vocabulary.py ROOT        prints each fault with its file and line; exit 1 if there is one
vocabulary.py --self-test   made-up texts: each kind of fault is found, and nothing else"""
import re

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
CODE = {".h", ".cpp", ".c"}
PROSE = {".md", ".py", ".yaml", ".toml", ".1", ".5"}
SKIPPED = re.compile(r'(?P<comment>//[^\n]*|/\*.*?\*/)|R"([^(\s]*)\(.*?\)\2"|"(?:\\.|[^"\\\n])*"|'
                     r"'(?:\\.|[^'\\\n])*'|#include[^\n]*", re.DOTALL)
NAME = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z_]\w*")
PART = re.compile(r"[A-Z]?[a-z]+")
OPENING = re.compile(r"(?:^\s*(?://|#|\*|-|\d+\.)?\s*|[.;:]\s+)(Of|Who|Whoever|Whom|That which|So long)(?:\s|$)")


def is_retired(name):
    return name.rstrip("_") in RETIRED_NAMES or any(part.lower() in RETIRED_PARTS for part in PART.findall(name))


def lines(text):
    return enumerate(text.split("\n"), 1)


def faults_in_names(source):
    code = SKIPPED.sub(lambda skipped: "\n" * skipped.group().count("\n"), source)
    return [(number, f"{name.group()} is a retired name") for number, line in lines(code)
            for name in NAME.finditer(line) if is_retired(name.group())]


def faults_in_sentences(text):
    return [(number, f"a sentence begins with '{opening.group(1)}'") for number, line in lines(text)
            for opening in OPENING.finditer(line)]


def comments(source):
    """The source's comments alone, each on its line."""
    found, at = [], 0
    for skipped in SKIPPED.finditer(source):
        found.append("\n" * source.count("\n", at, skipped.start()))
        text = skipped.group()
        found.append(text if skipped.group("comment") else "\n" * text.count("\n"))
        at = skipped.end()
    return "".join(found)


def faults(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix in CODE:
        return faults_in_names(text) + faults_in_sentences(comments(text))
    return faults_in_sentences(re.sub(r"^## .*$", "", text, flags=re.MULTILINE))


def self_test():
    source = ('// a Desk\nstd::string desk = "desk; Who ";\n#include "desk.h"\n'
              "int open_desk(TellUse use);  // Of none.\n")
    right = (faults_in_names(source) == [(2, "desk is a retired name"), (4, "open_desk is a retired name"),
                                         (4, "TellUse is a retired name")]
             and faults_in_sentences(comments(source)) == [(4, "a sentence begins with 'Of'")]
             and faults_in_sentences("well. Whoever\n* So long as\nthe door. Offers") == [
                 (1, "a sentence begins with 'Whoever'"), (2, "a sentence begins with 'So long'")])
    names = {"Turn": True, "hear": True, "turn_": False, "returns": False, "Housekeeping": False, "told_by": True}
    return 0 if right and all(is_retired(name) == expected for name, expected in names.items()) else 1


def faults_in_tree(root):
    files = [path for folder in ("src", "tests", "docs", "packaging") for path in sorted((root / folder).rglob("*"))
             if path.is_file() and path.suffix in CODE | PROSE]
    files += [root / name for name in ("README.md", "ARCHITECTURE.md", "config.toml")]
    return [f"{path.relative_to(root)}:{number}: {fault}" for path in files if path.name != "vocabulary.py"
            for number, fault in faults(path)]


if __name__ == "__main__":
    checker.run(__doc__, faults_in_tree, self_test)
