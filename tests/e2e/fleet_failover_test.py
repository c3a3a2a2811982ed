#!/usr/bin/env python3
"""A gateway dies, or is evacuated, under many sidecars: one of them moves each room once, and the other sidecars
follow. Real gateways (Janus), a real etcd."""
import collections
import re
import unittest

import janus_fleet
from fleet import FleetCase
from sidecar import wait_until

MOVED = re.compile(r"Room reassigned from (?:offline|draining) server room_id=(\S+) old_server=(\S+) new_server=(\S+)")
HEALTH = {"source": "http", "interval": "400ms", "timeout": "1s"}


class Failover(FleetCase):
    def setUp(self):
        super().setUp()
        self.gateways = janus_fleet.Fleet(("gxy1", "gxy2", "gxy3", "gxy4"))
        self.addCleanup(self.gateways.remove)
        self.gateways.start()

    def sidecars(self):
        return self.fleet(
            3, gateways=self.gateways.entries(), health=HEALTH,
            balancing={"available_servers": ["gxy1", "gxy2", "gxy3"]},
            failover={"wait": "1s", "standby_servers": ["gxy4"]})

    def occupy(self, fleet, count=30):
        """Rooms with a session each, spread over the sidecars; room -> gateway."""
        for sidecar in fleet:
            wait_until(lambda sidecar=sidecar: sidecar.gateway("gxy1")["state"] == "up", "the gateways to be up")
        rooms = {}
        for number in range(count):
            answer = fleet[number % len(fleet)].enter(str(number), f"s{number}")
            self.assertEqual(answer.status, 200, answer)
            rooms[str(number)] = answer.janus
        for sidecar in fleet:
            wait_until(lambda sidecar=sidecar: sidecar.assignments() == rooms, "the rooms to be known everywhere")
        return rooms

    def moves(self, fleet):
        """(room, from, to) -> the number of its lines in all logs."""
        return collections.Counter(move for sidecar in fleet for move in MOVED.findall(sidecar.log()))

    def expect_moved(self, fleet, rooms, gateway, target=None):
        was = {room for room, name in rooms.items() if name == gateway}
        self.assertTrue(was)
        for sidecar in fleet:
            wait_until(lambda sidecar=sidecar: gateway not in sidecar.assignments().values(),
                       f"{gateway} to be left everywhere")
        now = fleet[0].assignments()
        for sidecar in fleet:
            wait_until(lambda sidecar=sidecar: sidecar.assignments() == now, "all to say the same")
            self.assertEqual({room: sidecar.ask(room).janus for room in rooms}, now)
        self.assertEqual(self.etcd.rooms(), now)
        self.assertEqual({room for room in rooms if now[room] != rooms[room]}, was)
        if target:
            self.assertEqual({now[room] for room in was}, {target})
        self.assertEqual(self.moves(fleet), {(room, gateway, now[room]): 1 for room in was})

    def test_the_rooms_of_a_dead_gateway_are_moved_once_to_one_standby(self):
        fleet = self.sidecars()
        rooms = self.occupy(fleet)
        self.gateways["gxy1"].kill()
        self.expect_moved(fleet, rooms, "gxy1", "gxy4")

    def test_a_gateway_evacuated_at_one_sidecar_is_evacuated_by_all(self):
        fleet = self.sidecars()
        rooms = self.occupy(fleet)
        self.assertEqual(fleet[1].put("/v2/gateways/gxy2/drain", {"move": True}).status, 200)
        self.expect_moved(fleet, rooms, "gxy2")
        for sidecar in fleet:
            self.assertTrue(sidecar.gateway("gxy2")["draining"])
        self.assertEqual(fleet[2].delete("/v2/gateways/gxy2/drain").status, 200)
        for sidecar in fleet:
            wait_until(lambda sidecar=sidecar: not sidecar.gateway("gxy2")["draining"], "the end of the drain")


if __name__ == "__main__":
    janus_fleet.leave_if_missing()
    unittest.main()
