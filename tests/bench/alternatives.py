"""The usual alternatives to the sidecar, measured beside it in the same rounds."""
import threading

import processes
from bars import rooms
from load import median, pairs, pgbench, ratio, redis_benchmark
from servers import Nginx, Postgres, Redis, Server, running

CONNECTIONS = (8, 32)


def redis_load(server, connections, seconds, *command):
    """By time, though redis-benchmark counts requests: as many as were served that long before."""
    requests = 10_000

    def run(_number):
        nonlocal requests
        result = redis_benchmark(server, connections, requests, *command)
        requests = max(1000, int(result["rps"] * seconds))
        return result
    return run


def postgres_load(server, connections, seconds, script):
    def run(_number):
        server.start_over()
        return pgbench(server, connections, seconds, script)
    return run


def with_memory(server, run):
    """The largest memory of the server under that load; also warms it up."""
    seen, ended = [], threading.Event()

    def watch():
        while True:
            seen.append(processes.pss_mib(server.pid))
            if ended.wait(0.1):
                return
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run("warm-up")
    finally:
        ended.set()
        watcher.join()
    return max(seen)


def compare(loads, rounds):
    """loads: name -> (server, load). -> rows as the page has them, the sidecar first."""
    memory = {name: with_memory(server, run) for name, (server, run) in loads.items()}
    results = pairs({name: run for name, (_, run) in loads.items()}, rounds)
    ours = results["room-sidecar"]
    return [{"name": name, "ratio": ratio(ours, rows), "memory": memory[name],
             **{key: median(rows, key) for key in ("rps", "cpu", "p50", "p99", "p999")}}
            for name, rows in results.items()]


def show(title, rows):
    print(title)
    for row in rows:
        print(f"      {row['name']:<32} {row['rps']:>8.0f}/s  ours/it {row['ratio']:6.2f}  "
              f"p50 {row['p50']:.3f}  p99 {row['p99']:.3f}  p99.9 {row['p999']:.3f} ms  "
              f"CPU {row['cpu']:5.1f} us  PSS {row['memory']:.1f} MiB", flush=True)


def measure(rounds, seconds):
    """-> {("known" or "new", connections): rows}"""
    found = {}
    with running(Server(), Nginx(1), Nginx("auto"), Redis(False), Redis(True), Postgres()) as (
            ours, nginx, nginx_auto, redis, redis_durable, postgres):
        for connections in CONNECTIONS:
            found["known", connections] = compare({
                "room-sidecar": (ours, rooms(ours, connections, seconds)),
                "nginx, a constant, 1 worker": (nginx, rooms(nginx, connections, seconds)),
                "nginx, a constant, as it comes": (
                    nginx_auto, rooms(nginx_auto, connections, seconds)),
                "Redis `GET`": (redis, redis_load(
                    redis, connections, seconds, "GET", "room:__rand_int__")),
                "PostgreSQL, as gxydb-api asks": (postgres, postgres_load(
                    postgres, connections, seconds, "sticky.sql")),
            }, rounds)
            show(f"known room, {connections} connections", found["known", connections])
        for connections in CONNECTIONS:
            command = ("SET", "room:__rand_int__", "gxy5", "NX")
            found["new", connections] = compare({
                "room-sidecar": (ours, rooms(ours, connections, seconds, f"beside-{connections}")),
                "Redis `SET NX`, each synced": (redis_durable, redis_load(
                    redis_durable, connections, seconds, *command)),
                "Redis `SET NX`, as it comes": (redis, redis_load(
                    redis, connections, seconds, *command)),
                "PostgreSQL, as gxydb-api asks": (postgres, postgres_load(
                    postgres, connections, seconds, "new_room.sql")),
            }, rounds)
            show(f"new room, {connections} connections", found["new", connections])
    return found
