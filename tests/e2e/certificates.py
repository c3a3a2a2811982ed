"""A certificate authority for a test, made with the openssl command: one certificate for all servers, one for
all clients. Neither has a common name: with authentication on, etcd's JSON gateway refuses those that have."""
import subprocess

EXTENSIONS = """basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class Certificates:
    def __init__(self, folder, addresses=()):
        self.folder = folder
        folder.mkdir()
        self.ca, self.ca_key = folder / "ca.pem", folder / "ca.key"
        self._openssl("req", "-x509", *self._new_key(self.ca_key), "-out", self.ca, "-days", "2",
                      "-subj", "/O=room-sidecar's tests/CN=authority",
                      "-addext", "keyUsage = critical,keyCertSign,cRLSign")  # Python 3.13 insists on it
        names = ",".join(f"IP:{address}" for address in ("127.0.0.1", *addresses))
        # The gateway in etcd is a client of the same etcd, with the server's certificate.
        self.server, self.server_key = self.issue("server", "serverAuth,clientAuth", names)
        self.client, self.client_key = self.issue("client", "clientAuth", "DNS:sidecar")

    def issue(self, name, usage, names, common_name=None):
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        wanted, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(EXTENSIONS.format(usage=usage) + (f"subjectAltName = {names}\n" if names else ""))
        subject = "/O=room-sidecar's tests" + (f"/CN={common_name}" if common_name else "")
        self._openssl("req", "-new", *self._new_key(key), "-out", wanted, "-subj", subject)
        self._openssl("x509", "-req", "-in", wanted, "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial",
                      "-days", "2", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def _new_key(self, file):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)
