# SPDX-License-Identifier: MIT
"""What can be known of a connection."""

from dataclasses import dataclass
from typing import Any

from . import _native
from .enums import Statistic, Total


@dataclass(frozen=True)
class Statistics:
    """Counts and measures of one QUIC connection. Times are in seconds."""

    smoothed_rtt: float
    min_rtt: float
    rtt_variation: float
    #: From the first packet to the end of the handshake; 0 before.
    handshake: float
    congestion_window: int  #: bytes
    bytes_in_flight: int
    bytes_sent: int  #: of UDP payload, like all below
    bytes_received: int
    packets_sent: int
    packets_received: int
    #: Packets with stream data that were declared lost (RFC 9002 section 6).
    packets_lost: int
    #: Bytes the connection takes now, with all that waits to be read or acknowledged.
    memory: int
    streams: int  #: open now, those of both sides
    bytes_queued: int  #: sent on streams and not acknowledged


@dataclass(frozen=True)
class EndpointStatistics:
    """
    Counts of all connections that an endpoint has or had.

    Every handshake that is begun is done or has failed at last; those that failed are counted once
    more by who erred, and once by the reason.
    """

    connections: int  #: now, handshakes among them
    memory: int  #: bytes, now
    handshakes_begun: int  #: connections dialed or let in
    handshakes_done: int  #: complete, the peer is verified
    handshakes_failed: int  #: over before that
    failed_by_caller: int  #: the program closed it
    failed_by_peer: int  #: or the way to it
    failed_by_system: int  #: this machine
    failed_by_mquic: int  #: report these
    failed_timeout: int  #: no answer, or not all of it in time
    failed_certificate: int  #: either side's was not accepted
    failed_alpn: int  #: no application protocol in common
    failed_tls: int  #: another alert of TLS
    failed_version: int  #: no version of QUIC in common
    failed_refused: int  #: a limit of the server is reached
    failed_unreachable: int  #: no such name, nothing there
    failed_closed: int  #: by the peer's program
    failed_abandoned: int  #: by ours
    failed_protocol: int  #: the rules of QUIC were broken
    failed_other: int  #: dropped, out of memory
    refusals_sent: int  #: for a limit, no handshake was begun
    retries_sent: int  #: Retry (RFC 9000 section 8.1.2)
    tokens_refused: int  #: of Retry: forged, or too old
    version_negotiations_sent: int  #: RFC 9000 section 6
    resets_sent: int  #: stateless (RFC 9000 section 10.3)
    resets_received: int  #: that ended a connection
    datagrams_sent: int  #: handed to the system
    datagrams_received: int  #: those that were dropped, too
    bytes_sent: int  #: of UDP payload
    bytes_received: int  #: of UDP payload
    dropped_unknown: int  #: of a connection that is not known
    dropped_invalid: int  #: no QUIC, too short, begins nothing
    dropped_late: int  #: of a connection that is over
    dropped_misdirected: int  #: at one worker, for another
    packets_lost: int  #: as in `Statistics`
    migrations: int  #: to paths that were validated
    dropped_busy: int  #: more than newcomers, or one peer, may take up
    handshakes_resumed: int  #: of those done: gone on from an earlier one
    copies_sent: int  #: datagrams sent once more, just in case


@dataclass(frozen=True)
class ConnectionInfo:
    """Both ends of a connection, and what TLS agreed on; "" before the handshake is complete."""

    peer_address: str  #: "192.0.2.1:4433" or "[2001:db8::1]:4433"
    local_address: str
    tls_version: str  #: "TLS1.3"
    cipher: str  #: "AES-128-GCM"
    alpn: str
    resumed: bool  #: whether the handshake went on from an earlier one
    #: Of the peer's verified certificate, None if it showed none.
    peer_common_name: str | None
    peer_subject: str | None
    peer_subject_der: bytes | None  #: as the certificate has it
    #: "DNS:host", "IP:address", "URI:..." or "email:...".
    peer_alt_names: tuple[str, ...]


def statistics_of(connection: Any) -> Statistics:
    """Reads all statistics of a native connection."""

    def count(which: Statistic) -> int:
        return _native.connection_statistic(connection, which)

    def seconds(which: Statistic) -> float:
        return count(which) / 1_000_000

    return Statistics(
        smoothed_rtt=seconds(Statistic.SMOOTHED_RTT_US),
        min_rtt=seconds(Statistic.MIN_RTT_US),
        rtt_variation=seconds(Statistic.RTT_VARIATION_US),
        handshake=seconds(Statistic.HANDSHAKE_US),
        congestion_window=count(Statistic.CONGESTION_WINDOW),
        bytes_in_flight=count(Statistic.BYTES_IN_FLIGHT),
        bytes_sent=count(Statistic.BYTES_SENT),
        bytes_received=count(Statistic.BYTES_RECEIVED),
        packets_sent=count(Statistic.PACKETS_SENT),
        packets_received=count(Statistic.PACKETS_RECEIVED),
        packets_lost=count(Statistic.PACKETS_LOST),
        memory=count(Statistic.MEMORY),
        streams=count(Statistic.STREAMS),
        bytes_queued=count(Statistic.BYTES_QUEUED),
    )


def sums_of(endpoint: Any) -> EndpointStatistics:
    """Reads all statistics of a native endpoint."""
    return EndpointStatistics(
        **{which.name.lower(): _native.endpoint_statistic(endpoint, which) for which in Total}
    )


def info_of(connection: Any) -> ConnectionInfo:
    """Reads addresses and TLS facts of a native connection."""
    names: list[str] = []
    while (name := _native.connection_peer_alt_name(connection, len(names))) is not None:
        names.append(name)
    return ConnectionInfo(
        peer_address=_native.connection_peer_address(connection),
        local_address=_native.connection_local_address(connection),
        tls_version=_native.connection_tls_version(connection),
        cipher=_native.connection_cipher(connection),
        alpn=_native.connection_alpn(connection),
        resumed=_native.connection_resumed(connection),
        peer_common_name=_native.connection_peer_common_name(connection),
        peer_subject=_native.connection_peer_subject(connection),
        peer_subject_der=_native.connection_peer_subject_der(connection),
        peer_alt_names=tuple(names),
    )
