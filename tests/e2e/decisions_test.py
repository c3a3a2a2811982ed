#!/usr/bin/env python3
"""The recorded decisions, over HTTP and by `why`."""
import json
import re
import unittest

from sidecar import Case, toml, wait_until


def scale(**more):
    return toml(scale=True, regions={"IL": ["gxy1", "gxy2"]}, **more)


class Decisions(Case):
    def decisions(self, sidecar, query=""):
        answer = sidecar.get("/v2/decisions" + query)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_a_placement_shows_its_requester_and_the_state_of_each_gateway(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("2172", "IL")
        asked = sidecar.request("POST", "/v2/room_server", {"room": "2171", "geo": {"country_code": "il"}},
                                {"X-Request-Id": "req-1"})
        self.assertEqual(asked.janus, "gxy2")
        for _ in range(5):
            sidecar.ask("2171", "US")
        page = self.decisions(sidecar, "?room=2171")
        self.assertIsNone(page["next"])
        [one] = page["decisions"]
        self.assertRegex(one["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual({key: one[key] for key in one if key not in ("id", "time", "since", "candidates")},
                         {"room": "2171", "country_code": "IL", "janus": "gxy2", "left": None,
                          "reason": "assigned", "error": None, "regional_match": True, "asked_by": "user",
                          "request_id": "req-1", "times": 1, "candidates_left_out": 0})
        self.assertEqual(one["candidates"], [
            {"name": "gxy1", "load": 10, "capacity": 400, "verdict": "higher_load"},
            {"name": "gxy2", "load": 0, "capacity": 400, "verdict": "chosen"},
            {"name": "gxy3", "load": 0, "capacity": 400, "verdict": "no_region"}])

    def test_the_newest_decisions_come_first_and_pages_show_each_once(self):
        sidecar = self.sidecar(scale(unknown_rooms="accept"))
        for number in range(10):
            sidecar.ask(f"r{number}")
        sidecar.enter("s", "a", "gxy3")
        everything = self.decisions(sidecar)["decisions"]
        self.assertEqual([one["room"] for one in everything], ["s"] + [f"r{n}" for n in range(9, -1, -1)])
        self.assertEqual(everything[0]["asked_by"], "adoption")
        rooms, after = [], ""
        while after is not None:
            page = self.decisions(sidecar, f"?limit=3{after and '&after=' + after}")
            rooms += [one["room"] for one in page["decisions"]]
            after = page["next"]
        self.assertEqual(rooms, [one["room"] for one in everything])

    def test_bad_queries_are_refused(self):
        sidecar = self.sidecar(scale())
        for query, error in (("?limit=0", "invalid_query"), ("?limit=1001", "invalid_query"),
                             ("?after=x", "invalid_query"), ("?after=-1", "invalid_query"),
                             ("?room=", "invalid_room"), ("?room=a%0ab", "invalid_room")):
            answer = sidecar.get("/v2/decisions" + query)
            self.assertEqual((answer.status, answer.error), (400, error), query)

    def test_refusals_are_counted_and_displace_no_placement(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("2171")
        for number in range(300):
            sidecar.ask(f"unknown-{number}")
        for _ in range(5):
            sidecar.ask("nobody")
        everything = self.decisions(sidecar, "?limit=1000")["decisions"]
        self.assertEqual(everything[-1]["room"], "2171")
        [one] = self.decisions(sidecar, "?room=nobody")["decisions"]
        self.assertEqual((one["janus"], one["reason"], one["error"], one["times"]),
                         (None, None, "room_not_found", 5))

    def test_legacy_mode_records_new_default_gateways_and_refusals(self):
        sidecar = self.sidecar(toml(scale=False))
        for _ in range(3):
            sidecar.ask("2171")
        self.assertEqual(self.decisions(sidecar)["decisions"], [])
        sidecar.shell("UPDATE rooms SET default_gateway_id = "
                      "(SELECT id FROM gateways WHERE name = 'gxy3') WHERE id = 2171;")
        wait_until(lambda: sidecar.ask("2171").janus == "gxy3", "the new default")
        one = wait_until(lambda: self.decisions(sidecar, "?room=2171")["decisions"], "the decision")[0]
        self.assertEqual((one["janus"], one["left"], one["reason"], one["asked_by"]),
                         ("gxy3", "gxy1", "default", "configuration"))
        sidecar.shell("UPDATE rooms SET default_gateway_id = 999 WHERE id = 2171;")
        wait_until(lambda: sidecar.ask("2171").status == 500, "the refusal")
        one = self.decisions(sidecar, "?room=2171")["decisions"][0]
        self.assertEqual((one["error"], one["asked_by"]), ("gateway_not_found", "user"))

    def test_an_operators_release_is_recorded(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("2171", "IL")
        sidecar.request("DELETE", "/v2/assignments/2171", headers={"X-Request-Id": "op-1"})
        [one, placing] = self.decisions(sidecar, "?room=2171")["decisions"]
        self.assertEqual({key: one[key] for key in one if key not in ("id", "time", "since")},
                         {"room": "2171", "country_code": None, "janus": None, "left": "gxy1", "reason": None,
                          "error": None, "regional_match": False, "asked_by": "operator", "request_id": "op-1",
                          "times": 1, "candidates": [], "candidates_left_out": 0})
        self.assertEqual(placing["janus"], "gxy1")
        output = sidecar.run("why", "2171").stdout
        for words in ("Room 2171 was released from gxy1.", "an operator asked for that", "It has no assignment now."):
            self.assertIn(words, output)
        sidecar.ask("2171")
        output = sidecar.run("why", "2171").stdout
        self.assertIn("was released from gxy1", output)
        self.assertNotIn("no assignment now", output)
        self.assertEqual(sidecar.delete("/v2/assignments/2172").status, 404)
        self.assertEqual(self.decisions(sidecar, "?room=2172")["decisions"], [], "nothing was released")

    def test_a_pin_on_a_disabled_gateway_is_named_as_the_cause(self):
        gateways = [{"name": "gxy1"}, {"name": "gxy2", "disabled": True}, {"name": "gxy3"}]
        sidecar = self.sidecar(scale(gateways=gateways, pins={"2171": "gxy2"}))
        self.expect(sidecar.ask("2171"), 503, "no_gateway_available")
        [one] = self.decisions(sidecar, "?room=2171")["decisions"]
        barred = [{"name": "gxy2", "load": 0, "capacity": 400, "verdict": "disabled"}]
        self.assertEqual((one["error"], one["reason"], one["candidates"]), ("no_gateway_available", "pinned", barred))
        words = "it is fixed by configuration to gxy2, which is disabled"
        self.assertIn(words, sidecar.run("why", "2171").stdout)
        self.assertEqual(sidecar.get("/v2/rooms/2171/explain").json["candidates"], barred)
        output = sidecar.run("explain", "2171").stdout
        self.assertIn("it may go to gxy2 only, which is disabled", output)
        self.assertNotIn("no gateway may take a new room", output)

    def test_a_pin_is_named_as_the_cause_in_legacy_mode_too(self):
        gateways = [{"name": "gxy1"}, {"name": "gxy2", "disabled": True}]
        sidecar = self.sidecar(toml(scale=False, gateways=gateways, pins={"2171": "gxy2"}, rooms={"2171": "gxy1"}))
        refused = self.expect(sidecar.ask("2171"), 500, "gateway_not_found")
        self.assertEqual(refused.json["message"], "gateway not found for room 2171: pin it to an enabled gateway, or "
                         "take the pin away.")
        [one] = self.decisions(sidecar, "?room=2171")["decisions"]
        self.assertEqual((one["reason"], one["candidates"][0]["verdict"]), ("pinned", "disabled"))
        self.assertIn("it is fixed by configuration to gxy2, which is disabled", sidecar.run("why", "2171").stdout)
        self.assertIn("it may go to gxy2 only, which is disabled", sidecar.run("explain", "2171").stdout)

    def test_a_caller_matched_by_the_star_has_no_region(self):
        sidecar = self.sidecar(toml(scale=True, unknown_rooms="accept", regions={"*": ["gxy2"]}))
        for country in ("US", "longer-than-sixteen-bytes", "ישראל"):
            output = sidecar.run("explain", "new", "--country", country).stdout
            self.assertIn(f"gxy2 serves callers from {country} first.", output)
            self.assertNotRegex(output, "region of|caller's region")
        sidecar.ask("new", "US")
        why = sidecar.run("why", "new").stdout
        self.assertIn(", from US, which it serves first (", why)
        self.assertNotRegex(why, "region it is in|caller's region")

    def test_a_region_or_a_load_that_decided_nothing_is_not_mentioned(self):
        sidecar = self.sidecar(scale(unknown_rooms="accept"))
        for country in ("FR", "US", "IL"):
            output = sidecar.run("explain", "new", "--country", country).stdout
            self.assertEqual("gxy1 serves callers from IL first" in output, country == "IL")
            self.assertEqual("serves callers" in output, country == "IL")
        sidecar.ask("new", "FR")
        why = re.sub(r" \(request \S+\)", "", sidecar.run("why", "new").stdout)
        self.assertIn("Because a user asked, from FR.", why)
        sidecar.enter("there", "a", "gxy3")
        sidecar.delete("/v2/assignments/there?force=true")
        sidecar.enter("there", "a", "gxy3")
        self.assertNotIn("by load", sidecar.run("explain", "there").stdout)

    def test_why_explains_a_decision_in_words(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("2171", "IL")
        done = sidecar.run("why", "2171")
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("Room 2171 was placed on gxy1 (assigned)", "a user asked, from IL", "higher_load", "gxy3"):
            self.assertIn(words, done.stdout)
        why = json.loads(sidecar.run("why", "2171", "--json").stdout)
        self.assertEqual(why["decisions"][0]["janus"], "gxy1")
        self.assertIn("No decision about room 2173", sidecar.run("why", "2173").stdout)
        self.assertEqual(sidecar.run("why", "2171", "--limit", "0").returncode, 2)


if __name__ == "__main__":
    unittest.main()
