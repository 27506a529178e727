# SPDX-License-Identifier: MIT
"""A cable between two network namespaces, on which a client can change its address."""

import contextlib
import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _leave_for_a_new_one():
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return _this_one()


def _this_one():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Lan:
    """
    Within `with Lan() as lan` this thread, and what it starts, is in the server's namespace,
    where `server` and `server6` are its addresses; what is started within `with lan.client()` is
    in the client's. The kernel removes all of it with the last process that is in there.
    """

    server = "10.77.0.1"
    server6 = "fd77::1"

    def __enter__(self):
        self._home = _this_one()
        try:
            self._client = _leave_for_a_new_one()
            self._server = _leave_for_a_new_one()
            self._lay_cable()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _lay_cable(self):
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "server", "type", "veth", "peer", "client")
        _ip("link", "set", "client", "netns", f"/proc/{os.getpid()}/fd/{self._client}")
        _ip("link", "set", "server", "up")
        self.add(f"{self.server}/24", "server")
        self.add(f"{self.server6}/64", "server")
        with self.client():
            _ip("link", "set", "client", "up")
            # An address that goes does not take those of its network along.
            Path("/proc/sys/net/ipv4/conf/client/promote_secondaries").write_text("1")

    def __exit__(self, *_):
        _enter(self._home)
        for name in ("_home", "_client", "_server", "_router"):
            if hasattr(self, name):
                os.close(getattr(self, name))

    @contextlib.contextmanager
    def client(self):
        _enter(self._client)
        try:
            yield
        finally:
            _enter(self._server)

    @staticmethod
    def add(address, device="client"):
        """Gives the namespace we are in an address, `10.77.0.2/24`, at once of use."""
        _ip("address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    @staticmethod
    def remove(address, device="client"):
        _ip("address", "del", address, "dev", device)

    @staticmethod
    def set_mtu(mtu, device="client"):
        _ip("link", "set", device, "mtu", str(mtu))

    @staticmethod
    def prefer(address):
        """Has packets of the client leave from this of its addresses from now on."""
        network = "fd77::/64" if ":" in address else "10.77.0.0/24"
        _ip("route", "replace", network, "dev", "client", "src", address)


class RoutedLan(Lan):
    """
    A router lies between, in a namespace of its own: `with lan.router()`. Its device towards the
    server is called `client`, that towards the client `inside`. The client has one address, IPv4's.
    """

    def _lay_cable(self):
        super()._lay_cable()
        self._router = self._client
        with self.router():
            self.add("10.77.0.254/24")
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        self._client = _leave_for_a_new_one()
        _ip("link", "add", "client", "type", "veth", "peer", "inside")
        _ip("link", "set", "inside", "netns", f"/proc/{os.getpid()}/fd/{self._router}")
        _ip("link", "set", "client", "up")
        self.add("10.78.0.1/24")
        with self.router():
            _ip("link", "set", "inside", "up")
            self.add("10.78.0.254/24", "inside")
        with self.client():
            _ip("route", "add", "default", "via", "10.78.0.254")
        _ip("route", "add", "10.78.0.0/24", "via", "10.77.0.254")

    @contextlib.contextmanager
    def router(self):
        _enter(self._router)
        try:
            yield
        finally:
            _enter(self._server)
