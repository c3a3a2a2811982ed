#!/usr/bin/env python3
"""The page and the commands say what src/terms/terms.json holds, and nothing else: each entry is used, each one that
is used is there, and no sentence stands in a script of the page or in a command that takes its words from the table.

terms.py ROOT        prints each fault with its file; exit 1 if there is one
terms.py --self-test   made-up files: each kind of fault is found, and nothing else"""
import json
import re

import checker

USE = re.compile(r"(?<![\w/])terms(?:\.|::)([a-z_]+)")
COMMENT = re.compile(r"//[^\n]*")
TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`')
VALUE = re.compile(r"\$\{[^{}]*\}")
SENTENCE = re.compile(r"[a-z] [A-Za-z][a-z]")
SELECTOR = re.compile(r'"[.#]')


def sentences_in(text):
    """Those that stand in the code itself. A place in the page ("#list li") is none."""
    for found in TEXT.findall(text):
        if SENTENCE.search(VALUE.sub("", found)) and not SELECTOR.match(found):
            yield found


def faults(table, files):
    """table: the parsed terms.json; files: name -> text."""
    known = set(table["words"]) | set(table["sentences"])
    found, used = [], set()
    for name, text in files.items():
        text = COMMENT.sub("", text)
        uses = set(USE.findall(text))
        if not uses and name.endswith(".cpp"):
            continue
        used |= uses
        found += [f"{name}: terms.json has no {one}" for one in sorted(uses - known)]
        found += [f"{name}: {one} belongs into terms.json" for one in sentences_in(text)]
    return found + [f"terms.json: nobody uses {one}" for one in sorted(known - used)]


def self_test():
    table = {"words": {"reason": {"full": "no room"}}, "sentences": {"is_down": "it is down", "all_well": "all well"}}
    page = 'say("#list li", `${terms.reason(word)}: ${terms.is_down()}`);  // "all is well"\n'
    command = '#include "terms/terms.h"\nauto text = terms::all_well() + " UTC";\n'
    other = 'throw Failed("no such file");\n'
    cases = [(page, command, 0), (page + "terms.is_up();", command, 1), (page, command + "terms::is_up();", 1),
             (page, command.replace("all_well", "is_down"), 1), (page + 'say("It is down");', command, 1),
             (page + "say(`It is ${so}`);", command, 1), (page + "say(`${so} UTC`);", command, 0),
             (page, command + other, 1)]
    wrong = [case for case in cases if len(faults(table, {"page/a.js": case[0], "cli/a.cpp": case[1],
                                                          "cli/b.cpp": other})) != case[2]]
    for case in wrong:
        print("wrong:", case)
    return 1 if wrong else 0


def faults_in_tree(root):
    files = [*(root / "src/page").glob("*.js"), *(root / "src/cli").glob("*.cpp")]
    return faults(json.loads((root / "src/terms/terms.json").read_text(encoding="utf-8")),
                  {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in sorted(files)})


if __name__ == "__main__":
    checker.run(__doc__, faults_in_tree, self_test)
