# SPDX-License-Identifier: MIT
"""What CONNECT carries."""

import struct

from fake_server import packet, user

import mquic
import mquic.client as mqtt


def short(value):
    return struct.pack("!H", value)


def long(value):
    return struct.pack("!I", value)


def properties_of(connect_packet):
    """Those of a short CONNECT."""
    at = 2 + 10 + 1  # the header of the packet; up to the keep-alive; the length of what follows
    end = at + connect_packet[at - 1]
    found = []
    while at < end:
        size = {0x11: 4, 0x21: 2, 0x22: 2, 0x17: 1, 0x19: 1, 0x27: 4}.get(connect_packet[at])
        if size is None:  # a user property with texts of one letter
            size = 6
        found.append((connect_packet[at], connect_packet[at + 1 : at + 1 + size]))
        at += 1 + size
    return [one for one in found if one[0] != 0x27]  # the packet size, which is always said


def leave(client):
    client.disconnect()
    client.loop_stop()


def test_connect_carries_what_this_connection_was_given(serve, tls, recorder):
    client = recorder.attach(mquic.Client(tls=tls, protocol=mqtt.MQTTv5, client_id="me"))
    asked = (
        {"user_property": ("a", "1"), "session_expiry_interval": 100, "receive_maximum": 3},
        {"user_property": ("b", "2"), "request_problem_information": 0},
        {"request_response_information": 1, "topic_alias_maximum": 4},
        {},
    )
    sent = (
        [user("a", "1"), (0x11, long(100)), (0x21, short(3))],
        [user("b", "2"), (0x17, b"\0")],
        [(0x19, b"\1"), (0x22, short(4))],
        [],
    )
    for count, more in enumerate(asked, 1):
        client.connect("127.0.0.1", serve(packet(0x20, b"\0\0\0")), **more)
        client.loop_start()
        recorder.wait("on_connect", count)
        leave(client)
    for server, pairs in zip(serve.servers, sent):
        section = properties_of(server.received[0])
        assert sorted(section) == sorted(pairs)
