#!/usr/bin/env python3
"""The log lines that operators grep for, to the letter, and that nobody can forge."""
import json
import os
import re
import subprocess
import unittest

from sidecar import BINARY, Case, Client, toml, wait_until

# in a file: a timestamp and a blank, then LEVEL: message key=value …
LINE = re.compile(r"\S+( \S+)? (DEBUG|INFO|WARN|WARNING|ERROR): .+")


def scale(**more):
    return toml(scale=True, rooms={}, unknown_rooms="accept", **more)


def events(sidecar, text):
    """The part behind the timestamp of the lines with `text`."""
    return [line[re.search(r"(DEBUG|INFO|WARN|WARNING|ERROR): ", line).start():]
            for line in sidecar.log().splitlines() if text in line]


class Log(Case):
    def test_every_line_is_an_event_behind_a_timestamp(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1", "IL")
        sidecar.enter("1", "a")
        sidecar.leave("1", "a")
        self.assertEqual(sidecar.stop(), 0)
        for line in sidecar.log().splitlines():
            self.assertTrue(LINE.fullmatch(line), line)

    def test_a_new_assignment_is_one_line_and_a_sticky_answer_none(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1", "IL")
        for _ in range(5):
            sidecar.ask("1", "US")
        sidecar.enter("2", "a", "gxy2")
        sidecar.wait_for_log("room_id=2 ")
        self.assertEqual(events(sidecar, "Assigned room to server"), [
            "INFO: Assigned room to server room_id=1 gateway_name=gxy1 country_code=IL "
            "regional_match=false",
            "INFO: Assigned room to server room_id=2 gateway_name=gxy2 country_code= "
            "regional_match=false"])
        self.assertNotIn("sticky", sidecar.log())

    def test_a_sticky_answer_is_logged_at_debug(self):
        sidecar = self.sidecar(scale(log={"level": "debug"}))
        sidecar.ask("1")
        before = len(sidecar.log())
        sidecar.ask("1")
        wait_until(lambda: " DEBUG: " in sidecar.log()[before:], "a line at debug")

    def test_a_value_can_forge_neither_a_line_nor_a_key(self):
        sidecar = self.sidecar(scale())
        bad = ['x gateway_name=gxy9', 'x"y', "x=y", "\u202e", "a\\nb", "'"]
        for room in bad:
            self.assertEqual(sidecar.ask(room, "IL\nERROR: forged").status, 200, room)
        sidecar.post("/v2/room_server", {"room": "n\nERROR: forged"})
        sidecar.wait_for_log("room_id='")
        log = sidecar.log()
        self.assertEqual([line for line in log.splitlines() if not LINE.fullmatch(line)], [])
        lines = events(sidecar, "Assigned room to server")
        self.assertEqual(len(lines), len(bad))
        self.assertIn('room_id="x gateway_name=gxy9" gateway_name=gxy', lines[0])
        self.assertIn(r'room_id="x\"y"', lines[1])
        self.assertNotIn(" ERROR: ", log)

    def test_invisible_characters_are_escaped_as_in_tables(self):
        sidecar = self.sidecar(scale())
        odd = {"a\u202eb": r"a\u202eb", "a\u200bb": r"a\u200bb", "a\u2066b": r"a\u2066b", "a\u2028b": r"a\u2028b",
               "a\ufeffb": r"a\ufeffb", "a\u00a0b": r"a\u00a0b", "a\u00adb": r"a\u00adb", "a\ufe0fb": r"a\ufe0fb"}
        for room in odd:
            self.assertEqual(sidecar.ask(room).status, 200)
        for text in odd.values():
            sidecar.wait_for_log(f'room_id="{text}" ')
        self.assertFalse(set("".join(odd)) - set("ab") & set(sidecar.log()))
        tables = sidecar.run("assignments").stdout
        for text in set(odd.values()) - {r"a\u00a0b"}:
            self.assertIn(text, tables)

    def test_a_non_breaking_space_is_shown_in_error_messages(self):
        sidecar = self.sidecar(toml(balancing={"available_servers": ["gxy1", "gxy2\u00a0"]}), start=False)
        self.assertEqual(sidecar.start_and_fail(), 2)
        self.assertIn(r"gxy2\u00a0", sidecar.log())
        self.assertIn(r"gxy2\u00a0", sidecar.run("check").stdout)

    def test_a_short_country_with_odd_characters_can_forge_nothing(self):
        sidecar = self.sidecar(scale())
        sidecar.ask("1", "A\nERROR: B")
        sidecar.ask("2", 'x" y="z')
        sidecar.wait_for_log("room_id=2 ")
        self.assertEqual([line for line in sidecar.log().splitlines() if not LINE.fullmatch(line)],
                         [])

    def test_a_json_line_has_the_words_as_message_and_each_key_as_a_field(self):
        sidecar = self.sidecar(scale(), env={"LOG_FORMAT": "json"})
        lines = [json.loads(line) for line in sidecar.log().splitlines()]
        listening = next(line for line in lines if line["message"] == "Listening")
        self.assertEqual(listening["address"], f"127.0.0.1:{sidecar.port}")
        sidecar.ask('a "b"\t')
        sidecar.ask('a "b"', "il")
        wait_until(lambda: "Assigned" in sidecar.log(), "the event")
        event = json.loads(next(line for line in sidecar.log().splitlines() if "Assigned" in line))
        self.assertEqual((event["message"], event["room_id"], event["gateway_name"],
                          event["country_code"]),
                         ("Assigned room to server", 'a "b"', "gxy1", "IL"))
        self.assertIn(str(event["regional_match"]).lower(), ("false",))

    def test_a_requests_lines_bear_its_id_except_those_of_a_fixed_form(self):
        sidecar = self.sidecar(scale())
        sidecar.request("POST", "/v2/room_server", {"room": "1"}, {"X-Request-Id": "req/1"})
        sidecar.request("DELETE", "/v2/assignments/1", headers={"X-Request-Id": "req/2"})
        sidecar.ask("2")
        sidecar.request("DELETE", "/v2/assignments/2", headers={"X-Request-Id": 'forged" x=1'})
        sidecar.wait_for_log("room_id=2 force")
        self.assertNotIn("req/1", sidecar.log())
        first, second = events(sidecar, "Released room assignment")
        self.assertEqual(first, "INFO: Released room assignment room_id=1 force=false request_id=req/2")
        self.assertRegex(second, r"room_id=2 force=false request_id=[0-9a-f]{12}$")

    def test_a_refusal_names_its_request_as_the_log_does_and_an_answer_the_id_that_was_sent(self):
        sidecar = self.sidecar(toml(scale=True, rooms={"1": "gxy1"}))
        refused = sidecar.ask("nobody-knows-it")
        self.assertEqual(refused.status, 404)
        id = refused.headers["X-Request-Id"]
        self.assertRegex(id, r"^[0-9a-f]{12}$")
        sidecar.wait_for_log(f"room_id=nobody-knows-it country_code= error=room_not_found request_id={id}")

        def ask(sent):
            return sidecar.request("POST", "/v2/room_server", {"room": "1"}, {"X-Request-Id": sent})

        self.assertEqual(ask("mine-1").headers["X-Request-Id"], "mine-1")
        self.assertRegex(ask('forged" x').headers["X-Request-Id"], r"^[0-9a-f]{12}$")
        self.assertNotIn("X-Request-Id", sidecar.ask("1").headers)

    def test_every_json_line_of_a_request_has_its_id_also_those_of_its_claim(self):
        sidecar = self.sidecar(scale(log={"format": "json", "level": "debug"}))
        lines = [json.loads(line) for line in sidecar.log().splitlines()]
        self.assertTrue(all("request_id" not in line for line in lines), lines)
        for number, room in enumerate(("a", "a", "b")):
            sidecar.request("POST", "/v2/room_server", {"room": room}, {"X-Request-Id": f"r{number}"})
        sidecar.request("GET", "/v2/rooms/none", headers={"X-Request-Id": "none"})
        wait_until(lambda: '"r2"' in sidecar.log(), "the last line")
        logged = [(line["message"], line["room_id"], line["request_id"])
                  for line in map(json.loads, sidecar.log().splitlines()) if "request_id" in line]
        self.assertEqual(sorted(logged), [("Answered room", "a", "r1"), ("Assigned room to server", "a", "r0"),
                                          ("Assigned room to server", "b", "r2")])

    def test_json_is_one_object_a_line_also_when_the_start_is_refused(self):
        bad = toml(gateways=["gxy1"], log={"format": "json"},
                   balancing={"max_server_capacity": -1, "no\n\"key": 1})
        for config, env in ((bad, {}), ("scale = [", {"LOG_FORMAT": "json"}),
                            (toml(), {"LOG_FORMAT": "json", "SCALE": 'm\n"aybe'}),
                            (toml(), {"LOG_FORMAT": "json", "DATABASE_PATH": "/proc/nowhere/x.db"})):
            sidecar = self.sidecar(config, env=env, start=False)
            self.assertNotEqual(sidecar.start_and_fail(), 0)
            lines = [json.loads(line) for line in sidecar.log().splitlines()]
            self.assertTrue(lines, config)
            for line in lines:
                self.assertEqual(list(line)[:3], ["time", "level", "message"], line)

    def test_a_flood_of_one_event_is_limited_and_left_out_lines_are_counted(self):
        sidecar = self.sidecar(toml(scale=True))
        for number in range(1000):
            self.assertEqual(sidecar.ask(f"unknown-{number}").status, 404)
        sidecar.wait_for_log("Lines of one event were left out")
        sidecar.stop()
        refused = events(sidecar, "INFO: Room refused")
        left_out = [int(re.search(r" left_out=(\d+)", line).group(1)) for line in
                    events(sidecar, "were left out")]
        self.assertGreaterEqual(len(refused), 100)
        self.assertLess(len(refused), 1000)
        self.assertEqual(len(refused) + sum(left_out), 1000)
        self.assertLessEqual(len(left_out), 20)
        self.assertIn('event="Room refused: room_not_found" left_out=', sidecar.log())

    def test_each_room_refused_for_its_default_gateway_is_logged(self):
        rooms = {str(number): None for number in range(150)}
        sidecar = self.sidecar(toml(rooms=rooms))
        for room in rooms:
            self.assertEqual(sidecar.ask(room).status, 500)
        sidecar.stop()
        logged = events(sidecar, "ERROR: Gateway not found for room in legacy mode (SCALE=false). ")
        self.assertEqual({line.rsplit("=", 1)[1] for line in logged}, set(rooms))

    def test_a_line_that_is_logged_once_a_session_is_logged_for_each(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("1", "first", "gxy1")
        for number in range(150):
            sidecar.enter("1", f"s{number}", "gxy2")
        sidecar.stop()
        self.assertEqual(len(events(sidecar, "Session reports another gateway")), 150)

    def test_repeated_actions_of_operators_and_clients_are_limited_in_the_log(self):
        sidecar = self.sidecar(scale())
        sidecar.enter("1", "first", "gxy1")

        def release(_):
            sidecar.ask("2")
            self.assertEqual(sidecar.delete("/v2/assignments/2").status, 200)

        def drain(path, **more):
            return lambda _: self.assertEqual(sidecar.put(f"/v2/gateways/gxy3/{path}", **more).status, 200)

        def reload(status):
            return lambda _: self.assertEqual(sidecar.post("/v2/reload").status, status)

        for event, most, act in (
                ("Session reports another gateway than its room is assigned to", 1000,
                 lambda number: sidecar.enter("1", f"s{number}", "gxy2")),
                ("Gateway drains: no new rooms on it", 100, drain("drain")),
                ("Gateway drains and its rooms are moved: no rooms on it", 100, drain("drain", body={"move": True})),
                ("Gateway takes new rooms again", 100, lambda _: sidecar.delete("/v2/gateways/gxy3/drain")),
                ("Released room assignment", 100, release),
                ("Configuration reloaded", 100, reload(200)),
                ("Configuration refused; the old one stays in force", 100, reload(409))):
            with self.subTest(event):
                if "refused" in event:
                    sidecar.write_config(scale() + "nonsense = 1\n")
                self.floods(sidecar, event, most, act)
        nonsense = len(events(sidecar, "ERROR: config.toml:"))
        self.assertEqual(nonsense, len(events(sidecar, "ERROR: Configuration refused")))

    def floods(self, sidecar, event, most, act):
        """Repeats an action until some lines are left out."""
        acts = 0

        def is_limited():
            nonlocal acts
            for _ in range(50):
                act(acts)
                acts += 1
            return f'event="{event}" left_out=' in sidecar.log()

        wait_until(is_limited, "how many were left out")
        lines = len(events(sidecar, f": {event}"))
        self.assertGreaterEqual(lines, most)
        self.assertLess(lines, acts)

    def test_a_stalled_reader_delays_no_request(self):
        sidecar = self.sidecar(scale(), start=False)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        sidecar.process = subprocess.Popen([BINARY, "serve", "--config", str(sidecar.config_file)],
                                           stderr=writer, env=sidecar.environment())
        os.close(writer)
        started = b""
        while not (found := re.search(rb"Listening address=127\.0\.0\.1:(\d+)\n", started)):
            started += os.read(reader, 65536)
        client = Client("127.0.0.1", int(found.group(1)))
        self.addCleanup(client.close)
        for number in range(3000):  # a pipe holds about 700 of these lines
            answer = client.request("POST", "/v2/room_server", {"room": str(number)})
            self.assertEqual(answer.status, 200)


if __name__ == "__main__":
    unittest.main()
