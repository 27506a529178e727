# SPDX-License-Identifier: MIT
"""
The same network by the kernel's own means: veth pairs, bridges, and netem on both ends of every
link. Needs sch_netem, which many virtual machines do not have.

All but the hosts is in one more namespace. Every node, host or switch, has a bridge there, and
every link is a veth pair between two bridges; a plain pair leads from a host to its bridge. What
the host's stack sends in one piece (GSO) is cut there, before netem counts it:

    host namespace      namespace "net"
    bench0 ───── a0 ═ bridge h00 ═ l3a ══netem══ l3b ═ bridge s0 ═ l0a ══netem══ l0b ═ bridge s9 …
"""

import json
import os
import subprocess

from .errors import BenchError
from .network import DEVICE, PREFIX, QUEUE, Hosts, Network, ip

SHAPED = {"rate_bps", "delay_ms", "loss", "queue"}


def _tc(namespace, *words):
    try:
        return subprocess.run(["tc", "-n", namespace, *words], capture_output=True, text=True,
                              check=False)
    except FileNotFoundError:
        raise BenchError("the program tc is missing (package iproute2)") from None


def probe():
    """(whether netem shapes here, whether it takes a seed, what tc said), by trying it."""
    name = f"{PREFIX}-{os.getpid()}-probe-0"
    try:
        ip("netns", "add", name)
        works = _tc(name, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
        seeds = _tc(name, "qdisc", "replace", "dev", "lo", "root", "netem", "loss", "1%", "seed",
                    "1")
        said = works.stderr.strip().splitlines()
        return works.returncode == 0, seeds.returncode == 0, said[0] if said else ""
    except BenchError as error:
        return False, False, str(error)
    finally:
        ip("netns", "delete", name, check=False)


class Choice:
    """Which network carries what; a user's wish, or what the kernel has."""

    def __init__(self, wish):
        works, self.seeds, said = (False, False, "") if wish == "emulator" else probe()
        if wish == "netem" and not works:
            raise BenchError(f"--network netem: this kernel has no netem ({said}); "
                             "use auto or emulator")
        self.kind = "netem" if works else "emulator"
        self.said = said

    def sentence(self):
        if self.kind == "netem":
            repeat = "repeat with their seed" if self.seeds else "differ from run to run"
            return (f"Links are netem's; its losses {repeat}. Troubles (bursts, outages, NAT, the "
                    "mesh) are the emulator's: only it plans them.")
        why = f": no netem here ({self.said})" if self.said else ""
        return f"Links are the emulator's{why}."

    def key(self):
        """What marks a row in whose network it was measured; nothing for the emulator."""
        return {"network": "netem"} if self.kind == "netem" else {}

    def network(self, build, lane, topology, kind=None):
        if (kind or self.kind) == "netem":
            return NetemNetwork(lane, topology, self.seeds)
        return Network(build, lane, topology)


class NetemNetwork(Hosts):
    """A topology without cycles."""

    kind = "netem"

    def __init__(self, lane, topology, seeds):
        super().__init__(lane, topology)
        self._seeds = seeds

    def _ends(self):
        """[(device, its bridge)]: two for each link, one after the other."""
        for i, (a, b) in enumerate(self._links):
            yield f"l{i}a", a
            yield f"l{i}b", b

    def _mac(self, host):
        return f"02:00:0a:4d:{self.number(host):02x}:01"

    def bridge_commands(self):
        """`ip -n net` lines that make bridges, and the links between them."""
        for node in [*self._switches, *self.hosts]:
            yield f"link add name {node} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
            yield f"link set {node} up"
        ends = list(self._ends())
        for (a, bridge_a), (b, bridge_b) in zip(ends[::2], ends[1::2]):
            yield f"link add name {a} type veth peer name {b}"
            yield f"link set {a} master {bridge_a} up"
            yield f"link set {b} master {bridge_b} up"

    def host_commands(self, host, index):
        """The pair from a host to its bridge; one segment a packet."""
        return [
            f"link add name a{index} type veth peer name {DEVICE} "
            f"address {self._mac(host)} netns {self.namespace(host)}",
            f"link set a{index} master {host} up",
        ]

    def neighbour_commands(self, host):
        """No ARP: it would be lost and delayed like the rest, and the emulator has none."""
        others = [other for other in self.hosts if other != host]
        for other in others:
            for last in (1, 2):
                yield (f"neigh replace 10.77.{self.number(other)}.{last} "
                       f"lladdr {self._mac(other)} dev {DEVICE} nud permanent")

    def qdisc_commands(self, seed, parameters):
        """`tc` lines that shape both directions of every link."""
        unknown = set(parameters) - SHAPED
        if unknown:
            raise BenchError(f"netem links know no {', '.join(sorted(unknown))}")
        for i, (device, _) in enumerate(self._ends()):
            words = [f"qdisc add dev {device} root netem limit {parameters.get('queue', QUEUE)}"]
            words.append(f"delay {parameters['delay_ms'] * 1000:.0f}us")
            if parameters["loss"]:
                words.append(f"loss random {100 * parameters['loss']:g}%")
            if parameters["rate_bps"]:
                words.append(f"rate {parameters['rate_bps']:.0f}bit")
            if self._seeds:
                words.append(f"seed {seed * 1000 + i}")
            yield " ".join(words)

    def _batch(self, program, namespace, lines, force=False):
        argv = [program, *(["-force"] if force else []), "-n", namespace, "-batch", "-"]
        done = subprocess.run(argv, input="\n".join(lines) + "\n", capture_output=True, text=True,
                              check=False)
        if done.returncode != 0 and not force:
            raise BenchError(f"{program} in {namespace}: {done.stderr.strip()}")

    def start(self):
        net = self.namespace("net")
        for name in [net, *map(self.namespace, self.hosts)]:
            ip("netns", "add", name)
            # No neighbour discovery on the links either.
            subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw",
                            "net.ipv6.conf.default.disable_ipv6=1"],
                           capture_output=True, check=False)
        self._batch("ip", net, self.bridge_commands())
        for i, host in enumerate(self.hosts):
            self._batch("ip", net, self.host_commands(host, i))
            self.configure(host)
            self._batch("ip", self.namespace(host),
                        [f"link set {DEVICE} gso_max_segs 1", *self.neighbour_commands(host)])

    def prepare(self, seed, parameters, plan=(), nat=()):
        """A fresh start with these parameters on every link; counters at 0."""
        if plan or nat:
            raise BenchError("netem links have no plan and no NAT; use --network emulator")
        net = self.namespace("net")
        self._batch("tc", net, [f"qdisc del dev {device} root" for device, _ in self._ends()], True)
        self._batch("tc", net, self.qdisc_commands(seed, parameters))

    def packets(self):
        """(offered to links, lost on them or for want of room) since prepare()."""
        done = _tc(self.namespace("net"), "-s", "-j", "qdisc", "show")
        rows = [row for row in json.loads(done.stdout or "[]") if row.get("kind") == "netem"]
        lost = sum(row.get("drops", 0) for row in rows)
        return sum(row.get("packets", 0) for row in rows) + lost, lost

    def __exit__(self, *_):
        super().__exit__()
        ip("netns", "delete", self.namespace("net"), check=False)
