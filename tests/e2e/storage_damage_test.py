#!/usr/bin/env python3
"""Damaged files: found at the start, left as they are, with two remedies; and found in service."""
import itertools
import os
import shutil
import time
import unittest

from sidecar import wait_until
from storage_faults import FailureCase

PAGE = 4096


def flip(path, begin, end):
    """In place, as a bad disk does."""
    with open(path, "r+b") as file:
        file.seek(begin)
        bad = bytes(byte ^ 0xff for byte in file.read(end - begin))
        file.seek(begin)
        file.write(bad)


class Damage(FailureCase):
    def made(self, crashed=False, rooms=60):
        """A stopped sidecar, and its known rooms."""
        sidecar = self.stored().start()
        known = self.known(sidecar, rooms)
        if crashed:
            sidecar.kill()
        else:
            self.assertEqual(sidecar.stop(), 0)
        return sidecar, known

    def wal(self, sidecar):
        return sidecar.database.with_name(sidecar.database.name + "-wal")

    def expect_refused_untouched(self, sidecar):
        before = sidecar.hashes()
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertEqual(sidecar.hashes(), before)
        self.assertEqual(len(sidecar.complaints()), 1, sidecar.complaints())
        self.assertRegex(sidecar.complaints()[0], "damaged.*room-sidecar restore.*--set-aside-damaged")
        return before

    def expect_both_ways_out(self, sidecar, known, backup):
        before = self.expect_refused_untouched(sidecar)
        sidecar.start("--set-aside-damaged")
        self.assertEqual(sidecar.assignments(), {})
        self.expect(sidecar.ask("new"), 200)
        after = sidecar.hashes()
        kept = [name for name in after if ".damaged-" in name]
        wanted = {content for name, content in before.items() if not name.endswith("-shm")}
        self.assertLessEqual(wanted, {after[name] for name in kept})
        self.assertEqual(sidecar.stop(), 0)
        # Again as it was, for the other way.
        sidecar.database.unlink()
        for name in kept:
            suffix = name[-4:] if name.endswith(("-wal", "-shm")) else ""
            (sidecar.data / name).replace(sidecar.data / (sidecar.database.name + suffix))
        self.expect_refused_untouched(sidecar)
        restored = sidecar.run("restore", str(backup))
        self.assertEqual(restored.returncode, 0, restored.stderr)
        sidecar.start()
        self.expect_nothing_lost(sidecar, known)

    def with_backup(self, crashed):
        sidecar, known = self.made(crashed)
        backup = sidecar.folder / "backup.db"
        if crashed:  # a backup would take the -wal into the file
            sidecar.start()
            self.assertEqual(sidecar.run("backup", str(backup)).returncode, 0)
            sidecar.kill()
        else:
            self.assertEqual(sidecar.run("backup", str(backup)).returncode, 0)
        return sidecar, known, backup

    def test_flipped_bytes_in_the_header_are_found(self):
        self.all_at_once(self.flipped_header, [(0, 16), (16, 18), (24, 60), (24, 100)])

    def flipped_header(self, begin, end):
        sidecar, known, backup = self.with_backup(crashed=False)
        flip(sidecar.database, begin, end)
        self.expect_both_ways_out(sidecar, known, backup)

    def test_flipped_bytes_in_a_page_of_a_table_are_found(self):
        sidecar, known, backup = self.with_backup(crashed=False)
        page = sidecar.sql("SELECT rootpage FROM sqlite_schema"
                           " WHERE name = 'room_server_assignments'")[0][0]
        flip(sidecar.database, (page - 1) * PAGE, (page - 1) * PAGE + 100)
        self.expect_both_ways_out(sidecar, known, backup)

    def test_a_truncated_file_is_found(self):
        sidecar, known, backup = self.with_backup(crashed=False)
        os.truncate(sidecar.database, sidecar.database.stat().st_size // 2)
        self.expect_both_ways_out(sidecar, known, backup)

    def test_flipped_bytes_in_the_wal_are_found(self):
        """SQLite itself would silently drop the following frames: answered rooms."""
        self.all_at_once(self.flipped_wal, [(0,), (0.3,), (0.6,)])

    def flipped_wal(self, part):
        sidecar, known, backup = self.with_backup(crashed=True)
        size = self.wal(sidecar).stat().st_size
        self.assertGreater(size, 3 * PAGE)
        flip(self.wal(sidecar), int(size * part), int(size * part) + 10)
        self.expect_both_ways_out(sidecar, known, backup)

    def test_a_wal_without_its_database_is_refused(self):
        self.all_at_once(self.orphaned_wal, [(os.unlink,), (lambda file: os.truncate(file, 0),)])

    def orphaned_wal(self, harm):
        sidecar, known, backup = self.with_backup(crashed=True)
        harm(sidecar.database)
        self.expect_both_ways_out(sidecar, known, backup)

    def test_a_backup_copied_over_the_file_beside_an_old_wal_is_refused(self):
        """Nothing of the two is played into the other; the way that is documented brings the backup back."""
        sidecar, known, backup = self.with_backup(crashed=True)
        self.assertGreater(self.wal(sidecar).stat().st_size, 0)
        shutil.copyfile(backup, sidecar.database)
        self.expect_refused_untouched(sidecar)
        self.assertIn("its -wal belongs to another state", sidecar.complaints()[0])
        for command in (["check"], ["rooms", "list"], ["backup", str(sidecar.folder / "again.db")],
                        ["rooms", "set", "2171", "--default-gateway", "gxy2"]):
            done = sidecar.run(*command)
            self.assertIn("its -wal belongs to another state", done.stdout + done.stderr, command)
            self.assertNotEqual(done.returncode, 0, command)
        self.expect_refused_untouched(sidecar)
        restored = sidecar.run("restore", str(backup))
        self.assertEqual(restored.returncode, 0, restored.stderr)
        sidecar.start()
        self.expect_nothing_lost(sidecar, known)

    def test_files_copied_from_a_running_sidecar_are_refused(self):
        """As rsync does: the file, then rooms and a checkpoint, then the -wal."""
        sidecar = self.stored().start()
        copy = self.stored()
        shutil.copyfile(sidecar.database, copy.database)

        def salt():
            return self.wal(sidecar).read_bytes()[16:24]
        before = salt()
        number = itertools.count()

        def started_over():
            self.refusals_of(sidecar, 200, number)
            return salt() != before
        wait_until(started_over, "a checkpoint")
        shutil.copyfile(self.wal(sidecar), self.wal(copy))
        self.expect_refused_untouched(copy)

    def refusals_of(self, sidecar, count, number):
        sessions = [(f"copied{next(number)}", f"s{n}", "gxy1") for n in range(count)]
        self.assertEqual(sidecar.snapshot(sessions).json["rejected"], [])

    def test_restore_names_a_file_that_is_no_backup(self):
        sidecar, known, backup = self.with_backup(crashed=False)
        whole = backup.read_bytes()
        odd = sidecar.folder / "odd"
        page = 2 * PAGE
        cases = {"it is empty": b"", "it is no database": b"x" * 9000,
                 "it is damaged": whole[:page] + b"\x55" * PAGE + whole[page + PAGE:],
                 "it has version 99": whole[:60] + bytes([0, 0, 0, 99]) + whole[64:],
                 "it is a database of another program": whole[:68] + b"RmSx" + whole[72:]}
        for reason, content in cases.items():
            with self.subTest(reason):
                odd.write_bytes(content)
                before = sidecar.hashes()
                done = sidecar.run("restore", str(odd))
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{odd} is no backup that can be restored: {reason}", done.stderr)
                self.assertNotRegex(done.stderr, "set-aside|database.path|room-sidecar restore")
                self.assertEqual(sidecar.hashes(), before)
        sidecar.start()
        self.expect_nothing_lost(sidecar, known)

    def test_a_wal_that_ends_in_the_middle_is_no_damage(self):
        """As after a power cut; the torn commit had not been answered."""
        sidecar, known = self.made(crashed=True)
        with open(self.wal(sidecar), "ab") as wal:
            wal.write(b"\xa5" * 3000)
        sidecar.start()
        self.expect_nothing_lost(sidecar, known)

    def test_damage_found_in_service_refuses_new_rooms_only(self):
        """New rooms would not be safe in such a file; the others are answered from memory."""
        self.all_at_once(self.damaged_while_it_runs, [
            (lambda file: flip(file, PAGE, file.stat().st_size),),
            (lambda file: os.truncate(file, file.stat().st_size // 2),),
            (lambda file: os.truncate(file, 0),)])

    def damaged_while_it_runs(self, harm):
        sidecar, known = self.made()
        sidecar.start()
        good = sidecar.database.read_bytes()
        harm(sidecar.database)
        self.expect(sidecar.post("/v2/reload"), 409, "configuration_refused")
        self.expect_degraded(sidecar, "damaged.*restore")
        self.expect_sticky(sidecar, known)
        self.expect_refused(sidecar, "new")
        time.sleep(2.5)
        lines = [line for line in sidecar.complaints() if "new rooms are refused" in line]
        self.assertEqual(len(lines), 1, sidecar.complaints())
        self.assertLess(len(sidecar.complaints()), 5, sidecar.complaints())
        # The cable is plugged in again.
        with open(sidecar.database, "r+b") as file:
            file.write(good)
        self.expect_recovery(sidecar, known)

    def test_damage_found_in_service_exits_1_at_the_stop(self):
        sidecar, known = self.made()
        sidecar.start()
        os.truncate(sidecar.database, sidecar.database.stat().st_size // 2)
        sidecar.post("/v2/reload")
        self.expect_refused(sidecar, "new")
        sidecar.enter("known0", "s")
        self.assertEqual(sidecar.process.poll(), None)
        self.assertEqual(sidecar.stop(), 1)
        self.expect_refused_untouched(sidecar)


if __name__ == "__main__":
    unittest.main()
