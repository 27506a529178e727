# SPDX-License-Identifier: MIT
"""
Clients over TCP, TLS and QUIC in a ring: each sends, at QoS 2 mostly, to the next, which is of
another kind, and counts what comes. All sessions are kept, so nothing may be lost or come twice.
"""

import itertools
import ssl
import threading
import time

import mquic.client
import paho.mqtt.client
from mquic import TLSSettings

KINDS = ("tcp", "tls", "quic")
CONNECT_TIMEOUT_S = 60


class Member:
    """One client. Its callbacks run in the thread of its loop."""

    def __init__(self, crowd, number):
        self.crowd, self.number = crowd, number
        self.kind = KINDS[number % len(KINDS)]
        self.name = f"{crowd.name}-{number}"
        self.connected = False
        self.connected_at = self.served_at = 0.0  # when it was let in, when a message left it
        self.connects = 0
        self.ends = []  # (when, why)
        self.sent = 0
        self.seen = set()
        self.twice = []
        self.client = self._make()

    def _make(self):
        if self.kind == "quic":
            client = mquic.client.Client(
                mquic.client.CallbackAPIVersion.VERSION2,
                client_id=self.name,
                clean_session=False,
                protocol=mquic.client.MQTTv311,
            )
            client.tls_set_context(TLSSettings(ca_file=str(self.crowd.ca)))
        else:
            client = self._make_paho()
        client.reconnect_delay_set(0.2, 2)
        client.max_queued_messages_set(0)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _make_paho(self):
        """Both series of paho; the callbacks take what either gives."""
        module = paho.mqtt.client
        versions = getattr(module, "CallbackAPIVersion", None)
        first = [versions.VERSION2] if versions else []
        client = module.Client(
            *first, client_id=self.name, clean_session=False, protocol=module.MQTTv311
        )
        if self.kind == "tls":
            client.tls_set(ca_certs=str(self.crowd.ca), cert_reqs=ssl.CERT_REQUIRED)
        return client

    def _on_connect(self, client, _userdata, _flags, reason, *_more):
        if reason != 0:
            return
        client.subscribe(f"{self.crowd.name}/{self.number}", self.crowd.qos)
        self.connects += 1
        self.connected_at = time.monotonic()
        self.connected = True

    def _on_disconnect(self, _client, _userdata, *reasons):
        self.connected = False
        self.ends.append((time.monotonic(), " ".join(map(str, reasons))))

    def _on_message(self, _client, _userdata, message):
        number, sequence, sent_at = message.payload.split(maxsplit=3)[:3]
        sequence = int(sequence)
        if sequence in self.seen:
            self.twice.append(sequence)
        self.seen.add(sequence)
        self.crowd.heard(int(number), self, float(sent_at))

    def send(self):
        """One message to the next member, now or, where it is away, when it is back."""
        to = (self.number + 1) % len(self.crowd.members)
        payload = f"{self.number} {self.sent} {time.monotonic()} {self.crowd.padding()}"
        self.client.publish(f"{self.crowd.name}/{to}", payload, self.crowd.qos)
        self.sent += 1


class Crowd:
    """
    All of them, and the thread that has them send in turn, each once in `interval_s`. `padding`
    makes messages longer: it returns text.
    """

    def __init__(self, host, ports, ca, count, interval_s, name="soak", qos=2, padding=str):
        assert count % len(KINDS) == 0, "as many of each kind"
        self.ca, self.interval_s = ca, interval_s
        self.name, self.qos, self.padding = name, qos, padding
        self.delays = []  # seconds from a TCP client to a TLS client
        self.members = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        for number in range(count):
            member = Member(self, number)
            self.members.append(member)
            member.client.connect(host, ports[member.kind], keepalive=60)
            member.client.loop_start()

    def of(self, *kinds):
        """Those of some kinds."""
        return [one for one in self.members if one.kind in kinds]

    def heard(self, number, by, sent_at):
        """A message of one member has come to the next."""
        sender = self.members[number]
        sender.served_at = max(sender.served_at, sent_at)
        if sender.kind == "tcp" and by.kind == "tls":
            self.delays.append(time.monotonic() - sent_at)

    def start(self):
        """Waits until everybody is connected, and has them send."""
        end = time.monotonic() + CONNECT_TIMEOUT_S
        while not all(one.connected for one in self.members):
            if time.monotonic() > end:
                raise TimeoutError("not all clients are let in")
            time.sleep(0.05)
        time.sleep(1)  # for the subscriptions; what is sent before them would be lost
        self._thread.start()

    def _send(self):
        pause = self.interval_s / len(self.members)
        due = time.monotonic()
        for member in itertools.cycle(self.members):
            due += pause
            if self._stop.wait(max(0, due - time.monotonic())):
                return
            member.send()

    def missing(self):
        """How many messages are sent and have not come."""
        return sum(
            one.sent - len(self.members[(one.number + 1) % len(self.members)].seen)
            for one in self.members
        )

    def finish(self, timeout_s):
        """Sends no more, and waits for what is on the way."""
        self._stop.set()
        self._thread.join()
        end = time.monotonic() + timeout_s
        while self.missing() and time.monotonic() < end:
            time.sleep(0.05)

    def close(self):
        """Ends all of them."""
        self._stop.set()
        for one in self.members:
            one.client.disconnect()
        for one in self.members:
            one.client.loop_stop()
