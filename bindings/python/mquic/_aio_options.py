# SPDX-License-Identifier: MIT
"""Arguments and types of aiomqtt's client, in the terms of `mquic.aio`."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, TypeVar

from ._check import whole
from .tls import Path, TLSSettings
from .topics import is_filter

M = TypeVar("M")


class ProtocolVersion(IntEnum):
    """The protocol to speak, under its names in aiomqtt. MQTT 3.1 is too old for QUIC."""

    V31 = 3
    V311 = 4
    V5 = 5


class Wildcard(str):
    """A topic filter: text that is known to be one."""

    __slots__ = ()

    def __new__(cls, value: str) -> "Wildcard":
        """:raises ValueError: if it is none"""
        if not is_filter(value):
            raise ValueError(f"{value!r} is not a topic filter")
        return super().__new__(cls, value)

    @property
    def value(self) -> str:
        """The plain text."""
        return str(self)


@dataclass
class TLSParameters:
    """Certificates and trust, as aiomqtt takes them; `mquic.TLSSettings` can say more."""

    ca_certs: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    cert_reqs: int | None = None
    tls_version: int | None = None
    ciphers: str | None = None
    keyfile_password: str | None = None


# What has no meaning without TCP, and what it has to be.
_NOT_HERE: Mapping[str, tuple[Any, ...]] = {
    "transport": ("quic",),
    "bind_address": (None, ""),
    "bind_port": (None, 0),
    "proxy": (None,),
    "socket_options": (None, (), []),
    "websocket_path": (None,),
    "websocket_headers": (None,),
    "tls_context": (None,),
}


def take_limit(more: dict[str, Any], name: str) -> "asyncio.Semaphore | nullcontext[None]":
    """Takes this argument: what lets so many in at a time; everybody without it, and with 0."""
    limit = more.pop(name, None)
    if limit is None or whole(name, limit, 0, 2**31) == 0:
        return nullcontext()
    return asyncio.Semaphore(limit)


def take_tls(more: dict[str, Any], tls: TLSSettings | None) -> TLSSettings | None:
    """Takes aiomqtt's arguments about TLS."""
    parameters = more.pop("tls_params", None)
    insecure = more.pop("tls_insecure", None)
    if parameters is None and insecure is None:
        return tls
    if tls is not None:
        raise ValueError("tls says all; tls_params and tls_insecure are for who does not give it")
    one = parameters or TLSParameters()
    if one.ciphers is not None or one.keyfile_password is not None:
        raise ValueError("ciphers cannot be chosen, and keys with a password not be read")
    return TLSSettings(
        ca_file=one.ca_certs,
        certificate=one.certfile,
        key=one.keyfile or one.certfile,
        insecure=bool(insecure) or one.cert_reqs == ssl.CERT_NONE,
    )


def take_clean(more: dict[str, Any], protocol: int, clean_start: bool | int) -> bool:
    """Whether the server is to forget what it kept, however that was said."""
    clean_session = more.pop("clean_session", None)
    if clean_session is None:
        return bool(clean_start)
    if protocol == ProtocolVersion.V5:
        raise ValueError("MQTT 5 has clean_start, not clean_session")
    return bool(clean_session)


def refuse_tcp(more: dict[str, Any]) -> None:
    """Takes what is only about TCP, and refuses it unless it asks for nothing."""
    for name, fine in _NOT_HERE.items():
        if name in more and more.pop(name) not in fine:
            if name == "tls_context":
                raise TypeError("QUIC has TLS of its own: give tls=mquic.TLSSettings(...)")
            raise ValueError(f"{name} is about TCP, and there is QUIC over UDP underneath")


class TypedQueue(Generic[M]):
    """A queue of asyncio's, which may order what it holds, with the methods of a deque."""

    def __init__(self, kind: type["asyncio.Queue[M]"]) -> None:
        self._kind = kind
        self._queue = kind()

    def append(self, one: M) -> None:
        self._queue.put_nowait(one)

    def popleft(self) -> M:
        return self._queue.get_nowait()

    def clear(self) -> None:
        self._queue = self._kind()

    def __len__(self) -> int:
        return self._queue.qsize()

    def __iter__(self) -> Iterator[M]:
        raise TypeError("only the queue itself knows its order")
