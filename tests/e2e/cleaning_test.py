#!/usr/bin/env python3
"""The effects of silent sessions, and their limits."""
import time
import unittest

from sidecar import Case, toml, wait_until


def scale(**sessions):
    sessions.setdefault("clean_every", "100ms")
    return toml(scale=True, rooms={}, unknown_rooms="accept", sessions=sessions)


class Cleaning(Case):
    def test_a_dead_sessions_room_ends_at_once_since_a_user_had_joined(self):
        sidecar = self.sidecar(scale(dead_after="1s", join_grace="10m"))
        sidecar.ask("1")
        sidecar.enter("1", "a")
        wait_until(lambda: not sidecar.assignments(), "the dead session's room to be cleaned")
        sidecar.wait_for_log(
            "INFO: Cleaned inactive room server assignments cleaned_assignments=1\n")
        wait_until(lambda: not sidecar.assignments_in_file(), "the row to go")

    def test_an_assignment_that_nobody_joined_lives_join_grace_after_its_last_answer(self):
        sidecar = self.sidecar(scale(dead_after="90s", join_grace="2s"))
        sidecar.ask("asked again")
        sidecar.ask("forgotten")
        until = time.monotonic() + 3
        while time.monotonic() < until:
            self.assertEqual(sidecar.ask("asked again").reason, "sticky")
            time.sleep(0.1)
        self.assertEqual(list(sidecar.assignments()), ["asked again"])
        wait_until(lambda: not sidecar.assignments(), "the grace to end")

    def test_a_session_that_keeps_reporting_keeps_its_room(self):
        sidecar = self.sidecar(scale(dead_after="1500ms", join_grace="100ms"))
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            self.assertEqual(sidecar.enter("1", "a").json["users"], 1)
            time.sleep(0.1)
        self.assertEqual(sidecar.ask("1").reason, "sticky")
        self.assertNotIn("Cleaned", sidecar.log())

    def test_mass_silence_keeps_the_rooms_assignments_for_a_while(self):
        sidecar = self.sidecar(scale(dead_after="1s", join_grace="3s"))
        sidecar.snapshot([(str(i), f"s{i}") for i in range(12)])
        wait_until(lambda: sidecar.gateway("gxy1")["users"] == 0, "the sessions to die")
        sidecar.wait_for_log(" WARN")
        self.assertEqual(len(sidecar.assignments()), 12)
        warnings = [line for line in sidecar.log().splitlines() if " WARN" in line]
        self.assertEqual(len(warnings), 1, warnings)
        wait_until(lambda: not sidecar.assignments(), "the grace to end")

    def test_nine_silent_sessions_are_no_mass_silence(self):
        sidecar = self.sidecar(scale(dead_after="1s", join_grace="10m"))
        sidecar.snapshot([(str(i), f"s{i}") for i in range(9)])
        wait_until(lambda: not sidecar.assignments(), "the rooms to be cleaned")

    def test_every_session_has_the_full_time_again_after_a_restart(self):
        sidecar = self.sidecar(scale(dead_after="2s", join_grace="2s"))
        sidecar.enter("joined", "a")
        sidecar.ask("expected")
        wait_until(lambda: len(sidecar.sql("SELECT * FROM sessions")) == 1, "the session's row")
        sidecar.kill()
        time.sleep(2)
        sidecar.start()
        self.assertEqual(sorted(sidecar.assignments()), ["expected", "joined"])
        self.assertEqual(sidecar.ask("joined").reason, "sticky")
        self.assertEqual(sidecar.enter("joined", "a").json["users"], 1)


if __name__ == "__main__":
    unittest.main()
