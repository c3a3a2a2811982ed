#!/usr/bin/env python3
"""Gateways and rooms edited with the sqlite3 shell while the sidecar runs."""
import re
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

    def test_an_inserted_room_is_known_within_a_second(self):
        sidecar = self.sidecar()
        sidecar.shell("INSERT INTO rooms (name, gateway_uid, default_gateway_id) "
                      "SELECT 'New', '4711', id FROM gateways WHERE name = 'gxy3';")
        self.seen(lambda: sidecar.ask("4711").status == 200)
        self.assertEqual(sidecar.ask("4711").janus, "gxy3")

    def test_a_disabled_gateway_is_500_for_its_rooms_in_legacy_mode(self):
        sidecar = self.sidecar()
        sidecar.shell("UPDATE gateways SET disabled = 1 WHERE name = 'gxy1';")
        self.seen(lambda: sidecar.ask("2171").status == 500)
        sidecar.shell("UPDATE gateways SET disabled = 0 WHERE name = 'gxy1';")
        self.seen(lambda: sidecar.ask("2171").status == 200)

    def test_a_disabled_gateway_is_like_a_draining_one_in_scale_mode(self):
        sidecar = self.sidecar(toml(scale=True))
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        sidecar.shell("UPDATE gateways SET disabled = 1 WHERE name IN ('gxy1', 'gxy2');")
        self.seen(lambda: sidecar.gateway("gxy1")["disabled"])
        answer = sidecar.ask("2171")
        self.assertEqual((answer.janus, answer.reason), ("gxy1", "sticky"))
        self.assertEqual(sidecar.ask("2172").janus, "gxy3")

    def test_a_disabled_room_is_404_and_its_sessions_and_assignment_end(self):
        sidecar = self.sidecar(toml(scale=True))
        sidecar.enter("2171", "a")
        sidecar.shell("UPDATE rooms SET disabled = 1 WHERE id = 2171;")
        self.seen(lambda: sidecar.ask("2171").status == 404)
        self.expect(sidecar.enter("2171", "a"), 404, "room_not_found")
        self.seen(lambda: sidecar.gateway("gxy1")["rooms"] == 0)
        self.assertEqual(sidecar.gateway("gxy1")["users"], 0)
        wait_until(lambda: not sidecar.assignments_in_file(), "the row to go")

    def test_edits_of_other_tables_count_only_at_the_next_start(self):
        sidecar = self.sidecar(toml(scale=True))
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        sidecar.shell("UPDATE room_server_assignments SET gateway_name = 'gxy3';"
                      "UPDATE rooms SET name = 'seen' WHERE id = 2171;")
        self.seen(lambda: sidecar.get("/v2/rooms/2171").json["name"] == "seen")
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_invalid_rows_do_not_stop_the_sidecar(self):
        sidecar = self.sidecar()
        sidecar.shell("INSERT INTO rooms (name, gateway_uid, default_gateway_id) "
                      "VALUES ('odd', char(10) || 'x', 1), ('odd', '..', NULL);"
                      "UPDATE rooms SET name = 'seen' WHERE id = 2171;")
        self.seen(lambda: sidecar.get("/v2/rooms/2171").json["name"] == "seen")
        self.assertEqual(sidecar.ask("2171").status, 200)
        sidecar.stop()
        sidecar.start()
        self.assertEqual(sidecar.ask("2171").status, 200)

    def test_a_trigger_or_constraint_that_refuses_every_new_row_degrades_the_sidecar(self):
        for statement, undo in [
                ("CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(IGNORE); END",
                 "DROP TRIGGER t"),
                ("CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(ABORT, 'no'); END",
                 "DROP TRIGGER t"),
                ("CREATE TRIGGER t AFTER INSERT ON room_server_assignments BEGIN "
                 "DELETE FROM room_server_assignments WHERE room_id = new.room_id; END", "DROP TRIGGER t"),
                ("CREATE TRIGGER t AFTER INSERT ON room_server_assignments BEGIN "
                 "UPDATE room_server_assignments SET gateway_name = 'gxy9'; END", "DROP TRIGGER t"),
                ("CREATE UNIQUE INDEX t ON room_server_assignments (region)", "DROP INDEX t")]:
            with self.subTest(statement):
                sidecar = self.sidecar(toml(scale=True))
                self.assertEqual(sidecar.ask("2171").status, 200)
                sidecar.shell(statement)
                self.expect(sidecar.ask("2172"), 503, "storage_unavailable")
                wait_until(lambda: sidecar.get("/readyz").json["status"] == "degraded", "/readyz to report it")
                self.assertIn("takes no new rows", sidecar.get("/readyz").json["reasons"][0])
                self.expect_alteration(sidecar)
                self.assertEqual(list(sidecar.assignments_in_file()), ["2171"])
                self.assertEqual(sidecar.ask("2171").reason, "sticky")
                sidecar.shell(undo)
                self.seen(lambda: sidecar.get("/readyz").json["status"] == "ok")
                self.assertEqual(sidecar.ask("2172").status, 200)

    def expect_alteration(self, sidecar):
        """The alteration is reported at once, and by every command that reads the file, which then does nothing."""
        warning = "was altered: table room_server_assignments has the (trigger|index) t, .*DROP"
        self.seen(lambda: any(re.search(warning, reason) for reason in sidecar.get("/readyz").json["reasons"]))
        self.expect_warning(sidecar, warning)
        for command in (["check"], ["rooms", "list"], ["rooms", "set", "2171", "--default-gateway", "gxy2"]):
            done = sidecar.run(*command)
            self.assertNotEqual(done.returncode, 0, command)
            self.assertRegex(done.stdout + done.stderr, warning)

    def test_a_trigger_that_refuses_nothing_is_reported_until_it_is_dropped(self):
        sidecar = self.sidecar(toml(scale=True))
        sidecar.shell("CREATE TRIGGER t AFTER INSERT ON room_server_assignments BEGIN SELECT 1; END")
        self.expect_alteration(sidecar)
        self.expect(sidecar.post("/v2/reload"), 200)
        self.expect_alteration(sidecar)
        self.assertEqual(sidecar.ask("2171").status, 200)
        sidecar.stop()
        self.assertEqual(sidecar.start_and_fail(), 1)
        sidecar.shell("DROP TRIGGER t")
        sidecar.start()
        self.assertEqual(sidecar.get("/readyz").json["status"], "ok")

    def test_tables_that_can_no_longer_be_read_are_reported_until_they_are_back(self):
        sidecar = self.sidecar(toml(scale=True))
        version = sidecar.sql("PRAGMA user_version")[0][0]
        for statement, undo, problem in [
                ("ALTER TABLE rooms RENAME COLUMN name TO nme", "ALTER TABLE rooms RENAME COLUMN nme TO name",
                 "table rooms is not as room-sidecar made it"),
                ("ALTER TABLE rooms RENAME TO was; CREATE VIEW rooms AS SELECT 1 AS id",
                 "DROP VIEW rooms; ALTER TABLE was RENAME TO rooms", "view rooms is where a table of room-sidecar"),
                ("ALTER TABLE gateways RENAME TO was", "ALTER TABLE was RENAME TO gateways",
                 "table gateways is missing"),
                ("ALTER TABLE meta RENAME TO was", "ALTER TABLE was RENAME TO meta", "table meta is missing"),
                ("PRAGMA user_version = 99", f"PRAGMA user_version = {version}", "has version 99")]:
            with self.subTest(statement):
                sidecar.shell(statement)
                self.expect_next_start_refused(sidecar, problem)
                self.assertEqual(sidecar.ask("2171").status, 200)
                sidecar.shell(undo)
                self.seen(lambda: sidecar.get("/readyz").json["status"] == "ok")
        self.assertNotIn("Periodic work failed", sidecar.log())

    def test_tables_and_columns_that_were_dropped_are_reported(self):
        for statement, problem in [("ALTER TABLE rooms DROP COLUMN name", "table rooms is not as room-sidecar made it"),
                                   ("DROP TABLE rooms", "table rooms is missing"),
                                   ("DROP TABLE meta", "table meta is missing")]:
            with self.subTest(statement):
                sidecar = self.sidecar(toml(scale=True))
                sidecar.shell(statement)
                self.expect_next_start_refused(sidecar, problem)
                self.expect(sidecar.post("/v2/reload"), 409, "configuration_refused")
                self.expect_next_start_refused(sidecar, problem)
                sidecar.stop()
                self.assertEqual(sidecar.start_and_fail(), 1)

    def expect_next_start_refused(self, sidecar, problem):
        problem += ".*; the next start is refused"
        self.seen(lambda: re.search(problem, " ".join(sidecar.get("/readyz").json["reasons"])))
        self.assertEqual(sidecar.get("/readyz").json["status"], "degraded")
        self.expect_warning(sidecar, problem)

    def test_many_edits_while_rooms_are_assigned_do_no_harm(self):
        sidecar = self.sidecar(toml(scale=True, unknown_rooms="accept"))
        for number in range(40):
            sidecar.ask(f"r{number}")
            sidecar.sql("UPDATE rooms SET name = ? WHERE id = 2171", (f"name {number}",))
        self.seen(lambda: sidecar.get("/v2/rooms/2171").json["name"] == "name 39")
        self.assertEqual(len(sidecar.assignments_in_file()), 40)

    # Edits that contradict the configuration: reported at once and at the next start, and no reason not to start.

    def expect_warning(self, sidecar, warning):
        wait_until(lambda: re.search("WARN: .*" + warning, sidecar.log_of_this_run()), f"a warning {warning!r}")

    def contradicted(self, scale, statement, config, warning):
        sidecar = self.sidecar(toml(scale=scale, **config))
        moved = sidecar.ask("2171", "IL").janus if scale else None
        if moved:
            self.assertEqual(moved, "gxy1")
        sidecar.shell(statement)
        self.seen(lambda: sidecar.get("/readyz").json["status"] == "degraded")
        self.assertRegex(" ".join(sidecar.get("/readyz").json["reasons"]), warning)
        self.expect_warning(sidecar, warning)
        check = sidecar.run("check")
        self.assertEqual(check.returncode, 0, check.stdout)
        self.assertRegex(check.stdout, "warning: .*" + warning)
        self.assertEqual(sidecar.stop(), 0)
        sidecar.start()
        self.expect_warning(sidecar, warning)
        self.expect(sidecar.ask("2172"), 200)
        return sidecar

    def expect_movable(self, sidecar, name="gxy1"):
        """The gateway's room in use is listed, keeps its gateway, and can be moved off it."""
        self.assertEqual(sidecar.ask("2171").janus, name)
        self.assertEqual(sidecar.gateway(name)["rooms"], 1)
        moved = sidecar.run("drain", name, "--move")
        self.assertEqual(moved.returncode, 0, moved.stderr)
        wait_until(lambda: sidecar.ask("2171").janus != name, "the room to be moved")

    CONTRADICTIONS = [
        ("removed_at", "UPDATE gateways SET removed_at = datetime() WHERE name = 'gxy1';",
         'gateway "gxy1".*removed_at'),
        ("type", "UPDATE gateways SET type = 'streaming' WHERE name = 'gxy1';",
         'gateway "gxy1" is of type "streaming"'),
    ]
    LISTED = {"balancing": {"available_servers": ["gxy1", "gxy2", "gxy3"]}, "regions": {"IL": ["gxy1", "gxy2"]},
              "pins": {"2179": "gxy1"}}

    def test_a_deleted_gateway_or_one_of_another_type_does_not_stop_the_next_start(self):
        for scale in (False, True):
            for name, statement, warning in self.CONTRADICTIONS:
                with self.subTest(name, scale=scale):
                    sidecar = self.contradicted(scale, statement, self.LISTED, warning)
                    self.assertEqual(sidecar.get("/readyz").json["status"], "degraded")
                    if scale:
                        self.expect_movable(sidecar)
                    sidecar.shell("UPDATE gateways SET removed_at = NULL, type = 'rooms';")
                    self.seen(lambda: sidecar.get("/readyz").json["status"] == "ok")

    def test_a_deleted_gateway_does_not_stop_the_next_start_without_gateways_tables(self):
        for scale in (False, True):
            for name, statement, warning in self.CONTRADICTIONS:
                with self.subTest(name, scale=scale):
                    sidecar = self.contradicted(scale, statement, {**self.LISTED, "gateways": ()}, warning)
                    if scale:
                        self.expect_movable(sidecar)

    def test_a_renamed_gateway_or_one_with_another_id_does_not_stop_the_next_start(self):
        gateways = [{"name": f"gxy{i}", "id": i} for i in (1, 2, 3)]
        for scale in (False, True):
            for statement, warning in [
                    ("UPDATE gateways SET name = 'other' WHERE name = 'gxy1';",
                     'cannot have id 1: gateway "other" has it'),
                    ("UPDATE gateways SET name = 'gxy' || char(9) || '1' WHERE name = 'gxy1';", "cannot have id 1"),
                    ("UPDATE gateways SET id = 77 WHERE name = 'gxy1';", "has id 77 in the database")]:
                with self.subTest(statement, scale=scale):
                    sidecar = self.contradicted(scale, statement, {**self.LISTED, "gateways": gateways}, warning)
                    if scale and "name = " in statement:
                        self.expect_movable(sidecar)

    def test_a_deleted_row_is_reported_and_recreated_at_the_next_start(self):
        for scale in (False, True):
            with self.subTest(scale=scale):
                sidecar = self.contradicted(scale, "DELETE FROM gateways WHERE name = 'gxy1';", self.LISTED,
                                            'gateway "gxy1" is no longer in the database')
                wait_until(lambda: sidecar.get("/readyz").json["status"] == "ok", "all to be well")
                self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_a_type_that_no_list_needs_is_reported_whether_the_configuration_writes_it_or_not(self):
        written = [{"name": name, "type": "rooms"} for name in ("gxy1", "gxy2", "gxy3")]
        for scale in (False, True):
            for gateways in (("gxy1", "gxy2", "gxy3"), written):
                with self.subTest(gateways, scale=scale):
                    warning = 'config.toml:[0-9]+: gateway "gxy1" is of type "streaming" in the database and "rooms" in'
                    sidecar = self.contradicted(scale, "UPDATE gateways SET type = 'streaming' WHERE name = 'gxy1';",
                                                {"gateways": gateways}, warning)
                    reloaded = sidecar.run("reload")
                    self.assertEqual(reloaded.returncode, 0, reloaded.stderr)
                    self.assertRegex(reloaded.stdout + reloaded.stderr, warning)
                    self.assertEqual(len(re.findall(warning, " ".join(sidecar.get("/readyz").json["reasons"]))), 1)
                    if scale:
                        self.expect_movable(sidecar)
                    sidecar.shell("UPDATE gateways SET type = 'rooms';")
                    self.seen(lambda one=sidecar: one.get("/readyz").json["status"] == "ok")

    def test_the_type_of_a_default_gateway_that_only_rooms_name_is_reported(self):
        sidecar = self.sidecar()
        sidecar.shell("INSERT INTO gateways (name) VALUES ('gxy9');")
        rooms = {str(room): "gxy9" for room in range(2171, 2176)}
        sidecar.write_config(toml(rooms=rooms))
        self.expect(sidecar.post("/v2/reload"), 200)
        for edit, warning, status in [("type = 'streaming'", 'is of type "streaming"', 500),
                                      ("type = 'rooms', removed_at = datetime()", "is removed or missing", 500),
                                      ("removed_at = NULL, name = 'gxy8'", 'is now gateway "gxy8"', 200)]:
            warning = f'room "2171" and 4 more: default_gateway: gateway "gxy9" {warning} in the database'
            sidecar.shell(f"UPDATE gateways SET {edit} WHERE name = 'gxy9';")
            self.seen(lambda one=warning: one in " ".join(sidecar.get("/readyz").json["reasons"]))
            self.expect_warning(sidecar, re.escape(warning))
            self.assertIn(warning, sidecar.run("check").stdout)
            self.assertEqual(sidecar.ask("2171").status, status)

    SWAPPED = "".join(f"UPDATE gateways SET name = '{new}' WHERE name = '{old}';"
                      for old, new in (("gxy1", "tmp"), ("gxy2", "gxy1"), ("tmp", "gxy2")))

    def catalogue_in_file(self, sidecar):
        return (sidecar.sql("SELECT id, name, url, removed_at FROM gateways ORDER BY id"),
                sidecar.sql("SELECT gateway_uid, default_gateway_id FROM rooms ORDER BY id"))

    def test_exchanged_names_are_reported_and_rooms_keep_their_default_gateways(self):
        for gateways in ((), ("gxy1", "gxy2", "gxy3"), [{"name": f"gxy{i}", "id": i} for i in (1, 2, 3)]):
            for scale in (False, True):
                with self.subTest(gateways, scale=scale):
                    is_by_id = bool(gateways) and isinstance(gateways[0], dict)
                    warning = ('gateway "gxy1" cannot have id 1: it has id 2' if is_by_id else
                               'gateway "gxy1" has id 2 in the database now and had id 1, which is gateway "gxy2"')
                    self.exchange(scale, {**self.LISTED, "gateways": gateways}, warning)

    def exchange(self, scale, config, warning):
        sidecar = self.sidecar(toml(scale=scale, **config))
        self.expect(sidecar.ask("2171", "IL"), 200)
        sidecar.shell(self.SWAPPED)
        swapped = self.catalogue_in_file(sidecar)
        for restart in (False, True):
            if restart:
                self.assertEqual(sidecar.stop(), 0)
                sidecar.start()
            self.seen(lambda: warning in " ".join(sidecar.get("/readyz").json["reasons"]))
            self.assertEqual(sidecar.get("/readyz").json["status"], "degraded")
            self.expect_warning(sidecar, re.escape(warning))
            reloaded = sidecar.post("/v2/reload")
            self.expect(reloaded, 200)
            self.assertIn(warning, " ".join(reloaded.json["warnings"]))
            self.assertRegex(sidecar.run("check").stdout, "warning: .*" + re.escape(warning))
            self.assertEqual(self.catalogue_in_file(sidecar), swapped, "nothing was written over")
            if not scale:
                self.assertEqual((sidecar.ask("2171").janus, sidecar.ask("2172").janus), ("gxy2", "gxy1"))
        sidecar.shell(self.SWAPPED)
        self.seen(lambda: sidecar.get("/readyz").json["status"] == "ok")
        self.assertEqual(sidecar.run("check").returncode, 0)

    def test_an_intended_exchange_is_confirmed_by_ids(self):
        sidecar = self.sidecar()
        sidecar.shell(self.SWAPPED)
        self.seen(lambda: sidecar.get("/readyz").json["status"] == "degraded")
        sidecar.write_config(toml(gateways=[{"name": "gxy1", "id": 2}, {"name": "gxy2", "id": 1}, "gxy3"]))
        self.expect(sidecar.post("/v2/reload"), 200)
        self.assertEqual(sidecar.get("/readyz").json["status"], "ok")
        self.assertEqual((sidecar.ask("2171").janus, sidecar.ask("2172").janus), ("gxy1", "gxy2"))
        sidecar.write_config(toml())
        self.expect(sidecar.post("/v2/reload"), 200)
        sidecar.stop()
        sidecar.start()
        self.assertEqual(sidecar.get("/readyz").json["status"], "ok")

    def test_names_shifted_by_one_row_are_reported(self):
        """gxy1 becomes another name, and gxy2 becomes gxy1: two rows have gone, and one has come."""
        sidecar = self.sidecar()
        sidecar.shell("UPDATE gateways SET name = 'gxy2x' WHERE name = 'gxy1';"
                      "UPDATE gateways SET name = 'gxy1' WHERE name = 'gxy2';")
        for warning in ('gateway "gxy1" has id 2 in the database now and had id 1, which is gateway "gxy2x"',
                        'gateway "gxy2" is no longer in the database'):
            self.seen(lambda one=warning: one in " ".join(sidecar.get("/readyz").json["reasons"]))
            self.expect_warning(sidecar, re.escape(warning))
            self.assertIn(warning, sidecar.run("check").stdout)

    def test_an_id_changed_by_sql_is_reported_and_the_rooms_follow_at_the_next_start(self):
        sidecar = self.sidecar()
        sidecar.shell("UPDATE gateways SET id = 77 WHERE name = 'gxy1';")
        warning = 'gateway "gxy1" has id 77 in the database now and had id 1; a start or a reload'
        self.seen(lambda: warning in " ".join(sidecar.get("/readyz").json["reasons"]))
        self.expect_warning(sidecar, re.escape(warning))
        self.assertIn(warning, sidecar.run("check").stdout)
        self.expect(sidecar.ask("2171"), 500, "gateway_not_found")
        sidecar.stop()
        sidecar.start()
        self.expect_warning(sidecar, re.escape(warning))
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        self.assertEqual(sidecar.get("/readyz").json["status"], "ok")

    def test_rooms_of_a_deleted_row_can_be_moved_while_it_runs(self):
        sidecar = self.sidecar(toml(scale=True, **self.LISTED))
        self.assertEqual(sidecar.ask("2171", "IL").janus, "gxy1")
        sidecar.shell("DELETE FROM gateways WHERE name = 'gxy1';")
        self.seen(lambda: sidecar.get("/readyz").json["status"] == "degraded")
        self.expect_movable(sidecar)

    def test_a_listed_gateway_created_and_deleted_by_sql_does_not_stop_the_next_start(self):
        listed = {**self.LISTED, "balancing": {"available_servers": ["gxy1", "gxy2", "gxy3", "gxy9"]}}
        for edit in ("DELETE FROM gateways", "UPDATE gateways SET name = 'gxy8'", "UPDATE gateways SET type = 'x'",
                     "UPDATE gateways SET removed_at = datetime()"):
            with self.subTest(edit):
                sidecar = self.sidecar()
                sidecar.shell("INSERT INTO gateways (name) VALUES ('gxy9');")
                sidecar.write_config(toml(**listed))
                self.expect(sidecar.post("/v2/reload"), 200)
                sidecar.shell(f"{edit} WHERE name = 'gxy9';")
                self.seen(lambda: sidecar.get("/readyz").json["status"] == "degraded")
                sidecar.stop()
                sidecar.start()
                self.assertRegex(" ".join(sidecar.get("/readyz").json["reasons"]), 'gateway "gxy9"')
                self.expect(sidecar.ask("2171"), 200)

    def test_a_renamed_room_or_one_with_another_id_does_not_stop_the_next_start(self):
        rooms = {"2171": {"default_gateway": "gxy1", "id": 1}, "2172": {"default_gateway": "gxy2", "id": 2}}
        for edit, warning in [("gateway_uid = '4711'", 'cannot have id 1: room "4711" has it'),
                              ("id = 77", "has id 77 in the database")]:
            with self.subTest(edit):
                self.contradicted(False, f"UPDATE rooms SET {edit} WHERE id = 1;", {"rooms": rooms}, warning)

    def test_an_error_of_the_configurations_own_still_stops_the_start(self):
        sidecar = self.sidecar(toml(**{**self.LISTED, "regions": {"IL": ["gxy7"]}}), start=False)
        self.assertEqual(sidecar.start_and_fail(), 2)
        self.assertIn('there is no gateway "gxy7"', sidecar.log())
        sidecar.write_config(toml(**self.LISTED))
        sidecar.start()
        # Left out of [[gateways]], and still in the list: by the configuration, not by SQL.
        sidecar.write_config(toml(**self.LISTED, gateways=("gxy2", "gxy3"), rooms={}))
        self.expect(sidecar.post("/v2/reload"), 409, "configuration_refused")
        sidecar.stop()
        self.assertEqual(sidecar.start_and_fail(), 2)

    def test_a_row_with_an_impossible_name_is_not_overwritten(self):
        """A tab in the name of the last gateway: its rooms went to the new one that got its id."""
        sidecar = self.sidecar()
        sidecar.stop()
        sidecar.shell("UPDATE gateways SET name = 'gxy3' || char(9) WHERE name = 'gxy3';"
                      "UPDATE rooms SET gateway_uid = '2173' || char(10) WHERE gateway_uid = '2173';")
        odd = sidecar.sql("SELECT id, name FROM gateways WHERE name LIKE 'gxy3%'")
        sidecar.start()
        rows = sidecar.sql("SELECT id, name FROM gateways ORDER BY id")
        self.assertIn(odd[0], rows)
        self.assertEqual([name for _, name in rows], ["gxy1", "gxy2", "gxy3\t", "gxy3"])
        self.assertEqual(sorted(uid for uid, in sidecar.sql("SELECT gateway_uid FROM rooms")),
                         ["2171", "2172", "2173", "2173\n"])
        self.assertEqual(sidecar.ask("2173").janus, "gxy3")


if __name__ == "__main__":
    unittest.main()
