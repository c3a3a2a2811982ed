"""Three real members of etcd for sidecars that share their rooms, and their cost."""
import json
import re
import time

import processes
from servers import STARTED, Server

ROOMS_AT_ONCE = 60  # a room and its use mark are two operations, and a transaction may have 128
STRANGER = "0123456789abcdef"  # the sidecar of the filled-in rooms


class Store:
    """Three empty members."""

    def __init__(self):
        from etcd import Etcd
        self.etcd = Etcd(members=3)
        STARTED.append(self)
        self.etcd.start()

    @property
    def ports(self):
        return [member.client_port for member in self.etcd]

    @property
    def pids(self):
        return [member.process.pid for member in self.etcd]

    def cpu_seconds(self):
        return sum(map(processes.cpu_seconds, self.pids))

    def sidecar(self, **more):
        """A sidecar that follows the store."""
        server = Server(cluster=self.etcd.settings(), **more)
        wait_until_live(server)
        return server

    def sum_of(self, metric):
        """The sum of a metric of the members since they were started."""
        total = 0
        for member in self.etcd:
            text = member.request("GET", "/metrics")[1].decode()
            for found in re.finditer(rf"^{metric}(\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE):
                total += float(found.group(2))
        return total

    def requests(self):
        return self.sum_of("grpc_server_started_total")

    def events_sent(self):
        return self.sum_of("etcd_debugging_mvcc_events_total")

    def memory_mib(self):
        return max(map(processes.rss_mib, self.pids))

    def file_mib(self):
        return max(int(member.status()["dbSize"]) for member in self.etcd) / 2**20

    def fill(self, count, gateways):
        """Adds that many rooms in use, as another sidecar would."""
        from etcd import encoded
        prefix = self.etcd.prefix
        for begin in range(0, count, ROOMS_AT_ONCE):
            puts = []
            for number in range(begin, min(count, begin + ROOMS_AT_ONCE)):
                room = f"filled-{number}"
                value = {"gateway": gateways[number % len(gateways)], "region": "IL",
                         "at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), "by": STRANGER,
                         "id": f"{STRANGER}-01234567-{number}"}
                for key, text in ((f"{prefix}room/{room}", json.dumps(value, separators=(",", ":"))),
                                  (f"{prefix}use/{room}/{STRANGER}", "live")):
                    puts.append({"request_put": {"key": encoded(key), "value": encoded(text)}})
            self.etcd.call("/v3/kv/txn", {"success": puts})

    def end(self):
        self.etcd.remove()


def view(server):
    return server.sidecar.get("/v2/cluster").json


def wait_until_live(server):
    from sidecar import wait_until
    wait_until(lambda: view(server)["state"] == "live", "the sidecar to be live")


def wait_until_placed(fleet, rooms):
    """Waits until each sidecar knows that many rooms."""
    from sidecar import wait_until
    for server in fleet:
        wait_until(lambda server=server: server.placed() >= rooms, f"{rooms} rooms to be known to all")
