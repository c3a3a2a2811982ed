"""A program beside the sidecar, which goes with the test, however that ends; and loopback ports."""
import os
import random
import signal
import socket
import subprocess

from sidecar import wait_until


RESERVED = []


def free_port():
    """Below the ports that the system hands out, so that no connection takes it while its server is down.

    It belongs to this process until it ends: a socket whose name is the port says so to all other tests.
    """
    for port in random.sample(range(10_000, 32_000), 1000):
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind(f"\0room-sidecar-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            mine.close()
            continue
        RESERVED.append(mine)
        return port
    raise AssertionError("no port is free")


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """One program in a folder of its own. Launch it from the main thread only: the kernel ends it with
    the thread that did."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.name = name
        self.process = None
        self.is_frozen = False

    def environment(self):
        return dict(os.environ)

    def launch(self, *command):
        self.is_frozen = False
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder, env=self.environment())

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def send(self, number):
        self.process.send_signal(number)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.is_running():
            self.process.kill()  # also wakes what is stopped
            self.process.wait()

    def freeze(self):
        self.send(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self):
        self.send(signal.SIGCONT)
        self.is_frozen = False

    def wait_until_up(self, is_up):
        def up_or_ended():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended:\n{self.log()}")
            return is_up()

        wait_until(up_or_ended, f"{self.name} to start:\n{self.log()}")
