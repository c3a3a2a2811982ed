"""Hostile clients: raw sockets, and measures of their cost for the sidecar and other clients.

Everything here goes to loopback and ends by itself.
"""
import contextlib
import json
import os
import socket
import struct
import subprocess
import threading

BYSTANDER = os.environ.get("BYSTANDER", "")
IS_SANITIZED = os.environ.get("ROOM_SIDECAR_SANITIZED", "") == "1"
# The bystander's rooms; their list is large.
ROOMS = {str(number): {"default_gateway": "gxy1", "name": "x" * 200} for number in range(2000, 2500)}
HOST = b"Host: localhost\r\n"
ASK = b'{"room":"2171"}'
PROBE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"


def post(body=ASK, fields=b"", path=b"/v2/room_server", host=HOST, length=None, method=b"POST"):
    """A request with a Content-Length, which may be a wrong one; none at all if it is b""."""
    size = str(len(body)).encode() if length is None else length
    length_field = b"Content-Length: " + size + b"\r\n" if size else b""
    return (method + b" " + path + b" HTTP/1.1\r\n" + host + fields + length_field + b"\r\n" + body)


def chunked(chunks, fields=b""):
    return post(chunks, b"Transfer-Encoding: chunked\r\n" + fields, length=b"")


class Wire:
    """A raw connection, which sends any bytes and reads the answers."""

    def __init__(self, port, timeout=30, to_head=False):
        self._to_head = to_head  # are the answers to HEAD, without a body?
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, text):
        """Returns False if the other side takes no more."""
        try:
            self.socket.sendall(text)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def read_answer(self):
        """One answer as (status, head, body), or None if the connection ended first."""
        while True:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if found:
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:") and not self._to_head:
                        length = int(line[15:])
                if len(rest) >= length:
                    self._received = rest[length:]
                    status = int(head.split()[1])
                    if status == 100:
                        continue
                    return status, head, rest[:length]
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return None
            if not more:
                return None
            self._received += more

    def all_answers(self):
        return list(iter(self.read_answer, None))

    def half_close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes as a crash or a firewall does: by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def answers_to(port, text, to_head=False):
    """All answers until the sidecar closes; half-closes first."""
    with Wire(port, to_head=to_head) as wire:
        wire.say(text)
        wire.half_close()
        return wire.all_answers()


def code_of(answer):
    return answer[0], json.loads(answer[2]).get("error") if answer[2] else None


class Cost:
    """The process's use of the machine's resources."""

    def __init__(self, sidecar):
        self._pid = sidecar.process.pid

    def _status(self, key):
        with open(f"/proc/{self._pid}/status", encoding="ascii", errors="replace") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(key + ":"))

    def resident_kib(self):
        return self._status("VmRSS")

    def threads(self):
        return self._status("Threads")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self._pid}/fd"))

    def processor_seconds(self):
        with open(f"/proc/{self._pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Highest:
    """The most memory that was seen while the block ran."""

    def __init__(self, cost):
        self._cost, self._over = cost, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.resident_kib = 0

    def _look(self):
        while not self._over.wait(0.02):
            self.resident_kib = max(self.resident_kib, self._cost.resident_kib())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@contextlib.contextmanager
def attackers(attack, count=1):
    """Runs attack() in processes of low priority: a hostile client elsewhere would not take the
    processor of this machine, only the sidecar's work for it would. Under a sanitizer, where nothing
    is measured and other tests run beside it, that would be no processor at all."""
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if not IS_SANITIZED:
                    os.nice(19)
                attack()
                code = 0
            except BaseException as failure:  # nothing may run on in the copy of the test
                os.write(2, f"attacker: {failure!r}\n".encode())
            finally:
                os._exit(code)
        children.append(child)
    try:
        yield
    finally:
        failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
        assert not failed, "an attacker did not do what it should"


class Bystander:
    """Asks for known rooms at a steady rate, whatever else happens."""

    def __init__(self, port, seconds=1.5, rate=300, connections=4):
        self._process = subprocess.Popen(
            [BYSTANDER, str(port), str(rate), str(seconds), str(connections), "known", ""],
            stdout=subprocess.PIPE, text=True)

    def saw(self):
        """Its answers and times, once it has ended."""
        with self._process as process:
            return json.loads(process.communicate(timeout=90)[0])


def undisturbed(case, port, peaceful_port, during):
    """While `during()` runs, all requests of others are answered. 99 of 100 take no longer than 50 ms, or 25 times
    what they take in the same moment at a sidecar that nobody attacks. A sanitizer makes the sidecar so slow that
    the attackers take processors and connections: there the others are only present."""
    with during():
        attacked, peaceful = Bystander(port), Bystander(peaceful_port)
        seen, calm = attacked.saw(), peaceful.saw()
    if IS_SANITIZED:
        return
    case.assertEqual(seen["bad"], 0, "every request of others is answered")
    case.assertLess(seen["p99"], max(50, 25 * calm["p99"]), f"p99 in ms, and in peace: {calm}")
