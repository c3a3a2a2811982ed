#!/usr/bin/env python3
"""Hostile requests: shapes that smuggle, bodies and ids that are no such thing, Host and Origin
games, guessed tokens. Each is refused or taken as plain data; nothing stored is touched."""
import re
import unittest
from urllib.parse import quote

from hostile import (ASK, HOST, PROBE, Cost, Wire, answers_to, attackers, chunked,
                     code_of, post)
from pace import within
from sidecar import Case, toml, wait_until

# The smuggled request.
FOREIGN = b"DELETE /v2/gateways/gxy1/drain HTTP/1.1\r\n" + HOST + b"\r\n"


class Smuggling(Case):
    """Two programs that find different ends of a request: the second takes a body for a request."""

    def setUp(self):
        self.one = self.sidecar()

    def test_a_request_with_two_ends_is_refused_and_nothing_behind_it_is_read(self):
        size = str(len(FOREIGN)).encode()
        both = (b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:chunked\r\n",
                b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: chunked, identity\r\n",
                b"Transfer-Encoding:\r\n", b"Transfer-Encoding: \tchunked\r\n",
                b"Transfer-Encoding: xchunked\r\n")
        shapes = [post(FOREIGN, field) for field in both]
        shapes += [post(b"0\r\n\r\n" + FOREIGN, field, length=b"") for field in (
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked;q=1\r\n",
            b"Transfer-Encoding: \"chunked\"\r\n", b"Transfer-Encoding: \x0bchunked\r\n",
            b"Transfer-Encoding: chunked\x00\r\n", b"Transfer-Encoding : chunked\r\n",
            b" Transfer-Encoding: chunked\r\n", b"X: y\r\n Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding:\r\n chunked\r\n", b"X: y\nTransfer-Encoding: chunked\r\n",
            b"X: y\rTransfer-Encoding: chunked\r\n", b"X: \x00\r\n", b"X\x00Y: a\r\n",
            b"X: \x7f\r\n",
            b"\x0bContent-Length: 0\r\n", b"Content-Length\t: 0\r\n", b"Content-Length\r\n",
            b": 0\r\n")]
        shapes += [post(FOREIGN, length=length) for length in (
            size + b", " + size, b"+" + size, b"-1", b"0x10", b" ", size + b" 0", size + b"\x00",
            b"1e2",
            b"18446744073709551616", b"9" * 100, size + b"\r\nContent-Length: 0",
            b"0\r\nContent-Length: " + size,
            size + b"\r\nContent-Length: " + size, b"%31")]
        shapes += [chunked(start + b"\r\n" + FOREIGN + b"\r\n0\r\n\r\n") for start in (
            b"-1", b"+5", b"0x5", b"", b" 5", b"5 ", b"g", b"5,", b"5\n;", b"5\r;", b"\x005")]
        shapes += [chunked(b"3\r\nabcX" + FOREIGN), chunked(b"3\nabc\r\n0\r\n\r\n"),
                   chunked(b"3\r\nabc\n0\r\n\r\n"),
                   chunked(b"1;a\nb\r\na\r\n0\r\n\r\n"), chunked(b"0\r\nX: y\n\r\n" + FOREIGN),
                   b"GET /healthz HTTP/1.1\n" + HOST + b"\r\n",
                   PROBE.replace(b"\r\n", b"\n") + FOREIGN,
                   chunked(b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")]
        self.assertEqual(self.one.put("/v2/gateways/gxy1/drain").status, 200)
        for shape in shapes:
            with self.subTest(shape=shape[:160]):
                answers = answers_to(self.one.port, shape + FOREIGN)
                self.assertEqual(len(answers), 1, answers)
                self.assertEqual(code_of(answers[0]), (400, "invalid_request"))
                self.assertIn(b"Connection: close", answers[0][1])
        self.assertTrue(self.one.gateway("gxy1")["draining"], "nothing that was smuggled was done")

    def test_a_body_is_never_taken_for_a_request(self):
        self.assertEqual(self.one.put("/v2/gateways/gxy1/drain").status, 200)
        for shape in (post(FOREIGN), post(FOREIGN, path=b"/nowhere"),
                      post(FOREIGN, path=b"/v2/gateways"),
                      post(FOREIGN, path=b"/healthz", method=b"GET"),
                      post(FOREIGN, host=b"Host: evil.example\r\n"),
                      post(FOREIGN, b"Content-Encoding: x\r\n"),
                      post(FOREIGN, b"Upgrade: h2c\r\nConnection: Upgrade\r\n"),
                      post(FOREIGN, path=b"/%zz"),
                      post(FOREIGN + b"a" * 70_000),
                      post(FOREIGN, path=b"/v2/rooms/x/sessions/y", method=b"DELETE")):
            with self.subTest(shape=shape[:120]):
                self.assertEqual(len(answers_to(self.one.port, shape)), 1)
        head = post(FOREIGN, path=b"/v2/rooms", method=b"HEAD")
        self.assertEqual(len(answers_to(self.one.port, head, to_head=True)), 1)
        self.assertTrue(self.one.gateway("gxy1")["draining"])

    def test_look_alike_field_names_have_no_effect(self):
        for name in (b"Content_Length", b"Content-Length-X", b"Transfer_Encoding",
                     b"X-Content-Length"):
            value = b"chunked" if name.startswith(b"T") else b"5"
            answers = answers_to(self.one.port,
                                 PROBE.replace(b"\r\n\r\n",
                                               b"\r\n" + name + b": " + value + b"\r\n\r\n")
                                 + PROBE)
            self.assertEqual([status for status, *_ in answers], [200, 200], name)


class Data(Case):
    IDS = ("'; DROP TABLE rooms; --", "\" OR 1=1 --", "1); DELETE FROM sessions; --",
           "../../../etc/passwd",
           "/etc/passwd", "%2e%2e%2f", "..\\..\\x",
           "a\u2028INFO: Assigned room to server room_id=1",
           "x gateway_name=evil", "x\" gateway_name=\"evil", "${jndi:ldap://x}", "{{7*7}}",
           "<script>alert(1)</script>",
           "%s%s%n", "$(reboot)", "`reboot`", "\u202etxt.exe", "\U0001f600" * 60, "NULL", "null",
           "0", "-1", "a/b?c#d",
           "\ufeff", "\\u0000", "x" * 255)

    def setUp(self):
        self.one = self.sidecar(toml(scale=True, unknown_rooms="accept"))

    def test_ids_are_data_in_answers_log_and_database(self):
        for text in self.IDS:
            with self.subTest(text):
                self.assertEqual(self.one.ask(text, text).status, 200)
                path = quote(text, safe="")
                entered = self.one.put(f"/v2/rooms/{path}/sessions/{path}", {"janus": text})
                self.assertEqual((entered.status, entered.json["room"], entered.json["session"]),
                                 (200, text, text))
                explained = self.one.get(f"/v2/rooms/{path}/explain?country_code={path}")
                self.assertEqual(explained.status, 200)
                self.assertIn(self.one.get(f"/v2/assignments?gateway={path}&after={path}").status,
                              (200, 404))
        self.assertEqual(set(self.one.assignments()), set(self.IDS))
        wait_until(lambda: len(self.one.sql("SELECT 1 FROM sessions")) == len(self.IDS),
                   "the sessions")
        self.assertEqual(set(self.one.assignments_in_file()), set(self.IDS))
        self.assertEqual(self.one.sql("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.one.stop(), 0)
        lines = self.one.log().split("\n")[:-1]
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z (INFO|WARN): ")
        assigned = [line for line in lines if "Z INFO: Assigned room to server" in line]
        self.assertEqual(len(assigned), len(self.IDS))
        for line in assigned:  # each key appears once outside of quotes
            bare = re.sub(r'"(\\.|[^"\\])*"', "Q", line)
            self.assertEqual((bare.count("gateway_name="), bare.count("room_id=")), (1, 1), line)

    def test_a_clients_long_gateway_name_is_cut_in_the_log(self):
        for number in range(20):
            self.assertEqual(self.one.enter("2171", f"s{number}", "\u05d7" * 10_000).status, 200)
        self.assertEqual(self.one.stop(), 0)
        self.assertLess(max(map(len, self.one.log().split("\n"))), 2000)

    def test_json_of_every_evil_kind_is_answered_safely(self):
        deep = 30_000
        refused = (b"[" * deep, b"[" * deep + b"]" * deep, b'{"a":' * 10_000, b"\xff\xfe{\x00}\x00",
                   b'{"room":"\xff"}', b'{"room":"\xc0\xaf"}', b'{"room":"\xed\xa0\x80"}',
                   b'{"room":"\xf4\x90\x80\x80"}',
                   b'{"room":"a\x00"}', b'{"room":"2171"}\x00',
                   b'{"room":"2171"}{"room":"1"}',
                   b'{"room":2171,}', b"{'room':2171}", b'{"room":NaN}', b'{"room":01}',
                   b'/**/{"room":2171}', b'{"room":"2171"',
                   b"\x1f\x8b\x08")
        for body in refused:
            with self.subTest(body=body[:40]):
                self.assertEqual(code_of(answers_to(self.one.port, post(body))[0]),
                                 (400, "invalid_json"))
        for value in (b'"\\ud800"', b"1e999", b"9" * 60_000, b"9" * 60_000 + b"e999"):  # JSON, but no room
            with self.subTest(value=value[:40]):
                self.assertEqual(code_of(answers_to(self.one.port, post(b'{"room":' + value + b"}"))[0]),
                                 (400, "invalid_room"))
        taken = (b'{"room":"1","room":"2171"}',
                 b'{"room":"2171","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
                 b'{"room":"2171","x":' + b'{"a":' * 8_000 + b"1" + b"}" * 8_000 + b"}",
                 b'{"room":2171,"x":-1.7976931348623157e308,"y":1e-999}',
                 b'\xef\xbb\xbf{"room":"2171"}',
                 b'{"\\u0072oom":"2171"}', b'{' + b'"x":1,' * 10_000 + b'"room":"2171"}')
        for body in taken:
            with self.subTest(body=body[:40]):
                self.assertEqual(answers_to(self.one.port, post(body))[0][0], 200)
        self.assertEqual(list(self.one.assignments()), ["2171"])

    def test_snapshots_of_every_evil_kind_change_nothing(self):
        self.one.enter("2171", "a")
        for body in (b'{"sessions":' + b"[" * 1_000_000, b'{"sessions":[1,2]}', b'{"sessions":{}}',
                     b'{"sessions":[{}]',
                     b'{"age_ms":-1,"sessions":[]}', b'{"age_ms":1e99,"sessions":[]}',
                     b'{"sessions":[{},{"room":"\xff"}]}',
                     b'{"sessions":[' + b"{}," * 320_001 + b"{}]}",
                     b'{"sessions":[]}' + b" " * (8 << 20)):
            with self.subTest(body=body[:40]):
                answer = answers_to(self.one.port,
                                    post(body, path=b"/v2/sessions", method=b"PUT"))[0]
                self.assertIn(answer[0], (400, 413), answer[2][:200])
        self.assertEqual(self.one.get("/v2/rooms/2171").json["users"], 1)


class Asking(Case):
    """Checks of Host, Origin and token, for a page in a local browser, or a program that reaches the sidecar."""

    FOREIGN_HOSTS = (b"evil.example", b"localhost.evil.example", b"evil.localhost", b"localhost.",
                     b"localhost@evil",
                     b"user@localhost", b"user:pw@127.0.0.1", b"localhost:80@evil",
                     b"localhost#evil", b"localhost/x",
                     b"localhost,evil", b"localhost evil", b"127.0.0.1.nip.io", b"127.1",
                     b"127.0.1", b"2130706433",
                     b"0x7f000001", b"0x7f.0.0.1", b"0177.0.0.1", b"127.0.0.01", b"127.0.0.1.",
                     b"0.0.0.0", b"0", b"[::]",
                     b"::1", b"[::1%lo]", b"[::1]%zone", b"[::1]evil", b"evil[::1]", b"[::1",
                     b"[::1]x:80",
                     b"[::ffff:127.0.0.1]", b"[::127.0.0.1]", b"[0:0:0:0:0:0:0:2]", b"localhost:x",
                     b"localhost:-1",
                     b"localhost:123456", b"localhost:80:80", b"loc%61lhost", b"", b"-", b"*",
                     b"x" * 9000)
    OWN_HOSTS = (b"localhost", b"LocalHost:1", b"localhost:", b"127.0.0.1",
                 b"127.255.255.254:65535", b"[::1]",
                 b"[0:0::1]:8082", b"\t localhost \t")

    def ask_as(self, one, host, fields=b""):
        return code_of(answers_to(one.port,
                                  post(fields=fields, host=b"Host: " + host + b"\r\n"))[0])

    def test_hosts_of_dns_rebinding_are_foreign(self):
        one = self.sidecar()
        for host in self.FOREIGN_HOSTS:
            with self.subTest(host=host[:60]):
                self.assertEqual(self.ask_as(one, host), (403, "foreign_host"))
        for host in self.OWN_HOSTS:
            with self.subTest(host=host):
                self.assertEqual(self.ask_as(one, host)[0], 200)
        for host in (b"localhost\x00.evil", b"localhost\x0b", b"loc\ralhost", b"evil\r\n localhost",
                     b"\x7f"):
            with self.subTest(host=host):
                self.assertEqual(self.ask_as(one, host)[0], 400)
        self.assertIn(self.ask_as(one, b"\xff\xfe")[0], (400, 403))
        for target, host, status in ((b"http://evil.example/healthz", b"localhost", 403),
                                     (b"http://localhost@evil.example/healthz", b"localhost", 403),
                                     (b"http://localhost:80/healthz", b"localhost", 200),
                                     (b"http://localhost:80/healthz", b"evil.example", 200),
                                     (b"http:///healthz", b"localhost", 400),
                                     (b"http://evil.example/healthz", b"evil.example", 403),
                                     (b"https://localhost/healthz", b"localhost", 400),
                                     (b"//localhost/healthz", b"x", 403),
                                     (b"HTTP://LOCALHOST/healthz", b"localhost", 200),
                                     (b"localhost:80", b"localhost", 400)):
            with self.subTest(target=target):
                text = b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
                self.assertEqual(answers_to(one.port, text)[0][0], status)

    def test_an_origin_must_be_exactly_the_same(self):
        one = self.sidecar()
        for origin in (b"http://evil.example", b"https://localhost:1", b"null", b"",
                       b"http://localhost",
                       b"http://localhost:1/", b"http://localhost:1.evil", b"http://localhost:11",
                       b"http://x@localhost:1",
                       b"http://localhost:1 http://evil", b"http://127.0.0.1:1", b"file://",
                       b"localhost:1", b"http://",
                       b"http://localhost:1\r\nOrigin: http://localhost:1", b"http://loc%61lhost:1",
                       b"http" + b"x" * 9000):
            with self.subTest(origin=origin[:50]):
                self.assertEqual(self.ask_as(one, b"localhost:1", b"Origin: " + origin + b"\r\n"),
                                 (403, "foreign_origin"))
        self.assertEqual(self.ask_as(one, b"localhost:1", b"Origin: http://LOCALHOST:1\r\n")[0],
                         200)
        no_host = b"GET /v2/gateways HTTP/1.0\r\nOrigin: http://evil.example\r\n\r\n"
        self.assertEqual(code_of(answers_to(one.port, no_host)[0]), (403, "foreign_origin"))

    def test_an_address_reachable_by_other_machines_needs_a_token(self):
        for address in ("0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"):
            one = self.sidecar(start=False, env={"LISTEN_ADDRESS": address})
            self.assertEqual(one.start_and_fail(), 2, address)
            self.assertIn("token", one.log())
            self.assertNotIn("Listening", one.log())
        one = self.sidecar(start=False, env={"LISTEN_ADDRESS": "0.0.0.0:0"})
        (one.folder / "token").write_text("right-token\n")
        one.env["API_TOKEN_FILE"] = str(one.folder / "token")
        one.start()
        token = b"Authorization: Bearer right-token\r\n"
        self.assertEqual(self.ask_as(one, b"sidecar.example", token)[0], 200)
        self.assertEqual(self.ask_as(one, b"sidecar.example",
                                     token + b"Origin: http://evil\r\n")[0], 403)
        self.assertEqual(self.ask_as(one, b"sidecar.example"), (401, "unauthorized"))

    def test_a_wrong_token_is_never_accepted_and_guesses_delay_no_client(self):
        """tests/http/access_test.cpp shows that each wrong token takes the same time: over
        sockets its nanoseconds drown. Here: no guess is let in, and guessing delays nobody."""
        one = self.sidecar(start=False)
        right = "s3cret-" * 40
        (one.folder / "token").write_text(right + "\n")
        one.env["API_TOKEN_FILE"] = str(one.folder / "token")
        one.start()
        bearer = {"Authorization": f"Bearer {right}"}
        wrong = ["", "Bearer", "Bearer ", "Basic " + right, right, f"Bearer {right}x",
                 f"Bearer {right[:-1]}",
                 f"Bearer {right}{right}", f"Bearer {right.upper()}", f"Bearer x{right[1:]}",
                 f"Bearer {right},{right}",
                 f"Bearer \"{right}\"", f"Bearer {right} x", "Bearer %73" + right[1:],
                 "Bearer " + "x" * 9000,
                 f"Bearer {right}\r\nAuthorization: Bearer {right}",
                 f"Bearer x\r\nAuthorization: Bearer {right}"]
        for value in wrong:
            with self.subTest(value=value[:40]):
                text = post(fields=b"Authorization: " + value.encode() + b"\r\n")
                self.assertEqual(code_of(answers_to(one.port, text)[0]), (401, "unauthorized"))
        for scheme in ("bearer", "BEARER"):
            self.assertEqual(one.request("POST", "/v2/room_server", ASK,
                                         {"Authorization": f"{scheme} {right}"}).status, 200)

        def guess():
            with Wire(one.port) as wire:
                for number in range(3000):
                    wire.say(post(fields=b"Authorization: Bearer s3cret-%d\r\n" % number, body=b""))
                    assert wire.read_answer()[0] == 401
        before = Cost(one).descriptors()
        with attackers(guess, 2):
            with within(15):
                for _ in range(300):
                    self.assertEqual(one.request("POST", "/v2/room_server", ASK, bearer).status, 200)
        line = "WARN: Requests refused: their token is missing or wrong client=127.0.0.1 route=/v2/room_server"
        self.assertEqual(one.log().count(line), 1, "guesses are logged, and fill no log")
        wait_until(lambda: "missing or wrong\" left_out=" in one.log(), "how many were left out")
        self.assertNotIn("s3cret", one.log())
        self.assertNotIn("s3cret", one.log())
        wait_until(lambda: Cost(one).descriptors() <= before, "descriptors to be given back")


if __name__ == "__main__":
    unittest.main()
