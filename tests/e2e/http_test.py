#!/usr/bin/env python3
"""The HTTP interface: codes, their order, and malformed requests."""
import json
import re
import socket
import unittest

from pace import within
from sidecar import PATIENCE, Case, wait_until

ASK = b'{"room":"2171"}'


def post(body=ASK, headers=b"", path=b"/v2/room_server", host=b"Host: localhost\r\n", length=None):
    size = str(len(body) if length is None else length).encode()
    return (b"POST " + path + b" HTTP/1.1\r\n" + host + headers + b"Content-Length: " + size
            + b"\r\n\r\n" + body)


class Http(Case):
    def setUp(self):
        self.one = self.sidecar()

    def raw(self, text, answers=1):
        """Sends bytes as they are; returns [(status, head, body)] of the answers."""
        with socket.create_connection(("127.0.0.1", self.one.port), timeout=PATIENCE) as connection:
            connection.sendall(text)
            return read_answers(connection, answers)

    def refused(self, text, status, code):
        (got, head, body), = self.raw(text)
        self.assertEqual((got, json.loads(body)["error"]), (status, code), (text[:200], body))
        self.assertIn(b"application/json", head)

    def test_bodies_that_are_no_object_are_refused(self):
        for body in (b"", b"{", b"[]", b'"2171"', b"null", b'{"room":"2171"} {}', b"{'room':1}",
                     b'{"room":"\xff"}', b'{"room":"2171",}'):
            with self.subTest(body=body):
                status, _, text = self.raw(post(body))[0]
                code = json.loads(text)["error"]
                self.assertEqual((status, code), (400, "invalid_json"))

    def test_invalid_rooms_are_refused(self):
        for room in ("", ".", "..", "a\nb", "a\u0000b", "a\u0085b", "x" * 256, -1, 1.0, 1.5, True,
                     None, [], {}):
            with self.subTest(room=room):
                self.expect(self.one.ask(room), 400, "invalid_room")
        for room in ("-0", "1e2", "18446744073709551616", "1.0"):
            with self.subTest(room=room):
                self.refused(post(b'{"room":' + room.encode() + b"}"), 400, "invalid_room")
        self.assertEqual(self.one.ask("x" * 255).error, "room_not_found")
        self.assertEqual(self.one.ask(18446744073709551615).error, "room_not_found")

    def test_unknown_fields_and_any_content_type_are_accepted(self):
        for kind in (b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x",
                     b"text/plain", b"application/json"):
            body = b'{"room":2171,"user":{"name":"M"},"geo":{"country_code":"IL","city":"x"}}'
            answer = self.raw(post(body, b"Content-Type: " + kind + b"\r\n"))[0]
            self.assertEqual((answer[0], answer[2]), (200, b'{"janus":"gxy1"}'), kind)

    def test_unknown_paths_are_404_and_wrong_methods_405(self):
        for method, path, status, code in (
                ("GET", "/nowhere", 404, "not_found"), ("GET", "/v2/", 404, "not_found"),
                ("GET", "/v2/room_server", 405, "method_not_allowed"),
                ("OPTIONS", "/v2/room_server", 405, "method_not_allowed"),
                ("POST", "/v2/sessions", 405, "method_not_allowed"),
                ("DELETE", "/v2/gateways", 405, "method_not_allowed"),
                ("GET", "/v2/rooms/%zz", 400, "invalid_path")):
            with self.subTest(method=method, path=path):
                answer = self.expect(self.one.request(method, path), status, code)
                self.assertEqual("Allow" in answer.headers, status == 405)
        self.assertEqual(self.one.request("PUT", "/v2/room_server").headers["Allow"], "POST")

    def test_head_is_like_get_without_a_body(self):
        answer = self.one.request("HEAD", "/v2/rooms/2171")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_a_request_without_length_is_answered_at_once(self):
        with within(3):
            answer = self.raw(b"PUT /v2/gateways/gxy1/drain HTTP/1.1\r\nHost: localhost\r\n\r\n")[0]
        self.assertEqual(answer[0], 200)

    def test_pipelined_requests_are_answered_in_order(self):
        rooms = [b"2171", b"2172", b"2173"]
        answers = self.raw(b"".join(post(b'{"room":"' + room + b'"}') for room in rooms), answers=3)
        self.assertEqual([body for _, _, body in answers],
                         [b'{"janus":"gxy1"}', b'{"janus":"gxy2"}', b'{"janus":"gxy3"}'])

    def test_a_half_closed_client_gets_its_answer(self):
        with socket.create_connection(("127.0.0.1", self.one.port), timeout=10) as connection:
            connection.sendall(post())
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(read_answers(connection, 1)[0][0], 200)

    def test_answers_are_complete_and_uncompressed(self):
        answer = self.raw(post(headers=b"Accept-Encoding: gzip, br\r\nRange: bytes=0-3\r\n"))[0]
        self.assertEqual((answer[0], answer[2]), (200, b'{"janus":"gxy1"}'))
        self.assertNotIn(b"Content-Encoding", answer[1])

    def test_a_chunked_body_is_read(self):
        answer = self.raw(b"POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n7\r\n{\"room\"\r\n8\r\n:\"2171\"}\r\n"
                          b"0\r\n\r\n")[0]
        self.assertEqual((answer[0], answer[2]), (200, b'{"janus":"gxy1"}'))

    def test_malformed_requests_are_refused(self):
        both = b"Transfer-Encoding: chunked\r\n"
        for text, status, code in (
                (post(headers=both), 400, "invalid_request"),
                (post(headers=b"Content-Length: 15\r\n"), 400, "invalid_request"),
                (post(length="1x"), 400, "invalid_request"),
                (post(length="-1"), 400, "invalid_request"),
                (post(host=b""), 400, "invalid_request"),
                (post(host=b"Host: localhost\r\nHost: localhost\r\n"), 400, "invalid_request"),
                (post(headers=b"Content-Encoding: gzip\r\n"), 415, "unsupported_encoding"),
                (post(headers=b"X-A: " + b"a" * 17000 + b"\r\n"), 431, "headers_too_large"),
                (post(headers=b"X-A: a\r\n" * 70), 431, "headers_too_large"),
                (post(path=b"/" + b"a" * 17000), 414, "uri_too_long"),
                (post(b"x" * (64 * 1024 + 1)), 413, "too_large")):
            with self.subTest(text=text[:80]):
                self.refused(text, status, code)
        self.assertEqual(self.one.ask("2171").status, 200)

    def test_checks_run_in_the_promised_order(self):
        big = b"x" * (64 * 1024 + 1)
        foreign = b"Host: evil.example\r\n"
        for text, status in (
                (post(host=foreign, headers=b"Content-Encoding: gzip\r\n"), 415),
                (post(host=foreign, path=b"/nowhere"), 403),
                (post(path=b"/nowhere", body=big), 404),
                (post(path=b"/v2/gateways", body=big), 405),
                (post(body=big), 413)):
            with self.subTest(text=text[:80]):
                self.assertEqual(self.raw(text)[0][0], status)

    def test_a_foreign_web_page_cannot_steer_the_sidecar(self):
        port = str(self.one.port).encode()
        for host, origin, status, code in (
                (b"localhost", None, 200, None), (b"LOCALHOST:1", None, 200, None),
                (b"127.0.0.1:9", None, 200, None), (b"127.1.2.3", None, 200, None),
                (b"[::1]:80", None, 200, None),
                (b"evil.example", None, 403, "foreign_host"),
                (b"localhost.evil.example", None, 403, "foreign_host"),
                (b"127.0.0.1.evil.example", None, 403, "foreign_host"),
                (b"192.168.0.1", None, 403, "foreign_host"),
                (b"localhost:" + port, b"http://localhost:" + port, 200, None),
                (b"localhost:" + port, b"http://evil.example", 403, "foreign_origin"),
                (b"localhost:" + port, b"https://localhost:" + port, 403, "foreign_origin"),
                (b"localhost:" + port, b"null", 403, "foreign_origin")):
            with self.subTest(host=host, origin=origin):
                headers = b"Origin: " + origin + b"\r\n" if origin else b""
                got, _, body = self.raw(post(host=b"Host: " + host + b"\r\n", headers=headers))[0]
                self.assertEqual((got, json.loads(body).get("error")), (status, code))

    def test_a_trickling_client_is_cut_off_and_delays_no_other(self):
        slow = [socket.create_connection(("127.0.0.1", self.one.port)) for _ in range(20)]
        for connection in slow:
            connection.sendall(b"POST /v2/room_server HTTP/1.1\r\nHo")
        with within(9):
            with within(2):
                for _ in range(20):
                    self.assertEqual(self.one.ask("2171").status, 200)
            status, _, body = read_answers(slow[0], 1)[0]
        self.assertEqual((status, json.loads(body)["error"]), (408, "request_timeout"))
        for connection in slow:
            connection.close()

    def test_too_many_connections_are_refused_quickly(self):
        self.one = self.sidecar(env={"MAX_CONNECTIONS": "10"})
        held, shed = [], 0
        with within(10):
            for _ in range(15):
                held.append(socket.create_connection(("127.0.0.1", self.one.port)))
                held[-1].sendall(post())
                status, head, body = read_answers(held[-1], 1)[0]
                if status == 200:
                    continue
                self.assertEqual((status, json.loads(body)["error"]), (503, "too_many_connections"))
                self.assertIn(b"Retry-After", head)
                shed += 1
        self.assertIn(shed, (5, 6), "one is the harness's own")
        for connection in held:
            connection.close()


class Token(Case):
    def setUp(self):
        self.one = self.sidecar(start=False)
        token_file = self.one.folder / "token"
        token_file.write_text("s3cret-._~+/=\n")
        self.one.env["API_TOKEN_FILE"] = str(token_file)

    def test_a_token_is_required(self):
        self.one.start()
        with_token = {"Authorization": "Bearer s3cret-._~+/="}
        for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401),
                                ({"Authorization": "Basic s3cret-._~+/="}, 401),
                                ({"Authorization": "Bearer s3cret"}, 401), (with_token, 200)):
            answer = self.one.request("POST", "/v2/room_server", ASK, headers)
            self.assertEqual(answer.status, status, headers)
            if status == 401:
                self.assertEqual(answer.error, "unauthorized")
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.one.get(path).status, 200, path)
        self.assertEqual(self.one.get("/metrics").status, 401)
        self.assertEqual(self.one.get("/nowhere").status, 401, "401 comes before 404")
        self.assertNotIn("s3cret", self.one.log())
        shown = self.one.run("config")
        self.assertEqual((shown.returncode, "s3cret" in shown.stdout), (0, False))
        self.assertEqual(self.one.run("status").returncode, 0, "the command line finds the token")

    def test_systemds_copy_of_the_token_counts_only_if_the_file_cannot_be_read(self):
        """The copy may be the one of another file with the same name, or older."""
        copies = self.one.folder / "credentials"
        copies.mkdir()
        self.one.env["CREDENTIALS_DIRECTORY"] = str(copies)
        (copies / "token").write_text("copied\n")
        line = f"INFO: Token read from systemd's copy of its file copy={copies}/token\n"

        def opens(token):
            return self.one.get("/v2/config", {"Authorization": f"Bearer {token}"}).status == 200

        self.one.start()
        self.assertTrue(opens("s3cret-._~+/="))
        self.assertFalse(opens("copied"))
        self.assertNotIn("systemd's copy", self.one.log())
        self.assertEqual(self.one.run("status").returncode, 0, "commands do not read the copy either")
        (self.one.folder / "token").write_text("newer\n")
        self.one.hang_up()
        wait_until(lambda: opens("newer"), "the newer token")
        (self.one.folder / "token").unlink()
        self.one.hang_up()
        wait_until(lambda: opens("copied"), "the copy")
        self.assertEqual(self.one.log().count(line), 1)
        self.one.stop()
        self.one.start()
        self.assertTrue(opens("copied"))
        self.assertIn(line, self.one.log_of_this_run())
        self.one.stop()
        for empty in ("", "\n"):
            (copies / "token").write_text(empty)
            self.assertEqual(self.one.start_and_fail(), 2, "an empty one stands for none")

    def test_an_address_beyond_loopback_needs_a_token(self):
        open_one = self.sidecar(start=False, env={"LISTEN_ADDRESS": "0.0.0.0:0"})
        self.assertEqual(open_one.start_and_fail(), 2)

    def test_a_token_file_that_holds_no_token_is_refused(self):
        for text in ("", "two words\n", "a\nb\n", "caf\u00e9\n"):
            (self.one.folder / "token").write_text(text, encoding="utf-8")
            self.assertEqual(self.one.start_and_fail(), 2, text)


def read_answers(connection, count):
    """Reads `count` answers with a length from a socket."""
    text, answers = b"", []
    while len(answers) < count:
        head, found, rest = text.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head) if found else None
        if found and len(rest) >= int(length.group(1) if length else 0):
            size = int(length.group(1)) if length else 0
            answers.append((int(head.split()[1]), head, rest[:size]))
            if answers[-1][0] == 100:
                answers.pop()
            text = rest[size:]
            continue
        chunk = connection.recv(65536)
        if not chunk:
            raise AssertionError(f"closed after {len(answers)} answers: {text!r}")
        text += chunk
    return answers


if __name__ == "__main__":
    unittest.main()
