#!/usr/bin/env python3
"""Room lists of gateways: real Janus processes with participants, and the sidecar's reactions."""
import contextlib
import json
import re
import unittest
import urllib.request

import janus_fleet
from health_test import FleetCase, some_time
from metrics_test import metrics
from sidecar import wait_until

ASKED = {"source": "janus", "interval": "300ms", "timeout": "2s"}
IMPATIENT = {"join_grace": "300ms", "clean_every": "200ms"}


class Participant:
    """A participant in a room of a gateway, without media, by Janus' own API."""

    def __init__(self, gateway, room):
        self._url, self._secret = gateway.url, gateway.secret
        self._session = f"{self._url}/{self._say(self._url, 'create')['data']['id']}"
        plugin = {"plugin": "janus.plugin.videoroom"}
        handle = f"{self._session}/{self._say(self._session, 'attach', **plugin)['data']['id']}"
        self._say(handle, "message", body={"request": "create", "room": int(room)})  # it may be there
        self._say(handle, "message", body={"request": "join", "room": int(room), "ptype": "publisher"})

    def _say(self, url, kind, **more):
        message = {"janus": kind, "transaction": "test", **more}
        if self._secret:
            message["apisecret"] = self._secret
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(message).encode()), timeout=10) as answer:
            return json.load(answer)

    def leave(self):
        self._say(self._session, "destroy")


class Occupancy(FleetCase):
    def listening(self, fleet, **more):
        return self.sidecar(self.config(fleet, health={}, failover={}, occupancy={**ASKED, **more},
                                        sessions=IMPATIENT))

    def wait_for_assignment(self, sidecar, room, gateway):
        wait_until(lambda: sidecar.assignments().get(room) == gateway, f"{room} on {gateway}: {sidecar.log()}")

    def splits(self, sidecar):
        return sidecar.get("/v2/splits").json["splits"]

    def reasons(self, sidecar):
        return sidecar.get("/readyz").json["reasons"]

    def test_a_room_is_adopted_where_its_participants_are_and_kept_while_they_stay(self):
        fleet = self.fleet()
        sidecar = self.listening(fleet)
        somebody = Participant(fleet["gxy3"], "77")
        self.wait_for_assignment(sidecar, "77", "gxy3")
        sidecar.wait_for_log("Assigned room to server room_id=77 gateway_name=gxy3")
        some_time()  # far longer than grace and cleaning
        answer = sidecar.ask("77")
        self.assertEqual((answer.janus, answer.reason), ("gxy3", "sticky"))
        self.expect(sidecar.delete("/v2/assignments/77"), 409, "room_occupied")
        # The end of the last session does not end the room while the gateway still lists it.
        sidecar.enter("77", "session")
        sidecar.leave("77", "session")
        self.assertEqual(sidecar.assignments(), {"77": "gxy3"})
        sidecar.kill()  # a kill -9 forgets nothing
        sidecar.start()
        some_time()
        self.assertEqual(sidecar.assignments(), {"77": "gxy3"})
        somebody.leave()
        wait_until(lambda: sidecar.assignments() == {}, "the room to be forgotten")
        self.assertEqual(self.splits(sidecar), [])
        self.assertNotIn("split", sidecar.log())

    def test_a_split_room_is_logged_once_and_listed_until_it_has_healed(self):
        fleet = self.fleet()
        sidecar = self.listening(fleet)
        here = Participant(fleet["gxy2"], "88")
        self.wait_for_assignment(sidecar, "88", "gxy2")
        there = [Participant(fleet["gxy1"], "88"), Participant(fleet["gxy1"], "88")]
        wait_until(lambda: self.splits(sidecar), "the split to be seen")
        split, = self.splits(sidecar)
        self.assertEqual(metrics(sidecar)("split_rooms"), 1)
        self.assertRegex(split.pop("since"), r"^20\d\d-")
        self.assertEqual(split, {"room": "88", "janus": "gxy2", "gateways": [
            {"name": "gxy1", "participants": 2}, {"name": "gxy2", "participants": 1}]})
        output = sidecar.run("splits").stdout
        self.assertRegex(output, re.compile(r"^88 +gxy2 +gxy1:2,gxy2:1 +20", re.MULTILINE))
        self.assertEqual(json.loads(sidecar.run("splits", "--json").stdout)["splits"], self.splits(sidecar))
        some_time()
        self.assertEqual(len(re.findall("WARN: Room is split room_id=88 gateway_name=gxy2 ", sidecar.log())), 1)
        # The users left are on the wrong gateway: still split.
        here.leave()
        some_time()
        self.assertEqual([part["name"] for part in self.splits(sidecar)[0]["gateways"]], ["gxy1"])
        self.assertEqual(sidecar.assignments(), {"88": "gxy2"})
        for somebody in there:
            somebody.leave()
        wait_until(lambda: self.splits(sidecar) == [], "the split to be healed")
        self.assertEqual(metrics(sidecar)("split_rooms"), 0)
        sidecar.wait_for_log("INFO: Room is no longer split room_id=88")
        self.assertEqual(sidecar.run("splits").stdout, "No room is split, as far as gateways and sessions report.\n")

    def test_a_silent_gateway_deletes_nothing(self):
        fleet = self.fleet()
        sidecar = self.listening(fleet, timeout="500ms")
        Participant(fleet["gxy2"], "99")
        self.wait_for_assignment(sidecar, "99", "gxy2")
        fleet["gxy2"].freeze()
        wait_until(lambda: self.reasons(sidecar), "the silence to be noticed")
        self.assertEqual(self.reasons(sidecar), ["health: gateway gxy2 did not list rooms when last asked"])
        Participant(fleet["gxy3"], "100")  # the other gateways are still asked
        self.wait_for_assignment(sidecar, "100", "gxy3")
        some_time()
        self.assertEqual(sidecar.assignments(), {"99": "gxy2", "100": "gxy3"})
        fleet["gxy2"].thaw()
        wait_until(lambda: self.reasons(sidecar) == [], "it to answer again")
        self.assertEqual(sidecar.assignments(), {"99": "gxy2", "100": "gxy3"})

    def test_room_lists_work_by_either_api_and_with_a_secret(self):
        fleet = self.fleet(names=("gxy1", "gxy2"), secret="not \"known\"")
        entries = fleet.entries()
        entries[1]["admin_url"] = fleet["gxy2"].admin_url
        fleet.entries = lambda: entries
        sidecar = self.listening(fleet)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: self.reasons(sidecar), "the refusal to be noticed")
        self.assertIn("gxy1 and 1 more did not list rooms", self.reasons(sidecar)[0])
        (fleet.folder / "secret").write_text("not \"known\"\n", encoding="utf-8")
        sidecar.write_config(self.config(fleet, health={}, failover={}, sessions=IMPATIENT, occupancy={
            **ASKED, "secret_file": str(fleet.folder / "secret")}))
        self.assertEqual(sidecar.run("reload").returncode, 0)
        wait_until(lambda: self.reasons(sidecar) == [], f"both to answer: {sidecar.log()}")
        for room, gateway in (("11", "gxy1"), ("12", "gxy2")):
            Participant(fleet[gateway], room)
            self.wait_for_assignment(sidecar, room, gateway)
        # Without the source nothing more is known, and rooms end as ever.
        sidecar.write_config(self.config(fleet, health={}, failover={}, sessions=IMPATIENT))
        self.assertEqual(sidecar.run("reload").returncode, 0)
        wait_until(lambda: sidecar.assignments() == {}, "the rooms to be cleaned up")


if __name__ == "__main__":
    janus_fleet.leave_if_missing()
    unittest.main()
