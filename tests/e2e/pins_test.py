#!/usr/bin/env python3
"""Rooms fixed to a gateway by configuration."""
import unittest

from sidecar import Case, toml


def scale(pins, **more):
    return toml(scale=True, rooms={}, unknown_rooms="accept", pins=pins, **more)


class Pins(Case):
    def test_a_pinned_room_gets_its_gateway_even_when_full_draining_or_unlisted(self):
        sidecar = self.sidecar(scale({"1": "gxy3", "2": "gxy3"},
                                     balancing={"available_servers": ["gxy1"],
                                                "max_server_capacity": 10}))
        sidecar.put("/v2/gateways/gxy3/drain")
        for room in ("1", "2", "1"):
            answer = sidecar.ask(room, "IL")
            self.assertEqual((answer.janus, answer.reason), ("gxy3", "pinned"))
        self.assertEqual(sidecar.gateway("gxy3")["load"], 20)
        self.assertEqual(sidecar.sql("SELECT region FROM room_server_assignments"),
                         [("pinned",), ("pinned",)])

    def test_pins_can_come_from_the_environment(self):
        sidecar = self.sidecar(scale({}), dotenv="SERVER_ROOMS=1234,1235:gxy2;2000:gxy3\n")
        self.assertEqual([sidecar.ask(room).janus for room in ("1234", "1235", "2000")],
                         ["gxy2", "gxy2", "gxy3"])

    def test_a_session_of_a_pinned_room_gets_the_pins_gateway(self):
        sidecar = self.sidecar(scale({"1": "gxy3"}))
        self.assertEqual(sidecar.enter("1", "a", "gxy1").janus, "gxy3")

    def test_a_pin_on_a_disabled_gateway_is_503(self):
        sidecar = self.sidecar(scale(
            {"1": "off"}, gateways=["gxy1", {"name": "off", "disabled": True}]))
        answer = sidecar.ask("1")
        self.assertEqual(answer.status, 503)
        self.assertIn("Retry-After", answer.headers)

    def test_a_new_pin_on_an_occupied_room_waits_until_the_room_is_empty(self):
        sidecar = self.sidecar(scale({}))
        self.assertEqual(sidecar.enter("1", "a").janus, "gxy1")
        sidecar.write_config(scale({"1": "gxy3"}))
        self.assertEqual(sidecar.post("/v2/reload").status, 200)
        self.assertEqual(sidecar.ask("1").janus, "gxy1")
        self.assertEqual(sidecar.enter("1", "b").janus, "gxy1")
        sidecar.leave("1", "a")
        sidecar.leave("1", "b")
        answer = sidecar.ask("1")
        self.assertEqual((answer.janus, answer.reason), ("gxy3", "pinned"))

    def test_a_removed_pin_leaves_the_room_sticky_until_it_is_empty(self):
        sidecar = self.sidecar(scale({"1": "gxy3"}))
        sidecar.enter("1", "a")
        sidecar.write_config(scale({}))
        self.assertEqual(sidecar.post("/v2/reload").status, 200)
        answer = sidecar.ask("1")
        self.assertEqual((answer.janus, answer.reason), ("gxy3", "sticky"))
        sidecar.enter("1", "b")
        sidecar.leave("1", "a")
        sidecar.leave("1", "b")
        self.assertEqual(sidecar.ask("1").janus, "gxy1")


if __name__ == "__main__":
    unittest.main()
