"""Several real sidecars that share one real etcd, for a test.

Where links are to be cut, each has a network namespace of its own; it is asked at a socket of the test's, which
it is handed over as systemd does.
"""
import os
import signal
import socket

from etcd import Etcd
from sidecar import Case, Sidecar, toml, wait_until

SANITIZED = "ROOM_SIDECAR_SANITIZED" in os.environ
GATEWAYS = [f"gxy{i}" for i in range(1, 11)]
ENGINE_NONE = {"engine": "none"}


def config(cluster, gateways=tuple(GATEWAYS), scale=True, **tables):
    """Rooms stay for long after the last answer, so that a removal is not taken for a loss."""
    tables.setdefault("sessions", {"join_grace": "20m"})
    return toml(scale=scale, rooms={}, unknown_rooms="accept", gateways=gateways, cluster=cluster, **tables)


class Member(Sidecar):
    """A sidecar that keeps its address over a restart, with its own view of the fleet."""

    def __init__(self, text, node=None, **more):
        super().__init__(text, **more)
        self.is_frozen = False
        self._listener = None
        if node:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
            # fd 3 and LISTEN_PID are to be those of the process itself, as systemd does it
            self.wrapped_in = [*node.command(), "bash", "-c", f"exec 3<&{self._listener.fileno()}; "
                               'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "bash"]
            self.inherited = [self._listener.fileno()]

    def start(self, *arguments):
        super().start(*arguments)
        if not self._listener:
            self.env["LISTEN_ADDRESS"] = f"127.0.0.1:{self.port}"
        return self

    def cluster(self):
        return self.get("/v2/cluster").json

    def state(self):
        return self.cluster()["state"]

    def id(self):
        return self.cluster()["sidecar"]

    def wait_until_live(self):
        wait_until(lambda: self.state() == "live", f"the sidecar to be live: {self.cluster()}\n{self.log()[-3000:]}")
        return self

    def degraded(self):
        """The reasons in /readyz."""
        answer = self.get("/readyz")
        assert answer.status == 200, answer
        return answer.json["reasons"] if answer.json["status"] == "degraded" else []

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_frozen = False

    def remove(self):
        super().remove()
        if self._listener:
            self._listener.close()


class FleetCase(Case):
    """One etcd for all tests of a class; each test has keys of its own in it."""

    members = 1
    tls = authentication = False

    @classmethod
    def nodes(cls):
        """The nodes of etcd's members; none: they are on loopback."""
        return ()

    @classmethod
    def flags(cls):
        """More arguments for the members of etcd."""
        return ()

    @classmethod
    def setUpClass(cls):
        cls.etcd = Etcd(members=cls.members, tls=cls.tls, authentication=cls.authentication, nodes=cls.nodes(),
                        flags=cls.flags())
        cls.addClassCleanup(cls.etcd.remove)
        cls.etcd.start()

    def setUp(self):
        if not self.authentication:  # for a user limited to its prefix
            self.etcd.prefix = f"/{self._testMethodName}/"

    def settings(self, **cluster):
        return self.etcd.settings(**cluster)

    def begin(self, text, node=None, **more):
        member = Member(text, node=node, **more)
        self.addCleanup(member.remove)
        member.start()
        return member

    def member(self, cluster=None, node=None, **tables):
        """A live sidecar."""
        return self.begin(config(self.settings(**(cluster or {})), **tables), node).wait_until_live()

    def fleet(self, count=3, **more):
        return [self.member(**more) for _ in range(count)]

    def away(self):
        """Makes the engine hang until the end of the test."""
        self.etcd.freeze()
        self.addCleanup(self.etcd.thaw)

    def seen_by_all(self, fleet, room, gateway):
        """Waits until the sidecars have followed a room, without a request for it."""
        for member in fleet:
            wait_until(lambda member=member: member.assignments().get(room) == gateway,
                       f"{room} to be seen on {gateway}")
