#!/usr/bin/env python3
"""The operators' requests: gateways, rooms, assignments, explain, drain, release."""
import re
import unittest
import urllib.parse

from sidecar import Case, toml

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def scale(**more):
    return toml(scale=True, unknown_rooms="accept", **more)


class Looking(Case):
    def test_gateways_are_listed_with_all_their_keys(self):
        sidecar = self.sidecar(scale(
            gateways=[{"name": "gxy1", "capacity": 50}, "gxy2", {"name": "off", "disabled": True}],
            rooms={}, regions={"IL": ["gxy1", "gxy2"], "US": ["gxy1"]},
            balancing={"available_servers": ["gxy1", "off"]}))
        sidecar.ask("1")
        sidecar.enter("1", "a", "gxy1")
        sidecar.put("/v2/gateways/gxy2/drain")
        rows = {row["name"]: row for row in sidecar.get("/v2/gateways").json["gateways"]}
        gxy1 = rows["gxy1"]
        gxy1["regions"].sort()
        self.assertEqual(gxy1, {
            "name": "gxy1", "url": "wss://gxy1.example.org/", "type": "rooms", "state": "unknown",
            "available": True, "disabled": False, "draining": False, "regions": ["IL", "US"],
            "rooms": 1, "users": 1, "load": 10, "capacity": 50})
        self.assertEqual((rows["gxy2"]["available"], rows["gxy2"]["draining"],
                          rows["gxy2"]["capacity"]), (False, True, 400))
        self.assertTrue(rows["off"]["disabled"])

    def test_rooms_are_listed_with_all_their_keys(self):
        sidecar = self.sidecar(toml(scale=True, rooms={
            "2171": {"name": "Hall", "default_gateway": "gxy2"}, "2172": None}))
        self.assertEqual(sidecar.get("/v2/rooms/2171").json,
                         {"room": "2171", "name": "Hall", "default_gateway": "gxy2", "janus": None,
                          "users": 0, "assigned_at": None, "last_used_at": None})
        sidecar.ask("2171")
        room = sidecar.get("/v2/rooms/2171").json
        self.assertEqual(room["janus"], "gxy1")
        self.assertRegex(room["assigned_at"], TIME)
        self.assertRegex(room["last_used_at"], TIME)
        listed = sidecar.get("/v2/rooms").json
        self.assertEqual(([row["room"] for row in listed["rooms"]], listed["next"]),
                         (["2171", "2172"], None))
        self.assertEqual(listed["rooms"][0], room)
        self.assertIsNone(listed["rooms"][1]["default_gateway"])
        self.expect(sidecar.get("/v2/rooms/9999"), 404, "room_not_found")

    def test_janus_of_a_room_is_its_standing_gateway(self):
        sidecar = self.sidecar(toml(pins={"2172": "gxy1"}, rooms={
            "2171": "gxy2", "2172": "gxy2", "2173": None}))

        def janus():
            return [row["janus"] for row in sidecar.get("/v2/rooms").json["rooms"]]

        self.assertEqual(janus(), ["gxy2", "gxy1", None], "legacy: pin or default")
        sidecar.write_config(toml(scale=True, pins={"2172": "gxy1"}, rooms={
            "2171": "gxy2", "2172": "gxy2", "2173": None}))
        sidecar.post("/v2/reload")
        self.assertEqual(janus(), [None, "gxy1", None], "scale: assignment or pin")

    def test_lists_are_in_bytewise_order_and_paged(self):
        sidecar = self.sidecar(scale(rooms={}))
        rooms = ["10", "9", "a b", "Z", "\u00e9", "a/b"]
        for room in rooms:
            sidecar.ask(room)
        expected = sorted(rooms, key=lambda room: room.encode())
        seen, after = [], None
        while True:
            query = {"limit": 2, **({"after": after} if after is not None else {})}
            page = sidecar.get("/v2/assignments?" + urllib.parse.urlencode(
                query, quote_via=urllib.parse.quote)).json
            self.assertLessEqual(len(page["assignments"]), 2)
            seen += [row["room"] for row in page["assignments"]]
            if page["next"] is None:
                break
            after = page["next"]
        self.assertEqual(seen, expected)

    def test_invalid_queries_are_refused(self):
        sidecar = self.sidecar(scale())
        for query in ("limit=0", "limit=1001", "limit=x", "limit=-1", "limit=", "limit=1.5"):
            for path in ("/v2/rooms", "/v2/assignments"):
                self.expect(sidecar.get(f"{path}?{query}"), 400, "invalid_query")
        self.assertEqual(sidecar.get("/v2/rooms?limit=1000").status, 200)

    def test_a_typing_error_in_a_query_or_body_is_refused_and_changes_nothing(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1")
        answer = sidecar.get("/v2/assignments?gatway=gxy2")
        self.expect(answer, 400, "invalid_query")
        self.assertIn('(did you mean "gateway"?)', answer.json["message"])
        answer = sidecar.put("/v2/gateways/gxy1/drain?move=true")
        self.expect(answer, 400, "invalid_query")
        self.assertIn("Send move in the body", answer.json["message"])
        self.expect(sidecar.put("/v2/gateways/gxy1/drain", {"mvoe": True}), 400, "invalid_request")
        self.assertFalse(sidecar.gateway("gxy1")["draining"])
        self.expect(sidecar.request("DELETE", "/v2/assignments/1", {"force": True}), 400, "invalid_request")
        self.expect(sidecar.delete("/v2/assignments/1?forced=true"), 400, "invalid_query")
        self.assertEqual(sidecar.assignments(), {"1": "gxy1"})
        self.expect(sidecar.request("POST", "/v2/reload", {"force": True}), 400, "invalid_request")
        self.expect(sidecar.post("/v2/reload?dry_run=true"), 400, "invalid_query")

    def test_assignments_are_listed_by_gateway_in_both_modes(self):
        sidecar = self.sidecar(scale(rooms={}))
        for room in ("1", "2", "3", "4"):
            sidecar.ask(room, "IL")
        sidecar.enter("1", "a")
        rows = sidecar.get("/v2/assignments?gateway=gxy1").json["assignments"]
        self.assertEqual([row["room"] for row in rows], ["1", "4"])
        self.assertEqual(set(rows[0]), {"room", "janus", "region", "assigned_at", "last_used_at",
                                        "users"})
        self.assertEqual((rows[0]["janus"], rows[0]["region"], rows[0]["users"]), ("gxy1", "IL", 1))
        sidecar.write_config(toml(unknown_rooms="accept", rooms={}))
        sidecar.post("/v2/reload")
        self.assertEqual(len(sidecar.assignments()), 4)

    def test_the_config_has_the_shape_that_clients_expect(self):
        for mode in (False, True):
            sidecar = self.sidecar(toml(scale=mode, gateways=["gxy1"], rooms={}))
            self.assertEqual(sidecar.get("/v2/config").json, {
                "gateways": {"rooms": {"gxy1": {"name": "gxy1", "url": "wss://gxy1.example.org/",
                                                "type": "rooms"}}}, "scale": mode})


class Explaining(Case):
    def test_explain_predicts_the_answer_of_post_and_changes_nothing(self):
        sidecar = self.sidecar(scale(
            gateways=["gxy1", "gxy2", "gxy3", "gxy4", {"name": "off", "disabled": True}, "spare"],
            rooms={}, regions={"IL": ["gxy1", "gxy2"], "US": ["gxy3"]},
            balancing={"available_servers": ["gxy1", "gxy2", "gxy3", "gxy4", "off"]}))
        sidecar.put("/v2/gateways/gxy4/drain")
        sidecar.ask("first", "IL")
        for _ in range(2):
            explained = sidecar.get("/v2/rooms/next/explain?country_code=IL").json
            self.assertEqual([explained[key] for key in ("janus", "reason", "regional_match", "error")],
                             ["gxy2", "assigned", True, None])
            self.assertEqual({row["name"]: row["verdict"] for row in explained["candidates"]},
                             {"gxy1": "higher_load", "gxy2": "chosen", "gxy3": "other_region",
                              "gxy4": "draining", "off": "disabled", "spare": "not_available"})
            self.assertEqual(set(explained["candidates"][0]), {"name", "load", "capacity", "verdict"})
        self.assertEqual(list(sidecar.assignments()), ["first"])
        self.assertEqual(sidecar.ask("next", "IL").janus, "gxy2")

    def test_explain_and_post_agree(self):
        sidecar = self.sidecar(scale(rooms={}, regions={"IL": ["gxy1"], "US": ["gxy2"]},
                                     balancing={"max_server_capacity": 20, "when_full": "reject"}))
        for number in range(9):
            country = ("IL", "US", "FR")[number % 3]
            explained = sidecar.get(f"/v2/rooms/r{number}/explain?country_code={country}").json
            answer = sidecar.ask(f"r{number}", country)
            if answer.status == 200:
                self.assertEqual((explained["janus"], explained["reason"], explained["error"]),
                                 (answer.janus, answer.reason, None))
                again = sidecar.get(f"/v2/rooms/r{number}/explain").json
                self.assertEqual((again["janus"], again["reason"]), (answer.janus, "sticky"))
            else:
                self.assertEqual((explained["janus"], explained["error"]), (None, answer.error))

    def test_explain_names_the_error_where_post_fails(self):
        legacy = self.sidecar(toml(rooms={"1": None, "2": "gxy2"}))
        explained = legacy.get("/v2/rooms/1/explain").json
        self.assertEqual((explained["janus"], explained["error"]), (None, "gateway_not_found"))
        explained = legacy.get("/v2/rooms/2/explain").json
        self.assertEqual((explained["janus"], explained["reason"]), ("gxy2", "default"))


class Steering(Case):
    def test_a_draining_gateway_keeps_its_rooms_and_gets_no_new_ones_also_after_a_restart(self):
        sidecar = self.sidecar(scale(rooms={}))
        sidecar.ask("1")
        self.assertEqual(sidecar.put("/v2/gateways/gxy1/drain").status, 200)
        sidecar.kill()
        sidecar.start()
        self.assertTrue(sidecar.gateway("gxy1")["draining"])
        self.assertEqual((sidecar.ask("1").janus, sidecar.ask("2").janus, sidecar.ask("3").janus,
                          sidecar.ask("4").janus), ("gxy1", "gxy2", "gxy3", "gxy2"))
        self.assertEqual(sidecar.delete("/v2/gateways/gxy1/drain").status, 200)
        self.assertEqual(sidecar.ask("5").janus, "gxy1")

    def test_a_gateway_drained_with_move_is_evacuated_and_each_room_moves_once(self):
        sidecar = self.sidecar(scale())
        for room in range(30):
            sidecar.ask(room)
        before = sidecar.assignments()
        done = sidecar.run("drain", "gxy1", "--move")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        sidecar.wait_for_log("Failover completed failed_server=gxy1 target=gxy2,gxy3 count=10")
        after = sidecar.assignments()
        self.assertNotIn("gxy1", after.values())
        for room, gateway in before.items():
            self.assertTrue(gateway == "gxy1" or after[room] == gateway, room)
            line = f"Room reassigned from draining server room_id={room} "
            self.assertEqual(sidecar.log().count(line), gateway == "gxy1")
        self.assertEqual(sidecar.run("undrain", "gxy1").returncode, 0)
        self.assertEqual((sidecar.ask("new").janus, sidecar.assignments()["0"]),
                         ("gxy1", after["0"]))

    def test_a_second_drain_is_accepted_and_an_unknown_gateway_is_404(self):
        sidecar = self.sidecar(scale())
        for _ in range(2):
            self.assertEqual(sidecar.put("/v2/gateways/gxy1/drain").status, 200)
        for _ in range(2):
            self.assertEqual(sidecar.delete("/v2/gateways/gxy1/drain").status, 200)
        self.expect(sidecar.put("/v2/gateways/gxy9/drain"), 404, "gateway_not_found")
        self.expect(sidecar.delete("/v2/gateways/gxy9/drain"), 404, "gateway_not_found")

    def test_an_unknown_gateway_is_refused_wherever_it_is_named(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1")
        for ask, target in ((sidecar.get, "/v2/assignments?gateway=gyx1"), (sidecar.put, "/v2/gateways/gyx1/drain"),
                            (sidecar.delete, "/v2/gateways/gyx1/drain")):
            answer = ask(target)
            self.expect(answer, 404, "gateway_not_found")
            self.assertIn('there is no "gyx1" (did you mean "gxy1"?)', answer.json["message"])
        self.expect(sidecar.get("/v2/assignments?gateway="), 404, "gateway_not_found")
        self.assertEqual(sidecar.get("/v2/assignments?gateway=gxy3").json["assignments"], [])
        for command in (("assignments", "--gateway", "gyx1"), ("drain", "gyx1")):
            done = sidecar.run(*command)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn('there is no "gyx1" (did you mean "gxy1"?)', done.stderr)

    def test_an_empty_room_is_released(self):
        sidecar = self.sidecar(scale(rooms={}))
        sidecar.ask("1")
        self.assertEqual(sidecar.delete("/v2/assignments/1").json, {"released": True})
        self.assertEqual(sidecar.assignments_in_file(), {})
        self.expect(sidecar.delete("/v2/assignments/1"), 404, "assignment_not_found")
        self.assertEqual(sidecar.gateway("gxy1")["load"], 0)

    def test_an_occupied_room_is_released_by_force_only(self):
        sidecar = self.sidecar(scale(rooms={}))
        sidecar.enter("1", "a", "gxy2")
        self.expect(sidecar.delete("/v2/assignments/1"), 409, "room_occupied")
        self.assertEqual(sidecar.ask("1").janus, "gxy2")
        self.assertEqual(sidecar.delete("/v2/assignments/1?force=true").json, {"released": True})
        self.assertEqual(sidecar.gateway("gxy2")["users"], 0, "its sessions are forgotten")
        # a keepalive of a remaining user must not bring the room back
        self.assertEqual(sidecar.enter("1", "a", "gxy2").janus, "gxy1")


if __name__ == "__main__":
    unittest.main()
