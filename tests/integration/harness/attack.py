# SPDX-License-Identifier: MIT
"""A thread that throws random and half-valid datagrams at a port."""

import os
import random
import socket
import threading
import time

from . import datagrams

# Bits and bytes of a header that steer the parser: form and type, version, both lengths.
HEADER_BYTES = 40


class Attack:
    """
    Sends `rate` datagrams a second from many source ports until stop(). `initials` are real
    client datagrams; they are sent as they are, mutated, cut, glued and with new identifiers.
    """

    def __init__(self, port, initials, rate=3000, seed=1):
        self.sent = 0
        self._target = ("127.0.0.1", port)
        self._initials = initials
        self._rate = rate
        self._dice = random.Random(seed)
        self._stop = threading.Event()
        self._kinds = [
            self._random,
            self._short,
            self._version,
            self._replay,
            self._mutate_header,
            self._mutate_body,
            self._cut,
            self._new_identifier,
            self._glue,
        ]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(10)

    def _run(self):
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(32)]
        batch = max(1, self._rate // 100)
        while not self._stop.is_set():
            for _ in range(batch):
                self._send(self._dice.choice(socks), self._dice.choice(self._kinds)())
            # Now and then a new port, so that the server sees ever new addresses.
            socks.pop(0).close()
            socks.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            time.sleep(batch / self._rate)
        for sock in socks:
            sock.close()

    def _send(self, sock, data):
        try:
            sock.sendto(data, self._target)
            self.sent += 1
        except OSError:
            pass

    def _real(self):
        return bytearray(self._dice.choice(self._initials))

    def _random(self):
        return os.urandom(self._dice.choice([0, 1, 7, 30, 600, 1200, 1452]))

    def _short(self):
        return datagrams.short_header(self._dice.choice([5, 21, 22, 43, 100, 1200]))

    def _version(self):
        version = self._dice.choice([0, 2, 0x6B3343CF, 0xFF00001D, 0x1A2A3A4A])
        return datagrams.long_header(version, size=self._dice.choice([100, 1199, 1200, 1400]))

    def _replay(self):
        return self._real()

    def _mutate_header(self):
        data = self._real()
        for _ in range(self._dice.randint(1, 3)):
            data[self._dice.randrange(min(HEADER_BYTES, len(data)))] = self._dice.randrange(256)
        return data

    def _mutate_body(self):
        data = self._real()
        data[self._dice.randrange(len(data))] ^= 1 << self._dice.randrange(8)
        return data

    def _cut(self):
        data = self._real()
        return data[: self._dice.randrange(len(data))]

    def _new_identifier(self):
        data = self._real()
        length = data[5]
        data[6 : 6 + length] = os.urandom(length)
        return data

    def _glue(self):
        return (self._real()[: self._dice.randrange(200)] + self._real())[:1452]
