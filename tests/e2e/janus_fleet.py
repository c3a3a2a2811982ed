"""Real gateways for a test: Janus processes and an MQTT broker, on free loopback ports, each with a
configuration of its own in a scratch folder.

Both are Debian's packages, unpacked by ./dev below build/fleet (FLEET_ROOT) or installed.
"""
import glob
import http.client
import os
import pathlib
import socket
import struct
import sys

import process
from process import accepts, free_port
from scratch import Scratch

TREE = pathlib.Path(__file__).resolve().parents[2]
ROOT = pathlib.Path(os.environ.get("FLEET_ROOT", TREE / "build/fleet/root"))
PLUGINS = {"videoroom"}
TRANSPORTS = {"http", "mqtt"}
SKIPPED = 77  # for ctest


def program(name):
    for place in (f"{ROOT}/usr/bin/{name}", f"{ROOT}/usr/sbin/{name}",
                  f"/usr/bin/{name}", f"/usr/sbin/{name}"):
        if os.access(place, os.X_OK):
            return place
    return None


def missing():
    """The programs that are neither unpacked nor installed. Debian 13 has no Janus."""
    return [name for name in ("janus", "mosquitto") if not program(name)]


def leave_if_missing():
    """Call it before a file's tests run; ctest then shows them as skipped."""
    if names := missing():
        print(f"skipped: neither unpacked nor installed: {', '.join(names)}")
        sys.exit(SKIPPED)


def libraries():
    """Where Janus keeps its plugins; the folder above has the libraries that came with it."""
    found = glob.glob(f"{ROOT}/usr/lib/*/janus") or glob.glob("/usr/lib/*/janus")
    return pathlib.Path(found[0])


class Process(process.Process):
    """A process that may need the libraries of its package."""

    def environment(self):
        return {**super().environment(), "LD_LIBRARY_PATH": str(libraries().parent)}


class Broker(Process):
    def __init__(self, folder):
        super().__init__(folder, "broker")
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        # As root it would look for a user of its own.
        user = "user root\n" if os.getuid() == 0 else ""
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type all\n{user}")

    def start(self):
        self.launch(program("mosquitto"), "-c", str(self.folder / "mosquitto.conf"))
        self.wait_until_up(lambda: accepts(self.port))

    def knows(self, name):
        """Has that gateway published its status, and got the acknowledgement? (By the log: log_type all.)"""
        return f"Sending PUBACK to {name} " in self.log()

    def publish(self, topic, payload, retain=True):
        """As any other client of the broker may."""
        def text(some):
            return struct.pack("!H", len(some)) + some

        def packet(kind, body):
            length, rest = b"", len(body)
            while True:
                rest, low = divmod(rest, 128)
                length += bytes([low | (128 if rest else 0)])
                if not rest:
                    return bytes([kind]) + length + body

        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            name = f"test-{os.getpid()}".encode()
            connection.sendall(packet(0x10, text(b"MQTT") + bytes([4, 2, 0, 60]) + text(name)))
            if connection.recv(4) != b"\x20\x02\0\0":
                raise AssertionError("the broker refused the test")
            connection.sendall(packet(0x30 | retain, text(topic.encode()) + payload)
                               + packet(0xE0, b""))
            connection.recv(1)  # its end: the message is taken


class Janus(Process):
    def __init__(self, folder, name, broker=None, secret=None):
        super().__init__(folder, name)
        self.secret = secret
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/janus"
        admin_port = free_port()
        self.admin_url = f"http://127.0.0.1:{admin_port}/admin"
        quoted = (secret or "").replace('"', '\\"')
        secrets = f'api_secret = "{quoted}" admin_secret = "{quoted}"' if secret else ""
        place = libraries()

        def others(kind, wanted):
            files = [path.name for path in place.glob(f"{kind}/*.so")]
            return ",".join(file for file in files
                            if file.removeprefix("libjanus_").removesuffix(".so") not in wanted)

        self.configure("janus", f"""general: {{
            configs_folder = "{self.folder}" plugins_folder = "{place}/plugins"
            transports_folder = "{place}/transports" events_folder = "{place}/events"
            loggers_folder = "{self.folder}" debug_level = 4 debug_colors = false {secrets} }}
            plugins: {{ disable = "{others('plugins', PLUGINS)}" }}
            transports: {{ disable = "{others('transports', TRANSPORTS)}" }}
            nat: {{ ice_enforce_list = "lo" }}""")
        self.configure("janus.transport.http", f"""
            general: {{ http = true ip = "127.0.0.1" port = {self.port} https = false }}
            admin: {{ admin_http = {"true" if secret else "false"} admin_ip = "127.0.0.1"
                admin_port = {admin_port} admin_base_path = "/admin" }}""")
        if broker:
            self.configure("janus.transport.mqtt", f"""general: {{
                enabled = true url = "tcp://127.0.0.1:{broker.port}" client_id = "{name}"
                keep_alive_interval = 2 cleansession = 1
                subscribe_topic = "janus/{name}/to" publish_topic = "janus/{name}/from" }}
                status: {{ enabled = true topic = "janus/{name}/status" retain = true
                    connect_message = "{{\\"online\\":true}}"
                    disconnect_message = "{{\\"online\\":false}}" }}""")

    def configure(self, name, text):
        (self.folder / f"{name}.jcfg").write_text(text)

    def begin(self):
        self.launch(program("janus"), "-F", str(self.folder), "-C", str(self.folder / "janus.jcfg"))

    def start(self):
        self.begin()
        self.wait_until_up(self.answers)

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/janus/info")
            return b"server_info" in connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()


class Fleet(Scratch):
    """Gateways by name; and a broker, not yet started, if asked for."""

    def __init__(self, names=("gxy1", "gxy2", "gxy3"), broker=False, secret=None):
        super().__init__("fleet")
        self.broker = Broker(self.folder) if broker else None
        self.gateways = {name: Janus(self.folder, name, self.broker, secret) for name in names}

    def __getitem__(self, name):
        return self.gateways[name]

    def start(self):
        for gateway in self.gateways.values():
            gateway.begin()
        for gateway in self.gateways.values():
            gateway.wait_until_up(gateway.answers)
        # A Janus that loses its broker before it has published its status does not publish it later.
        for name, gateway in self.gateways.items() if self.broker else ():
            gateway.wait_until_up(lambda name=name: self.broker.knows(name))
        return self

    def entries(self):
        """For the sidecar's configuration."""
        return [{"name": gateway.name, "url": gateway.url} for gateway in self.gateways.values()]

    def kill(self):
        for started in (*self.gateways.values(), self.broker):
            if started:
                started.kill()
