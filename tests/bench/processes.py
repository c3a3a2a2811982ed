"""The cost of a server: CPU time, memory, descriptors and threads of a process and its children."""
import os
import pathlib
import re

TICK = os.sysconf("SC_CLK_TCK")


def _read(pid, name):
    return pathlib.Path(f"/proc/{pid}/{name}").read_text()


def family(pid):
    """The process and all its descendants."""
    found = [pid]
    for parent in found:
        try:
            children = _read(parent, f"task/{parent}/children")
        except OSError:  # it has ended meanwhile
            continue
        found += map(int, children.split())
    return found


def cpu_seconds(pid):
    """Used so far by the family, including ended processes."""
    total = 0
    for member in family(pid):
        try:
            fields = _read(member, "stat").rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))  # utime, stime, and those of children that were reaped
    return total / TICK


def pss_mib(pid):
    """Memory of the family, with shared memory counted once."""
    total = 0
    for member in family(pid):
        try:
            rollup = _read(member, "smaps_rollup")
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE).group(1))
    return total / 1024


def rss_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", _read(pid, "status")).group(1)) / 1024


def threads(pid):
    return int(re.search(r"Threads:\s+(\d+)", _read(pid, "status")).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
