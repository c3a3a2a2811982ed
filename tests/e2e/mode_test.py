#!/usr/bin/env python3
"""Change of mode, with rooms in use, in both directions."""
import unittest

from sidecar import Case, toml, wait_until

ROOMS = {"1": "gxy1", "2": "gxy2", "3": "gxy3"}


def mode(scale, **more):
    return toml(scale=scale, rooms=ROOMS, **more)


class ChangeOfMode(Case):
    def reload(self, sidecar, config):
        sidecar.write_config(config)
        answer = sidecar.post("/v2/reload")
        self.assertEqual(answer.status, 200, answer)
        return answer

    def test_occupied_rooms_stay_where_their_users_are_when_scale_mode_begins(self):
        sidecar = self.sidecar(mode(False))
        sidecar.enter("1", "a", "gxy3")   # reported elsewhere than the default
        sidecar.enter("2", "b")           # reported nothing: its default
        self.reload(sidecar, mode(True))
        for room, gateway in (("1", "gxy3"), ("2", "gxy2")):
            answer = sidecar.ask(room, "IL")
            self.assertEqual((answer.janus, answer.reason), (gateway, "sticky"))
        self.assertEqual(sidecar.assignments(), {"1": "gxy3", "2": "gxy2"})
        self.assertEqual(sidecar.assignments_in_file(), {"1": "gxy3", "2": "gxy2"})
        self.assertEqual(sidecar.ask("3").reason, "assigned")

    def test_an_older_row_is_replaced_and_rows_of_other_rooms_start_their_grace_anew(self):
        sidecar = self.sidecar(mode(True, sessions={"join_grace": "2s", "clean_every": "100ms"}))
        self.assertEqual([sidecar.ask(room).janus for room in ("3", "2")], ["gxy1", "gxy2"])
        self.reload(sidecar, mode(False, sessions={"join_grace": "2s", "clean_every": "100ms"}))
        self.assertEqual(sidecar.ask("3").janus, "gxy3")
        sidecar.enter("3", "a", "gxy3")
        self.reload(sidecar, mode(True, sessions={"join_grace": "2s", "clean_every": "100ms"}))
        self.assertEqual(sidecar.ask("3").janus, "gxy3")
        self.assertEqual(sidecar.assignments(), {"3": "gxy3", "2": "gxy2"})
        wait_until(lambda: sidecar.assignments() == {"3": "gxy3"}, "the other row's grace to end")

    def test_legacy_mode_answers_defaults_and_the_table_stays(self):
        sidecar = self.sidecar(mode(True))
        sidecar.enter("2", "a", "gxy3")
        sidecar.enter("1", "b", "gxy1")
        self.reload(sidecar, mode(False))
        answer = sidecar.ask("2")
        self.assertEqual((answer.janus, answer.reason), ("gxy2", "default"))
        self.assertEqual(sidecar.assignments_in_file(), {"1": "gxy1", "2": "gxy3"})
        sidecar.wait_for_log("live_rooms=")
        lines = [line for line in sidecar.log().splitlines() if "live_rooms=" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(" WARN", lines[0])
        self.assertTrue(lines[0].endswith("live_rooms=1"), "room 2 lives elsewhere: " + lines[0])
        self.assertEqual(sidecar.get("/v2/rooms/2").json["users"], 1)

    def test_a_restart_with_the_other_mode_is_a_change_of_mode_too(self):
        sidecar = self.sidecar(mode(True))
        sidecar.enter("2", "a", "gxy3")
        sidecar.stop()
        sidecar.write_config(mode(False))
        sidecar.start()
        self.assertEqual(sidecar.ask("2").janus, "gxy2")
        sidecar.stop()
        sidecar.write_config(mode(True))
        sidecar.start()
        self.assertEqual(sidecar.ask("1").status, 200)

    def test_a_refused_configuration_changes_no_mode(self):
        sidecar = self.sidecar(mode(True))
        sidecar.enter("2", "a", "gxy3")
        sidecar.write_config(mode(False, balancing={"avg_room_occupancy": 0}))
        self.assertEqual(sidecar.post("/v2/reload").status, 409)
        answer = sidecar.ask("2")
        self.assertEqual((answer.janus, answer.reason), ("gxy3", "sticky"))


if __name__ == "__main__":
    unittest.main()
