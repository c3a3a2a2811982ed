#!/usr/bin/env python3
"""Commands of root's against hostile answers at the address noted by the service's user."""
import fcntl
import json
import os
import socket
import struct
import subprocess
import threading
import unittest

from pace import within
from sidecar import BINARY, Case, toml

F_OFD_SETLK = 37
OK = b"HTTP/1.1 200 OK\r\n"


def drip(connection, stopped):
    """An answer that never ends, a byte at a time."""
    connection.sendall(OK + b"Content-Length: 1000000\r\n\r\n{")
    while not stopped.wait(0.2):
        connection.sendall(b" ")


def drip_fields(connection, stopped):
    connection.sendall(OK)
    while not stopped.wait(0.2):
        connection.sendall(b"X-a: b\r\n")


def flood(connection, stopped):
    connection.sendall(OK + b'\r\n{"a":"')
    while not stopped.is_set():
        connection.sendall(b"x" * 1000000)


def flood_fields(connection, stopped):
    connection.sendall(OK)
    while not stopped.is_set():
        connection.sendall(b"X-a: b\r\n" * 10000)


def flood_field(connection, stopped):
    connection.sendall(OK + b"X-a: ")
    while not stopped.is_set():
        connection.sendall(b"b" * 1000000)


def answered(body):
    return OK + b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


class HostileServer:
    """On a port of loopback. Each connection has one request, and is answered by `answer`."""

    def __init__(self, answer):
        self._answer, self._stopped, self.requests = answer, threading.Event(), []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection):
        with connection:
            connection.settimeout(60)
            try:
                self.requests.append(connection.recv(65536))
                self._answer(connection, self._stopped)
            except OSError:
                pass  # the command has gone

    def stop(self):
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


class HostileAnswers(Case):
    def noted(self, answer):
        """A configuration with a hostile server in the note beside its database."""
        server = HostileServer(answer)
        self.addCleanup(server.stop)
        sidecar = self.sidecar(toml(), start=False)
        note = os.open(sidecar.folder / "room-sidecar.db.running", os.O_RDWR | os.O_CREAT, 0o644)
        self.addCleanup(os.close, note)
        os.write(note, f"pid=1\naddress={server.address}\ngeneration=1\n".encode())
        fcntl.fcntl(note, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        return sidecar, server

    def begin(self, sidecar, *command):
        process = subprocess.Popen([BINARY, *command, "--config", str(sidecar.config_file)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=sidecar.environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def expect_failure(self, process, message):
        """The command ends by itself, says why, and has not kept the bytes in memory."""
        out, err = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out), (1, ""), err)
        self.assertRegex(err, message)

    def test_an_answer_that_trickles_has_one_deadline(self):
        for answer in (drip, drip_fields):
            sidecar, server = self.noted(answer)
            with self.subTest(answer.__name__), within(11):
                begun = [self.begin(sidecar, *command) for command in
                         (["status"], ["assignments"], ["explain", "2171"], ["drain", "gxy1"])]
                for process in begun:
                    self.expect_failure(process, f"{server.address}: the answer was not complete within 10 s")

    def test_a_reload_waits_no_longer_for_a_trickling_answer_than_for_a_slow_one(self):
        sidecar, server = self.noted(drip)
        with within(31):
            self.expect_failure(self.begin(sidecar, "reload", "--server", server.address),
                                "the answer was not complete within 30 s")

    def test_a_watch_reports_a_hostile_answer_and_goes_on(self):
        sidecar, server = self.noted(drip)
        with within(6):
            watch = self.begin(sidecar, "status", "--watch", "0.1", "--json")
            for _ in range(2):
                line = json.loads(watch.stdout.readline())
                self.assertEqual(line["error"], "out_of_reach")
                self.assertIn(f"{server.address}: the answer was not complete within 2 s", line["message"])

    def test_an_endless_answer_is_given_up_when_it_is_too_large(self):
        for answer in (flood, flood_fields, flood_field):
            with self.subTest(answer.__name__):
                sidecar, server = self.noted(answer)
                for command in (["status"], ["reload"]):
                    process = self.begin(sidecar, *command)
                    self.expect_failure(process, f"what answers at {server.address} is no room-sidecar .*too large")

    def test_an_endless_list_is_given_up(self):
        page = json.dumps([{"room": "r"}] * 100000)
        pages = []

        def answer(connection, _):
            pages.append(len(pages))
            connection.sendall(answered(b'{"assignments":%s,"next":"%06d"}' % (page.encode(), len(pages))))

        sidecar, server = self.noted(answer)
        self.expect_failure(self.begin(sidecar, "assignments"),
                            f"the sidecar at {server.address}: its list does not end")
        self.assertEqual(len(pages), 11)  # a million entries, and a sign of more


if __name__ == "__main__":
    unittest.main()
