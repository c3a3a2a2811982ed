"""main() of a script that checks the tree and prints its faults."""
import pathlib
import sys


def run(usage, faults, self_test):
    """With a folder: prints each of `faults(folder)`, ends with 1 if there is one. With --self-test: as that says."""
    if len(sys.argv) != 2:
        print(usage.strip(), file=sys.stderr)
        sys.exit(2)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    found = faults(pathlib.Path(sys.argv[1]))
    for fault in found:
        print(fault)
    sys.exit(1 if found else 0)
