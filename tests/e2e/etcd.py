"""A real etcd for a test: one member or three, on free ports, with data in a scratch folder, with TLS and
authentication if asked for; to be killed, frozen, compacted, and restored from a snapshot.

Debian's packages etcd-server and etcd-client, unpacked by ./dev below build/etcd (ETCD_ROOT) or installed.
The harness's own requests go through the JSON gateway, by linearizable reads.
"""
import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import time
import urllib.parse

import certificates
import netns
from process import Process, free_port
from scratch import Scratch
from sidecar import wait_until

TREE = pathlib.Path(__file__).resolve().parents[2]
ROOT = pathlib.Path(os.environ.get("ETCD_ROOT", TREE / "build/etcd/root"))
PREFIX = "/room-sidecar/"
USER, PASSWORD = "sidecar", "a sidecar's secret"
ROOT_PASSWORD = "the operator's secret"


def program(name):
    for place in (ROOT / "usr/bin" / name, TREE / "build/etcd/root/usr/bin" / name):
        if os.access(place, os.X_OK):
            return str(place)
    found = shutil.which(name)
    if not found:
        raise AssertionError(f"{name} is neither unpacked nor installed (./dev test fetches it)")
    return found


def encoded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def decoded(text):
    return base64.b64decode(text).decode()


def prefix_end(prefix):
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def bcrypt_cost_for(least):
    """The value of etcd's --bcrypt-cost with which this machine takes at least so many seconds for a password."""
    cost = 10
    etcd = Etcd(flags=["--bcrypt-cost", str(cost)])
    try:
        etcd.start()
        took = []
        for number in range(3):
            begun = time.monotonic()
            etcd.call("/v3/auth/user/add", {"name": str(number), "password": PASSWORD})  # it makes the hash
            took.append(time.monotonic() - begun)
    finally:
        etcd.remove()
    while min(took) * 2 ** (cost - 10) < least:  # one more doubles the time
        cost += 1
    return cost


class Refused(Exception):
    """etcd answered with another status than 200."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status = status


class Member(Process):
    """Host and namespace: where the links to the others can be cut (netns.Net's nodes)."""

    def __init__(self, etcd, name, node=None):
        super().__init__(etcd.folder, name)
        self.etcd = etcd
        self.node = node
        self.host = node.address if node else "127.0.0.1"
        self.client_port, self.peer_port = (2379, 2380) if node else (free_port(), free_port())
        self.data = self.folder / "data"

    @property
    def url(self):
        return f"{self.etcd.scheme}://{self.host}:{self.client_port}"

    @property
    def peer_url(self):
        return f"{self.etcd.scheme}://{self.host}:{self.peer_port}"

    def begin(self):
        inside = self.node.command() if self.node else []
        self.launch(*inside, program("etcd"), "--name", self.name, "--data-dir", str(self.data),
                    "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                    "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url,
                    "--initial-cluster", self.etcd.initial_cluster(), "--initial-cluster-state", "new",
                    "--initial-cluster-token", self.etcd.token,
                    "--heartbeat-interval", "100", "--election-timeout", "1000", "--pre-vote",
                    "--logger", "zap", "--log-level", "error", *self.etcd.tls_arguments(), *self.etcd.flags)

    def stop(self):
        """Stops cleanly: a killed member would take its last tokens from its log again."""
        self.send(signal.SIGTERM)
        self.process.wait()

    def start(self):
        """Starts it again after stop() or kill(): its data directory has its identity."""
        self.begin()
        self.wait_until_up(self.is_healthy)

    def is_healthy(self):
        """Does it have a leader that answers?"""
        try:
            return self.request("GET", "/health", timeout=3)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def request(self, method, path, body=None, timeout=4, token=None):
        context = self.etcd.client_context()
        kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
        more = {"context": context} if context else {}
        connection = kind(self.host, self.client_port, timeout=timeout, **more)
        headers = {"Authorization": token} if token else {}
        try:
            with netns.inside(self.node and self.node.net.hub):
                connection.connect()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self):
        return json.loads(self.request("POST", "/v3/maintenance/status", "{}", timeout=2)[1])

    def term_led(self):
        """The term in which it claims to be the leader; else 0."""
        if not self.is_running() or self.is_frozen:
            return 0
        try:
            status = self.status()
        except (OSError, http.client.HTTPException):
            return 0
        leads = status.get("leader", "none") == status["header"]["member_id"]
        return int(status["raftTerm"]) if leads else 0


class Etcd(Scratch):
    """Its members, by name, not yet started."""

    def __init__(self, members=1, tls=False, authentication=False, nodes=(), prefix=PREFIX, flags=()):
        super().__init__("etcd")
        self.prefix = prefix
        self.token = "first"
        self.flags = list(flags)
        self.tls = certificates.Certificates(self.folder / "tls", [node.address for node in nodes]) if tls else None
        self.authentication = authentication
        self._token = None
        if authentication:
            self.password_file = self.folder / "password"
            self.password_file.write_text(PASSWORD + "\n")
            self.password_file.chmod(0o600)
        nodes = list(nodes) or [None] * members
        self.members = {f"m{i + 1}": Member(self, f"m{i + 1}", node) for i, node in enumerate(nodes)}

    def __getitem__(self, name):
        return self.members[name]

    def __iter__(self):
        return iter(self.members.values())

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def endpoints(self):
        return [member.url for member in self]

    def settings(self, **more):
        """The table [cluster] of a sidecar that uses it."""
        table = {"engine": "etcd", "endpoints": self.endpoints, "prefix": self.prefix, **more}
        if self.authentication:
            table.update(user=USER, password_file=str(self.password_file))
        if self.tls:
            table.update(ca_file=str(self.tls.ca), cert_file=str(self.tls.client),
                         key_file=str(self.tls.client_key))
        return table

    def initial_cluster(self):
        return ",".join(f"{member.name}={member.peer_url}" for member in self)

    def tls_arguments(self):
        if not self.tls:
            return []
        server = {"cert-file": self.tls.server, "key-file": self.tls.server_key, "trusted-ca-file": self.tls.ca}
        return [argument for name, file in server.items()
                for argument in (f"--{name}={file}", f"--peer-{name}={file}")] + [
                    "--client-cert-auth", "--peer-client-cert-auth"]

    def client_context(self):
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=str(self.tls.ca))
        context.load_cert_chain(self.tls.client, self.tls.client_key)
        return context

    # -- its life

    def start(self):
        self._begin()
        if self.authentication:
            self._begin_authentication()
        return self

    def _begin(self):
        for member in self:
            member.begin()
        for member in self:
            member.wait_until_up(member.is_healthy)

    def restart(self):
        """Restarts all members at once: they know no token from before the last put any more."""
        for member in self:
            member.stop()
        self._begin()

    def password_checks(self):
        """The password checks of all members since their start, including the harness's own."""
        counter = 'grpc_server_started_total{grpc_method="Authenticate"'
        lines = [line for member in self for line in member.request("GET", "/metrics")[1].decode().splitlines()]
        return sum(int(line.split()[-1]) for line in lines if line.startswith(counter))

    def leader(self):
        """The leader of the newest term: a member that is cut off may still believe in an older one."""
        def latest():
            leader = max(self, key=Member.term_led)
            return leader if leader.term_led() else None
        return wait_until(latest, "a leader")

    def followers(self):
        leader = self.leader()
        return [member for member in self if member is not leader]

    def kill(self):
        for member in self:
            member.kill()

    def freeze(self):
        for member in self:
            member.freeze()

    def thaw(self):
        for member in self:
            if member.is_running():
                member.thaw()
        self.wait_until_healthy()

    def wait_until_healthy(self):
        for member in self:
            member.wait_until_up(member.is_healthy)

    def save_snapshot(self, file):
        """Takes it from the first member that runs."""
        member = next(member for member in self if member.is_running())
        self._control("snapshot", "save", str(file), "--endpoints", member.url)

    def restore(self, file):
        """All members anew at the same addresses, with the snapshot's content. It is another cluster then."""
        self.kill()
        self.token += "-restored"
        for member in self:
            shutil.rmtree(member.data)
            self._control("snapshot", "restore", str(file), "--name", member.name, "--data-dir", str(member.data),
                          "--initial-cluster", self.initial_cluster(), "--initial-cluster-token", self.token,
                          "--initial-advertise-peer-urls", member.peer_url)
        self._begin()
        if self.authentication:  # tokens are remembered by members only
            self._authenticate()

    def _control(self, *arguments):
        more = []
        if self.tls:
            more += [f"--cacert={self.tls.ca}", f"--cert={self.tls.client}", f"--key={self.tls.client_key}"]
        if self.authentication and "save" in arguments:
            more.append(f"--user=root:{ROOT_PASSWORD}")
        done = subprocess.run([program("etcdctl"), *arguments, *more], capture_output=True, text=True, check=False,
                              timeout=60, env={**os.environ, "ETCDCTL_API": "3"})
        if done.returncode != 0:
            raise AssertionError(f"etcdctl {arguments}: {done.stdout}{done.stderr}")

    # -- requests of the harness itself

    def call(self, path, body=None, with_token=True, timeout=4):
        """At the first member that answers, as root."""
        def answer():
            token = self._token if with_token else None
            for member in self:
                if not member.is_running() or member.is_frozen:
                    continue
                try:
                    status, text = member.request("POST", path, json.dumps(body or {}), timeout, token)
                except (OSError, http.client.HTTPException):
                    continue
                if status == 401 and token:
                    self._authenticate()
                elif status == 200:
                    return json.loads(text)
                elif status not in (500, 503):
                    raise Refused(status, text)
            return None
        return wait_until(answer, f"etcd to answer {path}")

    def _begin_authentication(self):
        keys = {"key": encoded(self.prefix), "range_end": encoded(prefix_end(self.prefix))}
        for path, body in (
                ("user/add", {"name": "root", "password": ROOT_PASSWORD}),
                ("user/grant", {"user": "root", "role": "root"}),
                ("role/add", {"name": USER}),
                ("role/grant", {"name": USER, "perm": {"permType": "READWRITE", **keys}}),
                ("user/add", {"name": USER, "password": PASSWORD}),
                ("user/grant", {"user": USER, "role": USER}),
                ("enable", {})):
            if path == "user/grant" and body["user"] == "root":
                self.call("/v3/auth/role/add", {"name": "root"})
            self.call(f"/v3/auth/{path}", body, timeout=20)
        self._authenticate()

    def _authenticate(self):
        """An old token would be refused even here."""
        who = {"name": "root", "password": ROOT_PASSWORD}
        self._token = self.call("/v3/auth/authenticate", who, with_token=False, timeout=20)["token"]

    def range(self, prefix, keys_only=False):
        """key without this prefix -> value."""
        answer = self.call("/v3/kv/range", {"key": encoded(self.prefix + prefix), "keys_only": keys_only,
                                            "range_end": encoded(prefix_end(self.prefix + prefix))})
        skipped = len(self.prefix + prefix)
        return {decoded(pair["key"])[skipped:]: decoded(pair.get("value", "")) for pair in answer.get("kvs", [])}

    def rooms(self):
        """room -> gateway, as assigned."""
        return {urllib.parse.unquote(room): json.loads(value)["gateway"]
                for room, value in self.range("room/").items()}

    def put(self, key, value):
        self.call("/v3/kv/put", {"key": encoded(self.prefix + key), "value": encoded(value)})

    def delete(self, key):
        self.call("/v3/kv/deleterange", {"key": encoded(self.prefix + key)})

    def create(self, key, value):
        """Creates a key unless it exists. Returns its value afterwards."""
        name = encoded(self.prefix + key)
        answer = self.call("/v3/kv/txn", {
            "compare": [{"key": name, "target": "CREATE", "result": "EQUAL", "create_revision": "0"}],
            "success": [{"request_put": {"key": name, "value": encoded(value)}}],
            "failure": [{"request_range": {"key": name}}]})
        if answer.get("succeeded"):
            return value
        return decoded(answer["responses"][0]["response_range"]["kvs"][0]["value"])

    def revision(self):
        answer = self.call("/v3/kv/range", {"key": encoded(self.prefix), "count_only": True})
        return int(answer["header"]["revision"])

    def compact(self):
        """Forgets everything older than the newest revision."""
        self.call("/v3/kv/compaction", {"revision": self.revision(), "physical": True})
