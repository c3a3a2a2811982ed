"""The measured servers: the sidecar, the two bare handlers, and the usual alternatives.

Each has a port, a pid and end(), listens on a free loopback port, and keeps its files in SCRATCH.
"""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREE = ROOT / "build" / "bench"
# On a disk, which /tmp may not be, and where everybody may read: PostgreSQL refuses to run as root.
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="room-sidecar-bench-", dir="/var/tmp"))
SCRATCH.chmod(0o755)
os.environ["ROOM_SIDECAR"] = str(TREE / "room-sidecar")
os.environ["TMPDIR"] = str(SCRATCH)

ROOMS = range(2000, 2500)  # as in rooms.lua and openloop


STARTED = []  # running servers, though the constructor of the next may have failed


@contextlib.contextmanager
def running(*servers):
    try:
        yield servers
    finally:
        end_all()


def end_all():
    while STARTED:
        STARTED.pop().end()


class Bare:
    """A yardstick server that prints its port."""

    def __init__(self, program):
        self.process = subprocess.Popen([TREE / program], stdout=subprocess.PIPE, text=True)
        STARTED.append(self)
        self.port = int(self.process.stdout.readline())
        self.pid = self.process.pid

    def end(self):
        self.process.kill()
        self.process.wait()


class Server:
    """A room-sidecar in scale mode, with its 500 rooms already placed."""

    def __init__(self, gateways=12, assignments=0, warm=True, grace="2h", **tables):
        import sidecar
        self.names = [f"gxy{i}" for i in range(1, gateways + 1)]
        # No gateway gets full, no assignment is cleaned away: each round finds the same server.
        self.sidecar = sidecar.Sidecar(sidecar.toml(
            scale=True, unknown_rooms="accept", gateways=self.names,
            rooms={str(room): self.names[0] for room in ROOMS},
            balancing={"max_server_capacity": 100_000_000}, sessions={"join_grace": grace},
            regions={"IL": self.names[:3]}, **tables))
        self.database = self.sidecar.database
        STARTED.append(self)
        self.start()
        if assignments:
            self.stop()
            self.fill(assignments)
            self.start()
        if warm:
            for room in ROOMS:
                self.ask(str(room))

    def start(self):
        """Returns the seconds until the first answer."""
        began = time.monotonic()
        self.sidecar.start()
        self.ask("2000")
        self.port, self.pid = self.sidecar.port, self.sidecar.process.pid
        return time.monotonic() - began

    def stop(self):
        if self.sidecar.stop() != 0:
            raise RuntimeError("the sidecar did not stop well:\n" + self.sidecar.log()[-2000:])

    def ask(self, room):
        answer = self.sidecar.ask(room, "IL")
        if answer.status != 200:
            raise RuntimeError(f"asked for room {room}: {answer}")

    def placed(self):
        """How many rooms have a gateway."""
        return sum(row["rooms"] for row in self.sidecar.get("/v2/gateways").json["gateways"])

    def fill(self, count):
        """As if rooms 2000 to 2000 + count had been placed before."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        rows = ((str(2000 + i), self.names[i % len(self.names)], "IL", now, now)
                for i in range(count))
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO room_server_assignments"
                    "(room_id, gateway_name, region, assigned_at, last_used_at)"
                    " VALUES (?, ?, ?, ?, ?)", rows)

    def file_mib(self):
        """The database and its -wal."""
        files = (self.database, self.database.with_name(self.database.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists()) / 2**20

    def end(self):
        self.sidecar.remove()


# -- the usual alternatives. From Debian's packages, unpacked into PACKAGES by ./dev bench or
# installed; each with a configuration of its own, so that no service of the machine is touched.

PACKAGES = TREE / "packages"


def unpack():
    """Into SCRATCH, where another user than root may execute them."""
    root = SCRATCH / "root"
    root.mkdir()
    for package in sorted(PACKAGES.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)


def program(pattern):
    """The unpacked one, else the installed one of the newest version."""
    for root in (SCRATCH / "root", pathlib.Path("/")):
        found = sorted(root.glob(pattern), key=lambda path: [
            int(part) for part in re.findall(r"\d+", str(path.relative_to(root)))])
        if found:
            return found[-1]
    raise RuntimeError(f"{pattern} is missing: run ./dev bench, which fetches it")


def environment():
    libraries = [str(path.parent) for path in (SCRATCH / "root").glob("usr/lib/**/*.so*")]
    return {**os.environ, "LC_ALL": "C.UTF-8",
            "LD_LIBRARY_PATH": ":".join(sorted(set(libraries)))}


def unprivileged(command):
    if os.getuid() != 0:
        return command
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Alternative:
    """A server of another make, in a folder of its own."""

    def __init__(self, name):
        self.folder = SCRATCH / name
        self.folder.mkdir()
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self.port = free_port()
        self.process = None
        STARTED.append(self)

    def run(self, command):
        """To its end; returns its output."""
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              env=environment(), cwd=self.folder)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout

    def launch(self, command):
        log = self.folder / "log"
        with open(log, "ab") as out:
            self.process = subprocess.Popen(unprivileged([str(word) for word in command]),
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=environment(), cwd=self.folder)
        self.pid = self.process.pid
        deadline = time.monotonic() + 30
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not answer:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # to PostgreSQL: end now, and in order
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Alternative):
    """Answers a constant: no room is looked up, nothing is kept, nothing logged."""

    def __init__(self, workers):
        super().__init__(f"nginx-{workers}")
        configuration = self.folder / "nginx.conf"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"  {kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        configuration.write_text(
            f"daemon off;\nworker_processes {workers};\npid {self.folder}/pid;\n"
            f"error_log stderr;\nevents {{ worker_connections 1024; }}\n"
            f"http {{\n  access_log off;\n  keepalive_requests 1000000000;\n{temporary}"
            f"  server {{\n    listen 127.0.0.1:{self.port};\n    location / {{\n"
            f"      default_type application/json;\n      add_header Room-Server-Reason sticky;\n"
            f"      return 200 '{{\"janus\":\"gxy5\"}}';\n    }}\n  }}\n}}\n")
        self.launch([program("usr/sbin/nginx"), "-c", configuration, "-p", self.folder])


class Redis(Alternative):
    """500 rooms, each with its gateway. As it comes: a copy on disk now and then. Durable: each SET in
    the appended file, synced before it is answered."""

    def __init__(self, durable):
        super().__init__("redis-durable" if durable else "redis")
        kept = ["--appendonly", "yes", "--appendfsync", "always"] if durable else []
        self.launch([program("usr/bin/redis-server"), "--bind", "127.0.0.1", "--port", self.port,
                     "--dir", self.folder, *kept])
        self.ask(*(f"SET room:{number:012} gxy5" for number in range(len(ROOMS))))

    def ask(self, *commands):
        return subprocess.run([program("usr/bin/redis-cli"), "-p", str(self.port)], text=True,
                              input="\n".join(commands) + "\n", check=True, capture_output=True,
                              env=environment()).stdout

    def counts(self):
        """-> rooms found so far, rooms kept"""
        statistics = self.ask("INFO stats", "DBSIZE")
        return (int(re.search(r"keyspace_hits:(\d+)", statistics).group(1)), int(statistics.split()[-1]))


class Postgres(Alternative):
    """As set up by Debian's package, with gxydb-api's table and 500 rooms in it."""

    TABLE = """
        CREATE TABLE room_server_assignments (
          room_id text PRIMARY KEY, gateway_name text NOT NULL, region text NOT NULL DEFAULT '',
          assigned_at timestamptz NOT NULL DEFAULT now(),
          last_used_at timestamptz NOT NULL DEFAULT now());"""
    ROWS = """
        TRUNCATE room_server_assignments;
        INSERT INTO room_server_assignments (room_id, gateway_name)
          SELECT n::text, 'gxy' || (n % 12 + 1) FROM generate_series(2000, 2499) n;"""

    def __init__(self):
        super().__init__("postgres")
        self.programs = program("usr/lib/postgresql/*/bin")
        data = self.folder / "data"
        self.run(unprivileged([self.programs / "initdb", "-D", data, "-U", "bench", "-A", "trust",
                               "-E", "UTF8", "--locale=C"]))
        self.launch([self.programs / "postgres", "-D", data, "-p", self.port,
                     "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"])
        self.sql(self.TABLE)
        self.start_over()

    def answers(self):
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, env=environment()).returncode == 0

    def sql(self, *statements):
        commands = [word for statement in statements for word in ("-c", statement)]
        return self.run([
            self.programs / "psql", "-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
            "-p", self.port, "-U", "bench", "-d", "postgres", *commands])

    def placed(self):
        return int(self.sql("SELECT count(*) FROM room_server_assignments"))

    def start_over(self):
        """Each round counts the same 500 rooms at its beginning."""
        self.sql(self.ROWS, "VACUUM ANALYZE room_server_assignments")
