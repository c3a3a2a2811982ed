#!/usr/bin/env python3
"""Notifications to systemd, received by a socket in its place."""
import ctypes
import os
import pathlib
import socket
import tempfile
import time
import unittest

from sidecar import Case, toml, wait_until

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
# systemd's limit; the sidecar checks four times as often, and its threads have a heartbeat once a second or faster.
LIMIT = 6.0


def ptrace(request, thread):
    if LIBC.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def threads_of(sidecar):
    for task in pathlib.Path(f"/proc/{sidecar.process.pid}/task").iterdir():
        yield int(task.name), (task / "comm").read_text().strip()


class Held:
    """One thread of a sidecar, stopped as if it were stuck; its other threads go on."""

    def __init__(self, sidecar, name):
        threads = {comm: thread for thread, comm in threads_of(sidecar)}
        self._thread = sidecar.process.pid if name == "main" else threads[name]
        ptrace(PTRACE_SEIZE, self._thread)

    def __enter__(self):
        ptrace(PTRACE_INTERRUPT, self._thread)
        os.waitpid(self._thread, WALL)

    def __exit__(self, *_):
        ptrace(PTRACE_DETACH, self._thread)


class ServiceManager:
    """Receives a service's notifications by sd_notify(3)."""

    def __init__(self, test):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        test.addCleanup(self._socket.close)
        self.path = f"{folder.name}/notify"
        self._socket.bind(self.path)
        self.received = []

    def listen(self):
        """The notifications since the last call."""
        new = []
        while True:
            try:
                new += self._socket.recv(65536, socket.MSG_DONTWAIT).decode().split("\n")
            except BlockingIOError:
                self.received += new
                return new

    def has_received(self, words):
        self.listen()
        return words in self.received

    def statuses(self):
        self.listen()
        return [line[len("STATUS="):] for line in self.received if line.startswith("STATUS=")]


class Watchdog(Case):
    def watched(self, config=None):
        manager = ServiceManager(self)
        environment = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": str(int(LIMIT * 1e6))}
        return manager, self.sidecar(config, env=environment)

    def test_the_watchdog_is_notified_while_all_threads_work(self):
        manager, _ = self.watched(toml(scale=True))
        self.assertTrue(manager.has_received("READY=1"))
        for _ in range(3):
            manager.received.clear()
            wait_until(lambda: manager.has_received("WATCHDOG=1"), "the next one")

    def test_the_watchdog_is_not_notified_while_a_thread_is_stuck(self):
        manager, sidecar = self.watched(toml(scale=True))
        for name, part in (("journal", "writer"), ("main", "accepting"),
                           ("housekeeping", "housekeeping")):
            with self.subTest(part), Held(sidecar, name):
                sidecar.wait_for_log(f"is stuck; systemd will restart the sidecar if that lasts part={part}")
                manager.listen()
                time.sleep(LIMIT / 2)
                self.assertNotIn("WATCHDOG=1", manager.listen())
            sidecar.wait_for_log(f"is no longer stuck part={part}")
            wait_until(lambda: "WATCHDOG=1" in manager.listen(), "it to be notified again")

    def test_a_stop_is_announced_at_once(self):
        manager, sidecar = self.watched()
        self.assertEqual(sidecar.stop(), 0)
        self.assertTrue(manager.has_received("STOPPING=1"))
        self.assertNotIn("is stuck; systemd", sidecar.log())


class Status(Case):
    def test_the_status_shows_the_mode_and_the_cause_of_a_refused_reload(self):
        manager = ServiceManager(self)
        sidecar = self.sidecar(env={"NOTIFY_SOCKET": manager.path})
        self.assertEqual(manager.statuses()[-1], "legacy mode")
        sidecar.write_dotenv("SCALE=perhaps\n")
        self.assertEqual(sidecar.run("reload").returncode, 2)
        self.assertTrue(manager.has_received("RELOADING=1"))
        self.assertRegex(manager.statuses()[-1],
                         r"^legacy mode; the last reload was refused: \.env:1: SCALE: .*perhaps")
        sidecar.write_dotenv("SCALE=true\n")
        self.assertEqual(sidecar.run("reload").returncode, 0)
        self.assertEqual(manager.statuses()[-1], "scale mode")

    def test_a_sidecar_without_a_watchdog_limit_has_no_watchdog_thread(self):
        manager = ServiceManager(self)
        sidecar = self.sidecar(env={"NOTIFY_SOCKET": manager.path})
        self.assertNotIn("watchdog", [name for _, name in threads_of(sidecar)])


if __name__ == "__main__":
    unittest.main()
