"""docs/benchmarks.md, from the measurements. The layout stays the same from run to run."""
import os
import pathlib
import platform
import re
import subprocess
import time

import servers


def number(value):
    """Three digits that count."""
    if value >= 1000:
        return f"{round(value, -len(str(int(value))) + 3):,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    """Names to the left, numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines) + "\n"


def verdict(met):
    return "pass" if met else "**missed**"


# -- the machine

def version_of(*command, pattern=r"(\d[\w.+:~-]*)"):
    """A version, from the output of a program or dpkg."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env=servers.environment())
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(1) if found else "?"


def installed(*packages):
    for package in packages:
        version = version_of("dpkg-query", "-W", "-f=${Version}", package)
        if version != "?":
            return re.sub(r"^\d+:|[+~-].*", "", version)
    return "?"


def first_match(file, pattern):
    found = re.search(pattern, pathlib.Path(file).read_text(), re.MULTILINE)
    return found.group(1) if found else "?"


def machine():
    memory = int(first_match("/proc/meminfo", r"^MemTotal:\s+(\d+)")) / 2**20
    file_system = version_of("findmnt", "-n", "-o", "FSTYPE", "-T", servers.SCRATCH, pattern=r"(\S+)")
    return (f"{os.cpu_count()} cores ({first_match('/proc/cpuinfo', r'^model name.*: (.*)')}), "
            f"{memory:.0f} GiB, {file_system}, "
            f"{first_match('/etc/os-release', r'^PRETTY_NAME=.(.*).$')}, "
            f"Linux {platform.release().split('-')[0]}")


def versions(beside):
    found = [("room-sidecar", version_of(servers.TREE / "room-sidecar", "--version")),
             ("cpp-httplib", installed("libcpp-httplib-dev")),
             ("SQLite", installed("libsqlite3-0")), ("wrk", installed("wrk"))]
    if beside:
        found += [("nginx", version_of(servers.program("usr/sbin/nginx"), "-v")),
                  ("Redis", version_of(servers.program("usr/bin/redis-server"), "--version")),
                  ("PostgreSQL", version_of(servers.program("usr/lib/postgresql/*/bin/postgres"), "-V"))]
    return ", ".join(" ".join(pair) for pair in found)


# -- the parts

HEAD = """# Benchmarks

Written by `./dev bench`; the next run overwrites it. Everything ran on one machine, on loopback, with
the clients beside the servers. The numbers are the machine's; only the ratios hold elsewhere. They are
medians of alternating rounds of {seconds} s: {rounds} for a bar, {fewer} for the rest.

{facts}
"""

BARS = """
## The bars

The bars were set before the first line of code. *Bare httplib* is cpp-httplib with its own listener,
`TCP_NODELAY`, long keep-alive, and a handler that answers a constant. *Our server* is the sidecar's
own listener with such a handler. *Open loop* means that requests leave at random instants, whether or
not earlier ones were answered. Each is timed from its planned instant.

"""

BESIDE = """
## Alternatives

The same question to the usual alternatives, in the same rounds. *ours / it* compares requests a
second: 2.00 means that the sidecar serves twice as many. CPU is the server's time a request, of all
its processes together. Memory is theirs under that load, with shared memory counted once.

- **nginx** answers a constant and logs nothing: the least that any HTTP service can cost. *As it
  comes* it runs a worker on every core, and shares them with the client.
- **Redis** looks one of 500 rooms up, or sets a new one with `NX`. *Each synced* is
  `appendfsync always`, the only setting that promises what the sidecar promises; *as it comes* it
  may lose the last minutes. It chooses no gateway and counts no load.
- **PostgreSQL** does what gxydb-api does for each request: for a known room a `SELECT` and an
  `UPDATE` of `last_used_at`; for a new one a `GROUP BY` over the assignments and an
  `INSERT … ON CONFLICT`. It has prepared statements, `fsync` on, and Debian's settings otherwise. It
  has no HTTP service before it, and decides nothing.
"""

BESIDE_HEAD = ["", "requests/s", "ours / it", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs", "MiB"]

GROWTH = """
## How it grows

"""

STEADY = """
### An hour in {seconds} seconds

{requests} requests, as many as an hour brings at 50 a second, at {rate}/s: 500 rooms at a time are
asked for, entered by two users who keep reporting, left again and forgotten, {rooms} rooms in all.
No resource may have grown from the first third to the last. Answers meanwhile, open loop:
p50 {p50:.2f} ms, p99 {p99:.2f} ms, p99.9 {p999:.2f} ms.

"""

LIMITS = """
## Meaning and limits

{meaning}
- Client and server share the cores. A server with several workers (nginx as it comes, PostgreSQL)
  takes time from its own client at high load, and the sidecar does, too.
- Each client is the one made for its server: wrk (HTTP), redis-benchmark, pgbench, one thread each.
  wrk counts a stall against all requests that it kept from leaving, the other clients once a
  connection. The p99 and p99.9 of the sidecar and nginx therefore look worse beside theirs, never better.
- p99.9 of synced writes is the disk's. A virtual disk may stall for tens of milliseconds, so runs differ.
- Redis and PostgreSQL do much that the sidecar does not, and only the sidecar decides. It is compared
  with the work that this one question would make for them.
- An hour in {steady} seconds shows growth by work done. It does not show growth by time alone; the
  important times (the cleanup, `dead_after`, `join_grace`) are within it or tested with a clock of
  their own.
"""


def facts(chosen, beside):
    return (f"- **When:** {time.strftime('%Y-%m-%d', time.gmtime())}, by `{chosen.command}`\n"
            f"- **Machine:** {machine()}\n- **Versions:** {versions(beside)}")


def bars(found):
    kept = sum(met for *_, met in found)
    return BARS + table(["", "bar", "measured", ""],
                        [(what, limit, measured, verdict(met))
                         for what, limit, measured, met in found]) + f"\n{kept} of {len(found)} hold.\n"


def comparison(rows):
    return table(BESIDE_HEAD, [
        (row["name"], number(row["rps"]), "–" if at == 0 else f"{row['ratio']:.2f}",
         number(row["p50"]), number(row["p99"]), number(row["p999"]), number(row["cpu"]),
         number(row["memory"])) for at, row in enumerate(rows)])


def alternatives(beside):
    titles = {"known": "A room that has its gateway", "new": "A new room, on disk before the answer"}
    return BESIDE + "".join(f"\n### {titles[kind]}, {connections} connections\n\n{comparison(rows)}"
                            for (kind, connections), rows in beside.items())


def growth(grown):
    whats = {"gateways": "New rooms at 32 connections, chosen among",
             "rooms": "Known rooms at 8 connections, of",
             "connections": "Known rooms over"}
    rows = []
    for what, begin in whats.items():
        for row in grown[what]:
            rows.append((f"{begin} {row['name']}".replace(",000", " 000"), number(row["rps"]),
                         f"{row['ratio']:.2f}", number(row["p50"]), number(row["p99"]),
                         number(row["cpu"]), number(row["memory"]),
                         number(row["file"]) if "file" in row else ""))
    text = GROWTH + table(["", "requests/s", "of the first", "p50 ms", "p99 ms", "CPU µs", "MiB",
                           "file MiB"], rows)
    steady = grown["steady"]
    requests = steady["answers"]["done"]
    text += STEADY.format(seconds=steady["seconds"], rate=number(steady["rate"]),
                          requests=number(requests), rooms=number(requests / 10),
                          **{key: steady["answers"][key] for key in ("p50", "p99", "p999")})
    return text + table(["at most", "first third", "last third", ""],
                        [(name, number(first), number(last), verdict(met))
                         for name, (first, last, met) in steady["held"].items()])


def times(factor):
    return f"{factor:.1f} times" if factor < 10 else f"{factor:.0f} times"


def by_name(rows, beginning):
    return next(row for row in rows if row["name"].startswith(beginning))


def meaning(beside):
    known, new = beside["known", 32], beside["new", 32]
    ours = known[0]
    return (f"- With 32 connections a known room costs {number(ours['cpu'])} µs of a core: one core "
            f"serves {number(1e6 / ours['cpu'] / 50)} signaling servers at 50 requests a second each. "
            f"It serves {times(by_name(known, 'PostgreSQL')['ratio'])} as many requests as "
            f"PostgreSQL, {times(by_name(known, 'Redis')['ratio'])} as many as Redis, which speaks "
            f"a simpler protocol, and {times(by_name(known, 'nginx')['ratio'])} as many as one "
            f"worker of nginx that answers a constant.\n"
            f"- A new room waits for the disk once, together with simultaneous ones: "
            f"{times(by_name(new, 'PostgreSQL')['ratio'])} as many as PostgreSQL, "
            f"{times(by_name(new, 'Redis')['ratio'])} as many as Redis when that syncs, too.")


def text(chosen, bars_found, beside, grown):
    steady = grown["steady"]["seconds"] if grown else 90
    parts = [HEAD.format(seconds=chosen.seconds, rounds=chosen.rounds,
                         fewer=(chosen.rounds + 1) // 2, facts=facts(chosen, beside))]
    if bars_found:
        parts.append(bars(bars_found))
    if beside:
        parts.append(alternatives(beside))
    if grown:
        parts.append(growth(grown))
    parts.append(LIMITS.format(meaning=meaning(beside) if beside else "", steady=steady))
    return "".join(parts)
