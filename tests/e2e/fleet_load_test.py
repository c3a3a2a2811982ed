#!/usr/bin/env python3
"""The log of answers (tests/e2e/fleet_load.py) finds each fault: stand-ins for sidecars make known ones, beside a real
etcd."""
import http.server
import json
import random
import threading
import time
import unittest

from etcd import Etcd
from fleet_load import AnswerLog, Load, Plan

GATEWAYS = [f"gxy{i}" for i in range(1, 6)]


class StandIn:
    """Answers by `choose(room)`: a gateway, or None for 503."""

    def __init__(self, choose):
        stand_in = self

        class Listener(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(json.loads(body)["room"])

            def do_PUT(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(self.path.split("/")[3])

            def answer(self, room):
                gateway = stand_in.choose(room)
                body = json.dumps({"janus": gateway} if gateway else {"error": "storage_unavailable"},
                                  separators=(",", ":")).encode()
                self.send_response(200 if gateway else 503)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Room-Server-Reason", "sticky")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

        self.choose = choose
        self.server = Server(("127.0.0.1", 0), Listener)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def remove(self):
        self.server.shutdown()
        self.server.server_close()


class WhatTheLogShows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.etcd = Etcd(members=3)
        cls.addClassCleanup(cls.etcd.remove)
        cls.etcd.start()

    def setUp(self):
        self.etcd.prefix = f"/{self._testMethodName}/"
        self.chance = random.Random(7)

    def fleet(self, *choices):
        stand_ins = [StandIn(choose) for choose in choices]
        for stand_in in stand_ins:
            self.addCleanup(stand_in.remove)
        return [stand_in.port for stand_in in stand_ins]

    def by_transaction(self, room):
        wanted = json.dumps({"gateway": self.chance.choice(GATEWAYS)})
        return json.loads(self.etcd.create(f"room/{room}", wanted))["gateway"]

    def recorded(self, ports, rooms=40, askers=9, during=lambda load: None, **more):
        log, plan = AnswerLog(), Plan(len(ports), rooms, askers, self.chance)
        load = Load(ports, plan, **more)
        self.addCleanup(load.remove)
        during(load)
        log.record(plan, load.finish())
        return log

    def test_claims_by_transaction_show_no_fault_while_the_leader_dies(self):
        def kill_the_leader(load):
            load.wait_for(0.3)
            leader = self.etcd.leader()
            leader.kill()
            load.wait_for(0.9)
            leader.start()
        log = self.recorded(self.fleet(*[self.by_transaction] * 3), during=kill_the_leader, rate=200)
        self.assertEqual(log.two_answers(), {}, log.summary())
        self.assertEqual(len(log.acknowledged()), 40)
        self.assertEqual(log.lost_or_changed(self.etcd.rooms()), {})
        self.assertEqual(log.never_answered(), set())
        self.assertEqual(log.unexpected(), [])

    def test_sidecars_that_decide_alone_give_rooms_two_answers(self):
        alone = [dict() for _ in range(3)]
        log = self.recorded(self.fleet(*[
            lambda room, rows=rows: rows.setdefault(room, self.chance.choice(GATEWAYS)) for rows in alone]))
        self.assertGreater(len(log.two_answers()), 20)

    def test_a_lost_assignment_and_a_changed_one_are_found(self):
        log = self.recorded(self.fleet(self.by_transaction), rooms=10, askers=2)
        was = log.acknowledged()
        self.etcd.delete("room/r3")
        self.etcd.put("room/r4", '{"gateway":"elsewhere"}')
        self.assertEqual(log.lost_or_changed(self.etcd.rooms()),
                         {"r3": (was["r3"], None), "r4": (was["r4"], "elsewhere")})

    def test_a_refused_caller_asks_again_and_one_without_any_answer_is_found(self):
        refused = set()

        def late(room):
            if room == "r1" or room not in refused:
                refused.add(room)
                return None
            return "gxy1"
        log = self.recorded(self.fleet(late), rooms=3, askers=1, patience=0.5)
        self.assertEqual(log.never_answered(), {"r1"})
        self.assertEqual(len(log.acknowledged()), 2)

    def test_the_slowest_answer_is_found(self):
        def slow(room):
            time.sleep(0.3 if room == "r5" else 0)
            return "gxy1"
        log = self.recorded(self.fleet(lambda room: "gxy1", slow), rooms=10, askers=2)
        self.assertGreater(log.slowest(), 0.3)
        self.assertLess(log.slowest(without=[1]), 0.3)

    def test_an_unreachable_sidecar_is_an_answer_without_status(self):
        port = self.fleet(lambda room: "gxy1")[0]
        with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as closed:
            nobody = closed.server_address[1]
        log = self.recorded([port, nobody], rooms=4, askers=2, patience=0.3)
        self.assertEqual({answer.status for answer in log.answers if answer.sidecar == 1}, {0})
        self.assertEqual({answer.status for answer in log.answers if answer.sidecar == 0}, {200})


if __name__ == "__main__":
    unittest.main()
