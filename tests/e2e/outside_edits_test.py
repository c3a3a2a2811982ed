#!/usr/bin/env python3
"""Gateways and rooms edited with the sqlite3 shell while the sidecar runs."""
import unittest

from pace import within
from sidecar import Case, toml, wait_until


class OutsideEdits(Case):
    def seen(self, condition):
        with within(2):
            wait_until(condition, "the edit to be seen within a second")

    def test_a_new_default_gateway_is_answered_within_a_second(self):
        sidecar = self.sidecar()
        sidecar.shell("UPDATE rooms SET default_gateway_id = "
                      "(SELECT id FROM gateways WHERE name = 'gxy2' LIMIT 1) WHERE id = 2171;")
        self.seen(lambda: sidecar.ask("2171").janus == "gxy2")

    def test_a_room_inserted_is_a_room(self):
        sidecar = self.sidecar()
        sidecar.shell("INSERT INTO rooms (name, gateway_uid, default_gateway_id) "
                      "SELECT 'New', '4711', id FROM gateways WHERE name = 'gxy3';")
        self.seen(lambda: sidecar.ask("4711").status == 200)
        self.assertEqual(sidecar.ask("4711").janus, "gxy3")

    def test_a_gateway_disabled_is_500_for_its_rooms_in_legacy_mode(self):
        sidecar = self.sidecar()
        sidecar.shell("UPDATE gateways SET disabled = 1 WHERE name = 'gxy1';")
        self.seen(lambda: sidecar.ask("2171").status == 500)
        sidecar.shell("UPDATE gateways SET disabled = 0 WHERE name = 'gxy1';")
        self.seen(lambda: sidecar.ask("2171").status == 200)

    def test_a_gateway_disabled_is_as_draining_in_scale_mode(self):
        sidecar = self.sidecar(toml(scale=True))
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        sidecar.shell("UPDATE gateways SET disabled = 1 WHERE name IN ('gxy1', 'gxy2');")
        self.seen(lambda: sidecar.gateway("gxy1")["disabled"])
        answer = sidecar.ask("2171")
        self.assertEqual((answer.janus, answer.reason), ("gxy1", "sticky"))
        self.assertEqual(sidecar.ask("2172").janus, "gxy3")

    def test_a_room_disabled_is_404_and_its_sessions_and_assignment_end(self):
        sidecar = self.sidecar(toml(scale=True))
        sidecar.enter("2171", "a")
        sidecar.shell("UPDATE rooms SET disabled = 1 WHERE id = 2171;")
        self.seen(lambda: sidecar.ask("2171").status == 404)
        self.expect(sidecar.enter("2171", "a"), 404, "room_not_found")
        self.seen(lambda: sidecar.gateway("gxy1")["rooms"] == 0)
        self.assertEqual(sidecar.gateway("gxy1")["users"], 0)
        wait_until(lambda: not sidecar.assignments_in_file(), "the row to go")

    def test_the_other_tables_are_not_looked_at_until_the_next_start(self):
        sidecar = self.sidecar(toml(scale=True))
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        sidecar.shell("UPDATE room_server_assignments SET gateway_name = 'gxy3';"
                      "UPDATE rooms SET name = 'seen' WHERE id = 2171;")
        self.seen(lambda: sidecar.get("/v2/rooms/2171").json["name"] == "seen")
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_rows_that_make_no_sense_do_not_stop_it(self):
        sidecar = self.sidecar()
        sidecar.shell("INSERT INTO rooms (name, gateway_uid, default_gateway_id) "
                      "VALUES ('odd', char(10) || 'x', 1), ('odd', '..', NULL);"
                      "UPDATE rooms SET name = 'seen' WHERE id = 2171;")
        self.seen(lambda: sidecar.get("/v2/rooms/2171").json["name"] == "seen")
        self.assertEqual(sidecar.ask("2171").status, 200)
        sidecar.stop()
        sidecar.start()
        self.assertEqual(sidecar.ask("2171").status, 200)

    def test_a_trigger_or_constraint_that_refuses_every_new_row_is_degraded(self):
        for statement, undo in [
                ("CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(IGNORE); END",
                 "DROP TRIGGER t"),
                ("CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(ABORT, 'no'); END",
                 "DROP TRIGGER t"),
                ("CREATE UNIQUE INDEX t ON room_server_assignments (region)", "DROP INDEX t")]:
            with self.subTest(statement):
                sidecar = self.sidecar(toml(scale=True))
                self.assertEqual(sidecar.ask("2171").status, 200)
                sidecar.shell(statement)
                self.expect(sidecar.ask("2172"), 503, "storage_unavailable")
                wait_until(lambda: sidecar.get("/readyz").json["status"] == "degraded", "/readyz to tell")
                self.assertIn("takes no new rows", sidecar.get("/readyz").json["reasons"][0])
                self.assertEqual(list(sidecar.assignments_in_file()), ["2171"])
                self.assertEqual(sidecar.ask("2171").reason, "sticky")
                sidecar.shell(undo)
                self.seen(lambda: sidecar.get("/readyz").json["status"] == "ok")
                self.assertEqual(sidecar.ask("2172").status, 200)

    def test_many_edits_while_rooms_are_assigned_do_not_harm(self):
        sidecar = self.sidecar(toml(scale=True, unknown_rooms="accept"))
        for number in range(40):
            sidecar.ask(f"r{number}")
            sidecar.sql("UPDATE rooms SET name = ? WHERE id = 2171", (f"name {number}",))
        self.seen(lambda: sidecar.get("/v2/rooms/2171").json["name"] == "name 39")
        self.assertEqual(len(sidecar.assignments_in_file()), 40)


if __name__ == "__main__":
    unittest.main()
