"""How the sidecar grows: with gateways, rooms and connections, and in an hour of steady load."""
import threading
import time

import processes
from bars import rooms
from load import median, open_loop, pairs, ratio, wrk
from servers import Server, running

HOUR = 3600 * 50  # requests in an hour of a signaling server's real load


def line(name, rows, first, **more):
    return {"name": name, "ratio": ratio(rows, first), **more,
            **{key: median(rows, key) for key in ("rps", "cpu", "p50", "p99", "p999")}}


def by_gateways(rounds, seconds):
    counts = (12, 100, 1000)
    with running(*(Server(count, warm=False) for count in counts)) as servers:
        results = pairs({count: rooms(server, 32, seconds, "gateways")
                         for count, server in zip(counts, servers)}, rounds)
        return [line(f"{count:,} gateways", results[count], results[counts[0]],
                     memory=processes.pss_mib(server.pid))
                for count, server in zip(counts, servers)]


def by_rooms(rounds, seconds):
    """Rooms in use, each asked for."""
    counts = (500, 5000, 100_000)
    with running(*(Server(assignments=count, warm=False) for count in counts)) as servers:
        results = pairs({count: lambda _, count=count, server=server: wrk(
            server, 8, seconds, rooms=count) for count, server in zip(counts, servers)}, rounds)
        return [line(f"{count:,} rooms", results[count], results[counts[0]],
                     memory=processes.pss_mib(server.pid), file=server.file_mib())
                for count, server in zip(counts, servers)]


def by_connections(rounds, seconds):
    counts = (1, 8, 32, 128, 512)
    with running(*(Server(http={"max_connections": 600}) for _ in counts)) as servers:
        results = pairs({count: rooms(server, count, seconds)
                         for count, server in zip(counts, servers)}, rounds)
        # Threads are kept for the next connection, so this is what the round needed.
        return [line(f"{count} connection{'s' * (count > 1)}", results[count], results[1],
                     memory=processes.pss_mib(server.pid))
                for count, server in zip(counts, servers)]


def steady(seconds, rate):
    """Rooms come, are entered, left and go, at default settings. -> the resources held in the first third
    and in the last: name -> (first, last, most that the last may be)"""
    samples = []
    with running(Server(warm=False, grace="2m")) as (ours,):
        open_loop(ours, rate, 3, "lives", "before-")  # threads started, buffers grown
        ended = threading.Event()

        def watch():
            while not ended.wait(0.5):
                samples.append({"RSS, MiB": processes.rss_mib(ours.pid),
                                "database and -wal, MiB": ours.file_mib(),
                                "descriptors": processes.descriptors(ours.pid),
                                "threads": processes.threads(ours.pid)})
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            answers = open_loop(ours, rate, seconds, "lives", "life-")
        finally:
            ended.set()
            watcher.join()
    third = len(samples) // 3
    slack = {"RSS, MiB": 2, "database and -wal, MiB": 0.5, "descriptors": 2, "threads": 0}
    held = {}
    for name, more in slack.items():
        first = max(sample[name] for sample in samples[:third])
        last = max(sample[name] for sample in samples[-third:])
        held[name] = (first, last, last <= first + more)
    return {"answers": answers, "held": held, "seconds": seconds, "rate": rate}


def measure(rounds, seconds, steady_seconds):
    found = {}
    for name, one in (("gateways", by_gateways), ("rooms", by_rooms),
                      ("connections", by_connections)):
        began = time.monotonic()
        found[name] = one(rounds, seconds)
        for row in found[name]:
            print(f"      {row['name']:<18} {row['rps']:>8.0f}/s  of the first {row['ratio']:.2f}  "
                  f"p50 {row['p50']:.3f}  p99 {row['p99']:.3f} ms  CPU {row['cpu']:5.1f} us  "
                  f"PSS {row['memory']:.1f} MiB")
        print(f"      ({time.monotonic() - began:.0f} s)", flush=True)
    found["steady"] = steady(steady_seconds, HOUR // 90)
    for name, (first, last, met) in found["steady"]["held"].items():
        print(f"{'pass' if met else 'MISS'}  steady load: {name}: first third {first:.1f}, "
              f"last {last:.1f}", flush=True)
    return found
