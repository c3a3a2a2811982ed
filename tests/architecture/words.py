#!/usr/bin/env python3
"""The commands and the page explain the same words: src/cli/meanings.cpp and src/page/words.js, table by table.

words.py ROOT        prints each word that one of them lacks; exit 1 if there is one
words.py --self-test   made-up tables: missing words are found"""
import re

import checker

TABLES = ("reasons", "errors", "verdicts", "askers")
WORD = re.compile(r'^\s*(?:Meaning\{")?([a-z_]+)(?:",|:) ', re.MULTILINE)


def words_in(text, begin):
    """The words of the table that begins so, up to its closing brace at the margin."""
    table = re.search(re.escape(begin) + r"[^\n]*\n(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    return WORD.findall(table.group(1)) if table else []


def faults(commands, page):
    found = []
    for table in TABLES:
        ours = words_in(commands, f"constexpr std::array k{table.capitalize()}{{")
        theirs = words_in(page, f"const {table} = {{")
        if not ours or not theirs:
            found.append(f"{table}: not found in {'meanings.cpp' if not ours else 'words.js'}")
        for word in sorted(set(ours) ^ set(theirs)):
            found.append(f"{table}: {word} is explained only in {'meanings.cpp' if word in ours else 'words.js'}")
    return found


def self_test():
    ours = "".join(f'constexpr std::array k{table.capitalize()}{{\n    Meaning{{"one", "1"}},\n    '
                   f'Meaning{{"a_b", "2"}},\n}};\n' for table in TABLES)
    page = "".join(f'const {table} = {{\n  one: "1",\n  a_b: "2",\n}};\n' for table in TABLES)
    right = (faults(ours, page) == [] and len(faults(ours, page.replace("  one", "  two"))) == 2 * len(TABLES)
             and len(faults(ours.replace('    Meaning{"one", "1"},\n', "", 1), page)) == 1
             and len(faults("", page)) >= len(TABLES))
    return 0 if right else 1


def faults_in_tree(root):
    files = (root / "src/cli/meanings.cpp", root / "src/page/words.js")
    return faults(*(file.read_text(encoding="utf-8") for file in files))


if __name__ == "__main__":
    checker.run(__doc__, faults_in_tree, self_test)
