# SPDX-License-Identifier: MIT
"""A bad network: a UDP proxy on loopback that loses, delays, reorders and repeats."""

import heapq
import itertools
import random
import selectors
import socket
import threading
import time



class Proxy:
    """
    Sits between clients and one UDP port; each client gets its own socket upstream.

    loss, duplicate  probability per datagram, both ways
    delay_ms         one way
    jitter_ms        a random extra delay, which reorders
    seed             makes the dice repeatable

    All of them may be changed while it runs. rebind() gives every client a new source
    port, as a NAT does that forgot; blackhole = True loses everything, mute = True what the
    server says, only_retry = True all of that but Retry, mtu = 1200 whatever is larger. The first
    datagrams of clients are kept in `captured`, those of servers are counted in `answered`.
    `sources` gives the addresses the server sees, one for each new client.
    """

    BATCH = 64
    CAPTURE = 1024

    def __init__(self, port, loss=0.0, duplicate=0.0, delay_ms=0.0, jitter_ms=0.0, seed=1):
        self.loss, self.duplicate = loss, duplicate
        self.delay_ms, self.jitter_ms = delay_ms, jitter_ms
        self.blackhole = self.mute = self.only_retry = False
        self.sources = itertools.repeat("127.0.0.1")
        self.mtu = 65536
        self.lost = self.passed = self.answered = self.largest = 0
        self.captured = []
        self._target = ("127.0.0.1", port)
        self._dice = random.Random(seed)
        self._order = itertools.count()
        self._queue = []
        self._upstream = {}
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._front = self._socket()
        self._front.bind(("127.0.0.1", 0))
        self.port = self._front.getsockname()[1]
        self._selector.register(self._front, selectors.EVENT_READ, self._from_client)
        self._stop_read, self._stop_write = socket.socketpair()
        self._selector.register(self._stop_read, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _socket():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        return sock

    def rebind(self, share=1.0):
        """
        From now on the server sees every client, or a share of them, at a new port; the old ones
        are gone.
        """
        with self._lock:
            for client in list(self._upstream):
                if share == 1 or self._dice.random() < share:
                    self._forget(client)
                    self._upstream[client] = self._open_upstream(client)

    def retarget(self, port):
        """From now on clients get to another server, which knows none of them."""
        self._target = ("127.0.0.1", port)
        self.rebind()

    def close(self):
        self._stop_write.send(b"x")
        self._thread.join(5)
        for sock in (self._front, self._stop_read, self._stop_write, *self._upstream.values()):
            sock.close()
        self._selector.close()

    def _forget(self, client):
        old = self._upstream.pop(client)
        self._selector.unregister(old)
        old.close()

    def _open_upstream(self, client):
        sock = self._socket()
        sock.bind((next(self.sources), 0))
        sock.connect(self._target)
        self._selector.register(sock, selectors.EVENT_READ, self._to_client(client))
        return sock

    def _run(self):
        while True:
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._stop_read:
                    return
                with self._lock:
                    if key.fileobj.fileno() >= 0:
                        self._drain(key)
            with self._lock:
                self._release()

    def _patience(self):
        with self._lock:
            return max(0.0, self._queue[0][0] - time.monotonic()) if self._queue else None

    def _drain(self, key):
        for _ in range(self.BATCH):
            try:
                key.data(key.fileobj)
            except OSError:
                return

    def _from_client(self, sock):
        data, client = sock.recvfrom(65536)
        if len(self.captured) < self.CAPTURE:
            self.captured.append(data)
        if client not in self._upstream:
            self._upstream[client] = self._open_upstream(client)
        self._pass(len(data), lambda: self._upstream[client].send(data))

    def _to_client(self, client):
        def forward(sock):
            data = sock.recv(65536)
            self.answered += 1
            retry = data[0] & 0xF0 == 0xF0
            if not self.mute and (retry or not self.only_retry):
                self._pass(len(data), lambda: self._front.sendto(data, client))

        return forward

    def _pass(self, size, deliver):
        if self.blackhole or size > self.mtu or self._dice.random() < self.loss:
            self.lost += 1
            return
        copies = 2 if self._dice.random() < self.duplicate else 1
        for _ in range(copies):
            self.passed += 1
            self.largest = max(self.largest, size)
            delay = self.delay_ms + self._dice.random() * self.jitter_ms
            if delay:
                due = time.monotonic() + delay / 1000
                heapq.heappush(self._queue, (due, next(self._order), deliver))
            else:
                self._deliver(deliver)

    def _release(self):
        now = time.monotonic()
        while self._queue and self._queue[0][0] <= now:
            self._deliver(heapq.heappop(self._queue)[2])

    @staticmethod
    def _deliver(deliver):
        try:
            deliver()
        except OSError:
            pass  # A full or closed socket loses datagrams, as networks do.
