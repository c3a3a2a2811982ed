"""`room-sidecar status --watch` on a terminal of its own, and into a pipe."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import unittest

from sidecar import BINARY, PATIENCE, Case, toml, wait_until

FULL_SCREEN, BACK = b"\x1b[?1049h", b"\x1b[?1049l"
NO_CURSOR, CURSOR = b"\x1b[?25l", b"\x1b[?25h"


class Watcher:
    """The command on a pseudo terminal."""

    def __init__(self, sidecar, columns=100, rows=24, **variables):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.found = termios.tcgetattr(self.slave)
        self.output = b""
        self.process = subprocess.Popen(
            [BINARY, "status", "--watch", "0.2", "--config", str(sidecar.config_file)],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd=sidecar.folder, start_new_session=True,
            env={**sidecar.environment(), "TERM": "xterm", **variables})

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 65536)
        return self.output

    def drawing(self):
        """The newest whole one, as text lines."""
        drawn = self.read().split(b"\x1b[H")
        if len(drawn) < 3:
            return []
        text = re.sub(rb"\x1b\[[?0-9;]*[A-Za-z]", b"", drawn[-2]).decode()
        return re.sub(r"\r+\n", "\n", text).rstrip("\n").split("\n")

    def wait_for(self, *texts):
        return wait_until(lambda: all(text in "\n".join(self.drawing()) for text in texts) and self.drawing(),
                          f"{texts} in {self.output[-2000:]!r}")

    def wait_for_end(self):
        wait_until(lambda: self.read() is not None and self.process.poll() is not None, "the end")
        self.read()
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class Watch(Case):
    def watcher(self, *arguments, **variables):
        one = Watcher(*arguments, **variables)
        self.addCleanup(one.close)
        return one

    def scale(self):
        return self.sidecar(toml(scale=True, unknown_rooms="accept", regions={"IL": ["gxy1"]}))

    def expect_restored(self, watcher):
        self.assertEqual(watcher.wait_for_end(), 0, watcher.output)
        for begin, end in ((FULL_SCREEN, BACK), (NO_CURSOR, CURSOR)):
            self.assertIn(begin, watcher.output)
            self.assertGreater(watcher.output.rfind(end), watcher.output.rfind(begin))
        self.assertEqual(termios.tcgetattr(watcher.slave), watcher.found)

    def test_watch_shows_changes_as_they_happen(self):
        sidecar = self.scale()
        watcher = self.watcher(sidecar)
        watcher.wait_for("scale mode, ok", "gxy3", "0 rooms, 0 users; headroom 1200 users: IL 400")
        sidecar.ask("2171", "IL")
        watcher.wait_for("2171 placed on gxy1 (assigned), from IL", "10/400", "▁")
        sidecar.put("/v2/gateways/gxy2/drain")
        lines = watcher.wait_for("draining")
        self.assertTrue([line for line in lines if line.startswith("gxy2") and "draining" in line], lines)
        self.assertNotEqual(termios.tcgetattr(watcher.slave)[3], watcher.found[3], "no echo meanwhile")

    def test_watch_reports_a_lost_sidecar_and_finds_it_again(self):
        sidecar = self.scale()
        watcher = self.watcher(sidecar)
        watcher.wait_for("gxy1")
        self.assertEqual(sidecar.stop(), 0)
        watcher.wait_for("Cannot reach the sidecar since", "what follows is older", "gxy1")
        sidecar.start()  # on another port
        wait_until(lambda: watcher.drawing() and "Cannot reach" not in "\n".join(watcher.drawing()) and
                   f"127.0.0.1:{sidecar.port}" in watcher.drawing()[0], "it to be found again")

    def test_watch_reports_a_token_that_is_no_longer_valid(self):
        sidecar = self.scale()
        watcher = self.watcher(sidecar)
        watcher.wait_for("gxy1")
        self.assertEqual(sidecar.stop(), 0)
        watcher.wait_for("Cannot reach the sidecar since")
        secret = sidecar.folder / "token"
        secret.write_text("not-the-watchers\n", encoding="utf-8")
        secret.chmod(0o600)
        sidecar.env["API_TOKEN_FILE"] = str(secret)
        sidecar.start()
        watcher.wait_for("refuses to answer since", "what follows is older", "gxy1")

    def test_watch_can_be_started_before_the_sidecar(self):
        sidecar = self.sidecar(start=False)
        watcher = self.watcher(sidecar)
        watcher.wait_for("Cannot reach the sidecar since")
        sidecar.start()
        watcher.wait_for("legacy mode, ok")

    def test_the_terminal_is_left_as_it_was_however_it_ends(self):
        sidecar = self.scale()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            watcher = self.watcher(sidecar)
            watcher.wait_for("gxy1")
            watcher.process.send_signal(number)
            self.expect_restored(watcher)
        watcher = self.watcher(sidecar)
        watcher.wait_for("gxy1")
        os.write(watcher.master, b"xq")
        self.expect_restored(watcher)

    def test_watch_keeps_to_the_size_of_the_terminal(self):
        sidecar = self.sidecar(toml(scale=True, gateways=[f"gxy{number}" for number in range(1, 61)], rooms={}))
        watcher = self.watcher(sidecar, 80, 24)
        lines = watcher.wait_for("more")
        self.assertEqual(len(lines), 24, lines)
        self.assertRegex(lines[-1], r"… and 41 more")
        watcher.resize(40, 10)
        watcher.process.send_signal(signal.SIGWINCH)
        lines = wait_until(lambda: len(watcher.drawing()) == 10 and watcher.drawing(), "ten lines")
        self.assertLessEqual(max(map(len, lines)), 40, lines)

    def test_colours_are_left_out_on_request(self):
        sidecar = self.scale()
        coloured, plain = self.watcher(sidecar), self.watcher(sidecar, NO_COLOR="1")
        for watcher in (coloured, plain):
            watcher.wait_for("gxy1")
        self.assertIn(b"\x1b[2m", coloured.output)
        self.assertIsNone(re.search(rb"\x1b\[[1-9][0-9;]*m", plain.output))
        dumb = self.watcher(sidecar, TERM="dumb")
        wait_until(lambda: dumb.read().count(b"room-sidecar, scale mode") > 1, "two blocks")
        self.assertNotIn(b"\x1b", dumb.output)

    def piped(self, sidecar, *arguments):
        process = subprocess.Popen([BINARY, "status", "--watch=0.1", *arguments, "--config", sidecar.config_file],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=sidecar.environment(), cwd=sidecar.folder)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_watch_writes_plain_blocks_into_a_pipe(self):
        sidecar = self.scale()
        sidecar.ask("a\x1b[31mb")
        process = self.piped(sidecar)
        text = b""
        while text.count(b"room-sidecar, scale mode") < 3:
            text += os.read(process.stdout.fileno(), 65536)
        self.assertNotIn(b"\x1b", text)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_watch_prints_one_json_object_a_line_for_programs(self):
        sidecar = self.scale()
        process = self.piped(sidecar, "--json")
        for _ in range(3):
            news = json.loads(process.stdout.readline())
            self.assertEqual((news["scale"], news["status"], len(news["gateways"])), (True, "ok", 3))
        sidecar.stop()
        news = json.loads(wait_until(lambda: [line for line in [process.stdout.readline()] if b'"error"' in line],
                                     "it to be out of reach")[0])
        self.assertEqual((news["error"], sorted(news)), ("out_of_reach", ["error", "message", "since"]))

    def test_an_invalid_interval_is_wrong_usage(self):
        sidecar = self.sidecar(start=False)
        for text in ("0", "-1", "x", "99999", "nan"):
            done = sidecar.run("status", f"--watch={text}")
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            self.assertIn("--watch", done.stderr)


if __name__ == "__main__":
    unittest.main()
