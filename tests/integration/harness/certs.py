# SPDX-License-Identifier: MIT
"""Certificates, made by mquic-keygen: good ones and, for each way to be bad, one bad one."""

import subprocess
from collections import namedtuple

from .build import give_to_broker, make_directory

Identity = namedtuple("Identity", "cert key")


class Certificates:
    """One good CA with its server, a stranger's CA, and servers that must be refused."""

    def __init__(self, build):
        self._build = build
        self.directory = make_directory()
        self.ca = self._authority("good")
        self.other_ca = self._authority("other")
        self.server = self._server("good", "server", "localhost", "127.0.0.1", "::1")
        self.other_server = self._server("other", "server", "localhost", "127.0.0.1")
        self.wrong_host = self._server("good", "wrong-host", "elsewhere.example")
        self.expired = self._expired("good", "expired")
        self._clients = {}

    def _keygen(self, *argv):
        done = self._build.run(self._build.tool("mquic-keygen"), *argv)
        assert done.returncode == 0, f"mquic-keygen {argv}: {done.stdout}{done.stderr}"

    def _authority(self, folder):
        self._keygen("ca", "--dir", self.directory / folder)
        (self.directory / folder).chmod(0o755)
        return self.directory / folder / "ca.crt"

    def _server(self, folder, name, *hosts):
        self._keygen("server", "--dir", self.directory / folder, "--out", name, *hosts)
        return self._identity(folder, name)

    def _identity(self, folder, name):
        key = self.directory / folder / f"{name}.key"
        give_to_broker(key)
        return Identity(self.directory / folder / f"{name}.crt", key)

    def client(self, name, folder="good"):
        """A client certificate with `name` as its common name; `folder` "other" is untrusted."""
        if (folder, name) not in self._clients:
            self._keygen("client", "--dir", self.directory / folder, name)
            self._clients[folder, name] = self._identity(folder, name)
        return self._clients[folder, name]

    def _expired(self, folder, name):
        """A server whose certificate ended long ago: mquic-keygen makes none, so openssl does."""
        base = self.directory / folder
        (base / "openssl.cnf").write_text(_OPENSSL.format(base=base))
        (base / "index.txt").touch()
        base_name = base / name
        self._openssl(
            f"req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name}"
            f" -keyout {base_name}.key -out {base_name}.csr -config {base}/openssl.cnf"
        )
        self._openssl(
            f"ca -batch -notext -config {base}/openssl.cnf -in {base_name}.csr"
            f" -out {base_name}.crt -startdate 20200101000000Z -enddate 20200201000000Z"
        )
        return self._identity(folder, name)

    @staticmethod
    def _openssl(words):
        done = subprocess.run(["openssl", *words.split()], capture_output=True, text=True)
        assert done.returncode == 0, f"openssl {words}: {done.stderr}"


_OPENSSL = """
[ca]
default_ca = good
[good]
database = {base}/index.txt
new_certs_dir = {base}
certificate = {base}/ca.crt
private_key = {base}/ca.key
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
[req]
distinguished_name = name
[name]
"""
