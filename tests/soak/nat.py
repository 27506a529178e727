# SPDX-License-Identifier: MIT
"""
The bad network between clients over QUIC and the broker, in a process of its own: it loses and
delays, and its clients' addresses change, some at a time. Run as a program it takes one command
in a line, as JSON, and answers in one.
"""

import collections
import contextlib
import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
IDLE_S = 60  # routers forget UDP as soon
SOURCES = [f"127.0.0.{number}" for number in range(1, 6)]


class Network:
    """The end in the process of the clients. `port` is where they dial."""

    def __init__(self, port):
        argv = [sys.executable, str(HERE / "nat.py"), str(port)]
        self._child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()
        self.port = self._do("figures")["port"]

    def _do(self, name, **words):
        with self._lock:
            self._child.stdin.write(json.dumps({"do": name, **words}) + "\n")
            self._child.stdin.flush()
            return json.loads(self._child.stdout.readline())

    def weather(self, loss, delay_ms, jitter_ms):
        """What it is like from now on; the delay is one way."""
        self._do("weather", loss=loss, delay_ms=delay_ms, jitter_ms=jitter_ms)

    def move(self, share):
        """A share of all clients has other addresses from now on."""
        self._do("move", share=share)

    def figures(self):
        """Datagrams: `sent` to the server, `answered` by it, `lost`, both ways; `known` clients."""
        return self._do("figures")

    def close(self):
        self._child.stdin.close()
        self._child.wait()


def make_router():
    """The class is made here, since only the program has the paths for it."""
    from harness.proxy import Proxy

    class Router(Proxy):
        """A proxy that counts each way, and forgets who is silent."""

        def __init__(self, port):
            super().__init__(port, seed=None)
            self.sources = itertools.cycle(SOURCES)
            self.sent = 0
            self._heard = collections.defaultdict(time.monotonic)

        def _from_client(self, sock):
            before = self.lost
            super()._from_client(sock)
            self.sent += self.lost == before

        def _to_client(self, client):
            forward = super()._to_client(client)

            def count(sock):
                forward(sock)
                self._heard[client] = time.monotonic()

            return count

        def forget_silent(self):
            """As routers do; also those that the server says nothing to any more."""
            with self._lock:
                for client in list(self._upstream):
                    if time.monotonic() - self._heard[client] > IDLE_S:
                        self._forget(client)
                        del self._heard[client]

        def figures(self):
            with self._lock:
                return {
                    "port": self.port,
                    "sent": self.sent,
                    "answered": self.answered,
                    "lost": self.lost,
                    "known": len(self._upstream),
                }

    return Router


def serve(router):
    for line in sys.stdin:
        words = json.loads(line)
        name = words.pop("do")
        if name == "weather":
            for field, value in words.items():
                setattr(router, field, value)
        elif name == "move":
            router.rebind(**words)
        router.forget_silent()
        print(json.dumps(router.figures()), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent / "integration"))
    with contextlib.suppress(KeyboardInterrupt):
        serve(make_router()(int(sys.argv[1])))
