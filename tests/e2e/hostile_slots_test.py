#!/usr/bin/env python3
"""Clients that hold scarce slots, of connections and of large bodies. Other clients are served all the same."""
import json
import re
import time
import unittest

from hostile import HOST, PROBE, Cost, Wire, code_of, post
from pace import within
from sidecar import Case, toml, wait_until

AUTHORIZED = HOST + b"Authorization: Bearer s3cret\r\n"
ASK = post(host=AUTHORIZED)
HALF_A_HEAD = b"POST /v2/room_server HTTP/1.1\r\n" + HOST
LARGE = 64 << 10
EIGHT_MIB = str(8 << 20).encode()
SNAPSHOT = json.dumps({"sessions": [{"room": "2171", "session": f"s{number:060}"} for number in range(5000)]}).encode()


def snapshot(text=SNAPSHOT, length=None):
    return post(text, path=b"/v2/sessions", method=b"PUT", length=length)


def metric(text, name):
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


class Slots(Case):
    def guarded(self, **http):
        """A sidecar that requires a token."""
        one = self.sidecar(start=False)
        token = one.folder / "token"
        token.write_text("s3cret\n")
        one.write_config(toml(http={"token_file": str(token), **http}))
        return one.start()

    def wire(self, one, request=b""):
        wire = Wire(one.port)
        self.addCleanup(wire.socket.close)
        wire.say(request)
        return wire

    def kept(self, one, count):
        """That many connections with an authorised answer each. While all threads are behind, one is refused and comes
        again, as clients do."""
        wires = []

        def is_answered():
            wire = self.wire(one, ASK)
            status = wire.read_answer()[0]
            self.assertIn(status, (200, 503))
            if status == 200:
                wires.append(wire)
            return status == 200

        for _ in range(count):
            wait_until(is_answered, "an authorised answer")
        return wires

    def warnings(self, one, text):
        return [line for line in one.log().splitlines() if "WARN: " + text in line]

    def test_silent_slow_and_unauthorised_connections_shut_no_client_out(self):
        one = self.guarded()
        kept = self.kept(one, 20)
        unauthorised = b"GET /v2/rooms HTTP/1.1\r\n" + HOST + b"\r\n"
        held = [self.wire(one, (b"", HALF_A_HEAD, unauthorised, PROBE)[number % 4]) for number in range(600)]
        with within(5):
            admitted = self.kept(one, 20)
        for wire in kept + admitted:
            wire.say(ASK)
            self.assertEqual(wire.read_answer()[0], 200, "an authorised one stays")
        self.assertEqual(one.run("status").returncode, 0)
        text = one.get("/metrics", {"Authorization": "Bearer s3cret"}).body.decode()
        self.assertGreater(metric(text, "room_sidecar_http_connections_displaced_total"), 0)
        line = "Idle connections closed to admit new ones; all slots are taken"
        wait_until(lambda: self.warnings(one, line), "the line")
        self.assertRegex(self.warnings(one, line)[0], r"address=127\.0\.0\.1:\d+ slots=512$")
        wait_until(lambda: re.search(f"event=.*{line}.* left_out=", one.log()), "how many were left out")
        self.assertEqual(len(self.warnings(one, line)), 1)
        for wire in held:
            wire.socket.close()

    def test_probes_and_commands_are_answered_when_all_connections_are_authorised(self):
        one = self.guarded(max_connections=10)
        cost = Cost(one)
        before = cost.descriptors()
        one.client.close()
        wait_until(lambda: cost.descriptors() < before, "its slot to be free")
        self.kept(one, 10)
        for _ in range(3):
            for path in (b"/healthz", b"/readyz"):
                answer = self.wire(one, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n").read_answer()
                self.assertEqual(answer[0], 200)
                self.assertIn(b"Connection: close", answer[1])
            with_token = self.wire(one, b"GET /metrics HTTP/1.1\r\n" + AUTHORIZED + b"\r\n").read_answer()
            self.assertEqual(with_token[0], 200)
            without = self.wire(one, b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n").read_answer()
            self.assertEqual(without[0], 401)
            with within(2):
                self.assertEqual(code_of(self.wire(one, ASK).read_answer()), (503, "too_many_connections"))
            for command in (("status",), ("explain", "2171"), ("reload",)):
                run = one.run(*command)
                self.assertEqual(run.returncode, 0, run.stderr)
        ready = self.wire(one, PROBE.replace(b"healthz", b"readyz")).read_answer()
        self.assertEqual(json.loads(ready[2])["status"], "ok")
        path = b"/v2/rooms/2171/sessions/a"
        report = self.wire(one, post(b"{}", path=path, method=b"PUT", host=AUTHORIZED)).read_answer()
        self.assertEqual(code_of(report), (503, "too_many_connections"))
        self.reports_are_seen_to_be_refused(one, self.wire(one, b"GET /metrics HTTP/1.1\r\n" + AUTHORIZED + b"\r\n"))
        line = "Connections refused; all slots are taken"
        wait_until(lambda: re.search("event=.*Connections refused.* left_out=", one.log()), "how many were left out")
        self.assertEqual(len(self.warnings(one, line)), 1)

    def reports_are_seen_to_be_refused(self, one, asks_metrics):
        text = asks_metrics.read_answer()[2].decode()
        self.assertEqual(metric(text, 'room_sidecar_session_refusals_total{error="too_many_connections"}'), 1)
        self.assertEqual(metric(text, 'room_sidecar_degraded{reason="session_reports"}'), 1)
        ready = json.loads(self.wire(one, PROBE.replace(b"healthz", b"readyz")).read_answer()[2])
        self.assertEqual(ready["status"], "degraded")
        self.assertRegex(ready["reasons"][0], "^sessions: reports are refused")

    def test_the_first_byte_must_come_within_5_s_and_later_ones_within_60(self):
        one = self.sidecar()
        kept = self.wire(one, PROBE)
        self.assertEqual(kept.read_answer()[0], 200)
        began = time.monotonic()
        with within(6):
            silent = self.wire(one)
            self.assertIsNone(silent.read_answer())
        self.assertGreater(time.monotonic() - began, 4.5)
        kept.say(PROBE)
        self.assertEqual(kept.read_answer()[0], 200)


class LargeBodies(Case):
    def setUp(self):
        self.one = self.sidecar(toml(rooms={"2171": "gxy1"}))

    def wire(self, request):
        wire = Wire(self.one.port)
        self.addCleanup(wire.socket.close)
        wire.say(request)
        return wire

    def test_announced_snapshots_delay_no_real_one(self):
        for _ in range(20):
            self.wire(snapshot(b" " * (LARGE - 1), EIGHT_MIB))
        with within(2):
            self.assertEqual(self.wire(snapshot()).read_answer()[0], 200)

    def test_half_sent_snapshots_delay_a_real_one_for_a_second(self):
        slow = [self.wire(snapshot(b" " * (LARGE + 1), EIGHT_MIB)) for _ in range(4)]
        with within(3):
            self.assertEqual(self.wire(snapshot()).read_answer()[0], 200)
        for wire in slow:
            self.assertEqual(code_of(wire.read_answer()), (408, "request_timeout"))

    def test_a_snapshot_that_waits_in_vain_is_refused_and_counted(self):
        """A half-sent body keeps its slot for a second or longer, so the four slots serve 44 of them within 10 s, the
        longest wait of a body."""
        wires = [self.wire(snapshot(b" " * (LARGE + 1), EIGHT_MIB)) for _ in range(60)]
        answers = [code_of(wire.read_answer()) for wire in wires]
        in_vain = answers.count((503, "too_many_connections"))
        self.assertGreaterEqual(in_vain, 60 - 44)
        self.assertEqual(answers.count((408, "request_timeout")), 60 - in_vain)
        self.one.wait_for_log("WARN: Large bodies refused; all slots for them are taken route=/v2/sessions")
        text = self.one.get("/metrics").body.decode()
        self.assertEqual(metric(text, "room_sidecar_http_large_bodies_refused_total"), in_vain)
        refused = metric(text, 'room_sidecar_session_refusals_total{error="too_many_connections"}')
        self.assertEqual(refused, in_vain)
        ready = self.one.get("/readyz").json
        self.assertEqual(ready["status"], "degraded")
        self.assertRegex(ready["reasons"][0], "^sessions: reports are refused")


if __name__ == "__main__":
    unittest.main()
