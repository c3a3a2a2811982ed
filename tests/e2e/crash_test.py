#!/usr/bin/env python3
"""A kill at any instant, under load: answers hold.

CRASH_ROUNDS says how often (`./dev soak` sets it), CRASH_SEED repeats a run.
"""
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from load import GONE, Load
from sidecar import BINARY, Case, Client, toml, wait_until

SANITIZED = "ROOM_SIDECAR_SANITIZED" in os.environ
ROUNDS = int(os.environ.get("CRASH_ROUNDS", "8" if SANITIZED else "20"))
SEED = int(os.environ.get("CRASH_SEED", str(random.randrange(10**9))))
GATEWAYS = [f"gxy{i}" for i in range(1, 7)]


def scale(**more):
    more = {"regions": {"IL": GATEWAYS[:2], "US": GATEWAYS[2:4]}, **more}
    return toml(scale=True, unknown_rooms="accept", gateways=GATEWAYS, **more)


def rows_left_behind(sidecar):
    """The assignments in a dead sidecar's file, read from a copy, since the next sidecar must recover the file."""
    with tempfile.TemporaryDirectory() as folder:
        for end in ("", "-wal"):
            file = sidecar.database.with_name(sidecar.database.name + end)
            if file.exists():
                shutil.copy(file, folder)
        return rows_in(f"{folder}/{sidecar.database.name}")


def rows_in(file):
    with contextlib.closing(sqlite3.connect(file)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise AssertionError(f"{file} is damaged")
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables == (0,):
            return {}
        return dict(connection.execute("SELECT room_id, gateway_name FROM room_server_assignments"))


def different(expected, found):
    return {room: (gateway, found.get(room)) for room, gateway in expected.items()
            if found.get(room) != gateway}


class Crash(Case):
    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id()}")

    def pause(self, most):
        """Chooses an instant: it sleeps because there is no condition to wait for."""
        time.sleep(self.chance.uniform(0, most))

    def expect_standing(self, sidecar, promised, asked):
        """Checks the file, the listing, the loads and the answers."""
        self.assertEqual(different(promised, rows_left_behind(sidecar)), {})
        sidecar.start()
        listed = sidecar.assignments()
        self.assertEqual(different(promised, listed), {})
        self.assertEqual(sidecar.assignments_in_file(), listed)
        for gateway in sidecar.get("/v2/gateways").json["gateways"]:
            count = list(listed.values()).count(gateway["name"])
            self.assertEqual((gateway["rooms"], gateway["load"]), (count, count * 10))
        for room in asked:
            answer = sidecar.ask(room)
            self.assertEqual((room, answer.janus, answer.reason), (room, promised[room], "sticky"))

    def start_and_kill_at_once(self, sidecar):
        sidecar.launch()
        self.pause(0.5 if SANITIZED else 0.1)
        sidecar.kill()

    def test_answers_hold_after_kill_9_under_load(self):
        sidecar = self.sidecar(scale())
        older, answers = {}, 0
        for number in range(ROUNDS):
            with Load(sidecar, self.chance, f"{number}-") as load:
                some = self.chance.randrange(1, 30 if SANITIZED else 90)
                wait_until(lambda load=load, some=some: len(load.promises) >= some, "some load")
                self.pause(0.02)
                sidecar.kill()
            self.assertEqual(load.faults, [])
            answers += load.requests.total()
            if number % 4 == 3:
                self.start_and_kill_at_once(sidecar)
            newer = load.standing()
            some_older = self.chance.sample(sorted(older), min(20, len(older)))
            older.update(newer)
            with self.subTest(round=number):
                self.expect_standing(sidecar, older, [*newer, *some_older])
        print(f"{ROUNDS} times killed, {answers} answers, {len(older)} rooms", file=sys.stderr)
        self.assertEqual(sidecar.stop(), 0)

    def test_a_sidecar_killed_in_its_first_instants_leaves_a_file_that_the_next_one_takes(self):
        for _ in range(max(2, ROUNDS // 7)):
            sidecar = self.sidecar(scale(), start=False)
            for _ in range(3):
                self.start_and_kill_at_once(sidecar)
            sidecar.start()
            self.assertEqual(sidecar.ask("1").status, 200)
            self.assertEqual(sidecar.stop(), 0)

    def test_a_kill_during_a_reload_leaves_the_old_rooms_or_the_new_ones(self):
        def config(number):
            """A configuration with rooms that come, go, and change their default gateway, beside those of the load."""
            rooms = {f"row-{i}": GATEWAYS[(i + number) % 6]
                     for i in range(number % 3 * 10, number % 3 * 10 + 200)}
            return scale(rooms=rooms, balancing={"max_server_capacity": 400 + number % 5})

        def default_gateways(sidecar):
            return dict(sidecar.sql(
                "SELECT r.gateway_uid, g.name FROM rooms r JOIN gateways g"
                " ON g.id = r.default_gateway_id WHERE r.removed_at IS NULL"))

        sidecar = self.sidecar(config(0))
        shapes, promised = [], {}
        for number in range(1, max(3, ROUNDS // 4) + 1):
            before = default_gateways(sidecar)
            with Load(sidecar, self.chance, f"{number}-") as load:
                sidecar.write_config(config(number))
                sidecar.hang_up()
                self.pause(0.3 if SANITIZED else 0.06)
                sidecar.kill()
            self.assertEqual(load.faults, [])
            promised.update(load.standing())
            left = default_gateways(sidecar)
            shapes.append(left == before)
            self.expect_standing(sidecar, promised, load.standing())
            after = default_gateways(sidecar)
            self.assertIn(left, (before, after), "half a reload")
        print(f"of {len(shapes)} reloads {sum(shapes)} were not in the file", file=sys.stderr)

    def test_answers_hold_after_a_kill_while_scale_mode_begins(self):
        """Users are where the signaling server put them in legacy mode; the answered reload keeps
        them there, and so does any answer of the new mode."""
        rooms = [f"live-{i}" for i in range(120)]

        def where(room):
            return GATEWAYS[sum(map(ord, room)) % 6]

        def config(is_scale):
            return toml(scale=is_scale, gateways=GATEWAYS, rooms=dict.fromkeys(rooms, "gxy1"))

        applied = 0
        for number in range(max(3, ROUNDS // 4)):
            sidecar = self.sidecar(config(False))
            for room in rooms:
                sidecar.enter(room, f"s-{room}", janus=where(room))
            sidecar.write_config(config(True))
            answered, outcome = {}, []

            def ask(sidecar=sidecar, answered=answered, seed=self.chance.random()):
                chance, client = random.Random(seed), Client("127.0.0.1", sidecar.port)
                with contextlib.closing(client), contextlib.suppress(*GONE):
                    while True:
                        room = chance.choice(rooms)
                        answer = client.request("POST", "/v2/room_server", {"room": room})
                        if answer.reason != "default":
                            answered[room] = answer.janus

            def reload(sidecar=sidecar, outcome=outcome):
                client = Client("127.0.0.1", sidecar.port)
                with contextlib.closing(client), contextlib.suppress(*GONE):
                    outcome.append(client.request("POST", "/v2/reload").status)

            threads = [threading.Thread(target=action) for action in (ask, ask, reload)]
            for thread in threads:
                thread.start()
            if number % 3 == 2:
                threads[-1].join()  # sometimes the reload is answered before
            self.pause(0.3 if SANITIZED else 0.05)
            sidecar.kill()
            for thread in threads:
                thread.join()
            self.assertEqual(different(answered, {room: where(room) for room in rooms}), {})
            promised = dict(answered)
            if outcome:
                applied += 1
                promised = {room: where(room) for room in rooms}
            self.expect_standing(sidecar, promised, promised)
            if outcome:
                self.assertEqual(sum(gateway["users"] for gateway in
                                     sidecar.get("/v2/gateways").json["gateways"]), len(rooms))
            sidecar.kill()
        print(f"{applied} reloads were answered", file=sys.stderr)

    def test_a_kill_during_a_backup_leaves_the_older_backup_whole(self):
        sidecar = self.sidecar(scale())
        target = sidecar.folder / "backup"
        promised, finished = {}, 0
        for number in range(max(3, ROUNDS // 3)):
            with Load(sidecar, self.chance, f"{number}-", workers=3) as load:
                self.pause(0.1)
                before = load.standing()
                process = subprocess.Popen(
                    [BINARY, "backup", str(target), "--config", str(sidecar.config_file)],
                    env=sidecar.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                self.pause(0.4 if SANITIZED else 0.06)
                (process if number % 3 else sidecar).kill()
                complaint = process.communicate(timeout=60)[1]
                load.stop()
            self.assertEqual(load.faults, [])
            if process.returncode == 0:
                finished += 1
                ended = {promise.room for promise in load.promises if promise.until is not None}
                held = {room: gateway for room, gateway in before.items() if room not in ended}
                self.assertEqual(different(held, rows_in(target)), {})
            else:
                self.assertEqual(process.returncode, -signal.SIGKILL, complaint)
            if target.exists():
                rows_in(target)
            if sidecar.process.poll() is None:
                sidecar.kill()
            promised.update(load.standing())
            self.expect_standing(sidecar, promised, load.standing())
        self.assertEqual(sidecar.run("backup", str(target)).returncode, 0)
        self.assertEqual(rows_in(target), sidecar.assignments())
        print(f"{finished} backups were finished", file=sys.stderr)
        self.assertEqual([path.name for path in sidecar.folder.glob("*.unfinished-*")], [])

    def test_a_waiting_removal_may_be_lost_and_a_later_answer_is_not(self):
        sidecar = self.sidecar(scale(sessions={"dead_after": "1s", "clean_every": "1s"}))
        for number in range(max(2, ROUNDS // 5)):
            left, asked_again = f"left-{number}", f"again-{number}"
            first = {}
            for room in (left, asked_again):
                first[room] = sidecar.enter(room, f"s-{room}").json["janus"]
            # Mostly not yet in the file when it is killed; the old session's row often is.
            self.pause(0.3)
            for room in (left, asked_again):
                self.assertTrue(sidecar.leave(room, f"s-{room}").json["assignment_removed"])
            sidecar.put(f"/v2/gateways/{first[asked_again]}/drain")
            new = sidecar.ask(asked_again).janus
            self.assertNotEqual(new, first[asked_again])
            self.pause(0.15)
            sidecar.kill()
            found = rows_left_behind(sidecar)
            self.assertEqual(found[asked_again], new)
            self.assertIn(found.get(left), (first[left], None))
            sidecar.start()
            self.assertEqual(sidecar.ask(asked_again).janus, new)
            sidecar.delete(f"/v2/gateways/{first[asked_again]}/drain")
        wait_until(lambda: not sidecar.sql("SELECT * FROM sessions"), "lost leaves to mend")


if __name__ == "__main__":
    print(f"CRASH_SEED={SEED} CRASH_ROUNDS={ROUNDS}", file=sys.stderr)
    unittest.main()
