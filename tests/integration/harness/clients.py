# SPDX-License-Identifier: MIT
"""The C helper clients, spoken to from Python. See the head of each .c file for its words."""

from urllib.parse import quote, unquote_to_bytes

from .process import PATIENCE, Process


def _fields(line):
    """`kind name=value …` as a dict of text; the first word is under ""."""
    kind, *words = line.split(" ")
    fields = {"": kind}
    for word in words:
        name, _, value = word.partition("=")
        fields[name] = unquote_to_bytes(value).decode("utf-8", "surrogateescape")
    return fields


def _target(broker, port, options):
    words = {"host": broker.host, "port": port or broker.port, "cafile": broker.certs.ca}
    words.update({name.replace("_", "-"): value for name, value in options.items()})
    return [f"--{name}={value}" for name, value in words.items() if value is not None]


class SessionClient:
    """One remote-controlled session (session_client.c)."""

    def __init__(self, broker, client_id=None, port=None, settings=None, **options):
        """`options` are those of the session (protocol=4, clean=0, …), `settings` of QUIC."""
        argv = [broker.build.helper("session-client"), *_target(broker, port, settings or {})]
        self.process = Process(argv, broker.build.environment(), stdin=True)
        broker.adopt(self.process)
        self._read = 0
        self._pending = []
        if client_id:
            self.command("set", "id", client_id)
        for name, value in options.items():
            self.command("set", name.replace("_", "-"), value)

    def command(self, *words):
        """Sends a command and returns the fields of its answer, whatever it is."""
        self.process.write(" ".join(quote(str(word), safe="/+#$") for word in words) + "\n")
        return self._find(lambda f: f[""] in ("ok", "error") and f["command"] == words[0])

    def do(self, *words):
        """Sends a command that must succeed."""
        answer = self.command(*words)
        assert answer[""] == "ok", f"{words}: {answer}"
        return answer

    def event(self, kind, timeout=PATIENCE, **wanted):
        """Waits for an event of a kind with these fields and takes it; others stay."""
        wanted = {name.replace("_", "-"): str(value) for name, value in wanted.items()}
        return self._find(
            lambda f: f[""] == "event"
            and f["type"] == kind
            and all(f.get(name) == value for name, value in wanted.items()),
            timeout,
        )

    def events(self, kind):
        """All events of a kind so far."""
        found = map(_fields, self.process.lines)
        return [f for f in found if f[""] == "event" and f["type"] == kind]

    def connect(self, **wanted):
        """Connects and waits for CONNACK."""
        self.do("connect")
        return self.event("CONNECTED", **wanted)

    def subscribe(self, topic, qos=2, *more):
        self.do("subscribe", topic, qos, *more)
        answer = self.event("SUBSCRIBED")
        assert int(answer["reason"]) < 0x80, answer
        return answer

    def publish(self, topic, payload="", qos=0, retain=0):
        """Publishes; with QoS 1 and 2 waits until it is settled."""
        answer = self.do("publish", topic, qos, retain, payload)
        if qos:
            return self.event("DELIVERED", id=answer["id"])
        return answer

    def message(self, timeout=PATIENCE, **wanted):
        return self.event("MESSAGE", timeout, **wanted)

    def disconnect(self, reason=0):
        self.do("disconnect", reason)
        return self.event("DISCONNECTED")

    def quit(self):
        """Leaves without DISCONNECT, frees everything; returns the exit code."""
        self.process.write("quit\n")
        return self.process.wait()

    def kill(self):
        """Gone without a word, as when the power fails."""
        self.process.kill()

    def _find(self, match, timeout=PATIENCE):
        """Takes the first line that matches; what it passes by can still be asked for."""
        while True:
            for fields in self._pending:
                if match(fields):
                    self._pending.remove(fields)
                    return fields
            lines = self.process.wait_lines(self._read + 1, timeout)
            self._pending += map(_fields, lines[self._read :])
            self._read = len(lines)


def exchange(broker, port=None, timeout=90, **options):
    """Runs exchange.c to its end; returns (completed process, fields by side)."""
    target = _target(broker, port, options)
    done = broker.build.run(broker.build.helper("exchange"), *target, timeout=timeout)
    return done, {line.split()[0]: _fields(line) for line in done.stdout.splitlines()}


def many_clients(broker, port=None, timeout=120, **options):
    """Runs many_clients.c to its end."""
    target = _target(broker, port, options)
    return broker.build.run(broker.build.helper("many-clients"), *target, timeout=timeout)


def raw(broker, *chunks, port=None, timeout=60, flags=(), **options):
    """Sends raw bytes on one stream; returns what came back, a RawResult."""
    argv = [*_target(broker, port, options), *flags, *(chunk.hex() for chunk in chunks)]
    done = broker.build.run(broker.build.helper("raw-client"), *argv, timeout=timeout)
    assert done.returncode == 0, done
    return RawResult(done.stdout)


def start_raw(broker, *chunks, flags=(), **options):
    """The same, but left to itself; its `lines` are those of a RawResult."""
    argv = [*_target(broker, None, options), *flags, *(chunk.hex() for chunk in chunks)]
    process = Process([broker.build.helper("raw-client"), *argv], broker.build.environment())
    broker.adopt(process)
    return process


class RawServer:
    """A server that answers the first bytes of a client with raw ones (raw_server.c)."""

    def __init__(self, build, certs, *chunks, close=None, stop=False):
        """
        `close`: a reason to close the connection with in place of an answer. `stop`: wants no
        more of the client's bytes behind it.
        """
        words = [] if close is None else [f"--close={close}"]
        words += ["--stop"] if stop else []
        argv = [
            build.helper("raw-server"),
            f"--cert={certs.server.cert}",
            f"--key={certs.server.key}",
            *words,
            *(chunk.hex() for chunk in chunks),
        ]
        self.process = Process(argv, build.environment())
        self.port = int(self.process.wait_line("port ").split()[1])

    def received(self):
        """All bytes that have come so far."""
        fields = [_fields(line) for line in self.process.lines if line.startswith("received ")]
        return b"".join(f["data"].encode("utf-8", "surrogateescape") for f in fields)

    def kill(self):
        self.process.kill()


class RawResult:
    """What a raw client saw: `data` from the peer, and how it ended."""

    def __init__(self, output):
        self.lines = [_fields(line) for line in output.splitlines()]
        kinds = [line[""] for line in self.lines]
        self.ready = "ready" in kinds
        self.ended = "end" in kinds
        self.timed_out = "timeout" in kinds
        self.closed = next((line for line in self.lines if line[""] == "closed"), None)
        chunks = [line["data"] for line in self.lines if line[""] == "received"]
        self.data = b"".join(chunk.encode("utf-8", "surrogateescape") for chunk in chunks)

    def __repr__(self):
        return "\n".join(str(line) for line in self.lines)
