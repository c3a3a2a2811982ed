#!/usr/bin/env python3
"""The database file: what survives, who may own it, and what happens when it is harmed."""
import contextlib
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

from sidecar import BINARY, Case, toml, wait_until


def scale(**more):
    return toml(scale=True, unknown_rooms="accept", **more)


class Durability(Case):
    def test_after_kill_9_every_answer_stands(self):
        sidecar = self.sidecar(scale())
        for _ in range(3):
            answers = {f"r{i}": sidecar.ask(f"r{i}").janus for i in range(30)}
            sidecar.kill()
            sidecar.start()
            for room, gateway in answers.items():
                answer = sidecar.ask(room)
                self.assertEqual((answer.janus, answer.reason), (gateway, "sticky"))

    def test_what_is_written_behind_reaches_the_file_within_two_seconds(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1")
        sidecar.enter("2", "a")

        def last_used():
            return sidecar.sql("SELECT last_used_at FROM room_server_assignments"
                               " WHERE room_id = '1'")[0][0]
        before = last_used()
        wait_until(lambda: sidecar.ask("1") and last_used() > before, "a newer last_used_at", 3)
        wait_until(lambda: sidecar.sql("SELECT * FROM sessions"), "the session's row", 3)
        sidecar.leave("2", "a")
        wait_until(lambda: list(sidecar.assignments_in_file()) == ["1"], "the row to go", 3)
        wait_until(lambda: not sidecar.sql("SELECT * FROM sessions"), "the session to go", 3)

    def test_the_file_is_in_wal_mode_with_a_version(self):
        sidecar = self.sidecar()
        newest = max(int(path.name[:4]) for path in
                     (pathlib.Path(__file__).resolve().parents[2] / "schema").glob("*.sql"))
        self.assertEqual(sidecar.sql("PRAGMA user_version"), [(newest,)])
        self.assertEqual(sidecar.sql("PRAGMA journal_mode"), [("wal",)])

    def test_a_second_sidecar_exits_1_and_says_who_holds_the_file(self):
        sidecar = self.sidecar()
        second = subprocess.run([BINARY, "serve", "--config", str(sidecar.config_file)],
                                env=sidecar.environment(), capture_output=True, text=True,
                                timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(sidecar.process.pid), second.stderr)
        self.assertEqual(sidecar.ask("2171").status, 200)

    def test_a_newer_file_is_refused(self):
        sidecar = self.sidecar()
        sidecar.stop()
        sidecar.sql("PRAGMA user_version = 9999")
        before = sidecar.database.read_bytes()
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertEqual(sidecar.database.read_bytes(), before)

    def test_a_damaged_file_is_refused_untouched_until_it_is_to_be_set_aside(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1")
        sidecar.stop()
        text = bytearray(sidecar.database.read_bytes())
        text[4096:4096 * 3] = b"\xa5" * 8192
        sidecar.database.write_bytes(text)
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertEqual(sidecar.database.read_bytes(), bytes(text), "nothing is moved")
        self.assertIn("restore", sidecar.log())
        self.assertIn("serve --set-aside-damaged", sidecar.log())
        sidecar.start("--set-aside-damaged")
        self.assertEqual(sidecar.ask("1").status, 200)

    def test_a_file_that_is_no_database_is_refused(self):
        sidecar = self.sidecar(start=False)
        sidecar.database.write_text("This is my shopping list, and not a database at all.\n" * 99)
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertTrue(sidecar.database.read_text().startswith("This is my shopping list"))

    def test_a_file_that_vanishes_is_written_anew_from_the_open_connection(self):
        sidecar = self.sidecar(scale())
        kept = {f"r{i}": sidecar.ask(f"r{i}").janus for i in range(5)}
        for end in ("", "-wal", "-shm"):
            sidecar.database.with_name(sidecar.database.name + end).unlink()
        wait_until(sidecar.database.exists, "the file to be there again", 4)
        wait_until(lambda: sidecar.ask("later").status == 200, "new rooms again", 4)
        self.assertEqual(sidecar.log().count(" ERROR: "), 1)
        in_file = sidecar.assignments_in_file()
        self.assertIn("later", in_file)
        self.assertEqual({room: in_file.get(room) for room in kept}, kept)
        sidecar.kill()
        sidecar.start()
        for room, gateway in kept.items():
            self.assertEqual(sidecar.ask(room).janus, gateway)

    def test_a_file_locked_by_somebody_else_costs_new_rooms_only_and_mends_itself(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("known")
        with contextlib.closing(sqlite3.connect(sidecar.database, isolation_level=None)) as shell:
            shell.execute("BEGIN EXCLUSIVE")
            self.expect(sidecar.ask("new"), 503, "storage_unavailable")
            self.assertEqual(sidecar.ask("known").reason, "sticky")
            shell.execute("ROLLBACK")
        wait_until(lambda: sidecar.ask("new").status == 200, "new rooms again", 5)
        wait_until(lambda: sidecar.get("/readyz").json["status"] == "ok", "it to be well", 5)

    def mounted(self, how):
        """A wrapper that runs the sidecar where its folder $1 is mounted anew; needs to be root."""
        wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
                   f'{how}; shift; exec "$@"', "sh"]
        with tempfile.TemporaryDirectory() as folder:
            if subprocess.run([*wrapper, folder, "true"], capture_output=True).returncode != 0:
                self.skipTest("nothing can be mounted here")
        return wrapper

    def test_a_full_disk_costs_new_rooms_only_and_mends_itself(self):
        wrapper = self.mounted('cp "$1/config.toml" /tmp/.config.$$ && '
                               'mount -t tmpfs -o size=1m tmpfs "$1" && '
                               'mv /tmp/.config.$$ "$1/config.toml"')
        sidecar = self.sidecar(scale(), start=False)
        sidecar.wrapped_in = [*wrapper, str(sidecar.folder)]
        sidecar.start()
        sidecar.ask("known")
        number = 0
        while (answer := sidecar.ask(f"{number}-{'x' * 200}")).status == 200 and number < 5000:
            number += 1
        self.expect(answer, 503, "storage_unavailable")
        self.assertEqual(sidecar.ask("known").reason, "sticky")
        ready = sidecar.get("/readyz")
        self.assertEqual((ready.status, ready.json["status"]), (200, "degraded"))
        self.assertTrue(ready.json["reasons"])
        subprocess.run(["nsenter", "-t", str(sidecar.process.pid), "-m", "mount", "-o",
                        "remount,size=64m", str(sidecar.folder)], check=True)
        wait_until(lambda: sidecar.ask("new").status == 200, "new rooms again", 5)
        wait_until(lambda: sidecar.get("/readyz").json["status"] == "ok", "it to be well", 5)
        self.assertEqual(sidecar.stop(), 0)

    def test_a_file_that_can_be_read_but_not_written_is_answered_from(self):
        wrapper = self.mounted('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"')
        sidecar = self.sidecar(scale())
        known = sidecar.ask("known").janus
        sidecar.stop()
        sidecar.wrapped_in = [*wrapper, str(sidecar.folder)]
        sidecar.start()
        answer = sidecar.ask("known")
        self.assertEqual((answer.janus, answer.reason), (known, "sticky"))
        self.expect(sidecar.ask("new"), 503, "storage_unavailable")
        ready = sidecar.get("/readyz")
        self.assertEqual((ready.status, ready.json["status"]), (200, "degraded"))
        subprocess.run(["nsenter", "-t", str(sidecar.process.pid), "-m", "mount", "-o",
                        "remount,bind,rw", str(sidecar.folder)], check=True)
        wait_until(lambda: sidecar.ask("new").status == 200, "it to be written again", 5)


if __name__ == "__main__":
    unittest.main()
