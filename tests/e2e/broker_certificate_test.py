#!/usr/bin/env python3
"""Names in an MQTT broker's certificate: those in subjectAltName count, and the subject never does."""
import pathlib
import socket
import ssl
import tempfile
import threading
import unittest

from certificates import Certificates
from sidecar import Case, toml, wait_until

CONNECT, SUBSCRIBE = 0x10, 0x82


class Broker:
    """A minimal broker that shows whether it is trusted: it accepts CONNECT and SUBSCRIBE."""
    def __init__(self, certificate, key):
        self.packets = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    self._talk(secure)
            except OSError:
                pass

    def _talk(self, secure):
        while packet := secure.recv(4096):
            self.packets.append(packet[0])
            if packet[0] == CONNECT:
                secure.sendall(b"\x20\x02\0\0")
            elif packet[0] == SUBSCRIBE:
                secure.sendall(b"\x90\x03" + packet[2:4] + b"\x01")


class BrokerCertificate(Case):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.certificates = Certificates(pathlib.Path(folder.name) / "certificates")
        self.others = Certificates(pathlib.Path(folder.name) / "others")

    @staticmethod
    def health(host, port, ca):
        return {"source": "mqtt", "mqtt_url": f"mqtts://{host}:{port}", "mqtt_ca_file": str(ca), "interval": "200ms",
                "timeout": "100ms"}

    def listener(self, host, names, common_name):
        """A broker with such a certificate, and a sidecar that subscribes under that host name."""
        broker = Broker(*self.certificates.issue("broker", "serverAuth", names, common_name))
        self.addCleanup(broker.close)
        return broker, self.sidecar(toml(health=self.health(host, broker.port, self.certificates.ca)))

    def test_a_name_or_address_in_the_alternative_names_is_accepted(self):
        for host, names in [("127.0.0.1", "IP:127.0.0.1"), ("localhost", "DNS:localhost"),
                            ("localhost", "DNS:other.example,DNS:LOCALHOST,IP:127.0.0.1")]:
            with self.subTest(host=host, names=names):
                broker, _ = self.listener(host, names, None)
                wait_until(lambda broker=broker: SUBSCRIBE in broker.packets, "the broker to be trusted")

    def test_no_other_name_is_accepted_and_nothing_is_sent(self):
        for host, names, common_name in [("127.0.0.1", "DNS:other.example", "127.0.0.1"),
                                         ("127.0.0.1", None, "127.0.0.1"),
                                         ("127.0.0.1", "DNS:127.0.0.1", None),
                                         ("127.0.0.1", "IP:127.0.0.2,DNS:localhost", "127.0.0.1"),
                                         ("localhost", "DNS:other.example", "localhost"),
                                         ("localhost", "IP:127.0.0.1", "localhost"),
                                         ("localhost", None, "localhost"),
                                         ("localhost", "DNS:*", None),
                                         ("localhost", "DNS:l*t", None)]:
            with self.subTest(host=host, names=names, common_name=common_name):
                broker, sidecar = self.listener(host, names, common_name)
                what = "IP address" if host == "127.0.0.1" else "[Hh]ostname"
                wait_until(lambda broker=broker, sidecar=sidecar: broker.packets or "certificate is refused" in
                           " ".join(sidecar.get("/readyz").json["reasons"]), "the broker to be judged")
                self.assertEqual(broker.packets, [])
                self.assertRegex(sidecar.get("/readyz").json["reasons"][0], f"certificate is refused, {what} mismatch")

    def test_a_certificate_of_an_unknown_authority_is_refused_and_so_is_a_ca_file_without_one(self):
        broker, sidecar = self.listener("127.0.0.1", "IP:127.0.0.1", None)
        wait_until(lambda: SUBSCRIBE in broker.packets, "the broker to be trusted")
        for name, file, why in [("others", self.others.ca, "its certificate is refused, "),
                                ("none", self.others.ca_key, "holds no certificate that can be read")]:
            with self.subTest(name):
                sidecar = self.sidecar(toml(health=self.health("127.0.0.1", broker.port, file)))
                wait_until(lambda sidecar=sidecar, why=why: why in " ".join(sidecar.get("/readyz").json["reasons"]),
                           "the reason")


if __name__ == "__main__":
    unittest.main()
