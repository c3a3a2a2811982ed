#!/usr/bin/env python3
"""Hostile clients that are slow, endless or many: their cost is bounded, and other clients pay nothing."""
import json
import resource
import select
import time
import unittest

from hostile import (ASK, HOST, IS_SANITIZED, PROBE, ROOMS, Cost, Highest, Wire, answers_to,
                     attackers,
                     chunked, code_of, post, undisturbed)
from pace import within
from sidecar import PATIENCE, Case, toml, wait_until

MIB = 1024
BIG_LENGTH = str(8 << 20).encode()
HEAD = b"POST /v2/room_server HTTP/1.1\r\n" + HOST


class Hostile(Case):
    """One sidecar for all tests of a class, as in life. Each test must give its resources back."""

    @classmethod
    def setUpClass(cls):
        case = cls("run")
        cls.one, cls.peaceful = (case.sidecar(toml(rooms=ROOMS)) for _ in range(2))
        cls.addClassCleanup(case.doCleanups)
        cls.port, cls.cost = cls.one.port, Cost(cls.one)
        with Wire(cls.port) as warm:  # the first requests fill caches
            warm.say(post() * 100)
            for _ in range(100):
                warm.read_answer()

    def setUp(self):
        if not hasattr(type(self), "descriptors"):
            wait_until(lambda: self.cost.descriptors() <= 13, "the first connections to end")
            type(self).descriptors = self.cost.descriptors() + 1
        self.before = self.cost.resident_kib()

    def everything_is_given_back(self, more_kib=16 * MIB):
        wait_until(lambda: self.cost.descriptors() <= self.descriptors,
                   "descriptors to be given back")
        if not IS_SANITIZED:  # these keep their memory on purpose
            self.assertLess(self.cost.resident_kib() - self.before, more_kib)
        self.assertEqual(self.one.get("/healthz").status, 200)


class Slow(Hostile):
    def test_a_trickling_client_is_cut_off_in_time_at_every_place(self):
        """Slowloris: a byte now and then, in the head (5 s) and anywhere in the body (10 s)."""
        places = {  # sent at once, trickled, the permitted time
            "the request line": (b"GET /", b"a", 5), "a field": (HEAD + b"X-A: ", b"a", 5),
            "fields": (HEAD, b"X: a\r\n", 5), "an empty line before": (b"\r\n", b"", 5),
            "a body": (post(b"", length=b"60000"), b"a", 10),
            "a large body": (post(b"", path=b"/v2/sessions", method=b"PUT", length=BIG_LENGTH),
                             b"a", 10),
            "a chunk": (chunked(b"fff\r\n"), b"a", 10), "chunks": (chunked(b""), b"1\r\na\r\n", 10),
            "a chunk's size": (chunked(b""), b"0", 10), "an extension": (chunked(b"1;"), b"a", 10),
            "trailers": (chunked(b"0\r\n"), b"X: a\r\n", 10),
            "nothing after 100-continue": (post(b"", b"Expect: 100-continue\r\n", length=b"9"), b"",
                                           10)}
        wires, began = [], time.monotonic()
        for name, (start, trickle, limit) in places.items():
            for _ in range(4 if "large" in name else 12):
                wires.append((name, trickle, limit, Wire(self.port)))
                self.assertTrue(wires[-1][3].say(start))
                if b"Expect" in start:
                    wires[-1][3].socket.recv(100)  # "go on"
        disturbed = []
        ended = {}
        while len(ended) < len(wires) and time.monotonic() - began < PATIENCE:
            for at, (name, trickle, limit, wire) in enumerate(wires):
                if at in ended:
                    continue
                if select.select([wire.socket], [], [], 0)[0]:
                    ended[at] = time.monotonic() - began
                    answer = wire.read_answer()
                    self.assertEqual(code_of(answer), (408, "request_timeout"), name)
                    self.assertGreater(ended[at], limit - 1, name)
                else:
                    wire.say(trickle)
            if not disturbed:
                disturbed.append(True)
                undisturbed(self, self.port, self.peaceful.port, lambda: attackers(lambda: None, 0))
            time.sleep(0.25)
        self.assertEqual(len(ended), len(wires), "all were cut")
        of_head, of_body = ([ended[at] for at, wire in enumerate(wires) if wire[2] == limit] for limit in (5, 10))
        self.assertLess(max(of_head), min(of_body), "each time limit by itself")
        for *_, wire in wires:
            wire.socket.close()
        self.everything_is_given_back()

    def test_a_client_that_does_not_read_is_cut_off_in_time(self):
        """Unread answers: 5 s each, and the connection ends."""
        wires = [Wire(self.port) for _ in range(20)]
        ask = b"GET /v2/rooms?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n"
        began = time.monotonic()
        for wire in wires:
            wire.say(ask * 100)  # 17 MB of answers
        wait_until(lambda: self.cost.descriptors() > self.descriptors + 15, "them to be let in")
        wait_until(lambda: self.cost.descriptors() <= self.descriptors, "them to be cut")
        self.assertGreater(time.monotonic() - began, 3)
        for wire in wires:
            wire.socket.close()
        self.everything_is_given_back()


class Endless(Hostile):
    # The endless input, the bytes before it, and its refusal.
    WAYS = {
        "a request line": (b"GET /", b"a" * 8192, 414),
        "a query": (b"GET /v2/rooms?", b"?" * 8192, 414),
        "a method": (b"", b"A" * 8192, 414), "a field's name": (HEAD, b"A" * 8192, 431),
        "a field": (HEAD + b"X-A: ", b"a" * 8192, 431), "fields": (HEAD, b"X-A: a\r\n" * 1000, 431),
        "folded lines": (HEAD + b"X-A: a\r\n", b" a\r\n" * 2000, 431),
        "empty lines": (b"", b"\r\n" * 4096, 400),
        "a body too long": (post(b"", length=b"65537"), b"a" * 8192, 413),
        "a body of 2^63": (post(b"", length=b"9223372036854775808"), b"a" * 8192, 413),
        "a chunked body": (chunked(b""), b"400\r\n" + b"a" * 1024 + b"\r\n", 413),
        "one chunk": (chunked(b"ffffffff\r\n"), b"a" * 8192, 413),
        "tiny chunks": (chunked(b""), b"1\r\na\r\n" * 1000, 413),
        "a chunk's size": (chunked(b""), b"0" * 8192, 413),
        "an extension": (chunked(b"1;x="), b"a" * 8192, 413),
        "extensions": (chunked(b""), b"1;" + b"x" * 4000 + b"\r\na\r\n", 413),
        "a trailer": (chunked(b"0\r\nX: "), b"a" * 8192, 413),
        "trailers": (chunked(b"0\r\n"), b"X: a\r\n" * 1000, 413),
        "a snapshot in chunks": (post(b"", b"Transfer-Encoding: chunked\r\n", b"/v2/sessions",
                                      length=b"",
                                      method=b"PUT"), b"10000\r\n" + b" " * 0x10000 + b"\r\n", 413)}

    def push(self, start, more, most=64 << 20):
        """Sends it until the sidecar takes no more; returns the answer and the number of taken bytes."""
        with Wire(self.port) as wire:
            taken = len(start)
            wire.say(start)
            while taken < most and not select.select([wire.socket], [], [],
                                                     0)[0] and wire.say(more):
                taken += len(more)
            return wire.read_answer(), taken

    def test_endless_input_is_refused_after_a_bounded_part(self):
        with Highest(self.cost) as highest:
            for name, (start, more, status) in self.WAYS.items():
                with self.subTest(name):
                    answer, taken = self.push(start, more)
                    self.assertIsNotNone(answer, "the refusal arrives although more was on its way")
                    self.assertEqual(answer[0], status, answer)
                    self.assertLess(taken, 24 << 20)
                    self.assertIn(b"Connection: close", answer[1])
        if not IS_SANITIZED:
            self.assertLess(highest.resident_kib - self.before, 24 * MIB)
        self.everything_is_given_back()

    def test_a_hundred_thousand_fields_are_refused_at_the_64th(self):
        answer, taken = self.push(HEAD + b"X-A: a\r\n" * 100_000 + b"\r\n", b"")
        self.assertEqual(code_of(answer), (431, "headers_too_large"))

    def test_other_clients_are_not_disturbed_by_endless_input(self):
        def attack():
            until = time.monotonic() + 2.2
            while time.monotonic() < until:
                for start, more, _ in self.WAYS.values():
                    if time.monotonic() < until:
                        self.push(start, more, 4 << 20)
        undisturbed(self, self.port, self.peaceful.port, lambda: attackers(attack, 2))
        self.everything_is_given_back()


class Many(Hostile):
    CONNECTIONS = 700 if IS_SANITIZED else 2000  # more than there are slots
    PIPELINED = 1000 if IS_SANITIZED else 3000

    def test_many_simultaneous_connections_disturb_no_other_client(self):
        def attack():
            resource.setrlimit(resource.RLIMIT_NOFILE,
                               (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
            time.sleep(0.4)  # the bystander is there first
            wires = [Wire(self.port) for _ in range(self.CONNECTIONS)]
            for wire in wires:
                wire.say(PROBE)
            seen = [wire.read_answer() for wire in wires]
            statuses = [answer[0] for answer in seen if answer]
            assert set(statuses) <= {200, 503}, set(statuses)
            assert statuses.count(200) >= 400, statuses.count(200)
            for answer in seen:
                if answer and answer[0] == 503:
                    assert code_of(answer)[1] == "too_many_connections", answer
                    assert b"Retry-After" in answer[1], answer
            for wire in wires:
                wire.socket.close()
        undisturbed(self, self.port, self.peaceful.port, lambda: attackers(attack))
        self.everything_is_given_back(40 * MIB)
        threads, resident = self.cost.threads(), self.cost.resident_kib()
        self.assertLess(threads, 512 + 20)
        with attackers(attack):
            pass
        wait_until(lambda: self.cost.descriptors() <= self.descriptors,
                   "descriptors to be given back")
        self.assertLess(self.cost.threads(), 512 + 20, "threads are used again")
        if not IS_SANITIZED:
            self.assertLess(self.cost.resident_kib() - resident, 16 * MIB)

    def test_thousands_of_pipelined_requests_are_answered_in_order(self):
        rooms = [str(2000 + number % 500).encode() for number in range(self.PIPELINED)]
        requests = [b"GET /v2/rooms/" + room + b" HTTP/1.1\r\n" + HOST + b"\r\n" for room in rooms]
        answers = []

        def all_of_it():
            with Wire(self.port) as wire:
                answers.clear()
                for at in range(0, len(requests), 100):  # or both sides would wait for each other
                    wire.say(b"".join(requests[at:at + 100]))
                    answers.extend(wire.read_answer() for _ in range(100))
        all_of_it()
        self.assertEqual([json.loads(body)["room"].encode() for _, _, body in answers], rooms)

        def attack():
            until = time.monotonic() + 2.2
            while time.monotonic() < until:
                all_of_it()
        undisturbed(self, self.port, self.peaceful.port, lambda: attackers(attack, 2))
        self.everything_is_given_back()

    def test_resets_and_half_closes_at_every_stage_do_no_harm(self):
        request = post(b'{"room":"2171","x":"' + b"a" * 5000 + b'"}')
        stages = [b"", b"G", b"\r\n", HEAD, HEAD + b"X-A: ", request[:-3000], request[:-1], request,
                  request * 3,
                  chunked(b""), chunked(b"5\r\na"), chunked(b"0\r\n"), PROBE * 50,
                  post(b"", b"Expect: 100-continue\r\n", length=b"9"),
                  post(b"a" * 300_000, path=b"/v2/sessions", method=b"PUT", length=BIG_LENGTH),
                  b"GET /v2/rooms?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n"]

        def attack():
            until = time.monotonic() + 2.2
            while time.monotonic() < until:
                for stage in stages:
                    with Wire(self.port) as wire:
                        wire.say(stage)
                        wire.reset()
                    with Wire(self.port) as wire:
                        wire.say(stage)
                        wire.half_close()
                        wire.reset()
        undisturbed(self, self.port, self.peaceful.port, lambda: attackers(attack, 2))
        self.everything_is_given_back()
        for stage in stages:  # a client that only half-closes gets its answers
            for answer in answers_to(self.port, stage):
                self.assertIn(answer[0], (200, 400), (stage[:60], answer))

    def test_idle_connections_do_not_keep_their_last_answer(self):
        wires = []
        for _ in range(300):
            wires.append(Wire(self.port))
            wires[-1].say(b"GET /v2/rooms?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertGreater(len(wires[-1].read_answer()[2]), 128 * 1024)
        if not IS_SANITIZED:
            self.assertLess(self.cost.resident_kib() - self.before, 32 * MIB)
        for wire in wires:
            wire.socket.close()
        self.everything_is_given_back(32 * MIB)

    def test_large_bodies_take_little_memory_and_give_it_back(self):
        """310 000 entries that are refused beside a valid one make the most of 1 MB: 16 MB of answer."""
        body = b'{"sessions":[' + b"{}," * 310_000 + b'{"room":"2171","session":"a"}]}'

        def attack():
            with Wire(self.port, 120) as wire:
                wire.say(post(body, path=b"/v2/sessions", method=b"PUT"))
                answer = wire.read_answer()  # nothing, if it is too late to read it
                assert answer is None or answer[0] in (200, 503), answer[1]
        with attackers(attack, 8), Highest(self.cost) as highest:
            time.sleep(2)
        if not IS_SANITIZED:
            self.assertLess(highest.resident_kib - self.before, 400 * MIB)
        self.everything_is_given_back()


class Stopping(Case):
    def test_hostile_clients_do_not_delay_a_stop(self):
        one = self.sidecar(toml(rooms=ROOMS))
        wires = [Wire(one.port) for _ in range(60)]
        large = b"GET /v2/rooms?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n"
        for at, wire in enumerate(wires):
            wire.socket.settimeout(0.1)
            text = (HEAD, post(ASK, length=b"60000"), chunked(b"5\r\na"), large * 200, b"",
                    PROBE)[at % 6]
            try:
                wire.say(text)
            except TimeoutError:
                pass
        with within(5):
            self.assertEqual(one.stop(), 0)
        for wire in wires:
            wire.socket.close()


if __name__ == "__main__":
    unittest.main()
