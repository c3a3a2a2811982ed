#!/usr/bin/env python3
"""One version: project() in CMakeLists.txt has it, and every other place must name the same.

versions.py ROOT   prints each file with another version; exit 1 if there is one"""
import pathlib
import re
import sys

PLACES = {
    "CMakeLists.txt": r"^project\(room-sidecar VERSION (\S+)",
    "CHANGELOG.md": r"^## (\S+)",
    "packaging/debian/changelog": r"^room-sidecar \(([^)]+)\)",
}


def main(root):
    versions = {}
    for name, pattern in PLACES.items():
        found = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        versions[name] = found.group(1) if found else "nothing"
    version = versions["CMakeLists.txt"]
    for name, other in versions.items():
        if other != version:
            print(f"{name}: the newest version is {other}, in CMakeLists.txt it is {version}")
    return 0 if set(versions.values()) == {version} else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
