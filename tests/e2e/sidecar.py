"""Runs the real binary for a test: its folder, its log, its HTTP interface, its database file.

The binary is named by the environment variable ROOM_SIDECAR. Each Sidecar has a temporary folder of
its own and listens on a free loopback port. Nothing here knows more than CONTRACT's outside.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

BINARY = os.environ.get("ROOM_SIDECAR", "")
# Ends a wait that would never end, and asserts nothing: pace.within() does that.
PATIENCE = 90
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                  "LSAN_OPTIONS", "LD_LIBRARY_PATH")
SANITIZER_FINDING = re.compile(r"(WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer"
                               r"|runtime error:).*")


def wait_until(condition, what="the condition"):
    """Asks until the answer is true; returns it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)


def toml(scale=False, gateways=("gxy1", "gxy2", "gxy3"), rooms=None, unknown_rooms=None, **tables):
    """A config.toml. Gateways are names or dicts; rooms map a Janus room id to its default gateway
    (or None, or a dict of the entry's other keys); the rest are tables: sessions={...}."""
    lines = [f"scale = {json.dumps(scale)}"]
    if unknown_rooms:
        lines.append(f'unknown_rooms = "{unknown_rooms}"')
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in table.items()]
    for gateway in gateways:
        entry = {"name": gateway} if isinstance(gateway, str) else dict(gateway)
        entry.setdefault("url", f"wss://{entry['name']}.example.org/")
        lines.append("[[gateways]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    if rooms is None:
        rooms = {"2171": "gxy1", "2172": "gxy2", "2173": "gxy3"}
    for uid, default in rooms.items():
        entry = default if isinstance(default, dict) else {"default_gateway": default}
        lines.append(f'[[rooms]]\ngateway_uid = "{uid}"')
        lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items()
                  if value is not None]
    return "\n".join(lines) + "\n"


class Answer:
    """The answer to one request."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def janus(self):
        return self.json["janus"]

    @property
    def reason(self):
        return self.headers.get("Room-Server-Reason")

    @property
    def error(self):
        return self.json.get("error") if self.status >= 400 else None

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """One keep-alive connection; opened anew when the sidecar has closed it."""

    def __init__(self, host, port):
        self._connection = http.client.HTTPConnection(host, port, timeout=30)

    def request(self, method, path, body=None, headers=None):
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        for last_try in (False, True):
            try:
                self._connection.request(method, path, body, headers or {})
                answer = self._connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (http.client.RemoteDisconnected, ConnectionError):
                self._connection.close()
                if last_try:
                    raise

    def close(self):
        self._connection.close()


class Sidecar:
    """A room-sidecar in a folder of its own."""

    def __init__(self, config=None, env=None, dotenv=None, arguments=(), wrapped_in=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="room-sidecar-e2e-"))
        self.config_file = self.folder / "config.toml"
        self.database = self.folder / "room-sidecar.db"
        self.env = {"LISTEN_ADDRESS": "127.0.0.1:0", "DATABASE_PATH": str(self.database),
                    **(env or {})}
        self.arguments = list(arguments)
        self.wrapped_in = list(wrapped_in)  # a command that executes its arguments in the end
        self.inherited = ()  # descriptors that it gets beside the usual three
        self.process = None
        self.client = None
        self.port = None
        self._log_file = self.folder / "log"
        self._log_file.touch()
        self._run_begins = 0
        self.write_config(toml() if config is None else config)
        if dotenv is not None:
            self.write_dotenv(dotenv)

    # -- its files

    def write_config(self, text):
        self._replace(self.config_file, text)

    def write_dotenv(self, text):
        self._replace(self.folder / ".env", text)

    def _replace(self, file, text):
        """Replaces it in one step: a reload under way reads the old text or the new, never half of it."""
        new = file.with_name(file.name + ".new")
        new.write_text(text, encoding="utf-8")
        new.replace(file)

    def log(self):
        """Everything logged so far, by all runs in this folder."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def log_of_this_run(self):
        return self._log_file.read_bytes()[self._run_begins:].decode("utf-8", "replace")

    def log_size(self):
        return self._log_file.stat().st_size

    def wait_for_log(self, text):
        try:
            wait_until(lambda: text in self.log_of_this_run(), f"the log line {text!r}")
        except AssertionError as vain:
            raise AssertionError(f"{vain} in\n{self.log()}") from None

    def sql(self, statement, parameters=()):
        """As the sqlite3 shell with `.timeout 5000`: another process at the same file."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=5)) as connection:
            with connection:
                return connection.execute(statement, parameters).fetchall()

    def shell(self, statements):
        """The sqlite3 shell itself."""
        return subprocess.run(["sqlite3", "-cmd", ".timeout 5000", str(self.database), statements],
                              check=True, capture_output=True, text=True, timeout=30).stdout

    # -- its life

    def environment(self):
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        return {**kept, **self.env}

    def launch(self, *arguments):
        """Starts without waiting for anything."""
        if self.client:
            self.client.close()
        self._run_begins = self._log_file.stat().st_size
        with open(self._log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapped_in, BINARY, "serve", "--config", str(self.config_file),
                 *self.arguments, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(),
                cwd=self.folder, pass_fds=self.inherited)
        return self

    def start(self, *arguments):
        """Starts and waits until it is ready. /readyz needs no token."""
        self.launch(*arguments)
        address = wait_until(self._address_or_exit, f"the sidecar to listen:\n{self.log()}")
        if address.startswith("unix:"):
            return self
        host, port = address.rsplit(":", 1)
        self.port = int(port)
        if self.client:
            self.client.close()
        self.client = Client(host.strip("[]"), self.port)
        wait_until(lambda: self.get("/readyz").status == 200, "/readyz")
        return self

    def _address_or_exit(self):
        found = re.search(r'Listening(?: address=|.*"address":")([^\s"]+)', self.log_of_this_run())
        if found:
            return found.group(1)
        if self.process.poll() is not None:
            raise AssertionError(f"the sidecar ended with {self.process.returncode}:\n{self.log()}")
        return None

    def start_and_fail(self, *arguments):
        """For a start that is to be refused: returns the exit code."""
        self.launch(*arguments)
        return self.process.wait(PATIENCE)

    def stop(self):
        """As systemd does; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self):
        """As a crash does."""
        self.process.kill()
        self.process.wait()

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def remove(self):
        if self.client:
            self.client.close()
        if self.process and self.process.poll() is None:
            self.kill()
        log = self.log()
        finding = SANITIZER_FINDING.search(log)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not finding, f"a sanitizer found something:\n{log[finding.start():][:8000]}"

    # -- its HTTP interface

    def request(self, method, path, body=None, headers=None):
        return self.client.request(method, path, body, headers)

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def put(self, path, body=None):
        return self.request("PUT", path, body)

    def post(self, path, body=None):
        return self.request("POST", path, body)

    def delete(self, path):
        return self.request("DELETE", path)

    def ask(self, room, country=None):
        """Which gateway serves this room?"""
        body = {"room": room}
        if country is not None:
            body["geo"] = {"country_code": country}
        return self.post("/v2/room_server", body)

    def enter(self, room, session, janus=None):
        return self.put(f"/v2/rooms/{room}/sessions/{session}", {"janus": janus} if janus else {})

    def leave(self, room, session):
        return self.delete(f"/v2/rooms/{room}/sessions/{session}")

    def snapshot(self, sessions, age_ms=0):
        entries = [dict(zip(("room", "session", "janus"), entry)) for entry in sessions]
        return self.put("/v2/sessions", {"sessions": entries, "age_ms": age_ms})

    def assignments(self):
        """room -> gateway, as the sidecar lists them."""
        rows, after = {}, ""
        while True:
            page = self.get("/v2/assignments?limit=1000" + after).json
            rows.update({row["room"]: row["janus"] for row in page["assignments"]})
            if page["next"] is None:
                return rows
            after = f"&after={page['next']}"

    def assignments_in_file(self):
        return dict(self.sql("SELECT room_id, gateway_name FROM room_server_assignments"))

    def gateway(self, name):
        rows = self.get("/v2/gateways").json["gateways"]
        return next(row for row in rows if row["name"] == name)

    # -- its command line

    def run(self, *arguments, stdin=None, env=None, config=True):
        """One sub-command beside it; returns the finished process."""
        at = ["--config", str(self.config_file)] if config else []
        return subprocess.run([BINARY, *arguments, *at], input=stdin, capture_output=True,
                              text=True, timeout=60, env={**self.environment(), **(env or {})},
                              cwd=self.folder)


class Case(unittest.TestCase):
    """A test whose sidecars go with it."""

    def sidecar(self, config=None, start=True, **more):
        sidecar = Sidecar(config, **more)
        self.addCleanup(sidecar.remove)
        return sidecar.start() if start else sidecar

    def expect(self, answer, status, error=None):
        self.assertEqual((answer.status, answer.error), (status, error), answer)
        if error:
            self.assertTrue(answer.json["message"], "an error says what to do")
        return answer
