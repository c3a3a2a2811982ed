#!/usr/bin/env python3
"""Reports of the signaling server: one session, its end, and a snapshot of all."""
import json
import socket
import time
import unittest

from metrics_test import metrics
from sidecar import Case, toml, wait_until


def scale(**tables):
    return toml(scale=True, rooms={}, unknown_rooms="accept", **tables)


class OneSession(Case):
    def test_entering_is_idempotent_and_counts_users(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1")
        for _ in range(3):
            self.assertEqual(sidecar.enter("1", "a").json,
                             {"room": "1", "session": "a", "janus": "gxy1", "users": 1})
        self.assertEqual(sidecar.enter("1", "b").json["users"], 2)
        self.assertEqual(sidecar.leave("1", "b").json,
                         {"room": "1", "session": "b", "users": 1, "assignment_removed": False})

    def test_a_room_without_assignment_gets_the_reported_gateway(self):
        sidecar = self.sidecar(scale(balancing={"available_servers": ["gxy1", "gxy2"],
                                                "max_server_capacity": 10}))
        sidecar.put("/v2/gateways/gxy2/drain")
        for room, reported, expected in (("1", "gxy2", "gxy2"),   # draining
                                         ("2", "gxy2", "gxy2"),   # and full
                                         ("3", "gxy3", "gxy3"),   # not listed
                                         ("4", "gxy99", "gxy1"),  # not known: by the steps
                                         ("5", None, "gxy1")):
            self.assertEqual(sidecar.enter(room, f"s{room}", reported).janus, expected)
            sidecar.wait_for_log(f"Assigned room to server room_id={room} gateway_name={expected} ")
            self.assertEqual(sidecar.ask(room).reason, "sticky")

    def test_a_disabled_gateway_is_not_adopted(self):
        sidecar = self.sidecar(toml(scale=True, rooms={}, unknown_rooms="accept",
                                    gateways=[{"name": "off", "disabled": True}, "gxy1"]))
        self.assertEqual(sidecar.enter("1", "a", "off").janus, "gxy1")

    def test_an_assignment_holds_against_a_report_that_is_logged_once_a_session(self):
        sidecar = self.sidecar(scale())
        self.assertEqual(sidecar.ask("1").janus, "gxy1")
        for _ in range(3):
            self.assertEqual(sidecar.enter("1", "a", "gxy3").janus, "gxy1")
        sidecar.wait_for_log("gxy3")
        lines = [line for line in sidecar.log().splitlines()
                 if "gxy3" in line and "room_id=1" in line]
        self.assertEqual(len(lines), 1, lines)

    def test_a_move_enters_the_new_room_and_leaves_the_old(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("old", "a")
        sidecar.enter("new", "a")
        self.assertEqual(list(sidecar.assignments()), ["new"])
        sidecar.wait_for_log("INFO: Cleaned up room assignment immediately room_id=old\n")
        late = sidecar.leave("old", "a")
        self.assertEqual((late.status, late.json["assignment_removed"]), (200, False))
        self.assertEqual(sidecar.get("/v2/rooms/new").json["users"], 1)

    def test_a_leave_of_an_unknown_session_changes_nothing(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("1", "a")
        self.assertEqual(sidecar.leave("1", "b").json,
                         {"room": "1", "session": "b", "users": 1, "assignment_removed": False})
        self.assertEqual(sidecar.leave("2", "a").json,
                         {"room": "2", "session": "a", "users": 0, "assignment_removed": False})
        self.assertEqual(sidecar.get("/v2/rooms/1").json["users"], 1)

    def test_a_refused_report_changes_nothing(self):
        sidecar = self.sidecar(toml(scale=True, balancing={"max_server_capacity": 10,
                                                           "when_full": "reject",
                                                           "available_servers": ["gxy1"]}))
        sidecar.enter("2171", "a")
        self.expect(sidecar.enter("2172", "a"), 503, "capacity_exhausted")
        self.expect(sidecar.enter("9999", "a"), 404, "room_not_found")
        self.assertEqual(sidecar.get("/v2/rooms/2171").json["users"], 1)
        self.assertEqual(sidecar.assignments(), {"2171": "gxy1"})

    def test_an_assignment_stays_while_a_user_is_on_the_way(self):
        sidecar = self.sidecar(scale(sessions={"join_grace": "1s", "clean_every": "200ms"}))
        sidecar.enter("1", "a")
        sidecar.ask("1")
        self.assertFalse(sidecar.leave("1", "a").json["assignment_removed"])
        self.assertEqual(sidecar.assignments(), {"1": "gxy1"})
        wait_until(lambda: not sidecar.assignments(), "the grace to end")

    def test_the_body_may_be_missing(self):
        sidecar = self.sidecar(scale())
        self.assertEqual(sidecar.put("/v2/rooms/1/sessions/a").json["users"], 1)

    def test_ids_are_percent_encoded_in_the_path(self):
        sidecar = self.sidecar(scale())
        answer = sidecar.put("/v2/rooms/a%2Fb%20c/sessions/x+y%C3%A9")
        self.assertEqual((answer.json["room"], answer.json["session"]), ("a/b c", "x+y\u00e9"))

    def test_half_an_emoji_in_an_unread_field_refuses_no_user(self):
        sidecar = self.sidecar(scale())
        for odd in (r'"\ud83d"', "1e400", r'[{"\udc00":[-1e999]}]'):
            user = f'"display":{odd},"\\ud83d":{odd}'
            self.assertEqual(sidecar.post("/v2/room_server", f'{{"room":"1",{user}}}').status, 200)
            self.assertEqual(sidecar.put("/v2/rooms/1/sessions/a", f"{{{user}}}").status, 200)
            answer = sidecar.put("/v2/sessions", f'{{"sessions":[{{"room":"1","session":"a",{user}}}],{user}}}')
            self.assertEqual((answer.status, answer.json["rejected"]), (200, []))
        for odd in (r'"\ud83d"', "1e400"):
            self.expect(sidecar.post("/v2/room_server", f'{{"room":{odd}}}'), 400, "invalid_room")

    def test_invalid_ids_are_refused(self):
        sidecar = self.sidecar(scale())
        for room, session, error in (("%00", "a", "invalid_room"), ("1", "%0A", "invalid_session"),
                                     ("x" * 256, "a", "invalid_room"),
                                     ("1", "x" * 256, "invalid_session"),
                                     ("%FF", "a", "invalid_room"),
                                     ("%2E%2E", "a", "invalid_room"),
                                     ("%C2%85", "a", "invalid_room"),
                                     ("%zz", "a", "invalid_path")):
            self.expect(sidecar.put(f"/v2/rooms/{room}/sessions/{session}"), 400, error)
        self.assertEqual(sidecar.put(f"/v2/rooms/{'x' * 255}/sessions/a").status, 200)


class Snapshot(Case):
    def test_a_snapshot_replaces_all_sessions(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("1", "a")
        sidecar.enter("1", "b")
        sidecar.enter("2", "c")
        answer = sidecar.snapshot([("1", "a"), ("3", "d", "gxy3"), ("1", "c")])
        self.assertEqual(answer.json, {"sessions": 3, "entered": 1, "left": 1, "rejected": []})
        users = {row["room"]: row["users"]
                 for row in sidecar.get("/v2/assignments").json["assignments"]}
        self.assertEqual((users["1"], users["3"]), (2, 1))
        self.assertEqual(sidecar.assignments()["3"], "gxy3")

    def test_the_last_entry_of_a_session_listed_twice_counts(self):
        sidecar = self.sidecar(scale())
        answer = sidecar.snapshot([("1", "a"), ("2", "a")])
        self.assertEqual((answer.json["sessions"], answer.json["entered"]), (1, 1))
        self.assertEqual(sidecar.get("/v2/rooms/2/explain").json["reason"], "sticky")
        self.assertEqual(sidecar.gateway("gxy1")["users"] + sidecar.gateway("gxy2")["users"]
                         + sidecar.gateway("gxy3")["users"], 1)

    def test_rejected_entries_are_named_and_the_rest_is_applied(self):
        sidecar = self.sidecar(toml(scale=True))
        answer = sidecar.snapshot([("2171", "a"), ("9999", "b"), ("2172", "")])
        self.assertEqual((answer.status, answer.json["sessions"]), (200, 1))
        self.assertEqual([(row["room"], row["session"], row["error"])
                          for row in answer.json["rejected"]],
                         [("9999", "b", "room_not_found"), ("2172", "", "invalid_session")])

    def test_a_snapshot_without_a_valid_entry_is_refused_and_changes_nothing(self):
        sidecar = self.sidecar(scale())
        sidecar.snapshot([("1", "a"), ("2", "b")])
        answer = sidecar.put("/v2/sessions", {"sessions": [{"room_id": "1", "session": "a"}, {"room": "2"}]})
        self.expect(answer, 400, "invalid_session")
        self.assertEqual(sum(row["users"] for row in sidecar.get("/v2/gateways").json["gateways"]), 2)
        self.assertEqual(sidecar.snapshot([]).json["left"], 2, "an empty list is the truth, too")

    def test_a_room_emptied_by_a_snapshot_keeps_its_assignment_for_join_grace(self):
        sidecar = self.sidecar(scale(sessions={"join_grace": "1s", "clean_every": "100ms"}))
        sidecar.enter("1", "a")
        self.assertEqual(sidecar.snapshot([]).json["left"], 1)
        self.assertEqual(sidecar.assignments(), {"1": "gxy1"})
        wait_until(lambda: not sidecar.assignments(), "the grace to end")

    def test_sessions_refreshed_within_age_ms_stay(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("1", "old")
        time.sleep(1.2)
        sidecar.enter("1", "young")
        answer = sidecar.snapshot([], age_ms=1000)
        self.assertEqual(answer.json["left"], 1)
        self.assertEqual(sidecar.get("/v2/assignments").json["assignments"][0]["users"], 1)

    def test_a_snapshot_needs_a_body_of_the_right_shape(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("1", "a")
        for body in (None, "", "{", "[]", "{} {}", '{"sessions":{}}', '{"sessions":[]'):
            answer = sidecar.put("/v2/sessions", body)
            self.assertEqual(answer.status, 400, (body, answer))
        self.assertEqual(sidecar.get("/v2/rooms/1/explain").json["reason"], "sticky")
        self.assertEqual(sidecar.get("/v2/assignments").json["assignments"][0]["users"], 1)

    def test_a_large_snapshot_is_accepted_and_a_larger_one_refused(self):
        sidecar = self.sidecar(scale())
        answer = sidecar.snapshot([(str(i % 50), f"s{i}") for i in range(5000)])
        self.assertEqual(answer.json,
                         {"sessions": 5000, "entered": 5000, "left": 0, "rejected": []})
        with socket.create_connection(("127.0.0.1", sidecar.port), timeout=10) as connection:
            connection.sendall(b"PUT /v2/sessions HTTP/1.1\r\nHost: localhost\r\n"
                               b"Content-Length: %d\r\n\r\n" % ((8 << 20) + 1))
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 413 "))
        self.assertEqual(sidecar.get("/v2/assignments").json["assignments"][0]["users"], 100)


class Bounds(Case):
    def test_a_session_above_sessions_max_is_503_and_logged_once_a_minute(self):
        sidecar = self.sidecar(scale(sessions={"max": 3}))
        for i in range(3):
            sidecar.enter("1", f"s{i}")
        for i in range(20):
            answer = sidecar.enter("2", f"t{i}")
            self.expect(answer, 503, "too_many_sessions")
            self.assertTrue(answer.headers["Retry-After"])
        self.assertNotIn("2", sidecar.assignments())
        self.assertEqual(sidecar.enter("1", "s0").json["users"], 3)
        rejected = sidecar.snapshot([("1", f"s{i}") for i in range(5)]).json["rejected"]
        self.assertEqual([entry["error"] for entry in rejected], ["too_many_sessions"] * 2)
        self.assertEqual(metrics(sidecar)("session_refusals_total", error="too_many_sessions"), 22)
        sidecar.leave("1", "s0")
        self.assertEqual(sidecar.enter("2", "t").status, 200)
        logged = [line for line in sidecar.log().splitlines() if "Too many sessions" in line]
        self.assertEqual(len(logged), 1, logged)
        self.assertIn("WARN: Too many sessions; new ones are refused, see sessions.max sessions=3 max=3", logged[0])
        sidecar.write_config(scale(sessions={"max": 10}))
        self.assertEqual(sidecar.post("/v2/reload").status, 200)
        self.assertEqual(sidecar.enter("1", "s0").status, 200)

    def test_sums_do_not_overflow_by_capacities_set_by_sql(self):
        sidecar = self.sidecar(scale(gateways=["gxy1", "gxy2", "gxy3"]))
        sidecar.sql("UPDATE gateways SET capacity = 9223372036854775807")
        wait_until(lambda: sidecar.gateway("gxy3")["capacity"] == 1_000_000_000, "the edit to be seen")
        self.assertGreater(metrics(sidecar)("headroom_rooms"), 0)
        self.assertRegex(sidecar.run("status").stdout, r"(?m)^total .* 3000000000 ")


class Splits(Case):
    def test_a_session_on_another_gateway_shows_that_its_room_is_split(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("1", "a", "gxy1")
        self.assertEqual(sidecar.get("/v2/splits").json["splits"], [])
        sidecar.enter("1", "b", "gxy2")
        split, = sidecar.get("/v2/splits").json["splits"]
        self.assertRegex(split.pop("since"), r"^20\d\d-")
        self.assertEqual(split, {"room": "1", "janus": "gxy1", "gateways": [
            {"name": "gxy1", "participants": 1}, {"name": "gxy2", "participants": 1}]})
        self.assertEqual(metrics(sidecar)("split_rooms"), 1)
        self.assertRegex(sidecar.run("splits").stdout, r"(?m)^1 +gxy1 +gxy1:1,gxy2:1 +20")
        self.assertRegex(sidecar.run("status").stdout, r"(?m)^ +Split: 1 is answered with gxy1, .*gxy2 \(1\), since 20")
        self.assertEqual(json.loads(sidecar.run("status", "--json").stdout)["splits"],
                         sidecar.get("/v2/splits").json["splits"])
        sidecar.enter("1", "b", "gxy1")
        wait_until(lambda: not sidecar.get("/v2/splits").json["splits"], "the split to be healed")


if __name__ == "__main__":
    unittest.main()
