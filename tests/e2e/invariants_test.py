#!/usr/bin/env python3
"""The seven invariants, each under load or at its worst moment, from outside."""
import collections
import concurrent.futures
import random
import sqlite3
import threading
import time
import unittest

from sidecar import Case, Client, toml, wait_until

GATEWAYS = [f"gxy{i}" for i in range(1, 6)]


def scale(**more):
    more.setdefault("sessions", {"join_grace": "200ms", "clean_every": "50ms"})
    return toml(scale=True, rooms={}, unknown_rooms="accept", gateways=GATEWAYS, **more)


class Invariants(Case):
    def test_1_every_answer_names_the_same_gateway_while_a_room_is_occupied(self):
        sidecar = self.sidecar(scale())
        stop = threading.Event()
        faults = []

        def user(room):
            """Holds a session in the room and asks for it, beside other users."""
            client = Client("127.0.0.1", sidecar.port)
            name = f"{room}-{threading.get_ident()}"
            while not stop.is_set():
                at = client.request("PUT", f"/v2/rooms/{room}/sessions/{name}", {}).janus
                for _ in range(5):
                    answer = client.request("POST", "/v2/room_server", {"room": room})
                    if answer.janus != at:
                        faults.append((room, at, answer.janus))
                client.request("DELETE", f"/v2/rooms/{room}/sessions/{name}")
            client.close()

        users = [threading.Thread(target=user, args=(f"r{i % 3}",)) for i in range(9)]
        for thread in users:
            thread.start()
        until = time.monotonic() + 3
        number = 0
        while time.monotonic() < until:  # permitted commands of an operator meanwhile
            number += 1
            gateway = GATEWAYS[number % 5]
            sidecar.put(f"/v2/gateways/{gateway}/drain")
            sidecar.post("/v2/reload")
            sidecar.delete(f"/v2/assignments/r{number % 3}")  # refused while occupied
            sidecar.delete(f"/v2/gateways/{gateway}/drain")
        stop.set()
        for thread in users:
            thread.join()
        self.assertEqual(faults, [])

    def test_2_an_answered_assignment_is_in_the_file_after_kill_9_at_any_instant(self):
        sidecar = self.sidecar(scale(sessions={"join_grace": "1h"}))
        answered = {}
        for life in range(4):
            stop = threading.Event()

            def ask(worker, stop=stop, life=life):
                client = Client("127.0.0.1", sidecar.port)
                number = 0
                while not stop.is_set():
                    number += 1
                    room = f"{life}-{worker}-{number}"
                    try:
                        answer = client.request("POST", "/v2/room_server", {"room": room})
                    except OSError:
                        break
                    if answer.status == 200:
                        answered[room] = answer.janus
                client.close()

            workers = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
            for worker in workers:
                worker.start()
            time.sleep(random.uniform(0.1, 0.4))
            sidecar.kill()
            stop.set()
            for worker in workers:
                worker.join()
            in_file = sidecar.assignments_in_file()
            lost = {room for room, gateway in answered.items() if in_file.get(room) != gateway}
            self.assertEqual(lost, set())
            sidecar.start()
            for room in random.sample(sorted(answered), min(50, len(answered))):
                self.assertEqual(sidecar.ask(room).janus, answered[room])
        self.assertGreater(len(answered), 50)

    def test_3_a_gateways_load_is_the_recount_of_its_assignments(self):
        sidecar = self.sidecar(scale(pins={"r7": "gxy5"}))

        def anything(seed):
            """A random sequence of all operations that change assignments."""
            chance, client = random.Random(seed), Client("127.0.0.1", sidecar.port)
            for _ in range(150):
                room, session = f"r{chance.randrange(25)}", f"s{chance.randrange(20)}"
                method, path, body = chance.choice([
                    ("POST", "/v2/room_server", {"room": room}),
                    ("PUT", f"/v2/rooms/{room}/sessions/{session}",
                     {"janus": chance.choice(GATEWAYS)}),
                    ("DELETE", f"/v2/rooms/{room}/sessions/{session}", None),
                    ("DELETE", f"/v2/assignments/{room}?force=true", None),
                    ("PUT", "/v2/sessions", {"sessions": [{"room": room, "session": session}],
                                             "age_ms": 0})])
                self.assertIn(client.request(method, path, body).status, (200, 404, 409))
            client.close()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(anything, range(4)))

        def recount_agrees():
            counted = collections.Counter(sidecar.assignments().values())
            listed = {row["name"]: row for row in sidecar.get("/v2/gateways").json["gateways"]}
            return all(row["rooms"] == counted[name] and row["load"] == 10 * counted[name]
                       for name, row in listed.items())

        # cleaning may run between the two answers, so once they must agree; then for good
        wait_until(recount_agrees, "loads that are the recount")
        wait_until(lambda: sidecar.assignments_in_file() == sidecar.assignments(),
                   "the file to hold the same")

    def test_4_legacy_mode_writes_nothing(self):
        sidecar = self.sidecar(toml(gateways=GATEWAYS, sessions={"dead_after": "500ms",
                                                                 "clean_every": "100ms"}))
        time.sleep(1)
        before = self.data_version(sidecar)
        for number in range(30):
            sidecar.ask("2171", "IL")
            sidecar.enter("2172", f"s{number}")
            sidecar.leave("2172", f"s{number - 1}")
        sidecar.snapshot([("2173", "x")])
        time.sleep(2.5)  # the sessions die meanwhile
        self.assertEqual(self.data_version(sidecar), before)
        self.assertEqual(sidecar.sql("SELECT * FROM sessions"), [])

    def data_version(self, sidecar):
        """Changes with every commit of another connection, so one connection must look twice."""
        if not hasattr(self, "_watcher"):
            self._watcher = sqlite3.connect(sidecar.database)
            self.addCleanup(self._watcher.close)
        return self._watcher.execute("PRAGMA data_version").fetchone()

    def test_5_a_cleanup_removes_nothing_that_is_used_or_occupied(self):
        sidecar = self.sidecar(scale(sessions={"join_grace": "1500ms", "dead_after": "1500ms",
                                               "clean_every": "20ms"}))
        self.assertEqual(sidecar.enter("occupied", "a").status, 200)
        self.assertEqual(sidecar.ask("asked").reason, "assigned")
        until = time.monotonic() + 4
        while time.monotonic() < until:
            self.assertEqual(sidecar.ask("asked").reason, "sticky")
            sidecar.enter("occupied", "a")
            self.assertEqual(sorted(sidecar.assignments()), ["asked", "occupied"])
            time.sleep(0.02)
        self.assertNotIn("Cleaned", sidecar.log())

    def test_6_unknown_health_of_a_gateway_moves_no_room(self):
        sidecar = self.sidecar(scale(failover={"standby_servers": ["gxy5"], "wait": "100ms"},
                                     sessions={"join_grace": "1h", "clean_every": "50ms"}))
        placed = {f"r{i}": sidecar.ask(f"r{i}").janus for i in range(10)}
        time.sleep(1)  # ten times the wait of failover
        self.assertEqual({row["state"] for row in sidecar.get("/v2/gateways").json["gateways"]},
                         {"unknown"})
        for room, gateway in placed.items():
            answer = sidecar.ask(room)
            self.assertEqual((answer.janus, answer.reason), (gateway, "sticky"))

    def test_7_a_bad_configuration_never_replaces_a_good_one(self):
        good = scale(sessions={"join_grace": "1h"}, regions={"IL": ["gxy3"]})
        sidecar = self.sidecar(good)
        before = (sidecar.get("/v2/gateways").json, sidecar.get("/v2/config").json,
                  sidecar.sql("SELECT * FROM gateways"), sidecar.sql("SELECT * FROM rooms"))
        for bad in ("scale = maybe\n", good + "nonsense = 1\n", scale(regions={"IL": ["gyx3"]}),
                    scale(balancing={"avg_room_occupancy": 500}),
                    scale(regions={"IL": []}), good + '[[gateways]]\nname = "gxy1"\n',
                    toml(rooms={"1": "gxy9"})):
            sidecar.write_config(bad)
            self.assertEqual(sidecar.post("/v2/reload").status, 409, bad)
            sidecar.hang_up()
        self.assertEqual(before, (sidecar.get("/v2/gateways").json, sidecar.get("/v2/config").json,
                                  sidecar.sql("SELECT * FROM gateways"),
                                  sidecar.sql("SELECT * FROM rooms")))
        self.assertEqual(sidecar.ask("1", "IL").janus, "gxy3")


if __name__ == "__main__":
    unittest.main()
