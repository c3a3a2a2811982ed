#!/usr/bin/env python3
"""Real failures: full and read-only file systems, folders without rights, deleted or locked files, in service and
at the start."""
import contextlib
import os
import sqlite3
import time
import unittest

from sidecar import toml, wait_until
from storage_faults import FailureCase, inside, mounted, scale

TMPFS = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$1"'
FILL = 'dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null || true'


class Disk(FailureCase):
    # -- full

    def test_a_full_disk_refuses_new_rooms_only(self):
        sidecar = self.stored()
        mounted(self, sidecar, TMPFS)
        sidecar.start()
        known = self.known(sidecar)
        inside(sidecar, FILL)
        number = 0
        while (answer := sidecar.ask(f"more{number}")).status == 200 and number < 2000:
            known[f"more{number}"] = answer.janus
            number += 1
        self.expect(answer, 503, "storage_unavailable")
        self.expect_sticky(sidecar, {f"known{i}": known[f"known{i}"] for i in range(5)})
        self.expect_degraded(sidecar, "full")
        time.sleep(2)
        self.expect_one_line(sidecar, "free some space")
        inside(sidecar, 'rm "$1/filler"')
        self.expect_recovery(sidecar, known)
        self.assertEqual(sidecar.stop(), 0)

    def test_a_full_disk_after_a_clean_stop_does_not_prevent_a_start(self):
        self.full_at_the_start(crashed=False)

    def test_a_full_disk_after_a_crash_does_not_prevent_a_start(self):
        self.full_at_the_start(crashed=True)

    def full_at_the_start(self, crashed):
        sidecar = self.stored().start()
        known = self.known(sidecar)
        sidecar.kill() if crashed else sidecar.stop()
        # Nothing but the files themselves fits; the -shm has to be made anew.
        mounted(self, sidecar, TMPFS, then=f'rm -f "$1"/*-shm; {FILL}')
        sidecar.start()
        self.expect_sticky(sidecar, known)
        self.expect_degraded(sidecar, "disk|full")
        inside(sidecar, 'rm "$1/filler"')
        self.expect_recovery(sidecar, known)

    # -- read-only

    def test_a_file_system_that_is_read_only_at_the_start_is_served(self):
        self.all_at_once(self.read_only_at_the_start, [(False,), (True,)])

    def read_only_at_the_start(self, crashed):
        sidecar = self.stored().start()
        known = self.known(sidecar)
        sidecar.kill() if crashed else sidecar.stop()
        mounted(self, sidecar, TMPFS, then='mount -o remount,ro "$1"')
        sidecar.start()
        self.expect_sticky(sidecar, known)
        self.expect_degraded(sidecar, "may be written|readonly|read-only")
        time.sleep(1.5)
        self.expect_one_line(sidecar, "written|readonly|read-only")
        inside(sidecar, 'mount -o remount,rw "$1"')
        self.expect_recovery(sidecar, known)

    # -- rights

    def test_a_folder_without_write_permission_refuses_new_rooms_only(self):
        """Permissions do not bind root, so the sidecar runs as another user."""
        sidecar = self.stored()
        if os.getuid() == 0:
            sidecar.wrapped_in = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            sidecar.folder.chmod(0o755)
            os.chown(sidecar.data, 65534, 65534)
        sidecar.start()
        known = self.known(sidecar)
        self.without_rights(sidecar, known)
        sidecar.stop()
        sidecar.data.chmod(0o500)
        sidecar.start()
        self.without_rights(sidecar, known)

    def without_rights(self, sidecar, known):
        before = len(sidecar.complaints())
        sidecar.data.chmod(0o000)
        self.expect_degraded(sidecar, "may be written")
        self.expect_sticky(sidecar, known)
        self.expect_refused(sidecar, "new")
        time.sleep(1.5)
        self.assertLessEqual(len(sidecar.complaints()) - before, 1, sidecar.complaints())
        sidecar.data.chmod(0o700)
        wait_until(lambda: sidecar.readiness()[1] == "ok", "it to be well")
        self.expect(sidecar.ask("new"), 200)
        self.expect(sidecar.delete("/v2/assignments/new"), 200)
        self.expect_nothing_lost(sidecar, known)

    # -- deleted

    def test_every_file_of_the_database_may_be_deleted(self):
        self.all_at_once(self.deleted, [
            ("",), ("-wal",), ("-shm",), ("-wal", "-shm"), ("", "-wal", "-shm"), (".lock",), (".running",),
            (".lock", ".running")])

    def deleted(self, *ends):
        sidecar = self.stored().start()
        known = self.known(sidecar)
        sidecar.enter("known0", "s")
        for end in ends:
            sidecar.database.with_name(sidecar.database.name + end).unlink()
        # Answers from now on are in the recreated file.
        for number in range(20):
            answer = sidecar.ask(f"later{number}")
            if answer.status == 200:
                known[f"later{number}"] = answer.janus
            time.sleep(0.02)
        wait_until(lambda: sidecar.ask("afterwards").status == 200, "new rooms again")
        known["afterwards"] = sidecar.ask("afterwards").janus
        wait_until(lambda: sidecar.readiness()[1] == "ok", "it to be well")
        self.assertLessEqual(len(sidecar.complaints()), 2, sidecar.complaints())
        self.expect_nothing_lost(sidecar, known)
        sidecar.kill()
        sidecar.start()
        self.expect_nothing_lost(sidecar, known)
        self.assertEqual(sidecar.sql("SELECT session_id FROM sessions"), [("s",)])

    def test_a_wal_begun_by_another_program_is_left_alone(self):
        sidecar = self.stored().start()
        known = self.known(sidecar)
        wal = sidecar.database.with_name(sidecar.database.name + "-wal")
        other = wal.with_name("other")
        other.write_text("somebody else's")
        other.replace(wal)
        self.expect_degraded(sidecar, "-wal")
        self.expect_refused(sidecar, "new")
        self.expect_sticky(sidecar, known)
        self.assertEqual(wal.read_text(), "somebody else's")
        self.assertEqual(len(sidecar.complaints()), 1, sidecar.complaints())

    # -- locked

    def test_a_lock_held_beyond_all_deadlines_refuses_new_rooms_only(self):
        sidecar = self.stored().start()
        known = self.known(sidecar)
        with contextlib.closing(sqlite3.connect(sidecar.database, isolation_level=None)) as shell:
            shell.execute("BEGIN EXCLUSIVE")
            self.expect_refused(sidecar, "new")
            self.expect_degraded(sidecar, "lock")
            self.expect_sticky(sidecar, known)
            time.sleep(4)
            self.expect_refused(sidecar, "new")
            self.expect_sticky(sidecar, known)
            self.expect_one_line(sidecar, "end its transaction")
            shell.execute("ROLLBACK")
        self.expect_recovery(sidecar, known)


class Steering(FailureCase):
    """Operators' commands while storage fails: a clear answer, nothing half done, and file and memory the
    same afterwards."""

    def locked(self, sidecar):
        shell = sqlite3.connect(sidecar.database, isolation_level=None)
        self.addCleanup(shell.close)
        shell.execute("BEGIN EXCLUSIVE")
        return shell

    def test_drain_and_release_are_refused_and_change_nothing(self):
        sidecar = self.stored().start()
        known = self.known(sidecar)
        shell = self.locked(sidecar)
        self.expect(sidecar.put("/v2/gateways/gxy1/drain"), 503, "storage_unavailable")
        self.expect(sidecar.delete("/v2/assignments/known0"), 503, "storage_unavailable")
        self.assertFalse(sidecar.gateway("gxy1")["draining"])
        drained = sidecar.run("drain", "gxy1")
        self.assertEqual(drained.returncode, 1)
        self.assertIn("storage_unavailable", drained.stderr)
        self.assertEqual(sidecar.ask("known0").janus, known["known0"])
        shell.execute("ROLLBACK")
        self.expect_recovery(sidecar, known)
        self.assertEqual(sidecar.sql("SELECT max(draining) FROM gateways"), [(0,)])
        self.expect(sidecar.put("/v2/gateways/gxy1/drain"), 200)
        self.expect(sidecar.delete("/v2/assignments/known0"), 200)
        self.assertEqual(sidecar.sql("SELECT draining FROM gateways WHERE name = 'gxy1'"), [(1,)])
        self.assertNotIn("known0", sidecar.rows())

    def test_rooms_set_and_import_report_the_lock(self):
        sidecar = self.stored(toml()).start()
        shell = self.locked(sidecar)
        done = sidecar.run("rooms", "set", "2171", "--default-gateway", "gxy3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lock", done.stderr)
        shell.execute("ROLLBACK")
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        self.assertEqual(sidecar.run("rooms", "set", "2171", "--default-gateway", "gxy3").returncode, 0)
        wait_until(lambda: sidecar.ask("2171").janus == "gxy3", "the edit to be seen")

    def test_the_mode_can_be_switched_while_nothing_can_be_written(self):
        sidecar = self.stored(scale()).start()
        known = self.known(sidecar)
        sidecar.ask("2171")
        shell = self.locked(sidecar)
        sidecar.write_config(scale(scale=False))
        answer = self.expect(sidecar.post("/v2/reload"), 200)
        self.assertIn("not yet in the file", " ".join(answer.json["warnings"]))
        self.assertEqual(sidecar.ask("2171").reason, "default")
        self.assertEqual(sidecar.readiness()[1], "degraded")
        sidecar.write_config(scale())
        self.expect(sidecar.post("/v2/reload"), 200)
        self.assertEqual(sidecar.ask("known0").janus, known["known0"])
        sidecar.write_config(scale(scale=False))
        self.expect(sidecar.post("/v2/reload"), 200)
        shell.execute("ROLLBACK")
        wait_until(lambda: sidecar.readiness()[1] == "ok", "it to be well")
        self.assertEqual(sidecar.sql("SELECT value FROM meta WHERE key = 'mode'"), [("legacy",)])
        self.expect_nothing_lost(sidecar, known)

    def test_a_reload_beside_an_unsound_file_is_refused_or_keeps_the_known_rows(self):
        """Never an empty catalogue, because the file was cut to nothing."""
        sidecar = self.stored(toml()).start()
        sidecar.sql("UPDATE rooms SET default_gateway_id = (SELECT id FROM gateways WHERE name = 'gxy3')"
                    " WHERE gateway_uid = '2171'")
        wait_until(lambda: sidecar.ask("2171").janus == "gxy3", "the edit to be seen")
        sidecar.stop()
        sidecar.start()
        os.truncate(sidecar.database, 0)
        for _ in range(3):
            answer = sidecar.post("/v2/reload")
            if answer.status != 200:
                self.expect(answer, 409, "configuration_refused")
            self.assertEqual([sidecar.ask(room).janus for room in ("2171", "2172", "2173")],
                             ["gxy3", "gxy2", "gxy3"])
        self.expect_degraded(sidecar, "restore")
        self.assertLess(len(sidecar.complaints()), 10, sidecar.complaints())


if __name__ == "__main__":
    unittest.main()
