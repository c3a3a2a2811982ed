#!/usr/bin/env python3
"""Known weaknesses of cpp-httplib, up to November 2026, tried from outside: none affects the server.

Debian 12 has 0.11.4, Debian 13 has 0.18.7; what they fixed of this list does not matter, since the
sidecar leaves neither connections nor bodies nor routes to the library. Not in the table, since
nothing here uses the code: redirects, streams and TLS of the client (CVE-2026-31870, -32627,
-33745, -54919, -77358, -102944, -103930), trailers that a server writes (CVE-2026-77341).
"""
import json
import unittest
import zlib

from hostile import (ASK, HOST, IS_SANITIZED, PROBE, ROOMS, Cost, Highest, answers_to, chunked,
                     code_of, post)
from sidecar import Case, toml

MIB = 1024
BOUNDARY = b"Content-Type: multipart/form-data; boundary=b\r\n"


def bomb():
    """60 KB that unpack to 60 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(b" " * (60 << 20)) + packer.flush()


def get(target=b"/healthz", fields=b""):
    return b"GET " + target + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n"


# number or issue, what it is; what is sent; the status of each answer
CASES = (
    ("CVE-2023-26130 CRLF in Content-Type", post(fields=b"Content-Type: a%0d%0aX-Evil: 1\r\n"),
     [200]),
    ("CVE-2025-0825 CRLF behind a NUL", get(fields=b"X: a\x00\r\nX-Evil: 1\r\n"), [400]),
    ("CVE-2025-46728 chunked bodies without a limit",
     chunked(b"10000\r\n" + b"a" * 65536 + b"\r\n" * 1) * 1
     + b"10000\r\n" + b"a" * 65536, [413]),
    ("CVE-2025-46728 a body without a length",
     b"POST /v2/room_server HTTP/1.1\r\n" + HOST + b"\r\n" + b"\x01" * 200_000,
     [400, 400]),
    ("CVE-2025-52887 any number of fields", get(fields=b"X: y\r\n" * 100_000), [431]),
    ("CVE-2025-53628 a line without a limit", get(fields=b"X: " + b"y" * 4_000_000 + b"\r\n"),
     [431]),
    ("CVE-2025-53629 chunks announce any memory", chunked(b"7fffffffffffffff\r\na"), [413]),
    ("CVE-2025-66570 REMOTE_ADDR and others forged",
     get(fields=b"REMOTE_ADDR: 1\r\nREMOTE_PORT: x\r\nLOCAL_ADDR: y\r\nLOCAL_PORT: z\r\n"), [200]),
    ("CVE-2025-66577 X-Forwarded-For and X-Real-IP trusted",
     get(fields=b"X-Forwarded-For: 1.2.3.4\r\nX-Real-IP: z\r\n"), [200]),
    ("CVE-2026-21428 CRLF in fields", get(fields=b"X-Request-Id: a\r\n\tX-Evil: 1\r\n"), [400]),
    ("CVE-2026-22776 a compressed bomb", post(bomb(), b"Content-Encoding: gzip\r\n"), [415]),
    ("CVE-2026-22776 brotli", post(b"\x0b\x00\x80", b"Content-Encoding: br\r\n"), [415]),
    ("CVE-2026-28435 a bomb in chunks",
     chunked(b"5\r\n\x1f\x8b\x08\x00\x00\r\n0\r\n\r\n", b"Content-Encoding: gzip\r\n"), [415]),
    ("CVE-2026-29076 a file name for std::regex", post(
        b"--b\r\nContent-Disposition: form-data; name=\"a\"; filename*=UTF-8''" + b"a" * 60_000
        + b"\r\n\r\nx\r\n--b--\r\n",
        BOUNDARY), [400]),
    ("CVE-2026-34441 a GET whose body is the next request",
     get(fields=b"Content-Length: %d\r\n" % len(PROBE)) + PROBE, [200]),
    ("CVE-2026-45352 a chunk of -2", chunked(b"-2\r\naa\r\n0\r\n\r\n"), [400]),
    ("CVE-2026-45372 fields percent-decoded",
     get(fields=b"X-Request-Id: a%0d%0aX-Evil:%201\r\nOrigin: http://localhost%0d%0a\r\n"),
     [403]),
    ("CVE-2026-45372 lengths percent-decoded", post(length=b"%31%35"), [400]),
    ("CVE-2026-46527 X-Forwarded-For without an address", get(fields=b"X-Forwarded-For: , ,\r\n"),
     [200]),
    ("0.53.1 a long path for std::regex", get(b"/" + b"a" * 8000), [404]),
    ("0.53.1 a long path of blanks", get(b"/v2/rooms/" + b"%20" * 2500), [400]),
    ("0.53.1 a compressed body without a length",
     get(fields=b"Content-Encoding: gzip\r\n") + b"\x1f\x8b\x08", [415]),
    ("issue 1766 many ranges", get(b"/v2/rooms", b"Range: bytes=" + b"0-," * 2000 + b"0-\r\n"),
     [200]),
    ("pull 2580 a range beyond all numbers",
     get(b"/v2/rooms", b"Range: bytes=99999999999999999999-\r\n"), [200]),
    ("pull 2516 a last coding that is not chunked",
     post(PROBE, b"Transfer-Encoding: chunked, gzip\r\n", length=b""), [400]),
    ("pull 2516 both, with a length of 0",
     post(PROBE, b"Transfer-Encoding: chunked\r\n", length=b"0"), [400]),
    ("issue 2583 names in Trailer that collide",
     chunked(b"f\r\n" + ASK + b"\r\n0\r\nAa: 1\r\nBB: 2\r\n\r\n", b"Trailer: " + b"Aa,BB," * 900 + b"\r\n"), [200]),
    ("issue 1486 trailers that become requests",
     chunked(b"f\r\n" + ASK + b"\r\n0\r\nGET / HTTP/1.1: x\r\n\r\n"), [200]),
    ("desync after a bad chunk", chunked(b"zz\r\n" + PROBE), [400]),
    ("an oversized body is drained for ever", post(b"a" * 70_000, length=b"1000000000000"), [413]),
    ("form bodies of another limit", post(b'{"room":"2171","x":"' + b"a" * 60_000 + b'"}',
                                          b"Content-Type: application/x-www-form-urlencoded\r\n"), [200]),
    ("%u in a path is decoded", get(b"/v2/rooms/%u0032171"), [400]),
    ("a second ? is refused", get(b"/healthz?" + b"?" * 8000), [200]),
    ("pipelined requests are lost", PROBE * 50, [200] * 50),
    ("a method without body waits for one",
     b"PUT /v2/gateways/gxy1/drain HTTP/1.1\r\n" + HOST + b"\r\n", [200]),
    ("Expect is answered before it is looked at",
     post(b"", b"Expect: 100-continue\r\nContent-Encoding: x\r\n", length=b"5"), [415]),
    ("a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
)


class KnownWeaknesses(Case):
    def test_no_known_weakness_of_the_library_affects_the_server(self):
        one = self.sidecar(toml(rooms={**ROOMS, "2171": "gxy1"}))
        cost = Cost(one)
        before = cost.resident_kib()
        with Highest(cost) as highest:
            for name, sent, statuses in CASES:
                with self.subTest(name):
                    answers = answers_to(one.port, sent)
                    self.assertEqual([answer[0] for answer in answers], statuses,
                                     str(answers)[:600])
                    for answer in answers:
                        self.assertNotIn(b"evil", answer[1].lower())
                        self.assertNotIn(b"exception_what", answer[1].lower(), "CVE-2026-28434")
                        self.assertTrue(json.loads(answer[2]) or answer[0] == 200)
        if not IS_SANITIZED:
            self.assertLess(highest.resident_kib - before, 24 * MIB)
        self.assertNotIn("vil", one.log())
        self.assertEqual(code_of(answers_to(one.port, post())[0]), (200, None))


if __name__ == "__main__":
    unittest.main()
