#!/usr/bin/env python3
"""Legacy mode: the default gateway, from memory, and nothing written."""
import time
import unittest

from sidecar import Case, toml, wait_until


class Legacy(Case):
    def test_country_capacity_and_draining_have_no_effect(self):
        sidecar = self.sidecar(toml(
            gateways=[{"name": "gxy1", "capacity": 10}, "gxy2"],
            rooms={str(i): "gxy1" for i in range(5)}, regions={"IL": ["gxy2"]},
            balancing={"available_servers": ["gxy2"]}))
        self.assertEqual(sidecar.put("/v2/gateways/gxy1/drain").status, 200)
        for room in range(5):
            answer = sidecar.ask(str(room), "IL")
            self.assertEqual((answer.janus, answer.reason), ("gxy1", "default"))

    def test_a_pin_comes_before_the_default(self):
        sidecar = self.sidecar(toml(pins={"2171": "gxy3"}))
        answer = sidecar.ask("2171")
        self.assertEqual((answer.janus, answer.reason), ("gxy3", "pinned"))

    def test_an_unknown_room_is_404(self):
        sidecar = self.sidecar(toml(unknown_rooms="accept"))
        for room in ("9999", "", None):
            with self.subTest(room=room):
                answer = sidecar.ask(room)
                self.assertEqual((answer.status, answer.error),
                                 (404, "room_not_found") if room else (400, "invalid_room"))

    def test_an_unusable_default_gateway_is_500(self):
        sidecar = self.sidecar(toml(
            gateways=["gxy1", {"name": "off", "disabled": True},
                      {"name": "odd", "type": "streaming"}],
            rooms={"1": "off", "2": "odd", "3": None, "4": "gxy1"}))
        for room in ("1", "2", "3"):
            answer = self.expect(sidecar.ask(room), 500, "gateway_not_found")
            self.assertTrue(answer.json["message"].startswith("gateway not found for room"))
        self.assertEqual(sidecar.ask("4").janus, "gxy1")

    def test_a_disabled_room_is_404(self):
        sidecar = self.sidecar(toml(rooms={"1": {"default_gateway": "gxy1", "disabled": True}}))
        self.expect(sidecar.ask("1"), 404, "room_not_found")

    def test_the_error_line_is_written_at_most_once_a_second_per_room(self):
        sidecar = self.sidecar(toml(rooms={"1": None, "2": None}))
        for _ in range(20):
            sidecar.ask("1")
            sidecar.ask("2")
        sidecar.wait_for_log("room_gateway_uid=1\n")
        sidecar.wait_for_log("room_gateway_uid=2\n")
        lines = [line for line in sidecar.log().splitlines() if "Gateway not found" in line]
        self.assertEqual(len([line for line in lines if line.endswith("room_gateway_uid=1")]), 1)
        self.assertEqual(len([line for line in lines if line.endswith("room_gateway_uid=2")]), 1)

    def test_sessions_are_counted_and_the_default_is_answered(self):
        sidecar = self.sidecar()
        self.assertEqual(sidecar.enter("2172", "a", "gxy1").json,
                         {"room": "2172", "session": "a", "janus": "gxy2", "users": 1})
        self.assertEqual(sidecar.enter("2172", "b").json["users"], 2)
        self.assertEqual(sidecar.get("/v2/rooms/2172").json["users"], 2)
        self.assertEqual(sidecar.leave("2172", "a").json["users"], 1)
        self.assertEqual(sidecar.assignments(), {})

    def test_no_request_of_users_writes_to_the_database(self):
        sidecar = self.sidecar()

        def state():
            files = [sidecar.folder / ("room-sidecar.db" + end) for end in ("", "-wal")]
            return [(file.stat().st_size, file.stat().st_mtime_ns)
                    for file in files if file.exists()]

        # what the start still has to write is written
        wait_until(lambda: (before := state()) and not wait_a_little() and before == state(),
                   "a quiet file")
        before = state()
        for i in range(50):
            sidecar.ask("2171", "IL")
            sidecar.enter("2171", f"s{i}")
        sidecar.snapshot([("2172", "x"), ("2173", "y")])
        sidecar.leave("2172", "x")
        wait_a_little(2.5)  # longer than anything is written behind
        self.assertEqual(state(), before)


def wait_a_little(seconds=0.5):
    """For the few tests that show that nothing happens."""
    time.sleep(seconds)


if __name__ == "__main__":
    unittest.main()
