# SPDX-License-Identifier: MIT
"""A real /usr/sbin/mosquitto with our plugin, on loopback ports it picks."""

import itertools
import os
import re
import signal
import subprocess
from pathlib import Path

from . import datagrams
from .build import BROKER, broker_version, give_to_broker
from .ports import free_tcp_port, free_udp_port
from .process import PATIENCE, Process, eventually, threads_of
from .publisher import publish_lines

# 2.1 also says "running mosquitto as user", before it listens.
RUNNING = r"mosquitto version \S+ running"
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
_ids = itertools.count(1)


class Broker:
    """
    One broker: `port` is QUIC over UDP, `tcp_port` plain MQTT, both on 127.0.0.1.

    plugin_opts  further `plugin_opt_…` lines, by name; None leaves a default out, a list repeats it
    listener     lines for the hand-off listener ("password_file …", "acl_file …")
    tcp          lines for the TCP listener
    top          lines for the top of the file ("max_packet_size 1000")
    anonymous    allow_anonymous of the hand-off listener
    per_listener per_listener_settings; by default only when listeners are to differ, since with
                 it Mosquitto before 2.0.23 queues nothing for clients that are away (its
                 issue 2618)
    identity     the server's certificate and key, Certificates.server by default
    blocks       QUIC listeners with names, each a dictionary of its `plugin_opt_…` lines; the first
                 one has the hand-off listener and `port`, and all have plugin_opts. Each other one
                 has its own hand-off listener, unless its "handoff" is given, and names its "listen"
    wrapper      words in front of the broker, such as valgrind's
    """

    host = "127.0.0.1"

    def __init__(
        self,
        build,
        certs,
        directory,
        plugin_opts=None,
        listener=(),
        tcp=(),
        top=(),
        anonymous=True,
        per_listener=None,
        identity=None,
        wrapper=(),
        blocks=None,
    ):
        self.build = build
        self.certs = certs
        self.directory = directory
        self.port = free_udp_port()
        self.tcp_port = free_tcp_port()
        self.socket = directory / "quic.sock"
        self.wrapper = list(wrapper)
        self.identity = identity or certs.server
        self._anonymous = anonymous
        differ = not anonymous or bool(listener) or bool(tcp)
        self._per_listener = differ if per_listener is None else per_listener
        self._opts = dict(plugin_opts or {})
        self._lines = {"listener": list(listener), "tcp": list(tcp), "top": list(top)}
        self._blocks = {name: dict(lines) for name, lines in (blocks or {}).items()}
        self.plugin = self.build.plugin
        self._child = None
        self._log_path = directory / "broker.log"
        self._clients = []
        self.expect_failure = False

    # ---- configuration

    def options(self):
        """The plugin's options, defaults of the tests included."""
        options = {
            "handoff": self.socket,
            "listen": f"{self.host}:{self.port}",
            "certfile": self.identity.cert,
            "keyfile": self.identity.key,
            "reset_key_file": self.directory / "reset.key",
            "worker": self.build.worker,
        }
        if self._blocks:
            options.update(handoff=None, listen=None)
        options.update(self._opts)
        return {name: value for name, value in options.items() if value is not None}

    def _named(self):
        """The listeners with names, each with the lines of its own."""
        for number, (name, lines) in enumerate(self._blocks.items()):
            first = {"handoff": self.socket, "listen": f"{self.host}:{self.port}"}
            other = {"handoff": self.directory / f"{name}.sock"}
            yield name, {**(other if number else first), **lines}

    def _more_handoffs(self):
        """The broker's listeners for all of them but the first."""
        for name, _ in list(self._named())[1:]:
            if "handoff" not in self._blocks[name]:
                yield f"listener 0 {self.directory / f'{name}.sock'}"
                yield f"allow_anonymous {str(self._anonymous).lower()}"

    def _option_lines(self):
        def line(name, values):
            for value in values if isinstance(values, list) else [values]:
                yield f"plugin_opt_{name} {value}"

        for name, values in self.options().items():
            yield from line(name, values)
        for listener, lines in self._named():
            yield f"plugin_opt_listener {listener}"
            for name, values in lines.items():
                yield from line(name, values)

    def config(self):
        """The text of mosquitto.conf."""
        yes_no = {True: "true", False: "false"}
        return "\n".join(
            [
                f"per_listener_settings {yes_no[self._per_listener]}",
                "log_type all",
                "log_dest stderr",
                "log_timestamp false",
                # From 2.1 on the broker's own limit is 2 MB.
                *(["max_packet_size 268435455"] if broker_version() >= (2, 1, 0) else []),
                *self._lines["top"],
                f"listener {self.tcp_port} {self.host}",
                *(["allow_anonymous true"] if self._per_listener else []),
                *self._lines["tcp"],
                f"listener 0 {self.socket}",
                f"allow_anonymous {yes_no[self._anonymous]}",
                *self._lines["listener"],
                *self._more_handoffs(),
                f"plugin {self.plugin}",
                *self._option_lines(),
                "",
            ]
        )

    def add_top(self, line):
        """One more line for the top of the file, before the start."""
        self._lines["top"].append(line)

    def set_option(self, name, value):
        """Changes a plugin option before the start."""
        self._opts[name] = value

    # ---- life

    def launch(self):
        """Starts the process and does not wait for it to be ready."""
        path = self.directory / "mosquitto.conf"
        path.write_text(self.config())
        give_to_broker(path)
        self._start_size = self._log_path.stat().st_size if self._log_path.exists() else 0
        with open(self._log_path, "ab") as log:
            self._child = subprocess.Popen(
                [*self.wrapper, BROKER, "-c", str(path)],
                env=self.build.environment(preload=True),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def start(self, timeout=PATIENCE):
        """Starts the broker and waits until it answers on TCP and on QUIC."""
        self.launch()

        def ready():
            assert self.running(), f"the broker ended at once:\n{self.log()}"
            log = self.log_since_start()
            # The plugin answers before it has said so.
            served = "ready for QUIC clients" in log
            told = re.search(RUNNING, log) and served
            return told and datagrams.answers_quic(self.port)

        eventually(ready, timeout, lambda: f"a broker that answers; its log:\n{self.log()}")
        return self

    def refuse(self, timeout=PATIENCE):
        """Starts a broker that ought to refuse; returns (exit code, log)."""
        self.expect_failure = True
        self.launch()
        return self._child.wait(timeout), self.log()

    def running(self):
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self):
        return self._child.pid

    def signal(self, number):
        self._child.send_signal(number)

    def sighup(self):
        """Reloads, and waits until the broker has done it, each of the plugin's workers included."""
        mark = len(self.log())
        outcome = r"certificates and keys (?:were read again|stay as they were)(?s:.*?)"
        self.signal(signal.SIGHUP)
        self.wait_log(f"(?:{outcome}){{{len(self.worker_pids())}}}", start=mark)

    def stop(self, timeout=PATIENCE):
        """SIGTERM; returns the exit code."""
        if self.running():
            self.signal(signal.SIGTERM)
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise AssertionError(f"the broker did not stop; its log:\n{self.log()}") from None

    def restart(self):
        """Stops and starts again on the same ports."""
        assert self.stop() == 0, self.log()
        return self.start()

    def close(self):
        """The end of a test: nothing may be left, and the broker must not have crashed."""
        for client in self._clients:
            client.kill()
        if self._child is None:
            return
        code = self.stop()
        log = self.log()
        assert self.expect_failure or code == 0, f"the broker's exit code is {code}:\n{log[-8000:]}"
        assert not SANITIZER.search(log), log[-16000:]

    # ---- log

    def log(self):
        """Everything the broker wrote, over restarts."""
        return self._log_path.read_text(errors="replace")

    def log_since_start(self):
        """What it wrote since the last start."""
        return self._log_path.read_bytes()[self._start_size :].decode(errors="replace")

    def wait_log(self, pattern, timeout=PATIENCE, start=0):
        """Waits until the log past `start` matches a regular expression; returns the match."""
        return eventually(
            lambda: re.search(pattern, self.log()[start:]),
            timeout,
            lambda: f"{pattern!r} in the log, which ends:\n{self.log()[-4000:]}",
        )

    # ---- clients

    def address(self, port=None, cafile=None, host=None):
        """Options that lead one of our tools here, trust included."""
        trust = ["--cafile", cafile or self.certs.ca]
        return ["-h", host or self.host, "-p", port or self.port, *trust]

    def pub(self, *args, port=None, cafile=None, host=None, timeout=60, check=True, **options):
        """Runs mquic-pub to its end. `port`: of a proxy in between."""
        address = self.address(port, cafile, host)
        tool = self.build.tool("mquic-pub")
        done = self.build.run(tool, *address, *args, timeout=timeout, **options)
        assert not check or done.returncode == 0, f"mquic-pub {args}: {done}\n{self.log()[-4000:]}"
        return done

    def sub(self, *args, port=None, client_id=None, ready=True, stdout=None):
        """
        Starts mquic-sub and waits until the broker has acknowledged its subscription.
        Returns a Process; it is killed at the end of the test if it still runs. `stdout`: a
        file to write to, for what is not lines of text.
        """
        client_id = client_id or f"sub{os.getpid()}-{next(_ids)}"
        mark = len(self.log())
        child = self.spawn(
            self.build.tool("mquic-sub"),
            *self.address(port),
            "-i",
            client_id,
            *args,
            stdout=stdout,
        )
        if ready:
            self.wait_suback(client_id, child, mark)
        return child

    def state(self):
        """For the report of a test that failed: what its threads do, and the end of the log."""
        threads = threads_of(self.pid) if self._child else "not started"
        log = self.log()[-4000:] if self._log_path.exists() else ""
        return f"{threads}\n{log}"

    def worker_pids(self):
        """The processes beside the broker that speak QUIC; waits until there is one."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in eventually(children.read_text, what="a worker").split()]

    def worker_pid(self):
        """The first of them, mostly the only one."""
        return self.worker_pids()[0]

    def memory_kb(self):
        """Resident memory of the broker and its worker."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in (self.pid, *self.worker_pids())]
        return sum(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) for text in texts)

    def connections(self):
        """Clients that the broker let in through the hand-off, by client identifier."""
        pattern = rf"New client connected from {re.escape(str(self.socket))}\S* as (\S+)"
        # With 2.0 and allow_anonymous the plugin's own test gets in once.
        return [name for name in re.findall(pattern, self.log()) if name != "mquic-self-test"]

    def wait_suback(self, client_id, child, start=0, timeout=PATIENCE):
        """Waits until the broker has acknowledged a subscription of `child`."""

        def subscribed():
            ended = child.returncode is not None
            if f"Sending SUBACK to {client_id}" in self.log()[start:]:
                return True
            assert not ended, f"{child.argv} ended: {child.lines} {child.errors}"
            return False

        eventually(subscribed, timeout, f"SUBACK to {client_id}")

    def spawn(self, *argv, stdout=None):
        """Starts a program of ours in the background; killed at the end of the test."""
        return self.adopt(Process(argv, self.build.environment(), stdout=stdout))

    def adopt(self, child):
        """Has a Process killed at the end of the test, should it still run."""
        self._clients.append(child)
        return child

    def tcp_pub(self, *args, check=True, **options):
        """mosquitto_pub over plain TCP to the same broker."""
        argv = ["mosquitto_pub", "-h", self.host, "-p", str(self.tcp_port), *map(str, args)]
        options.setdefault("text", True)
        done = subprocess.run(argv, capture_output=True, timeout=60, **options)
        assert not check or done.returncode == 0, done
        return done

    def tcp_lines(self, topic, lines, qos=0):
        """Publishes each of the `lines` over plain TCP to the same broker, in one thread."""
        publish_lines(self.host, self.tcp_port, topic, lines, qos)

    def tcp_sub(self, *args, client_id=None, stdout=None):
        """mosquitto_sub over plain TCP, subscribed when this returns. A Process."""
        client_id = client_id or f"tcp{os.getpid()}-{next(_ids)}"
        mark = len(self.log())
        argv = ["mosquitto_sub", "-h", self.host, "-p", self.tcp_port, "-i", client_id, *args]
        child = self.spawn(*argv, stdout=stdout)
        self.wait_suback(client_id, child, mark)
        return child
