#!/usr/bin/env python3
"""The description's testing checklist, item by item (reference: "Scale Mode Configuration")."""
import collections
import unittest

from sidecar import Case, toml, wait_until

TWELVE = [f"gxy{i}" for i in range(1, 13)]
SCALE_ENV = """# Enable scale mode
SCALE=true

# Configure servers
AVAILABLE_JANUS_SERVERS=gxy1,gxy2,gxy3,gxy4,gxy5,gxy6,gxy7,gxy8,gxy9,gxy10,gxy11,gxy12
MAX_SERVER_CAPACITY=400
AVG_ROOM_OCCUPANCY=10
"""
REGIONS_ENV = "SERVER_REGIONS=IL:gxy1,gxy2,gxy3;US:gxy4,gxy5,gxy6;RU:gxy7,gxy8,gxy9\n"
ROOMS_WITHOUT_VALID_GATEWAY = """SELECT r.id, r.name, r.default_gateway_id
FROM rooms r
LEFT JOIN gateways g ON r.default_gateway_id = g.id
WHERE g.id IS NULL;
"""
REPAIR = ("UPDATE rooms SET default_gateway_id = "
          "(SELECT id FROM gateways WHERE name = 'gxy1' LIMIT 1) WHERE id = 2171;")


class Checklist(Case):
    def test_all_rooms_return_their_default_gateway(self):
        """SCALE=false: All rooms return their default gateway"""
        rooms = {str(2000 + i): TWELVE[i % 12] for i in range(40)}
        sidecar = self.sidecar(toml(gateways=TWELVE, rooms=rooms), dotenv="SCALE=false\n")
        for country in (None, "IL", "US"):
            for room, gateway in rooms.items():
                answer = sidecar.ask(room, country)
                self.assertEqual((answer.status, answer.json, answer.reason),
                                 (200, {"janus": gateway}, "default"))

    def test_verify_all_rooms_have_valid_default_gateway_id(self):
        """SCALE=false: Verify all rooms have valid `default_gateway_id`"""
        sidecar = self.sidecar()
        self.assertEqual(sidecar.shell(ROOMS_WITHOUT_VALID_GATEWAY), "")
        clean = sidecar.run("check")
        self.assertEqual((clean.returncode, "2171" in clean.stdout + clean.stderr), (0, False))
        sidecar.shell("UPDATE rooms SET default_gateway_id = 999 WHERE id = 2171;"
                      "UPDATE rooms SET default_gateway_id = NULL WHERE id = 2172;")
        self.assertEqual(sidecar.shell(ROOMS_WITHOUT_VALID_GATEWAY), "2171||999\n2172||\n")
        found = sidecar.run("check")
        self.assertEqual(found.returncode, 0, "warnings are no errors")
        for room in ("2171", "2172"):
            self.assertIn(room, found.stdout + found.stderr)
        self.assertNotIn("2173", found.stdout + found.stderr)

    def test_error_handling_for_missing_gateway(self):
        """SCALE=false: Test error handling for missing gateway"""
        sidecar = self.sidecar()
        sidecar.shell("UPDATE rooms SET default_gateway_id = 999 WHERE id = 2171;")
        wait_until(lambda: sidecar.ask("2171").status == 500, "the edit to be seen")
        answer = self.expect(sidecar.ask("2171"), 500, "gateway_not_found")
        self.assertTrue(answer.json["message"].startswith("gateway not found for room"))
        sidecar.wait_for_log(
            "ERROR: Gateway not found for room in legacy mode (SCALE=false). Ensure all rooms have "
            "valid default_gateway_id. room_id=2171 default_gateway_id=999 room_gateway_uid=2171\n")
        self.assertEqual(sidecar.ask("2172").janus, "gxy2", "other rooms are answered")
        sidecar.shell(REPAIR)
        wait_until(lambda: sidecar.ask("2171").status == 200, "the repaired room")
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_load_balancing_works(self):
        """SCALE=true without regions: Load balancing works"""
        rooms = {str(2000 + i): "gxy1" for i in range(48)}
        sidecar = self.sidecar(toml(gateways=TWELVE, rooms=rooms), dotenv=SCALE_ENV)
        answers = [sidecar.ask(room, "IL") for room in rooms]
        self.assertEqual({answer.reason for answer in answers}, {"assigned"})
        self.assertEqual([answer.janus for answer in answers[:12]], TWELVE)
        self.assertEqual(collections.Counter(answer.janus for answer in answers),
                         {name: 4 for name in TWELVE})

    def test_regional_routing_works(self):
        """SCALE=true with regions: Regional routing works"""
        rooms = {str(2000 + i): "gxy12" for i in range(12)}
        sidecar = self.sidecar(toml(gateways=TWELVE, rooms=rooms), dotenv=SCALE_ENV + REGIONS_ENV)
        for first, country, gateways in ((2000, "IL", TWELVE[:3]), (2003, "US", TWELVE[3:6]),
                                         (2006, "RU", TWELVE[6:9]), (2009, "DE", TWELVE[9:])):
            answers = [sidecar.ask(str(first + i), country).janus for i in range(3)]
            self.assertEqual(answers, gateways, country)
        sidecar.wait_for_log("country_code=IL regional_match=true\n")
        sidecar.wait_for_log("country_code=DE regional_match=false\n")

    def test_second_user_gets_same_server(self):
        """Sticky routing: Second user gets same server"""
        sidecar = self.sidecar(toml(gateways=TWELVE), dotenv=SCALE_ENV + REGIONS_ENV)
        first = sidecar.ask("2171", "IL")
        second = sidecar.ask("2171", "US")
        self.assertEqual((first.reason, second.reason), ("assigned", "sticky"))
        self.assertEqual(second.janus, first.janus)

    def test_assignments_removed_when_room_empty(self):
        """Auto-cleanup: Assignments removed when room empty"""
        sidecar = self.sidecar(toml(gateways=TWELVE), dotenv=SCALE_ENV)
        sidecar.ask("2171", "IL")
        sidecar.enter("2171", "a")
        sidecar.enter("2171", "b")
        self.assertFalse(sidecar.leave("2171", "a").json["assignment_removed"])
        self.assertEqual(list(sidecar.assignments()), ["2171"])
        self.assertTrue(sidecar.leave("2171", "b").json["assignment_removed"])
        self.assertEqual(sidecar.assignments(), {})
        wait_until(lambda: not sidecar.assignments_in_file(), "the row to go")
        sidecar.wait_for_log("INFO: Cleaned up room assignment immediately room_id=2171\n")

    def test_check_logs_for_assignment_events(self):
        """Monitoring: Check logs for assignment events"""
        sidecar = self.sidecar(
            toml(gateways=TWELVE, sessions={"join_grace": "500ms", "clean_every": "200ms"}),
            dotenv=SCALE_ENV + REGIONS_ENV)
        gateway = sidecar.ask("2171", "IL").janus
        sidecar.wait_for_log(f" INFO: Assigned room to server room_id=2171 gateway_name={gateway} "
                             "country_code=IL regional_match=true\n")
        sidecar.wait_for_log(
            " INFO: Cleaned inactive room server assignments cleaned_assignments=1\n")
        sidecar.ask("2172")
        sidecar.enter("2172", "a")
        sidecar.leave("2172", "a")
        sidecar.wait_for_log(" INFO: Cleaned up room assignment immediately room_id=2172\n")


if __name__ == "__main__":
    unittest.main()
