"""Machines of a test's own, whose links can be cut: network namespaces around a hub that forwards.

Their addresses exist only there. Packets over a cut link are dropped silently in the hub, as by a broken cable.
Needs root and iproute2; why_not() names the missing part. All of it goes with remove().
"""
import atexit
import contextlib
import ctypes
import os
import secrets
import shutil
import subprocess
import sys

NOT_RUN = 77  # for ctest: skipped
NEW_NET = 0x40000000  # CLONE_NEWNET


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=30).stdout


def why_not():
    """The obstacle on this machine, or None."""
    if os.getuid() != 0:
        return "it needs root"
    if not shutil.which("ip"):
        return "the command ip is not there (package iproute2)"
    try:
        net = Net()
    except (subprocess.SubprocessError, OSError) as error:
        return f"no network namespaces here: {getattr(error, 'stderr', None) or error}"
    try:
        net.cut(net.node("a"), net.node("b"))
    except (subprocess.SubprocessError, OSError) as error:
        return f"no links to cut here: {getattr(error, 'stderr', None) or error}"
    finally:
        net.remove()
    return None


def leave_if_impossible(what):
    """Call it before a file's tests run. It is a failure in CI, where it has to work."""
    reason = why_not()
    if not reason:
        return
    print("*" * 76, f"{what} NOT RUN: {reason}", "*" * 76, sep="\n", flush=True)
    sys.exit(1 if os.environ.get("CI") == "true" else NOT_RUN)


@contextlib.contextmanager
def inside(namespace):
    """Sockets that this thread makes meanwhile belong there, and stay there. None: no other place."""
    if namespace is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        place = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            _enter(place)
        finally:
            os.close(place)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def _enter(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, NEW_NET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Node:
    """A machine with one link, to the hub."""

    def __init__(self, net, name, number):
        self.net, self.name = net, name
        self.namespace = f"{net.hub}-{name}"
        self.address = f"10.77.{number}.2"
        gateway = f"10.77.{number}.1"
        net.add(self.namespace)
        ip("link", "add", f"to{number}", "netns", net.hub, "type", "veth",
           "peer", "name", "eth0", "netns", self.namespace)
        for namespace, device, address in ((net.hub, f"to{number}", gateway),
                                           (self.namespace, "eth0", self.address)):
            ip("-n", namespace, "address", "add", f"{address}/30", "dev", device)
            ip("-n", namespace, "link", "set", device, "up")
        ip("-n", self.namespace, "route", "add", "default", "via", gateway)

    def command(self):
        """A prefix of commands: it executes them inside."""
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--"]


class Net:
    def __init__(self):
        self.hub = f"sidecar-{secrets.token_hex(4)}"
        self.namespaces = []
        self.nodes = {}
        atexit.register(self.remove)
        self.add(self.hub)
        try:
            with inside(self.hub), open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as switch:
                switch.write("1")
        except OSError:
            self.remove()
            raise

    def add(self, namespace):
        ip("netns", "add", namespace)
        self.namespaces.append(namespace)
        ip("-n", namespace, "link", "set", "lo", "up")

    def node(self, name):
        if name not in self.nodes:
            self.nodes[name] = Node(self, name, len(self.nodes) + 1)
        return self.nodes[name]

    def cut(self, one, *others):
        """Nothing passes between `one` and the other nodes, in both directions."""
        for rule in self._rules(one, others):
            ip("-n", self.hub, "rule", "add", *rule)

    def heal(self, one, *others):
        for rule in self._rules(one, others):
            ip("-n", self.hub, "rule", "del", *rule)

    def _rules(self, one, others):
        for other in others:
            for source, target in ((one, other), (other, one)):
                yield "from", source.address, "to", target.address, "blackhole"

    def remove(self):
        """A process still running inside keeps its network, but no name."""
        atexit.unregister(self.remove)
        while self.namespaces:
            ip("netns", "del", self.namespaces.pop())


if __name__ == "__main__":
    print(why_not() or "")
