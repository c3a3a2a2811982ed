#!/usr/bin/env python3
"""A stopped process and a silent signaling server end nothing."""
import signal
import time
import unittest

from sidecar import Case, toml, wait_until


def scale(**sessions):
    sessions.setdefault("clean_every", "100ms")
    return toml(scale=True, rooms={}, unknown_rooms="accept", sessions=sessions)


class Clock(Case):
    def test_a_stopped_process_ages_neither_sessions_nor_graces(self):
        sidecar = self.sidecar(scale(dead_after="6s", join_grace="6s"))
        rooms = [str(i) for i in range(12)]
        sidecar.snapshot([(room, f"s{room}") for room in rooms])
        sidecar.ask("expected")
        before = sidecar.assignments()
        sidecar.process.send_signal(signal.SIGSTOP)
        time.sleep(8)
        sidecar.process.send_signal(signal.SIGCONT)
        self.assertEqual(sidecar.assignments(), before)
        listed = sidecar.get("/v2/assignments?limit=1000").json["assignments"]
        self.assertEqual(sum(row["users"] for row in listed), len(rooms))
        self.assertEqual(sidecar.ask("expected").reason, "sticky")
        self.assertNotIn("Cleaned", sidecar.log())

    def test_a_signaling_server_that_was_silent_finds_its_rooms_where_they_were(self):
        sidecar = self.sidecar(scale(dead_after="1s", join_grace="1m"))
        sessions = [(str(i), f"s{i}") for i in range(12)]
        sidecar.snapshot(sessions)
        before = sidecar.assignments()
        wait_until(lambda: sidecar.gateway("gxy1")["users"] == 0, "the sessions to die")
        sidecar.wait_for_log("fell silent")
        for room, gateway in before.items():
            answer = sidecar.ask(room)
            self.assertEqual((answer.janus, answer.reason), (gateway, "sticky"))
        self.assertEqual(sidecar.snapshot(sessions).json["entered"], len(sessions))
        self.assertEqual(sidecar.assignments(), before)
        self.assertNotIn("Cleaned", sidecar.log())


if __name__ == "__main__":
    unittest.main()
