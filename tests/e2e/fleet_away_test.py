#!/usr/bin/env python3
"""A sidecar while the shared engine is away, and its recovery."""
import unittest

from fleet import SANITIZED, FleetCase, config
from pace import within
from sidecar import wait_until

DEADLINE = 3.5 + (3 if SANITIZED else 0)  # [cluster] timeout is 3 s


def retry_after(answer):
    return int(answer.headers["Retry-After"])


class EngineAway(FleetCase):
    def test_known_rooms_go_on_and_new_ones_are_refused_in_time_until_the_engine_is_back(self):
        a, b = self.fleet(2)
        known = {room: a.ask(room).janus for room in map(str, range(20))}
        self.seen_by_all([b], "19", known["19"])
        for how in ("hangs", "is gone"):
            with self.subTest(f"the engine {how}"):
                if how == "hangs":
                    self.etcd.freeze()
                    self.addCleanup(self.etcd.thaw)
                else:
                    self.etcd.kill()
                for sidecar in (a, b):
                    self.assertEqual({room: sidecar.ask(room).janus for room in known}, known)
                    with within(DEADLINE):
                        answer = self.expect(sidecar.ask(f"new {how}"), 503, "storage_unavailable")
                    self.assertGreaterEqual(retry_after(answer), 1)
                    reasons = wait_until(sidecar.degraded, "the sidecar to miss the engine")
                    self.assertTrue(any(reason.startswith("cluster: ") for reason in reasons), reasons)
                if how == "hangs":
                    self.etcd.thaw()
                else:
                    for member in self.etcd:
                        member.start()
                for sidecar in (a, b):
                    wait_until(lambda sidecar=sidecar: not sidecar.degraded(), "the engine to answer again")
                    sidecar.wait_until_live()
                self.assertEqual(a.ask(f"new {how}").janus, b.ask(f"new {how}").janus)

    def test_a_session_report_for_a_known_room_needs_no_engine(self):
        a = self.member()
        gateway = a.enter("1", "before").janus
        self.away()
        with within(DEADLINE):
            self.assertEqual(a.enter("1", "before").janus, gateway)
        with within(2 * DEADLINE):
            self.assertEqual(a.enter("1", "during").janus, gateway)
            a.leave("1", "during")
        self.etcd.thaw()
        self.assertEqual(self.etcd.rooms(), {"1": gateway})

    def test_legacy_mode_answers_default_gateways_at_once_without_the_engine(self):
        text = config(self.settings()) + '[[rooms]]\ngateway_uid = "2171"\ndefault_gateway = "gxy7"\n'
        a = self.begin(text).wait_until_live()
        self.away()
        a.write_config(text.replace("scale = true", "scale = false"))
        with within(DEADLINE):
            self.assertEqual(a.post("/v2/reload").status, 200)
        with within(0.5):
            self.assertEqual((a.ask("2171").janus, a.ask("2171").reason), ("gxy7", "default"))
        self.assertEqual(a.state(), "idle")

    def test_only_rooms_with_live_sessions_here_are_answered_after_max_stale(self):
        a = self.member({"max_stale": "15s"})
        asked, entered = a.ask("asked").janus, a.enter("entered", "s").janus
        self.away()
        self.assertEqual((a.ask("asked").janus, a.ask("entered").janus), (asked, entered))
        wait_until(lambda: a.state() == "outdated", "what is known to be outdated")
        self.expect(a.ask("asked"), 503, "storage_unavailable")
        self.assertEqual(a.ask("entered").janus, entered)
        self.etcd.thaw()
        wait_until(lambda: a.ask("asked").status == 200, "the engine to answer again")
        self.assertEqual(a.ask("asked").janus, asked)

    def test_sticky_answers_send_no_request_to_the_engine(self):
        a, b = self.fleet(2)
        for room in map(str, range(50)):
            a.ask(room)
        self.seen_by_all([b], "49", a.ask("49").janus)
        self.away()
        with within(100):  # an attempt at a member that hangs would take a second
            for number in range(1000):
                self.assertEqual((a, b)[number % 2].ask(str(number % 50)).reason, "sticky")

    def test_a_restart_serves_from_the_file_at_once(self):
        a = self.member()
        rooms = {room: a.ask(room).janus for room in map(str, range(50))}
        a.stop()
        self.away()
        with within(DEADLINE):
            a.start()
            self.assertEqual({room: a.ask(room).janus for room in rooms}, rooms)
        self.expect(a.ask("new"), 503, "storage_unavailable")
        self.etcd.thaw()
        a.wait_until_live()
        self.assertEqual(a.ask("new").status, 200)

    def test_a_first_start_without_the_engine_waits_for_it(self):
        self.away()
        a = self.begin(config(self.settings()))
        self.expect(a.ask("1"), 503, "storage_unavailable")
        self.etcd.thaw()
        a.wait_until_live()
        self.assertEqual(a.ask("1").status, 200)


if __name__ == "__main__":
    unittest.main()
