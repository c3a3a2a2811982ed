"""The boot test's means on the machine: commands, the journal, HTTP, clients under load."""
import http.client
import json
import subprocess
import threading
import time

SERVICE, SOCKET = "room-sidecar.service", "room-sidecar.socket"


def run(*command, status=0, text=None):
    """Runs a command to its end; returns its output. `status` None: any exit code is accepted."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
    printed = done.stdout + done.stderr
    assert status in (None, done.returncode), f"{command}: exit {done.returncode}\n{printed}"
    return printed


def fails(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0, f"{command} did not fail\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def wait_until(condition, what, patience=60):
    deadline = time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return answer


def shown(what, unit=SERVICE):
    return run("systemctl", "show", "--value", f"--property={what}", unit).strip()


def is_active(unit=SERVICE):
    return run("systemctl", "is-active", unit, status=None).strip() == "active"


def wait_active():
    wait_until(is_active, "the service to be active")


def journal(since=None, unit=SERVICE):
    """(priority, message) of the unit's lines, systemd's own among them."""
    # The newest lines may still be on their way there.
    run("journalctl", "--sync")
    arguments = ["--after-cursor", since] if since else []
    lines = run("journalctl", "--output=json", "--unit", unit, "--no-pager", "--quiet", *arguments)
    entries = [json.loads(line) for line in lines.splitlines()]
    return [(int(entry["PRIORITY"]), str(entry["MESSAGE"])) for entry in entries]


def cursor():
    return run("journalctl", "--lines=0", "--show-cursor", "--quiet").split("cursor: ")[1].strip()


def wait_for_line(text, since=None):
    """The priority and text of the first line that has `text` in it."""
    return wait_until(lambda: [line for line in journal(since) if text in line[1]],
                      f"the journal to say {text!r}")[0]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.reason = response.headers.get("Room-Server-Reason")
        self.body = json.loads(response.read() or b"{}")
        self.janus = self.body.get("janus")


def request(method, path, body=None, headers=None, port=8082):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {**(headers or {}), "Connection": "close"})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def ask(room, **more):
    return request("POST", "/v2/room_server", {"room": room}, **more)


def enter(room, session):
    return request("PUT", f"/v2/rooms/{room}/sessions/{session}", {})


def assignments():
    listed = request("GET", "/v2/assignments?limit=1000").body["assignments"]
    return {row["room"]: row["janus"] for row in listed}


class Load:
    """Clients that ask for rooms as long as the `with` lasts, each time on a new connection.

    `right` says which gateways may be answered for a room; it may be changed meanwhile, and counts for
    what is asked after that. Whether somebody answers at the start and at the end is said by the others."""

    def __init__(self, rooms, right, clients=4, from_the_start=True, to_the_end=True):
        self.right, self._from_the_start, self._to_the_end = right, from_the_start, to_the_end
        self.refused, self.wrong, self.answered = [], [], 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(rooms[i::clients],), daemon=True)
                         for i in range(clients)]

    def _ask(self, rooms):
        while not self._stop.is_set():
            for room in rooms:
                right = self.right
                try:
                    answer = ask(room)
                except (OSError, http.client.HTTPException) as failure:
                    self.refused.append(f"{room}: {failure!r}")
                    continue
                self.answered += 1
                if answer.status != 200 or answer.janus not in right(room):
                    self.wrong.append(f"{room}: {answer.status} {answer.body}, not {right(room)}")
                time.sleep(0.002)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        if self._from_the_start:
            wait_until(lambda: self.answered > 20, "the first answers under load")
        return self

    def __exit__(self, kind, *_):
        # Some more, so that effects of the last action are seen, too.
        enough = self.answered + 20
        if kind is None and self._to_the_end:
            wait_until(lambda: self.answered > enough, "the last answers under load")
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def expect_nothing_lost(self):
        assert not self.refused, f"{len(self.refused)} refused: {self.refused[:3]}"
        assert not self.wrong, f"{len(self.wrong)} wrong: {self.wrong[:3]}"
        print(f"     {self.answered} answers under load, 0 refused, 0 wrong")
