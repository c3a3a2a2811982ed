"""Sidecars that share their rooms in three real members of etcd: against the bare transaction and against one alone,
by number of sidecars, and by number of rooms. All of it shares one machine, so the transferable result is CPU time."""
import concurrent.futures
import json
import statistics
import time

import processes
import servers
from load import median, output, pairs, ratio, wrk, wrk_new
from servers import Server, running
from shared_store import Store, wait_until_live, wait_until_placed

CONNECTIONS = 32
COUNTS = (1, 3, 10)
IN_ALL = 30       # connections to all sidecars together
STEADY = 100      # new rooms a second at all of them together
BURST = 5_000     # rooms that come at once
KNOWN = 50_000    # rooms


def bare_transactions(store, seconds, name):
    found = json.loads(output([servers.TREE / "bare_transaction", seconds, CONNECTIONS, name, *store.ports]))
    if found["bad"] or not found["done"]:
        raise RuntimeError(f"bare_transaction: {found['bad']} of {found['done']} rooms were not created")
    return {**found, "rps": found["done"] / seconds}


def with_members(store, load):
    """A load for pairs() that also returns the µs of the members' CPU for each request."""
    def loaded(number):
        before = store.cpu_seconds()
        row = load(number)
        return {**row, "members": (store.cpu_seconds() - before) * 1e6 / row["done"]}
    return loaded


def summary(rows):
    return {key: median(rows, key) for key in rows[0] if key in ("rps", "p50", "p99", "p999", "cpu", "members")}


def claims(rounds, seconds):
    with running(Store()) as (store,):
        ours = store.sidecar(warm=False)
        results = pairs({
            "sidecar": with_members(store, lambda n: wrk(ours, CONNECTIONS, seconds, f"new-{n}")),
            "bare": with_members(store, lambda n: bare_transactions(store, seconds, f"bare-{n}"))}, rounds)
    return {"ratio": ratio(results["sidecar"], results["bare"]),
            **{name: summary(rows) for name, rows in results.items()}}


def sticky(rounds, seconds):
    with running(Store()) as (store,):
        servers_by_name = {"shared": store.sidecar(), "alone": Server()}
        results = pairs({name: lambda _, server=server: wrk(server, 8, seconds)
                         for name, server in servers_by_name.items()}, rounds)
    return {"ratio": ratio(results["shared"], results["alone"]),
            "p99_ratio": statistics.median(a["p99"] / b["p99"] for a, b in
                                           zip(results["shared"], results["alone"])),
            **{name: summary(rows) for name, rows in results.items()}}


class Costs:
    """The use of CPU by members and sidecars, and the numbers of requests and events, since its construction."""

    def __init__(self, store, fleet):
        self.store, self.fleet = store, fleet
        self.before, self.began = self.now(), time.monotonic()

    def now(self):
        return {"members": self.store.cpu_seconds(),
                "sidecars": sum(processes.cpu_seconds(server.pid) for server in self.fleet),
                "requests": self.store.requests(), "events": self.store.events_sent()}

    def so_far(self):
        now = self.now()
        return {"seconds": time.monotonic() - self.began,
                **{name: now[name] - self.before[name] for name in now}}


def by_sidecars(count, rounds, seconds):
    with running(Store()) as (store,):
        fleet = [store.sidecar(warm=False) for _ in range(count)]
        time.sleep(5)  # the work of the start is over
        costs = Costs(store, fleet)
        time.sleep(10)
        idle = costs.so_far()
        ports = ",".join(str(server.port) for server in fleet)
        known, steady, floods = fleet[0].placed(), [], []
        for number in range(rounds):
            costs = Costs(store, fleet)
            row = open_loop_at(ports, STEADY, 3 * seconds, f"steady-{number}-")
            known += row["done"]
            wait_until_placed(fleet, known)
            used = costs.so_far()
            steady.append({**row, **{name: used[name] / row["done"] for name in ("members", "sidecars", "events")}})
        for number in range(rounds):
            floods.append(flood(store, fleet, seconds, f"flood-{number}", known))
            known = floods[-1].pop("known")
        known = fleet[0].placed()
        began = time.monotonic()
        store.fill(BURST, fleet[0].names)
        wait_until_placed(fleet, known + BURST)
        return {"count": count, "burst": time.monotonic() - began,
                "idle": {"members": idle["members"] / idle["seconds"] * 100,
                         "sidecar": idle["sidecars"] / idle["seconds"] / count * 100,
                         "requests": idle["requests"] / idle["seconds"]},
                "steady": {key: median(steady, key) for key in ("p50", "p99", "members", "sidecars", "events")},
                "flood": {key: median(floods, key) for key in floods[0]}}


def open_loop_at(ports, rate, seconds, prefix):
    found = json.loads(output([servers.TREE / "openloop", ports, rate, seconds, 40, "new", prefix]))
    if found["bad"]:
        raise RuntimeError(f"openloop: {found['bad']} requests were not answered with 200")
    return found


def flood(store, fleet, seconds, name, known):
    """As many new rooms as the sidecars can place, at all of them at once."""
    costs = Costs(store, fleet)
    with concurrent.futures.ThreadPoolExecutor(len(fleet)) as pool:
        rows = list(pool.map(lambda pair: wrk_new(pair[1], IN_ALL // len(fleet), seconds,
                                                  f"{name}-{pair[0]}"), enumerate(fleet)))
    done, answered = sum(row["done"] for row in rows), time.monotonic()
    # wrk does not wait for the answer to each connection's last request.
    wait_until_placed(fleet, known + done)
    late, used = time.monotonic() - answered, costs.so_far()
    from sidecar import wait_until
    wait_until(lambda: len({server.placed() for server in fleet}) == 1, "all to know the same rooms")
    return {"rps": sum(row["rps"] for row in rows), "late": late * 1e3, "known": fleet[0].placed(),
            "deliveries": used["events"] / used["seconds"],
            "members": used["members"] / done, "sidecars": used["sidecars"] / done}


def by_rooms(starts):
    with running(Store()) as (store,):
        one = store.sidecar(warm=False)
        sizes = {"empty": processes.rss_mib(one.pid), "file_empty": store.file_mib(),
                 "member_empty": store.memory_mib()}
        began = time.monotonic()
        second = store.sidecar(warm=False)
        sizes["fresh_empty"] = time.monotonic() - began
        second.stop()
        began = time.monotonic()
        store.fill(KNOWN, one.names)
        filled = time.monotonic() - began
        wait_until_placed([one], KNOWN)
        behind = time.monotonic() - began - filled
        sizes |= {"full": processes.rss_mib(one.pid), "file_full": store.file_mib(),
                  "member_full": store.memory_mib(), "database": one.file_mib()}
        fresh, again = [], []
        for _ in range(starts):
            began = time.monotonic()
            new = store.sidecar(warm=False)
            fresh.append(time.monotonic() - began)
            if new.placed() < KNOWN:
                raise RuntimeError(f"live, but only {new.placed()} rooms are known")
            listed = processes.rss_mib(new.pid)
            new.stop()
            began = time.monotonic()
            answered = new.start()
            wait_until_live(new)
            again.append((answered, time.monotonic() - began))
            new.stop()
        return {**sizes, "listed": listed, "filled": filled, "behind": behind,
                "fresh": statistics.median(fresh), "again_answers": statistics.median(a for a, _ in again),
                "again_live": statistics.median(b for _, b in again)}


def idle_members():
    """CPU of three idle members, in % of a core."""
    with running(Store()) as (store,):
        time.sleep(3)
        before = store.cpu_seconds()
        time.sleep(8)
        return (store.cpu_seconds() - before) / 8 * 100


def measure(rounds, seconds, show=print):
    few = max(2, rounds // 3)
    found = {"load": load_average(), "rounds": rounds, "few": few, "seconds": seconds}
    found["claims"] = claims(rounds, seconds)
    show(f"      claims: {found['claims']}", flush=True)
    found["sticky"] = sticky(rounds, seconds)
    show(f"      sticky: {found['sticky']}", flush=True)
    found["unused"] = idle_members()
    found["sidecars"] = []
    for count in COUNTS:
        found["sidecars"].append(by_sidecars(count, few, seconds))
        show(f"      {found['sidecars'][-1]}", flush=True)
    found["rooms"] = by_rooms(few)
    show(f"      rooms: {found['rooms']}", flush=True)
    found["load_after"] = load_average()
    return found


def load_average():
    with open("/proc/loadavg", encoding="ascii") as file:
        return float(file.read().split()[0])


def bars(found):
    """(what, bar, measured, met)"""
    of_bare, of_alone = found["claims"]["ratio"], found["sticky"]["ratio"]
    return [("new room, 32 connections: of the bare transaction", "≥ 0.80", f"{of_bare:.2f}", of_bare >= 0.8),
            ("known room, 8 connections: of a sidecar alone", "≥ 0.95", f"{of_alone:.2f}", of_alone >= 0.95)]
