#!/usr/bin/env python3
"""Gateways live and die: real Janus processes, a real broker, and the sidecar's reactions."""
import collections
import contextlib
import os
import re
import socket
import sys
import threading
import time
import unittest

import janus_fleet
from metrics_test import metrics
from pace import within
from sidecar import Case, Client, toml, wait_until

SANITIZED = "ROOM_SIDECAR_SANITIZED" in os.environ
MOVED = re.compile(r"Room reassigned from offline server room_id=(\S+) old_server=(\S+) "
                   r"new_server=(\S+)")
# Quick enough for a test; a healthy gateway on a busy machine still answers in time.
QUICK = {"source": "http", "interval": "400ms", "timeout": "1s"}
PUBLISHED = {"source": "mqtt", "interval": "200ms", "stale_after": "2s"}
WAIT = "1s"
# Each of these waits for seconds; the remaining ones take the same paths through the sidecar.
plain_only = unittest.skipIf(SANITIZED, "the plain binary has shown it")


def some_time():
    """Waits to show that nothing happens: several times as long as it would take."""
    time.sleep(2.5)


class Askers:
    """Clients that ask for the same rooms all the time, and record answers and times."""

    def __init__(self, sidecar, rooms, workers=3):
        self.answers = {room: [] for room in rooms}  # each (gateway, reason) in its order, by asker
        self.faults = []
        self._times = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(sidecar.port, rooms[worker:]))
                         for worker in range(workers)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, port, rooms):
        with contextlib.closing(Client("127.0.0.1", port)) as client:
            last = {}
            while not self._stop.is_set():
                for room in rooms:
                    begin = time.monotonic()
                    answer = client.request("POST", "/v2/room_server", {"room": room})
                    self._times.append(time.monotonic() - begin)
                    if answer.status != 200:
                        self.faults.append(f"{room}: {answer}")
                    elif last.get(room) != answer.janus:
                        last[room] = answer.janus
                        self.answers[room].append((threading.get_ident(), answer.janus))
                time.sleep(0.002)

    def p99_since_last_time(self):
        times, self._times = sorted(self._times), []
        return times[len(times) * 99 // 100]

    def gateways_of(self, room):
        """The gateways that each asker got one after the other; all must have got the same."""
        by_asker = collections.defaultdict(list)
        for asker, gateway in self.answers[room]:
            by_asker[asker].append(gateway)
        gateways_asked = {tuple(gateways) for gateways in by_asker.values()}
        return gateways_asked.pop() if len(gateways_asked) == 1 else gateways_asked


class FleetCase(Case):
    def fleet(self, **more):
        fleet = janus_fleet.Fleet(**more)
        self.addCleanup(fleet.remove)
        if fleet.broker:
            fleet.broker.start()
        return fleet.start()

    def config(self, fleet, health=None, failover=None, **more):
        health = dict(QUICK if health is None else health)
        if fleet.broker:
            health["mqtt_url"] = fleet.broker.url
        return toml(scale=True, unknown_rooms="accept", gateways=fleet.entries(), rooms={},
                    health=health,
                    failover={"wait": WAIT} if failover is None else failover, **more)

    def watching(self, fleet, **more):
        """A sidecar that has found all gateways up."""
        sidecar = self.sidecar(self.config(fleet, **more))
        self.wait_for_states(sidecar, **dict.fromkeys(fleet.gateways, "up"))
        return sidecar

    def states(self, sidecar):
        return {row["name"]: row["state"] for row in sidecar.get("/v2/gateways").json["gateways"]}

    def wait_for_states(self, sidecar, **wanted):
        try:
            wait_until(lambda: wanted.items() <= self.states(sidecar).items(), wanted)
        except AssertionError as vain:
            raise AssertionError(f"{vain}, but {self.states(sidecar)}\n{sidecar.log()}") from None

    def rooms_on(self, sidecar, *gateways):
        return {room for room, gateway in sidecar.assignments().items() if gateway in gateways}

    def moves(self, sidecar):
        """room -> its moves in the log, as (old, new)."""
        moves = collections.defaultdict(list)
        for room, old, new in MOVED.findall(sidecar.log()):
            moves[room].append((old, new))
        return moves

    def reasons(self, sidecar):
        ready = sidecar.get("/readyz")
        self.assertEqual(ready.status, 200)
        self.assertEqual(sidecar.get("/healthz").status, 200)
        reasons = ready.json["reasons"]
        self.assertEqual(ready.json["status"], "degraded" if reasons else "ok")
        return reasons

    def expect_moved_once(self, sidecar, before, lost):
        """Every room of the lost gateway is on another, by one move in the log; no other moved."""
        count = list(before.values()).count(lost)
        wait_until(lambda: re.search(rf"Failover completed failed_server={lost} target=\S+ "
                                     rf"count={count}\b", sidecar.log()), "the end to be logged")
        after = sidecar.assignments()
        moves = self.moves(sidecar)
        self.assertEqual(after.keys(), before.keys())
        for room, gateway in before.items():
            if gateway == lost:
                self.assertNotEqual(after[room], lost)
                self.assertEqual(moves[room], [(lost, after[room])], room)
            else:
                self.assertEqual((after[room], moves[room]), (gateway, []), room)
        self.assertEqual(sidecar.log().count("Failover completed"), 1)
        self.assertEqual(sidecar.assignments_in_file(), after)


class OneGateway(FleetCase):
    def lose_one(self, end, bring_back):
        fleet = self.fleet()
        sidecar = self.watching(fleet)
        rooms = [f"room-{i}" for i in range(45)]
        for room in rooms:
            sidecar.ask(room)
        before = sidecar.assignments()
        lost = self.rooms_on(sidecar, "gxy2")
        self.assertEqual(len(lost), 15)
        with Askers(sidecar, rooms) as askers:
            time.sleep(1)
            p99_before = askers.p99_since_last_time()
            end(fleet["gxy2"])
            wait_until(lambda: not self.rooms_on(sidecar, "gxy2"), "the move")
            wait_until(lambda: all(len(askers.gateways_of(room)) == 2 for room in lost),
                       "all askers to get the answer")
            p99 = askers.p99_since_last_time()
            self.assertEqual(self.states(sidecar)["gxy2"], "down")
            self.assertEqual(sidecar.ask("new").status, 200)
            self.assertNotIn("new", self.rooms_on(sidecar, "gxy2"))
            sidecar.delete("/v2/assignments/new")

            bring_back(fleet["gxy2"])
            self.wait_for_states(sidecar, gxy2="up")
            some_time()
        self.assertEqual(askers.faults, [])
        after = sidecar.assignments()
        for room in rooms:
            gateways = (before[room], after[room]) if room in lost else (before[room],)
            self.assertEqual(askers.gateways_of(room), gateways)
        self.expect_moved_once(sidecar, before, "gxy2")
        # A dead gateway's timeout is 1 s; a busy machine's delay is the same before.
        self.assertLess(p99, max(0.1, 10 * p99_before))
        # It is empty, so the next new room is its.
        self.assertEqual(sidecar.ask("next").janus, "gxy2")
        print(f"p99 {p99_before * 1e3:.1f} ms before, {p99 * 1e3:.1f} ms while it died",
              file=sys.stderr)

    def test_rooms_of_a_killed_gateway_move_once_under_load_and_stay_when_it_returns(self):
        self.lose_one(janus_fleet.Janus.kill, janus_fleet.Janus.start)

    @plain_only
    def test_rooms_of_a_frozen_gateway_move_once_under_load_and_stay_when_it_returns(self):
        self.lose_one(janus_fleet.Janus.freeze, janus_fleet.Janus.thaw)

    @plain_only
    def test_a_frozen_gateway_is_down_within_10_seconds_with_the_defaults(self):
        fleet = self.fleet()
        sidecar = self.watching(fleet, health={"source": "http"}, failover={})
        sidecar.ask("1")
        fleet["gxy1"].freeze()
        with within(10):
            self.wait_for_states(sidecar, gxy1="down")

    @plain_only
    def test_an_outage_shorter_than_the_wait_moves_nothing(self):
        fleet = self.fleet()
        sidecar = self.watching(fleet, failover={"wait": "1m"})
        for room in range(9):
            sidecar.ask(room)
        before = sidecar.assignments()
        fleet["gxy1"].freeze()
        self.wait_for_states(sidecar, gxy1="down")
        self.assertEqual(sidecar.ask(0).janus, before["0"])
        fleet["gxy1"].thaw()
        self.wait_for_states(sidecar, gxy1="up")
        self.assertEqual(sidecar.assignments(), before)
        self.assertEqual(self.moves(sidecar), {})

    @plain_only
    def test_a_gateway_that_falls_again_gets_a_hold_down(self):
        fleet = self.fleet()
        sidecar = self.watching(fleet)
        for state in ("up", "suspect"):
            fleet["gxy1"].kill()
            self.wait_for_states(sidecar, gxy1="down")
            fleet["gxy1"].start()
            self.wait_for_states(sidecar, gxy1=state)
        for room in range(6):
            self.assertNotEqual(sidecar.ask(room).janus, "gxy1")

    def test_a_pinned_room_stays_and_is_logged(self):
        fleet = self.fleet()
        sidecar = self.watching(fleet, pins={"fixed": "gxy1"})
        self.assertEqual((sidecar.ask("fixed").janus, sidecar.ask("free").janus), ("gxy1", "gxy2"))
        fleet["gxy1"].kill()
        sidecar.wait_for_log("Rooms stay on a gateway that is down or draining")
        self.assertEqual((sidecar.ask("fixed").janus, self.moves(sidecar)), ("gxy1", {}))
        candidates = sidecar.get("/v2/rooms/fixed/explain").json["candidates"]
        self.assertEqual([(row["name"], row["verdict"]) for row in candidates], [("gxy1", "down")])


class ManyGateways(FleetCase):
    def test_the_brake_keeps_all_rooms_until_enough_gateways_are_back(self):
        fleet = self.fleet()
        sidecar = self.watching(fleet)
        for room in range(9):
            sidecar.ask(room)
        before = sidecar.assignments()
        fleet["gxy1"].kill()
        fleet["gxy2"].freeze()
        self.wait_for_states(sidecar, gxy1="down", gxy2="down")
        some_time()
        self.assertEqual(sidecar.assignments(), before)
        self.assertRegex(self.reasons(sidecar)[0], "most gateways failed")
        now = metrics(sidecar)
        self.assertEqual((now("degraded", reason="brake"), now("brakes_applied_total")), (1, 1))
        self.assertEqual(sidecar.log().count("ERROR: Most gateways failed at once"), 1)
        self.assertEqual(sidecar.ask("new").janus, "gxy3")
        before["new"] = "gxy3"

        fleet["gxy2"].thaw()
        wait_until(lambda: not self.rooms_on(sidecar, "gxy1"), "the move")
        self.expect_moved_once(sidecar, before, "gxy1")
        self.assertEqual(self.reasons(sidecar), [])

    def test_nothing_moves_with_all_gateways_dead_and_known_rooms_are_answered(self):
        fleet = self.fleet()
        # Time enough for the last one to come back behind the others.
        sidecar = self.watching(fleet, failover={"wait": "3s"})
        for room in range(9):
            sidecar.ask(room)
        before = sidecar.assignments()
        for gateway in fleet.gateways.values():
            gateway.kill()
        self.wait_for_states(sidecar, gxy1="down", gxy2="down", gxy3="down")
        some_time()
        some_time()
        self.assertRegex(self.reasons(sidecar)[0], "most gateways failed")
        for room, gateway in before.items():
            self.assertEqual((sidecar.ask(room).janus, sidecar.ask(room).reason),
                             (gateway, "sticky"))
        # New rooms are placed all the same: most likely not all gateways have died.
        placed = sidecar.ask("new")
        self.assertEqual((placed.janus, placed.reason), ("gxy1", "assigned"))
        before["new"] = "gxy1"
        sidecar.kill()
        sidecar.start()
        self.wait_for_states(sidecar, gxy1="down", gxy2="down", gxy3="down")
        some_time()
        fleet.start()
        self.wait_for_states(sidecar, gxy1="up", gxy2="up", gxy3="up")
        wait_until(lambda: not self.reasons(sidecar), "the brake to go")
        self.assertEqual(metrics(sidecar)("degraded", reason="brake"), 0)
        self.assertEqual((sidecar.assignments(), self.moves(sidecar)), (before, {}))

    @plain_only
    def test_a_new_room_goes_to_a_living_standby_if_no_listed_gateway_lives(self):
        fleet = self.fleet()
        sidecar = self.watching(fleet, balancing={"available_servers": ["gxy1"]},
                                failover={"wait": "1h", "standby_servers": ["gxy2", "gxy3"]})
        self.assertEqual(sidecar.ask("first").reason, "assigned")
        verdicts = {row["name"]: row["verdict"] for row in sidecar.get("/v2/rooms/new/explain").json["candidates"]}
        self.assertEqual(verdicts, {"gxy1": "chosen", "gxy2": "standby", "gxy3": "standby"})
        fleet["gxy1"].kill()
        self.wait_for_states(sidecar, gxy1="down")
        answer = sidecar.ask("new")
        self.assertEqual((answer.janus, answer.reason), ("gxy2", "borrowed"))
        self.assertEqual(sidecar.ask("first").janus, "gxy1")
        for name in ("gxy2", "gxy3"):
            sidecar.put(f"/v2/gateways/{name}/drain")
        refused = self.expect(sidecar.ask("more"), 503, "no_gateway_available")
        self.assertEqual(refused.json["message"], "No gateway takes a new room (down by their health: gxy1; draining: "
                         "gxy2, gxy3): repair one that is down, or end a drain.")
        self.assertEqual(self.expect(sidecar.enter("more", "s"), 503, "no_gateway_available").json, refused.json)
        self.assertIn("no gateway may take a new room; 1 of them down by their health",
                      sidecar.run("explain", "more").stdout)


class Interrupted(FleetCase):
    def interrupted(self, end):
        fleet = self.fleet()
        sidecar = self.watching(fleet, balancing={"max_server_capacity": 10**6})
        count = 3000 if SANITIZED else 30000
        self.expect(sidecar.snapshot([(f"room-{i}", f"s-{i}", "gxy1") for i in range(count)]), 200)
        before = sidecar.assignments()
        self.assertEqual(set(before.values()), {"gxy1"})
        sidecar.wait_for_log("Assigned room to server room_id=room-999 ")
        fleet["gxy1"].kill()
        self.wait_for_states(sidecar, gxy1="down")
        # A line for each room that moves: the log grows.
        size = sidecar.log_size()
        wait_until(lambda: sidecar.log_size() > size + 10_000, "the first moves")
        end(sidecar)
        between = sidecar.assignments_in_file()
        moved = {room for room, gateway in between.items() if gateway != "gxy1"}
        sidecar.start()
        # A request finds a moved room where the file had it.
        for room in sorted(moved)[:20]:
            self.assertEqual(sidecar.ask(room).janus, between[room])
        wait_until(lambda: not self.rooms_on(sidecar, "gxy1"), "the rest")
        sidecar.wait_for_log("Failover completed")
        after = sidecar.assignments()
        self.assertEqual({room: after[room] for room in moved},
                         {room: between[room] for room in moved})
        logged = self.moves(sidecar)
        for room in before:
            # The line of a move that was in the file when it was killed may be lost.
            least = 0 if room in moved else 1
            self.assertIn(len(logged[room]), (least, 1), room)
            if logged[room]:
                self.assertEqual(logged[room], [("gxy1", after[room])])
        self.assertTrue(0 < len(moved) < count, f"{len(moved)} of {count} rooms had moved")
        return moved, logged

    def test_a_failover_goes_on_after_a_kill_in_the_middle(self):
        self.interrupted(lambda sidecar: sidecar.kill())

    @plain_only
    def test_a_failover_goes_on_after_a_stop_in_the_middle(self):
        def stop(sidecar):
            sidecar.client.close()  # it would wait for it
            self.assertEqual(sidecar.stop(), 0)

        moved, logged = self.interrupted(stop)
        self.assertEqual([room for room in moved if not logged[room]], [])


class WithBroker(FleetCase):
    def test_readable_messages_of_gateways_count_and_unreadable_ones_do_not(self):
        fleet = self.fleet(broker=True)
        sidecar = self.watching(fleet, health=PUBLISHED)
        for room in range(9):
            sidecar.ask(room)
        before = sidecar.assignments()
        for payload in (b"", b"offline", b'{"online":0}', b'{"online":false,"x":1}', b"\xff\0",
                        b"[" * 10000, b"x" * 300_000):
            fleet.broker.publish("janus/gxy1/status", payload, retain=False)
        fleet.broker.publish("janus/nobody/status", b'{"online":false}')
        fleet.broker.publish("janus/gxy1/status/more", b'{"online":false}')
        sidecar.wait_for_log("WARN: Message ignored")
        some_time()
        self.assertEqual(sidecar.log().count("Message ignored"), 1)
        self.assertEqual((sidecar.assignments(), self.reasons(sidecar)), (before, []))

        fleet["gxy1"].kill()  # the broker publishes its last will
        wait_until(lambda: not self.rooms_on(sidecar, "gxy1"), "the move")
        self.expect_moved_once(sidecar, before, "gxy1")

    def test_a_missing_broker_makes_all_unknown_and_moves_nothing(self):
        fleet = self.fleet(broker=True)
        fleet.broker.kill()
        sidecar = self.sidecar(self.config(fleet, health=PUBLISHED))
        for room in range(9):
            sidecar.ask(room)
        before = sidecar.assignments()
        wait_until(lambda: self.reasons(sidecar), "the broker to be missed")
        self.assertRegex(self.reasons(sidecar)[0], "health: MQTT broker mqtt://127.0.0.1:")
        self.assertEqual(set(self.states(sidecar).values()), {"unknown"})
        with socket.create_server(("127.0.0.1", fleet.broker.port)) as other:
            for _ in range(2):  # not a broker, but it answers
                connection = other.accept()[0]
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()
        fleet.broker.start()
        self.wait_for_states(sidecar, gxy1="up", gxy2="up", gxy3="up")
        self.assertEqual(self.reasons(sidecar), [])
        sidecar.wait_for_log("INFO: All sources of gateways' health work again")
        self.assertIn("ERROR: Health of gateways is only partly known", sidecar.log())

        fleet.broker.kill()
        fleet["gxy1"].kill()
        self.wait_for_states(sidecar, gxy1="unknown", gxy2="unknown", gxy3="unknown")
        some_time()
        self.assertRegex(self.reasons(sidecar)[0], "MQTT broker")
        self.assertEqual((sidecar.assignments(), self.moves(sidecar)), (before, {}))
        self.assertEqual((sidecar.ask("0").janus, sidecar.ask("new").status), (before["0"], 200))
        self.assertEqual(sidecar.stop(), 0)


if __name__ == "__main__":
    janus_fleet.leave_if_missing()
    unittest.main()
