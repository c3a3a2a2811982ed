#!/usr/bin/env python3
"""Signals, and a stop whatever hangs: the log, a file, the start."""
import contextlib
import ctypes
import http.client
import os
import pathlib
import pty
import signal
import socket
import subprocess
import termios
import unittest

from pace import within
from sidecar import BINARY, PATIENCE, Case, toml, wait_until

OURS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
NOT_TO_BE_CAUGHT = {signal.SIGKILL, signal.SIGSTOP}
IGNORED = sorted({*range(1, 32), signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGRTMAX} - OURS - NOT_TO_BE_CAUGHT)


def name_of(number):
    if number >= signal.SIGRTMIN:
        return f"RTMIN+{number - signal.SIGRTMIN}"
    name = signal.Signals(number).name.removeprefix("SIG")
    return {"IO": "POLL", "CLD": "CHLD", "IOT": "ABRT"}.get(name, name)


def full_pipe():
    """Reading and writing end of a pipe that takes nothing more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for size in (4096, 1):  # a pipe takes less than a page if there is a little room
        try:
            while True:
                os.write(writing, b"x" * size)
        except BlockingIOError:
            pass
    os.set_blocking(writing, True)
    return reading, writing


class Signals(Case):
    def stops(self, sidecar, code=0):
        with within(5):
            sidecar.process.send_signal(signal.SIGTERM)
            self.assertEqual(sidecar.process.wait(PATIENCE), code)

    def test_all_but_three_signals_are_ignored_with_one_warning_each(self):
        sidecar = self.sidecar()
        for number in IGNORED:  # one after the other: TSTP would take a CONT away that was not read yet
            sidecar.process.send_signal(number)
            sidecar.wait_for_log(f"WARN: Signal ignored signal=SIG{name_of(number)} sender_pid={os.getpid()}\n")
        for _ in range(3):  # it is known by now
            sidecar.process.send_signal(signal.SIGUSR1)
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        self.stops(sidecar)
        self.assertEqual(sidecar.log().count("WARN: Signal ignored signal=SIGUSR1 "), 1)
        self.assertEqual(sidecar.log().count("WARN: Signal ignored"), len(IGNORED))

    def test_each_ignored_signal_leaves_term_and_hup_as_they_were(self):
        for number in (signal.SIGUSR2, signal.SIGQUIT, signal.SIGALRM, signal.SIGTSTP):
            sidecar = self.sidecar()
            sidecar.process.send_signal(number)
            sidecar.write_config(toml(scale=True))
            sidecar.hang_up()
            wait_until(lambda one=sidecar: one.get("/v2/config").json["scale"], "the reload")
            self.stops(sidecar)

    def test_a_fault_of_the_process_still_ends_it(self):
        """As the kernel does it for a process with blocked signals: seen at a file that shrinks under a mapping."""
        sidecar = self.sidecar(toml(scale=True))
        sidecar.ask("2171")
        os.truncate(f"{sidecar.database}-shm", 0)
        with contextlib.suppress(OSError, http.client.HTTPException):  # it may end before it answers
            sidecar.ask("2172")
        self.assertEqual(sidecar.process.wait(PATIENCE), -signal.SIGBUS)

    def test_signals_during_the_start_are_ignored_too(self):
        sidecar = self.sidecar(start=False)
        fifo = sidecar.folder / "config.toml"
        fifo.unlink()
        os.mkfifo(fifo)
        sidecar.launch()
        with open(fifo, "w", encoding="utf-8") as config:  # opens once it reads
            for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT):
                sidecar.process.send_signal(number)
            sidecar.wait_for_log("signal=SIGQUIT")
            config.write(toml())
        sidecar.wait_for_log("Listening")
        self.stops(sidecar)
        self.assertEqual(sidecar.log().count("WARN: Signal ignored"), 3)


class Stopping(Case):
    def ends(self, process, code=0):
        with within(5):
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), code)

    def launch(self, sidecar, stderr):
        process = subprocess.Popen([BINARY, "serve", "--config", str(sidecar.config_file)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=stderr, env=sidecar.environment(),
                                   cwd=sidecar.folder)
        sidecar.process = process
        return process

    def answers_at(self, sidecar):
        """Waits until it listens, which nobody can read in a log."""
        note = sidecar.folder / "room-sidecar.db.running"
        wait_until(lambda: note.exists() and b"address=127" in note.read_bytes(), "the sidecar to listen")

    def test_the_sidecar_stops_in_time_while_its_log_is_not_read(self):
        sidecar = self.sidecar(toml(scale=True), start=False)
        reading, writing = full_pipe()
        self.addCleanup(os.close, reading)
        process = self.launch(sidecar, writing)
        os.close(writing)
        self.answers_at(sidecar)
        self.ends(process)

    def test_the_sidecar_stops_in_time_while_its_terminal_is_stopped(self):
        sidecar = self.sidecar(toml(scale=True), start=False)
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        termios.tcflow(slave, termios.TCOOFF)  # Ctrl-S
        process = self.launch(sidecar, slave)
        os.close(slave)
        self.answers_at(sidecar)
        self.ends(process)

    def test_a_slow_reader_still_gets_the_whole_log(self):
        sidecar = self.sidecar(toml(scale=True), start=False)
        reading, writing = full_pipe()
        process = self.launch(sidecar, writing)
        os.close(writing)
        self.answers_at(sidecar)
        process.send_signal(signal.SIGTERM)
        text = b""
        while chunk := os.read(reading, 8192):
            text += chunk
        os.close(reading)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertIn(b"INFO: Stopped\n", text)

    def test_a_refused_start_with_an_unread_log_ends_in_time(self):
        sidecar = self.sidecar("nonsense = 1\n", start=False)
        reading, writing = full_pipe()
        self.addCleanup(os.close, reading)
        process = self.launch(sidecar, writing)
        os.close(writing)
        wait_until(lambda: "signals" in threads_of(process), "its signals")
        with within(5):
            process.send_signal(signal.SIGTERM)
            self.assertIn(process.wait(PATIENCE), (0, 2))

    def test_a_start_that_hangs_on_a_file_stops_in_time(self):
        for name, config in (("its configuration", None), ("a token", 'http.token_file = "{}"\n'),
                             ("the database", '[database]\npath = "{}"\n')):
            with self.subTest(name):
                sidecar = self.sidecar(start=False)
                hanging = HungMount(self, sidecar.folder / "hung").path / "file"
                if config is None:
                    sidecar.config_file.unlink()
                    sidecar.config_file.symlink_to(hanging)
                else:
                    del sidecar.env["DATABASE_PATH"]
                    sidecar.write_config(config.format(hanging))
                sidecar.launch()
                wait_until(lambda one=sidecar: hangs(one.process), "it to hang")
                self.ends(sidecar.process)
                self.assertIn("INFO: Stopped during the start\n", sidecar.log())

    def test_a_reload_that_hangs_on_a_file_delays_no_stop(self):
        for by_command in (False, True):
            sidecar = self.sidecar(toml(scale=True))
            hanging = HungMount(self, sidecar.folder / "hung").path / "token"
            sidecar.write_config(f'http.token_file = "{hanging}"\n' + toml(scale=True))
            if by_command:
                asking = subprocess.Popen([BINARY, "reload", "--server", f"127.0.0.1:{sidecar.port}"],
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.addCleanup(asking.wait)
            else:
                sidecar.hang_up()
            wait_until(lambda one=sidecar: hangs(one.process), "it to hang")
            self.assertEqual(sidecar.ask("2171").status, 200)
            self.assertEqual(sidecar.get("/v2/settings").status, 200)
            sidecar.enter("2171", "a")
            self.ends(sidecar.process)
            self.assertIn("INFO: Stopped\n", sidecar.log())
            self.assertEqual(len(sidecar.sql("SELECT * FROM sessions")), 1)

    def test_a_reload_that_hangs_on_a_file_delays_no_other(self):
        sidecar = self.sidecar(toml(scale=True))
        hanging = HungMount(self, sidecar.folder / "hung").path
        occupancy = 11

        def ask(request):
            asking = socket.create_connection(("127.0.0.1", sidecar.port))
            self.addCleanup(asking.close)
            asking.sendall(request + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def by_command():
            ask(b"POST /v2/reload")

        def by_preview():
            ask(b"GET /v2/settings?preview=true")

        for first in (sidecar.hang_up, by_command, by_preview):
            for second in (sidecar.hang_up, lambda: self.assertEqual(sidecar.run("reload").returncode, 0)):
                with self.subTest(first=first, second=second):
                    occupancy += 1
                    # A name of its own: a second waiter for the same file waits behind the first.
                    sidecar.write_config(f'http.token_file = "{hanging}/{occupancy}"\n' + toml(scale=True))
                    before = hanging_threads(sidecar.process)
                    first()
                    wait_until(lambda before=before: hanging_threads(sidecar.process) > before, "it to hang")
                    sidecar.write_config(toml(scale=True, balancing={"avg_room_occupancy": occupancy}))
                    with within(4):
                        second()
                        wait_until(lambda: self.occupancy(sidecar) == str(occupancy), "the other configuration")
        self.assertIn("a later reload took the place of this one", sidecar.log())
        self.ends(sidecar.process)
        self.assertIn("INFO: Stopped\n", sidecar.log())

    def test_a_late_read_never_replaces_a_newer_configuration(self):
        sidecar = self.sidecar(toml(scale=True))
        pipe = sidecar.folder / "token"
        os.mkfifo(pipe)
        for reloads in (2, 4, 6):
            older, newer = (toml(scale=True, balancing={"avg_room_occupancy": 10 + reloads + i}) for i in (0, 1))
            sidecar.write_config(f'http.token_file = "{pipe}"\n' + older)
            sidecar.hang_up()
            token = wait_until(lambda: writer_of(pipe), "it to read the token, and the rest before")
            sidecar.write_config(newer)
            self.assertEqual(sidecar.post("/v2/reload").status, 200)
            with contextlib.suppress(BrokenPipeError):  # it no longer waits
                os.write(token, b"s3cret\n")
            os.close(token)
            wait_until(lambda count=reloads: sidecar.log().count(" Configuration re") == count, "the end of both")
            self.assertEqual(self.occupancy(sidecar), str(11 + reloads))

    def test_the_number_of_hanging_reloads_is_limited(self):
        sidecar = self.sidecar(toml(scale=True))
        hanging = HungMount(self, sidecar.folder / "hung").path
        for number in range(16):
            sidecar.write_config(f'http.token_file = "{hanging}/{number}"\n' + toml(scale=True))
            asking = socket.create_connection(("127.0.0.1", sidecar.port))
            self.addCleanup(asking.close)
            asking.sendall(b"GET /v2/settings?preview=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda count=number: hanging_threads(sidecar.process) > count, "it to hang")
        answer = sidecar.post("/v2/reload")
        self.assertEqual((answer.status, answer.error), (409, "configuration_refused"))
        self.assertRegex(answer.json["problems"][0], "^earlier reloads still hang")
        self.assertEqual(sidecar.ask("2171").status, 200)
        self.ends(sidecar.process)

    def occupancy(self, sidecar):
        settings = sidecar.get("/v2/settings").json["settings"]
        return next(one["value"] for one in settings if one["key"] == "balancing.avg_room_occupancy")


class Files(Case):
    """A read at a start, in a reload or by a command never waits for long."""

    def check(self, sidecar, *parts):
        with within(5):
            done = sidecar.run("check")
        for part in parts:
            self.assertIn(part, done.stdout + done.stderr)
        self.assertEqual(done.returncode, 2)

    def test_a_pipe_without_a_writer_is_an_error_that_names_it(self):
        sidecar = self.sidecar(start=False)
        token = sidecar.folder / "token"
        os.mkfifo(token)
        sidecar.write_config(f'http.token_file = "{token}"\n' + toml())
        self.check(sidecar, "http.token_file", str(token), "nothing writes to it")
        with within(5):
            self.assertEqual(sidecar.start_and_fail(), 2)
        self.assertIn(str(token), sidecar.log())
        sidecar.config_file.unlink()
        os.mkfifo(sidecar.config_file)
        self.check(sidecar, str(sidecar.config_file), "nothing writes to it")
        sidecar.config_file.unlink()
        sidecar.write_config(toml())
        os.mkfifo(sidecar.folder / ".env")
        self.check(sidecar, str(sidecar.folder / ".env"), "nothing writes to it")

    def test_a_pipe_with_a_silent_writer_is_an_error_too(self):
        sidecar = self.sidecar(start=False)
        sidecar.config_file.unlink()
        os.mkfifo(sidecar.config_file)
        silent = os.open(sidecar.config_file, os.O_RDWR)
        self.addCleanup(os.close, silent)
        self.check(sidecar, str(sidecar.config_file), "nothing writes to it")
        os.write(silent, b"scale = true\n")
        self.check(sidecar, str(sidecar.config_file), "it does not end")

    def test_a_reload_refuses_a_silent_pipe_and_goes_on(self):
        sidecar = self.sidecar()
        sidecar.config_file.unlink()
        os.mkfifo(sidecar.config_file)
        with within(5):
            answer = sidecar.post("/v2/reload")
        self.assertEqual((answer.status, answer.error), (409, "configuration_refused"))
        self.assertIn(str(sidecar.config_file), " ".join(answer.json["problems"]))
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_a_pipe_that_is_written_is_read(self):
        sidecar = self.sidecar(start=False)
        done = subprocess.run(["bash", "-c", f'"$0" check --config <(cat "{sidecar.config_file}")', BINARY],
                              env=sidecar.environment(), capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "All is well.\n"))


class HungMount:
    """A file system that never answers, as of a dead server; it ends with the test."""
    LIBC = ctypes.CDLL(None, use_errno=True)
    DETACH = 2

    def __init__(self, test, path):
        self.path = path
        path.mkdir()
        try:
            device = os.open("/dev/fuse", os.O_RDWR)
        except OSError as error:
            test.skipTest(f"no file system can be made to hang here: {error}")
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
        done = self.LIBC.mount(b"hung", str(path).encode(), b"fuse", 0, options.encode())
        test.addCleanup(os.close, device)
        if done != 0:
            test.skipTest(f"no file system can be made to hang here: {os.strerror(ctypes.get_errno())}")
        test.addCleanup(self.LIBC.umount2, str(path).encode(), self.DETACH)


def writer_of(pipe):
    """A descriptor, once somebody reads it."""
    with contextlib.suppress(OSError):
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    return None


def tasks_of(process, file):
    texts = []
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it has just ended
            texts.append((task / file).read_text().strip())
    return texts


def threads_of(process):
    return tasks_of(process, "comm")


def hanging_threads(process):
    """The number of threads that wait for the file system."""
    return sum("fuse" in place or "request_wait" in place for place in tasks_of(process, "stack"))


def hangs(process):
    return hanging_threads(process) > 0


if __name__ == "__main__":
    unittest.main()
