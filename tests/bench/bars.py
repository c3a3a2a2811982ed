"""DESIGN's bars of speed and size, in its order. Each function measures and records a few of them."""
import contextlib
import http.client
import statistics
import sys
import threading
import time

from load import fdatasync_loop, median, open_loop, pairs, ratio, with_cpu, wrk
from processes import cpu_seconds, rss_mib
from servers import Bare, Server, running


def table(results):
    return "\n      ".join(
        f"{name:<14} {median(rows, 'rps'):>8.0f}/s  CPU {median(rows, 'cpu'):5.1f} us/request"
        f"  p50 {median(rows, 'p50'):.3f}  p99 {median(rows, 'p99'):.3f}"
        f"  p99.9 {median(rows, 'p999'):.3f} ms"
        for name, rows in results.items())


def rooms(server, connections, seconds, name=None):
    """A load for pairs(): known rooms, or new ones if named."""
    return lambda number: wrk(server, connections, seconds, name and f"{name}-{number}")


class Bars:
    def __init__(self, rounds, seconds):
        self.rounds, self.seconds = rounds, seconds
        self.found = []  # (what, bar, measured, met)

    def bar(self, what, measured, limit, met, detail=""):
        self.found.append((what, limit, measured, met))
        print(f"{'pass' if met else 'MISS'}  {what:<58} {measured:>12}  bar {limit}"
              + (f"\n      {detail}" if detail else ""), flush=True)

    def missed(self):
        return sum(not met for *_, met in self.found)

    def sticky(self):
        with running(Server(), Bare("bare_httplib"), Bare("bare_server")) as (ours, httplib, bare):
            results = pairs({name: rooms(server, 8, self.seconds) for name, server in
                             (("sidecar", ours), ("bare httplib", httplib), ("bare server", bare))},
                            self.rounds)
        of_httplib = ratio(results["sidecar"], results["bare httplib"])
        of_bare = ratio(results["sidecar"], results["bare server"])
        self.bar("known room, 8 connections: of a bare httplib handler", f"{of_httplib:.2f}",
                 "≥ 1.10", of_httplib >= 1.1, table(results))
        self.bar("known room, 8 connections: of a bare handler on our server", f"{of_bare:.2f}",
                 "≥ 0.80", of_bare >= 0.8)

    def sticky_open(self):
        with running(Server()) as (ours,):
            rows, used = with_cpu(ours, lambda: [open_loop(ours, 2000, 2 * self.seconds)
                                                 for _ in range(self.rounds)])
        p99 = median(rows, "p99")
        self.bar("known room, 2 000/s open loop, 32 connections: p99", f"{p99:.2f} ms", "< 1 ms",
                 p99 < 1, f"p50 {median(rows, 'p50'):.3f}  p99.9 {median(rows, 'p999'):.3f} ms  "
                 f"CPU {used * 1e6 / sum(row['done'] for row in rows):.1f} us/request")

    def new(self):
        with running(Server(), Bare("bare_httplib")) as (ours, httplib):
            results = pairs({"sidecar": rooms(ours, 32, self.seconds, "new"),
                             "bare httplib": rooms(httplib, 32, self.seconds, "new")}, self.rounds)
        of_httplib = ratio(results["sidecar"], results["bare httplib"])
        self.bar("new room, durable, 32 connections: of bare httplib", f"{of_httplib:.2f}", "≥ 0.50",
                 of_httplib >= 0.5, table(results))

    def new_open(self):
        with running(Server()) as (ours,):
            rows, disk = [], []
            for number in range(self.rounds):
                disk.append(fdatasync_loop(self.seconds))
                rows.append(open_loop(ours, 1000, 2 * self.seconds, "new", f"open-{number}-"))
        p99, limit = median(rows, "p99"), max(5.0, 5 + median(disk, "p999"))
        self.bar("new room, durable, 1 000/s open loop: p99", f"{p99:.2f} ms",
                 f"< {limit:.1f} ms", p99 < limit,
                 f"p50 {median(rows, 'p50'):.3f}  p99.9 {median(rows, 'p999'):.3f} ms  bare fdatasync "
                 f"p50 {median(disk, 'p50'):.3f}  p99.9 {median(disk, 'p999'):.3f} ms")

    def idle(self):
        with running(Server()) as (ours,), contextlib.ExitStack() as stack:
            for _ in range(400):
                connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=10)
                stack.callback(connection.close)
                timed_ask(connection)
            seconds = 5
            before = cpu_seconds(ours.pid)
            time.sleep(seconds)
            share = (cpu_seconds(ours.pid) - before) / seconds * 100
            fresh = []
            for _ in range(self.rounds):
                connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=10)
                fresh.append(timed_ask(connection))
                connection.close()
            took, rss = statistics.median(fresh) * 1e3, rss_mib(ours.pid)
        self.bar("400 idle connections: a fresh request", f"{took:.2f} ms", "< 5 ms", took < 5)
        self.bar("400 idle connections: CPU", f"{share:.1f} %", "< 1 % of a core", share < 1)
        self.bar("400 idle connections: RSS", f"{rss:.1f} MiB", "< 30 MiB", rss < 30)

    def choosing(self):
        with running(Server(1000, 100_000, warm=False), Server(warm=False)) as (large, small):
            results = pairs({"1000 gateways": rooms(large, 32, self.seconds, "new"),
                             "12 gateways": rooms(small, 32, self.seconds, "new")}, self.rounds)
        of_small = ratio(results["1000 gateways"], results["12 gateways"])
        self.bar("new room: 1 000 gateways, 100 000 rooms, of 12, none", f"{of_small:.2f}",
                 "≥ 0.85", of_small >= 0.85, table(results))

    def snapshot(self):
        for what, sessions, limit in (("5 000 sessions", 5000, 1), ("8 MiB", None, 5)):
            with running(Server()) as (ours,), SendingSnapshots(ours, sessions) as sender:
                rows = [open_loop(ours, 2000, self.seconds) for _ in range(self.rounds)]
            p99 = median(rows, "p99")
            self.bar(f"known room while a snapshot of {what} is under way: p99", f"{p99:.2f} ms",
                     f"< {limit} ms", p99 < limit,
                     f"one after the other: {len(sender.took)} snapshots of {sender.sessions} "
                     f"sessions, {statistics.median(sender.took or [0]) * 1e3:.0f} ms each")

    def memory(self):
        with running(Server(warm=False)) as (ours,):
            ours.stop()
            ours.start()
            small = rss_mib(ours.pid)
            ours.stop()
            ours.fill(100_000)
            starts = []
            for _ in range(self.rounds):
                starts.append(ours.start())
                large = rss_mib(ours.pid)
                ours.stop()
        start = statistics.median(starts)
        self.bar("memory with 500 rooms", f"{small:.1f} MiB", "< 20 MiB", small < 20)
        self.bar("memory for 100 000 rooms in use more", f"{large - small:.1f} MiB", "< 40 MiB",
                 large - small < 40)
        self.bar("start with 100 000 rooms in use, to the first answer", f"{start:.2f} s", "< 1 s",
                 start < 1)


def timed_ask(connection):
    """Seconds for one sticky answer, the connect included where there is none yet."""
    began = time.monotonic()
    connection.request("POST", "/v2/room_server", '{"room":"2000"}')
    connection.getresponse().read()
    return time.monotonic() - began


class SendingSnapshots:
    """Sends the same snapshot again and again, beside the measurement."""

    def __init__(self, server, sessions):
        self.port = server.port
        entries = []
        size = 0
        while sessions is None or len(entries) < sessions:
            number = len(entries)
            entry = f'{{"room":"{2000 + number % 500}","session":"s{number}"}}'
            size += len(entry) + 1
            if size > 8 * 1024 * 1024 - 64:
                break
            entries.append(entry)
        self.sessions = len(entries)
        self.body = ('{"sessions":[' + ",".join(entries) + '],"age_ms":0}').encode()
        self.took = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def _send(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self._stop.is_set():
            began = time.monotonic()
            connection.request("PUT", "/v2/sessions", self.body)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                print(f"a snapshot was answered with {answer.status}", file=sys.stderr)
                return
            self.took.append(time.monotonic() - began)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
