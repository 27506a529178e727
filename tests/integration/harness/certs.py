# SPDX-License-Identifier: MIT
"""Certificates, made by mquic-keygen: good ones and, for each way to be bad, one bad one."""

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
        self.expired = self._server("good", "expired", "localhost", "127.0.0.1", days=-10)
        self._clients = {}

    def _keygen(self, *argv):
        done = self._build.run(self._build.tool("mquic-keygen"), *argv)
        assert done.returncode == 0, f"mquic-keygen {argv}: {done.stdout}{done.stderr}"

    def _authority(self, folder):
        self._keygen("ca", "--dir", self.directory / folder)
        (self.directory / folder).chmod(0o755)
        return self.directory / folder / "ca.crt"

    def _server(self, folder, name, *hosts, days=30):
        place = ["--dir", self.directory / folder, "--out", name]
        self._keygen("server", *place, "--days", days, *hosts)
        return self._identity(folder, name)

    def _identity(self, folder, name):
        key = self.directory / folder / f"{name}.key"
        give_to_broker(key)
        return Identity(self.directory / folder / f"{name}.crt", key)

    def make_server(self, name, *hosts):
        """One more server certificate of the good CA."""
        return self._server("good", name, *hosts)

    def client(self, name, folder="good"):
        """A client certificate with `name` as its common name; `folder` "other" is untrusted."""
        if (folder, name) not in self._clients:
            self._keygen("client", "--dir", self.directory / folder, name)
            self._clients[folder, name] = self._identity(folder, name)
        return self._clients[folder, name]
