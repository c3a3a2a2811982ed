#!/usr/bin/env python3
"""Calls on the database's files that fail, each kind, while it runs and at the start. Needs no privilege."""
import subprocess
import time
import unittest

from pace import within
from sidecar import wait_until
from storage_faults import CAN_AGAIN, LIBRARY, FailureCase

CALLS = {  # failing call: its text for operators
    "write EIO": "disk I/O error",
    "fsync EIO": "disk I/O error",
    "write EIO -wal": "disk I/O error",
    "write ENOSPC": "full",
}
AT_START = {
    "write EIO": "disk I/O error",
    "write ENOSPC": "disk",
    "open EROFS": "may be written",
    "open EACCES": "may be written",
}


@unittest.skipUnless(LIBRARY, "FAILING_FILES must name the library tests/faults/failing_files.c")
class Calls(FailureCase):
    def test_only_new_rooms_are_refused_while_calls_fail(self):
        self.all_at_once(self.while_it_runs, CALLS.items())

    def while_it_runs(self, call, reason):
        sidecar = self.stored().failing().start()
        known = self.known(sidecar)
        sidecar.enter("known1", "s1")
        sidecar.fails(call)
        self.expect_refused(sidecar, "new")
        self.expect_degraded(sidecar, reason)
        self.expect_sticky(sidecar, known)
        # write-behind is kept meanwhile
        self.assertEqual(sidecar.enter("known0", "s0").json["users"], 1)
        self.assertTrue(sidecar.leave("known1", "s1").json["assignment_removed"] in (False, True))
        time.sleep(2.5)  # at least two attempts to write again
        self.expect_refused(sidecar, "new")
        self.expect_one_line(sidecar, reason)
        sidecar.fails()
        self.expect_recovery(sidecar, {room: at for room, at in known.items() if room != "known1"})
        wait_until(lambda: sidecar.sql("SELECT session_id FROM sessions") == [("s0",)], "the sessions")
        sidecar.kill()
        sidecar.fails()
        sidecar.start()
        self.assertEqual(sidecar.ask("known0").janus, known["known0"])
        self.assertEqual(sidecar.ask("new").status, 200)

    def test_a_read_only_file_at_the_start_still_serves_answers(self):
        self.all_at_once(self.at_start, [(call, reason, how) for call, reason in AT_START.items()
                                         for how in ("stopped", "killed")])

    def at_start(self, call, reason, how):
        sidecar = self.stored().failing().start()
        known = self.known(sidecar)
        sidecar.stop() if how == "stopped" else sidecar.kill()
        sidecar.fails(call)
        sidecar.start()
        self.expect_sticky(sidecar, known)
        self.expect_degraded(sidecar, reason)
        time.sleep(2)
        self.expect_one_line(sidecar, reason)
        sidecar.fails()
        self.expect_recovery(sidecar, known)

    def test_an_unreadable_file_at_the_start_exits_1_and_is_left_alone(self):
        sidecar = self.stored().failing().start()
        known = self.known(sidecar)
        sidecar.kill()
        before = sidecar.hashes()
        sidecar.fails("read EIO .db", "read EIO -wal")
        self.assertEqual(sidecar.start_and_fail(), 1)
        self.assertEqual(sidecar.hashes(), before)
        self.assertRegex(sidecar.log_of_this_run(), "(disk I/O|Input/output) error.*check the disk")
        sidecar.fails()
        sidecar.start()
        self.expect_nothing_lost(sidecar, known)

    def test_failing_reads_of_a_running_sidecar_do_no_harm(self):
        sidecar = self.stored().failing().start()
        known = self.known(sidecar)
        sidecar.fails("read EIO")
        # Another program's commit makes it read again.
        subprocess.run(["sqlite3", "-cmd", ".timeout 5000", str(sidecar.database),
                        "UPDATE rooms SET name = 'x'"], check=True, timeout=30)
        self.expect_degraded(sidecar, "disk I/O error")
        self.expect_sticky(sidecar, known)
        self.assertEqual(sidecar.ask("2171").status, 503)  # it has no gateway yet
        time.sleep(2.5)
        self.expect_one_line(sidecar, "disk I/O error; check the disk")
        sidecar.fails()
        self.expect_recovery(sidecar, known)
        wait_until(lambda: sidecar.get("/v2/rooms/2171").json["name"] == "x", "the edit to be seen")

    def test_a_drain_is_never_half_done(self):
        sidecar = self.stored().failing().start()
        for number, call in enumerate(("read EIO", "write EIO", "fsync EIO", "write ENOSPC")):
            gateway = f"gxy{number % 3 + 1}"
            sidecar.fails(call)
            answer = sidecar.put(f"/v2/gateways/{gateway}/drain")
            self.assertIn((answer.status, answer.error), ((200, None), (503, "storage_unavailable")))
            draining = answer.status == 200
            self.assertEqual(sidecar.gateway(gateway)["draining"], draining, call)
            sidecar.fails()
            wait_until(lambda: sidecar.readiness()[1] == "ok", "it to be well")
            self.assertEqual(sidecar.sql("SELECT draining FROM gateways WHERE name = ?", (gateway,)),
                             [(int(draining),)], call)
            self.expect(sidecar.delete(f"/v2/gateways/{gateway}/drain"), 200)

    def test_a_hanging_disk_is_reported_and_refuses_new_rooms_only(self):
        sidecar = self.stored().failing().start()
        known = self.known(sidecar)
        sidecar.fails("fsync 6000")
        with within(4):
            self.expect_refused(sidecar, "new")
        self.expect_degraded(sidecar, "has not answered")
        self.expect_sticky(sidecar, known)
        wait_until(lambda: sidecar.complaints(), "a line")
        sidecar.fails()
        wait_until(lambda: sidecar.ask("new").status == 200, "new rooms again")
        wait_until(lambda: CAN_AGAIN in sidecar.log_of_this_run(), "the log to say so")
        self.expect_one_line(sidecar, "has not answered")
        self.expect_nothing_lost(sidecar, {**known, "new": sidecar.ask("new").janus})

    def test_a_refusal_during_a_hanging_commit_is_recorded_at_once_and_only_once(self):
        sidecar = self.stored().failing().start()

        def decisions():
            return [(one["janus"], one["error"], one["times"])
                    for one in sidecar.get("/v2/decisions?room=new").json["decisions"]]

        sidecar.fails("fsync 9000")
        self.expect_refused(sidecar, "new")
        refused = (None, "storage_unavailable", 1)
        self.assertEqual(decisions(), [refused])
        self.expect_refused(sidecar, "new")  # which waited for the same commit
        self.assertEqual(decisions(), [refused])
        sidecar.fails()
        wait_until(lambda: sidecar.ask("new").status == 200, "new rooms again")
        self.assertEqual(decisions()[0], (sidecar.ask("new").janus, None, 1), "the placing follows")

    def test_a_hanging_disk_delays_no_stop(self):
        sidecar = self.stored().failing().start()
        known = self.known(sidecar)
        sidecar.fails("fsync 30000")
        self.expect_refused(sidecar, "new")
        # A command that could not begin is withdrawn, and is not done later either.
        self.expect(sidecar.put("/v2/gateways/gxy1/drain"), 503, "storage_unavailable")
        with within(5):
            self.assertEqual(sidecar.stop(), 1)
        sidecar.fails()
        sidecar.start()
        self.expect_nothing_lost(sidecar, known)
        self.assertFalse(sidecar.gateway("gxy1")["draining"])

    def test_the_owners_note_is_written_as_soon_as_possible(self):
        sidecar = self.stored().failing().start()
        sidecar.stop()
        sidecar.fails("open EROFS", "write EROFS")
        sidecar.start()
        note = sidecar.database.with_name(sidecar.database.name + ".running")
        self.assertFalse(note.exists())
        sidecar.fails()
        wait_until(lambda: note.exists() and str(sidecar.process.pid) in note.read_text(), "the note")
        self.assertEqual(sidecar.run("status").returncode, 0)


if __name__ == "__main__":
    unittest.main()
