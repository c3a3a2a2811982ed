#!/usr/bin/env python3
"""The database file: durability, and the owner lock. (Failures: storage_*_test.py.)"""
import pathlib
import subprocess
import unittest

from sidecar import BINARY, Case, toml, wait_until


def scale(**more):
    return toml(scale=True, unknown_rooms="accept", **more)


class Durability(Case):
    def test_every_answer_holds_after_kill_9(self):
        sidecar = self.sidecar(scale())
        for _ in range(3):
            answers = {f"r{i}": sidecar.ask(f"r{i}").janus for i in range(30)}
            sidecar.kill()
            sidecar.start()
            for room, gateway in answers.items():
                answer = sidecar.ask(room)
                self.assertEqual((answer.janus, answer.reason), (gateway, "sticky"))

    def test_write_behind_reaches_the_file_within_two_seconds(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1")
        sidecar.enter("2", "a")

        def last_used():
            return sidecar.sql("SELECT last_used_at FROM room_server_assignments"
                               " WHERE room_id = '1'")[0][0]
        before = last_used()
        wait_until(lambda: sidecar.ask("1") and last_used() > before, "a newer last_used_at")
        wait_until(lambda: sidecar.sql("SELECT * FROM sessions"), "the session's row")
        sidecar.leave("2", "a")
        wait_until(lambda: list(sidecar.assignments_in_file()) == ["1"], "the row to go")
        wait_until(lambda: not sidecar.sql("SELECT * FROM sessions"), "the session to go")

    def test_the_file_is_in_wal_mode_with_a_version(self):
        sidecar = self.sidecar()
        newest = max(int(path.name[:4]) for path in
                     (pathlib.Path(__file__).resolve().parents[2] / "schema").glob("*.sql"))
        self.assertEqual(sidecar.sql("PRAGMA user_version"), [(newest,)])
        self.assertEqual(sidecar.sql("PRAGMA journal_mode"), [("wal",)])

    def test_a_second_sidecar_exits_1_and_names_the_owner(self):
        sidecar = self.sidecar()
        second = subprocess.run([BINARY, "serve", "--config", str(sidecar.config_file)],
                                env=sidecar.environment(), capture_output=True, text=True,
                                timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(sidecar.process.pid), second.stderr)
        self.assertEqual(sidecar.ask("2171").status, 200)

    def test_a_file_of_a_newer_version_is_refused(self):
        sidecar = self.sidecar()
        sidecar.stop()
        sidecar.sql("PRAGMA user_version = 9999")
        before = sidecar.database.read_bytes()
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertEqual(sidecar.database.read_bytes(), before)

    def test_a_file_that_is_no_database_is_refused(self):
        sidecar = self.sidecar(start=False)
        sidecar.database.write_text("This is my shopping list, and not a database at all.\n" * 99)
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertTrue(sidecar.database.read_text().startswith("This is my shopping list"))


if __name__ == "__main__":
    unittest.main()
