"""Shared by the tests of failing storage: a sidecar with its database in a folder of its own, means
to make that folder fail, and the expectations meanwhile and afterwards.

Two means: a preloaded library (tests/faults/failing_files.c, named by FAILING_FILES), which needs no
privilege, and real mounts in a mount namespace of the sidecar's own, which need root or user namespaces.
"""
import concurrent.futures
import functools
import hashlib
import os
import re
import subprocess
import sys

from pace import within
from sidecar import Case, Client, Sidecar, toml, wait_until

LIBRARY = os.environ.get("FAILING_FILES", "")
CANNOT = "ERROR: Database cannot be written; new rooms are refused"
CAN_AGAIN = "INFO: Database can be written again"
# An answer that waited for storage took a second at least; this is far from both.
QUICK = 0.05


def scale(**more):
    return toml(**{"scale": True, "unknown_rooms": "accept",
                   "sessions": {"join_grace": "1h"}, **more})


class Stored(Sidecar):
    """A sidecar whose database is alone in a folder, so that its log and configuration stay well."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.folder = self.folder.resolve()
        self.data = self.folder / "data"
        self.data.mkdir()
        self.database = self.data / "room-sidecar.db"
        self.env["DATABASE_PATH"] = str(self.database)

    def failing(self):
        """Makes fails() work; before the start."""
        options = os.environ.get("ASAN_OPTIONS", "")
        self.env.update(LD_PRELOAD=LIBRARY, FAILING_FILES_UNDER=str(self.data),
                        FAILING_FILES_CONTROL=str(self.folder / "fails"),
                        ASAN_OPTIONS=f"{options}:verify_asan_link_order=0".lstrip(":"))
        return self

    def fails(self, *rules):
        """Sets the failing calls from now on; without arguments none fails."""
        self._replace(self.folder / "fails", "\n".join(rules) + "\n")

    def readiness(self):
        answer = self.get("/readyz")
        return answer.status, answer.json["status"], " ".join(answer.json["reasons"])

    def complaints(self):
        """The lines that alert an operator."""
        return re.findall(r"(?:WARN|ERROR): .*", self.log_of_this_run())

    def hashes(self):
        """The hash of every file in the folder but the lock and the note."""
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()
                for file in sorted(self.data.iterdir()) if file.suffix not in (".lock", ".running")}

    def rows(self):
        """The file's assignments, read where the sidecar sees it, for it may be a mount of its own."""
        text = subprocess.run(
            [*(where(self) if self.process.poll() is None else []),
             "sqlite3", "-cmd", ".timeout 5000", str(self.database),
             "PRAGMA integrity_check; SELECT room_id, gateway_name FROM room_server_assignments"],
            check=True, capture_output=True, text=True, timeout=30).stdout.split("\n")
        assert text[0] == "ok", text
        return dict(line.split("|") for line in text[1:] if line)


class FailureCase(Case):
    def stored(self, config=None, **more):
        sidecar = Stored(scale() if config is None else config, **more)
        self.addCleanup(sidecar.remove)
        return sidecar

    def all_at_once(self, play, cases):
        """They mostly wait."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for case, outcome in [(case, pool.submit(play, *case)) for case in cases]:
                with self.subTest(case):
                    outcome.result()

    def known(self, sidecar, count=5):
        """Asks for that many rooms; returns room -> gateway."""
        return {f"known{i}": self.expect(sidecar.ask(f"known{i}"), 200).janus for i in range(count)}

    def expect_refused(self, sidecar, room):
        answer = self.expect(sidecar.ask(room), 503, "storage_unavailable")
        self.assertGreater(int(answer.headers["Retry-After"]), 0)

    def expect_sticky(self, sidecar, known, count=200):
        """Assigned rooms are answered quickly, while other clients ask for new ones."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            refused = pool.submit(self.refusals, sidecar, 20)
            with within(count * QUICK):
                for number in range(count):
                    room = f"known{number % len(known)}"
                    answer = sidecar.ask(room)
                    self.assertEqual((answer.status, answer.json.get("janus"), answer.reason),
                                     (200, known[room], "sticky"))
            self.assertEqual(refused.result(), [503])

    def refusals(self, sidecar, count):
        """The statuses of that many simultaneous new rooms."""
        def ask(number):
            client = Client("127.0.0.1", sidecar.port)
            try:
                return client.request("POST", "/v2/room_server", {"room": f"new{number}"}).status
            finally:
                client.close()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return sorted(set(pool.map(ask, range(count))))

    def expect_degraded(self, sidecar, reason):
        wait_until(lambda: sidecar.readiness()[1] == "degraded", "it to be degraded")
        status, word, reasons = sidecar.readiness()
        self.assertEqual((status, word), (200, "degraded"))
        self.assertRegex(reasons, reason)

    def expect_one_line(self, sidecar, reason, since=0):
        lines = sidecar.complaints()[since:]
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(CANNOT), lines)
        self.assertRegex(lines[0], reason)

    def expect_recovery(self, sidecar, known):
        """The sidecar recovers by itself within seconds; afterwards file, memory and answers agree."""
        def answered():
            answer = sidecar.ask("afterwards")
            known.update({"afterwards": answer.janus} if answer.status == 200 else {})
            return answer.status == 200
        wait_until(answered, "new rooms again")
        wait_until(lambda: sidecar.readiness() == (200, "ok", ""), "it to be well")
        sidecar.wait_for_log(CAN_AGAIN)
        self.assertEqual(sidecar.log_of_this_run().count(CAN_AGAIN), 1, sidecar.log())
        self.expect_nothing_lost(sidecar, known)

    def expect_nothing_lost(self, sidecar, known):
        listed = sidecar.assignments()
        self.assertEqual({room: listed.get(room) for room in known}, known)
        wait_until(lambda: sidecar.rows() == sidecar.assignments(), "the file to hold the same")


@functools.lru_cache(None)
def mounting():
    """The command under which a folder can be mounted; none where that is not possible."""
    for namespace in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        wrapper = [*namespace, "--propagation", "private"]
        probe = [*wrapper, "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return wrapper
    print("\n*** NOTHING CAN BE MOUNTED HERE (neither root nor user namespaces): tests with a real full or"
          "\n*** read-only file system are left out; their preloaded form runs all the same.\n",
          file=sys.stderr, flush=True)
    return None


def mounted(case, sidecar, how, then=":"):
    """Runs it where its data folder, $1, is mounted so; what is there already is copied into that, and
    then this is done."""
    wrapper = mounting()
    if wrapper is None:
        case.skipTest("nothing can be mounted here; see the loud line above")
    keep = 'kept=$(mktemp -d) && cp -a "$1/." "$kept"'
    bring = 'cp -a "$kept/." "$1" && rm -r "$kept"'
    sidecar.wrapped_in = [*wrapper, "sh", "-ec", f'{keep}\n{how}\n{bring}\n{then}\nshift\nexec "$@"', "sh",
                          str(sidecar.data)]


def where(sidecar):
    """The command that runs another where the sidecar's mounts are."""
    if not sidecar.wrapped_in or sidecar.wrapped_in[0] != "unshare":
        return []
    user = ["-U", "--preserve-credentials"] if "--map-root-user" in sidecar.wrapped_in else []
    return ["nsenter", "-t", str(sidecar.process.pid), "-m", *user]


def inside(sidecar, command):
    """A shell command there; $1 is the data folder."""
    subprocess.run([*where(sidecar), "sh", "-ec", command, "sh", str(sidecar.data)], check=True,
                   timeout=30)
