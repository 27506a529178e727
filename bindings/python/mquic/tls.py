# SPDX-License-Identifier: MIT
"""How to trust, and how to talk QUIC. Nothing is opened before these settings are used."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any, TypeAlias

from . import _native
from ._check import whole
from .enums import CongestionControl, Redundancy, Retry

Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def _path(path: Path | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _ms(name: str, seconds: Any) -> int:
    try:
        ms = int(round(1000 * seconds))
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be a number of seconds, not {seconds!r}") from None
    if ms < 0:
        raise ValueError(f"{name} must not be negative: {seconds!r}")
    return ms


@dataclass(frozen=True, kw_only=True)
class TLSSettings:
    """
    Certificates and trust. By default a client verifies the server's host name and certificate
    against the authorities that the system trusts. TLS is 1.3 always.
    """

    #: PEM file of the authorities to trust, in place of the system's.
    ca_file: Path | None = None
    #: Directory of such files.
    ca_path: Path | None = None
    #: PEM file of revocation lists; needs a CA file or path.
    crl_file: Path | None = None
    #: Our own certificate chain (PEM) and its private key; both or none. A server needs them.
    certificate: Path | None = None
    key: Path | None = None
    #: Server: more certificates, each with its key, for other host names. A client is shown the one
    #: for the name that it dials, or else the first, which is `certificate`.
    more_certificates: Sequence[tuple[Path, Path]] = ()
    #: Server: demand a certificate that a CA file or path vouches for.
    require_certificate: bool = False
    #: Client: do NOT verify the server. Anybody on the path can then read and change everything.
    insecure: bool = False
    #: Whether a client goes on from an earlier handshake of the same endpoint with the same server,
    #: and a server lets those that have shown no certificate do so.
    resumption: bool = True
    #: Client: the file that keeps what the next run of the program resumes with, made if there is
    #: none. Without one an endpoint keeps it.
    ticket_file: Path | None = None
    #: Server: the file with the key of what clients come back with, made if there is none. With one
    #: they resume after a restart, and at other servers with the same file and certificate.
    ticket_key_file: Path | None = None
    #: Client: the name to verify in place of the host that is dialed.
    server_name: str | None = None
    #: File to which the secrets are appended, for Wireshark. Whoever reads it can decrypt all.
    keylog_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class QUICSettings:
    """How QUIC behaves. None stands for the library's default. Times are in seconds."""

    #: Silence after which a connection is dropped, 1 to 86400 s, 30 by default; 0: never.
    idle_timeout: float | None = None
    #: Longest handshake, 0.1 to 600 s, 10 by default.
    handshake_timeout: float | None = None
    #: The round trip to expect of an unknown path, 0.01 to 2 s, 0.1 by default.
    initial_rtt: float | None = None
    #: Send a PING after this silence, 1 to 3600 s; 0: never. It keeps NAT bindings and notices a
    #: server that was restarted. By default clients do after 20 s at the most, bare connections never.
    keep_alive: float | None = None
    #: Streams the peer may have open, 1 to 65535, 16 by default.
    max_streams: int | None = None
    #: Bytes that may wait on a stream to be read, 262144 by default.
    receive_window: int | None = None
    #: Bytes that may wait on a stream to be sent or acknowledged, 1048576 by default.
    send_buffer: int | None = None
    #: How the sending rate adapts, CUBIC by default.
    congestion_control: CongestionControl | None = None
    #: What goes twice, flights of the handshake by default.
    redundancy: Redundancy | None = None
    #: Server: when to validate addresses first.
    retry: Retry | None = None
    #: Server: connections in all, 10000 by default.
    max_connections: int | None = None
    #: Server: connections from one address; 0, the default: no limit.
    max_connections_per_address: int | None = None
    #: Server: handshakes in flight, 1000 by default.
    max_handshakes: int | None = None
    #: Server: the number of this worker, from 0 on, and how many serve the same address, 1 by
    #: default. mquic.h says at ``mquic_settings_set_workers()`` how datagrams find theirs.
    worker: int | None = None
    workers: int | None = None
    #: Server: 32 random bytes that all its workers share: with them the successor of one that died
    #: tells its clients so, and each resumes what others began. As secret as a private key.
    server_secret: bytes | None = field(default=None, repr=False)
    #: Server: the file with the key of stateless resets, made if there is none. With one, clients
    #: are told after a restart that their connections are gone. It belongs to one server.
    reset_key_file: Path | None = None


def _apply_tls(handle: Any, tls: TLSSettings) -> None:
    _native.settings_set_ca_file(handle, _path(tls.ca_file))
    _native.settings_set_ca_path(handle, _path(tls.ca_path))
    _native.settings_set_crl_file(handle, _path(tls.crl_file))
    _native.settings_set_certificate(handle, _path(tls.certificate), _path(tls.key))
    for certificate, key in tls.more_certificates:
        _native.settings_add_certificate(handle, _path(certificate), _path(key))
    _native.settings_set_require_certificate(handle, bool(tls.require_certificate))
    _native.settings_set_insecure(handle, bool(tls.insecure))
    _native.settings_set_resumption(handle, bool(tls.resumption))
    _native.settings_set_ticket_file(handle, _path(tls.ticket_file))
    _native.settings_set_ticket_key_file(handle, _path(tls.ticket_key_file))
    _native.settings_set_server_name(handle, tls.server_name)
    _native.settings_set_keylog_file(handle, _path(tls.keylog_file))


def _choice(name: str, kind: type[IntEnum], value: Any) -> int:
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{name} must be a mquic.{kind.__name__}, not {value!r}") from None


_TIMES = ("idle_timeout", "handshake_timeout", "initial_rtt", "keep_alive")
_SIZES = ("receive_window", "send_buffer")
_COUNTS = (
    "max_streams",
    "max_connections",
    "max_connections_per_address",
    "max_handshakes",
    "worker",
    "workers",
)
_CHOICES = {
    "congestion_control": CongestionControl,
    "redundancy": Redundancy,
    "retry": Retry,
}


def _apply_quic(handle: Any, quic: QUICSettings) -> None:
    def apply(name: str, convert: Callable[[Any], Any], unit: str = "") -> None:
        value = getattr(quic, name)
        if value is not None:
            getattr(_native, f"settings_set_{name}{unit}")(handle, convert(value))

    for name in _TIMES:
        apply(name, partial(_ms, name), "_ms")
    for name in _SIZES:
        apply(name, partial(whole, name, least=0, most=2**64 - 1))
    for name in _COUNTS:
        apply(name, partial(whole, name, least=0, most=2**32 - 1))
    for name, kind in _CHOICES.items():
        apply(name, partial(_choice, name, kind))
    apply("reset_key_file", _path)
    apply("server_secret", memoryview)


def check_settings(tls: Any, quic: Any) -> None:
    """Refuses what a constructor was given in their places by mistake."""
    for name, value, kind in (("tls", tls, TLSSettings), ("quic", quic, QUICSettings)):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} must be a mquic.{kind.__name__}, not {value!r}")


class NativeSettings:
    """The settings as libmquic wants them, for the time of a ``with``."""

    def __init__(
        self, tls: TLSSettings | None, quic: QUICSettings | None, alpn: str | None = None
    ) -> None:
        check_settings(tls, quic)
        self._handle: Any = _native.settings_new()
        try:
            if tls is not None:
                _apply_tls(self._handle, tls)
            if quic is not None:
                _apply_quic(self._handle, quic)
            if alpn is not None:
                _native.settings_set_alpn(self._handle, alpn)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Any:
        return self._handle

    def __exit__(self, *_: object) -> None:
        _native.delete_settings(self._handle)
        self._handle = None
