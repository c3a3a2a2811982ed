"""The clients: each loads one server, from one thread, and returns the result.

A result has rps, p50, p99, p999 in milliseconds and cpu, the server's µs a request.
"""
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess

import processes
import servers

BENCH = pathlib.Path(__file__).resolve().parent


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def ratio(ours, others):
    """The median ratio of requests/s, round by round: a machine whose speed swings changes both."""
    return statistics.median(a["rps"] / b["rps"] for a, b in zip(ours, others))


def pairs(loads, rounds):
    """Alternating rounds, each beginning with another server: name -> results.
    loads: name -> a function of the round's number."""
    results = {name: [] for name in loads}
    names = list(loads)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(loads[name](number))
    return results


def output(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def with_cpu(server, run):
    """-> run's result, seconds of CPU the server used meanwhile"""
    before = processes.cpu_seconds(server.pid)
    returned = run()
    return returned, processes.cpu_seconds(server.pid) - before


@contextlib.contextmanager
def all_new(server):
    """Checks that a load had only new rooms: yields a list for the number of requests."""
    before, requests = server.placed(), []
    yield requests
    placed = server.placed() - before
    if placed < 0.99 * requests[0]:
        raise RuntimeError(f"{requests[0]} requests for new rooms placed only {placed}")


def wrk(server, connections, seconds, new=None, rooms=500):
    """For HTTP servers; `new`: a name for the round, whose rooms were never asked for."""
    if new and hasattr(server, "placed"):
        with all_new(server) as requests:
            result = _wrk(server, connections, seconds, {"BENCH_ROUND": new})
            requests.append(result["done"])
        return result
    return _wrk(server, connections, seconds,
                {"BENCH_ROUND": new} if new else {"BENCH_ROOMS": str(rooms)})


def wrk_new(server, connections, seconds, new):
    """One of many at the same time: the caller checks that all rooms were new."""
    return _wrk(server, connections, seconds, {"BENCH_ROUND": new})


def _wrk(server, connections, seconds, what):
    out, used = with_cpu(server, lambda: output(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", BENCH / "rooms.lua",
         f"http://127.0.0.1:{server.port}"], env={**os.environ, **what}))
    found = json.loads(out.rstrip().rsplit("\n", 1)[1])
    if found["bad"] or not found["done"]:
        raise RuntimeError(f"not every request was answered with 200:\n{out}")
    return {"done": found["done"], "rps": found["done"] * 1e6 / found["us"],
            "cpu": used * 1e6 / found["done"],
            **{key: found[key] / 1e3 for key in ("p50", "p99", "p999")}}


def redis_benchmark(server, connections, requests, *command):
    is_new = command[0] == "SET"
    before = server.counts()
    # From two billion numbers nearly no room comes twice; its own counter ends there.
    out, used = with_cpu(server, lambda: output(
        [servers.program("usr/bin/redis-benchmark"), "-p", server.port, "-c", connections,
         "-n", requests, "-r", 2_000_000_000 if is_new else 500, *command],
        env=servers.environment()))
    done = server.counts()[is_new] - before[is_new]
    if done < 0.99 * requests:
        raise RuntimeError(f"of {requests} {command[0]} only {done} did what they were to do")
    return {**redis_result(out), "cpu": used * 1e6 / requests}


def redis_result(out):
    # It rewrites its line of progress with \r.
    summary = re.search(r"avg\s+min\s+p50\s+p95\s+p99\s+max\s+([\d. ]+)", out).group(1).split()
    spread = re.findall(r"([\d.]+)% <= ([\d.]+) milliseconds \(cumulative", out)
    return {"rps": float(re.search(r"throughput summary: ([\d.]+)", out).group(1)),
            "p50": float(summary[2]), "p99": float(summary[4]),
            "p999": next(float(time) for share, time in spread if float(share) >= 99.9)}


def pgbench(server, connections, seconds, script):
    if script == "new_room.sql":
        with all_new(server) as requests:
            result = _pgbench(server, connections, seconds, script)
            requests.append(result["done"])
        return result
    return _pgbench(server, connections, seconds, script)


def _pgbench(server, connections, seconds, script):
    prefix = server.folder / "transactions"
    out, used = with_cpu(server, lambda: output(
        [server.programs / "pgbench", "-h", "127.0.0.1", "-p", server.port, "-U", "bench", "-n",
         "-M", "prepared", "-c", connections, "-j", 1, "-T", seconds, "-f", BENCH / script,
         "-l", f"--log-prefix={prefix}", "postgres"], env=servers.environment()))
    took = []
    for log in prefix.parent.glob(prefix.name + ".*"):
        took += [int(line.split()[2]) / 1e3 for line in log.read_text().splitlines()]
        log.unlink()
    took.sort()
    return {"done": len(took), "rps": float(re.search(r"tps = ([\d.]+)", out).group(1)),
            "cpu": used * 1e6 / len(took),
            **{key: took[int(share * (len(took) - 1))]
               for key, share in (("p50", .5), ("p99", .99), ("p999", .999))}}


def open_loop(server, rate, seconds, kind="known", prefix=""):
    """kind: known rooms, new ones, or lives (rooms that come, are entered, left and go)."""
    answer = json.loads(output([servers.TREE / "openloop", server.port, rate, seconds, 32, kind,
                                prefix]))
    if answer["bad"]:
        raise RuntimeError(f"openloop: {answer['bad']} requests were not answered with 200")
    return answer


def fdatasync_loop(seconds):
    return json.loads(output([servers.TREE / "bare_fdatasync", servers.SCRATCH / "fdatasync.dat",
                              seconds]))
