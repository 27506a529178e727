# SPDX-License-Identifier: MIT
"""
Clients that come, do everything once, and go, over and over: with one stream or several, small
messages and big ones, every QoS, MQTT 3.1.1 and 5, retained messages and wills. What a visit finds
wrong is a failure unless a worker or the broker has died meanwhile.
"""

import collections
import itertools
import random
import subprocess
import threading
import time
from types import SimpleNamespace

import mquic
import mquic.client
import mquic.quic
from harness import mqtt, streams
from mquic import TLSSettings

VISIT_S = 60  # no step of a visit takes longer
SETTLE_S = 5  # a visit within so many seconds of a death may have been touched by it
SIZES = (0, 1, 10, 100, 1000, 1200, 4000, 20000, 100000)
BIG = 1000000
VANISH_S = (1, 4)  # how long those stay that are killed
KEEP_ALIVE_S = 5
PATIENT_KEEP_ALIVE_S = 20


class Wrong(Exception):
    """Something did not hold."""


class Tally:
    """What all visits have counted, and the times at which others died."""

    def __init__(self):
        self._lock = threading.Lock()
        self._troubles, self._moves = [], []
        self.counts = collections.Counter()
        self.failures = []
        self.slowest = []  # (seconds, who and how it ended)
        self.wills = {}  # by client: "due", "none" or "perhaps"

    def count(self, name, number=1):
        with self._lock:
            self.counts[name] += number

    def trouble(self, trouble):
        """Somebody dies: [when, until when]; the end may be set later."""
        with self._lock:
            self._troubles.append(trouble)

    def is_troubled(self, since, until):
        with self._lock:
            return any(since < end + SETTLE_S and until > begin for begin, end in self._troubles)

    def fail(self, text):
        with self._lock:
            self.failures.append(text)

    def moved(self):
        """Addresses have changed."""
        with self._lock:
            self._moves.append(time.monotonic())

    def has_moved(self, since):
        with self._lock:
            return any(since < when for when in self._moves)

    def took(self, seconds, text):
        with self._lock:
            self.slowest = sorted([*self.slowest, (seconds, text)], reverse=True)[:5]

    def will(self, client_id, verdict):
        with self._lock:
            self.wills[client_id] = verdict


class Guest:
    """One visit with one stream: a client with callbacks, which writes to itself."""

    kind = "guest"

    def __init__(self, place, number, dice):
        self.place, self.dice = place, dice
        self.name = f"guest-{number}"
        self.topic = f"own/{self.name}"
        self.level = dice.choice((mquic.client.MQTTv311, mquic.client.MQTTv5))
        self._changed = threading.Condition()
        self._connected = self._subscribed = self._cut = False
        self.is_in = False
        self._got, self._kept = collections.Counter(), {}
        self.client = None

    def _make(self):
        api = mquic.client.CallbackAPIVersion.VERSION2
        client = mquic.client.Client(api, client_id=self.name, protocol=self.level)
        client.tls_set_context(TLSSettings(ca_file=str(self.place.ca)))
        client.will_set(f"will/{self.name}", self.name, 1)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(self, _client, _userdata, _flags, reason, _properties):
        if reason == 0:
            self.place.tally.count("guest connects")
            self.is_in = True
            self._note(lambda: setattr(self, "_connected", True))

    def _on_disconnect(self, *_):
        """What it waits for came with the connection, for the session ends with it."""
        self._note(lambda: setattr(self, "_cut", self._connected))

    def _on_subscribe(self, *_):
        self._note(lambda: setattr(self, "_subscribed", True))

    def _on_message(self, _client, _userdata, message):
        def note():
            if message.topic.startswith("kept/"):
                self._kept[message.topic] = int(message.payload)
            else:
                self._got[message.payload] += 1

        self._note(note)

    def _note(self, change):
        with self._changed:
            change()
            self._changed.notify_all()

    def _wait(self, condition, what):
        with self._changed:
            if not self._changed.wait_for(lambda: condition() or self._cut, VISIT_S):
                raise Wrong(f"{what} within {VISIT_S} s")
            if not condition():
                raise Wrong(f"cut off: {what}")

    def visit(self):
        floor = dict(self.place.kept)
        self.client = self._make()
        self.client.connect_async(self.place.host, self.place.port, keepalive=30)
        self.client.loop_start()
        try:
            self._wait(lambda: self._connected, "not let in")
            self.client.subscribe([(self.topic, 2), ("kept/#", 1)])
            self._wait(lambda: self._subscribed, "no SUBACK")
            self._talk()
            self._wait(lambda: len(self._kept) >= len(floor), "retained messages are missing")
            for topic, value in floor.items():
                if self._kept[topic] < value:
                    raise Wrong(f"{topic} is {self._kept[topic]}, older than {value}")
        finally:
            self.client.disconnect()
            self.client.loop_stop()
        return "none"

    def _talk(self):
        """All at once; those of QoS 1 and 2 have to come."""
        due = collections.Counter()
        sent = collections.Counter()
        for index in range(self.dice.randrange(1, 8)):
            qos = self.dice.randrange(3)
            payload = f"{index} {qos} ".encode() + self.dice.randbytes(self.place.size(self.dice))
            self.client.publish(self.topic, payload, qos)
            sent[payload] += 1
            due[payload] += qos > 0
            self.place.tally.count(f"guest QoS {qos}")
        self._wait(lambda: not due - self._got, "messages are missing")
        if extra := self._got - sent:
            raise Wrong(f"{sum(extra.values())} messages came twice or are not ours")


class Weaver:
    """One visit with several streams, raw; it ends with DISCONNECT or without."""

    kind = "weaver"

    def __init__(self, place, number, dice):
        self.place, self.dice = place, dice
        self.name = f"weaver-{number}"
        self.is_in = False

    def visit(self):
        level = self.dice.choice((4, 5))
        properties = b"\0" if level == 5 else b""
        will = properties + mqtt.text(f"will/{self.name}") + mqtt.text(self.name)
        broker = SimpleNamespace(
            host=self.place.host,
            port=self.place.port,
            certs=SimpleNamespace(ca=str(self.place.ca)),
        )
        words = {"flags": 0x0E, "keep_alive": PATIENT_KEEP_ALIVE_S, "payload": will}
        client = streams.Client(mquic, broker, level, self.name, **words)
        try:
            self.is_in = True
            self.place.tally.count("weaver connects")
            pairs = [(client.open(), client.open()) for _ in range(self.dice.randrange(1, 4))]
            for number, (_, reader) in enumerate(pairs):
                reader.subscribed(f"own/{self.name}/{number}", 2)
            for number, pair in enumerate(pairs):
                self._talk(number, *pair)
            client.ping()
            if self.dice.randrange(2):
                return "due"
            client.control.send(mqtt.DISCONNECT)
            client.control.lost()
            return "none"
        finally:
            client.close()

    def _talk(self, number, writer, reader):
        topic = f"own/{self.name}/{number}"
        for index in range(self.dice.randrange(1, 4)):
            qos = self.dice.randrange(3)
            payload = f"{number} {index} ".encode()
            payload += self.dice.randbytes(self.place.size(self.dice))
            writer.published(topic, payload, qos, packet_id=index + 1)
            if qos == 0:
                writer.client.ping(writer)
            reader.message(topic, payload, qos)
            self.place.tally.count(f"weaver QoS {qos}")


class Vanisher:
    """One visit of a program that is killed: nobody is told."""

    kind = "vanisher"

    def __init__(self, place, number, dice):
        self.place, self.dice = place, dice
        self.name = f"vanisher-{number}"
        self.is_in = False

    def visit(self):
        will = ("--will-topic", f"will/{self.name}", "--will-payload", self.name, "--will-qos", "2")
        program = subprocess.Popen(
            [
                *(self.place.program, "-h", self.place.host, "-p", str(self.place.port)),
                *("--cafile", str(self.place.ca), "-i", self.name, "-k", str(KEEP_ALIVE_S)),
                *(*will, "-t", "kept/#", "-q", "1"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.place.environment,
        )
        hangman = threading.Timer(VISIT_S, program.kill)
        hangman.start()
        try:
            for _ in range(len(self.place.kept)):
                if not program.stdout.readline():
                    raise Wrong(f"it ends or says nothing: {program.stderr.read()}")
                if not self.is_in:
                    self.place.tally.count("vanisher connects")
                self.is_in = True
            time.sleep(self.dice.uniform(*VANISH_S))
            return "due"
        finally:
            hangman.cancel()
            program.kill()
            program.communicate()


class Place:
    """Where they go, and what they have in common."""

    def __init__(self, host, port, ca, program, environment):
        self.host, self.port, self.ca = host, port, ca
        self.program, self.environment = program, environment
        self.tally = Tally()
        self.since = time.monotonic()
        self.kept = {}  # retained messages that the broker has acknowledged: topic, number

    def size(self, dice):
        return BIG if dice.randrange(200) == 0 else dice.choice(SIZES)


class Visitors:
    """Several threads, each with one visit after the other."""

    KINDS = (Guest, Guest, Weaver, Guest, Vanisher, Weaver)

    def __init__(self, place, lanes, seed):
        self.place = place
        self._numbers = itertools.count()
        self._open, self._over = threading.Event(), threading.Event()
        self._lock, self._inside = threading.Lock(), 0
        self._threads = [
            threading.Thread(target=self._run, args=(lane, seed), daemon=True)
            for lane in range(lanes)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, lane, seed):
        dice = random.Random(seed + lane)
        kind = itertools.cycle(self.KINDS)
        while not self._over.is_set():
            if not self._open.wait(0.1):
                continue
            with self._lock:
                self._inside += 1
                number = next(self._numbers)
            try:
                self._visit(next(kind)(self.place, number, dice))
            finally:
                with self._lock:
                    self._inside -= 1

    def _visit(self, visitor):
        """One, and what it has come to."""
        tally = self.place.tally
        since = time.monotonic()
        verdict, wrong = "perhaps", None
        try:
            verdict = visitor.visit()
        except (Wrong, AssertionError, OSError, mquic.MquicError, streams.Closed) as error:
            wrong = error
        troubled = tally.is_troubled(since - SETTLE_S, time.monotonic())
        # A handshake does not survive that (RFC 9000, section 9).
        troubled = troubled or (not visitor.is_in and tally.has_moved(since))
        tally.count(f"{visitor.kind} visits")
        if troubled and (wrong or verdict == "none"):
            verdict = "perhaps"
        if wrong and troubled:
            tally.count("visits cut short")
        elif wrong:
            tally.fail(f"{visitor.name}: {type(wrong).__name__}: {wrong}"[:400])
        tally.will(visitor.name, verdict)
        begun = (since - self.place.since) / 60
        text = f"{visitor.name} at {begun:.1f} min{', cut short' if wrong else ''}"
        tally.took(time.monotonic() - since, f"{text}: {wrong}"[:150] if wrong else text)

    def open(self):
        self._open.set()

    def pause(self, timeout_s=4 * VISIT_S):
        """Lets nobody in, and waits until all are gone."""
        self._open.clear()
        end = time.monotonic() + timeout_s
        while self._inside and time.monotonic() < end:
            time.sleep(0.05)
        if self._inside:
            self.place.tally.fail(f"{self._inside} visits do not end")

    def close(self):
        self.pause()
        self._over.set()
        for thread in self._threads:
            thread.join(1)
