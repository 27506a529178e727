# SPDX-License-Identifier: MIT
"""The command line: sub-commands, their options, and what they share."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

from harness.build import SOURCE, Build, give_to_broker, make_directory

from . import (crowded, emulator_check, facts, footprint, links, loopback, lossy, memory, packaged,
               report, workers)
from .broker import TRANSPORTS
from .errors import BenchError
from .ledger import Ledger, note_directory
from .network import remove_stale
from .progress import say
from .results import Results

COMMANDS = ["emulator-check", "lossy", "throughput", "latency", "connections", "memory",
            "workers", "storm", "attacks", "footprint"]
SERVER_NAMES = ["localhost", "127.0.0.1", "10.77.9.1"]

Identity = namedtuple("Identity", "cert key")
Identities = namedtuple("Identities", "ca server directory")


class Context:
    """What every sub-command needs: the build, where results go, certificates."""

    def __init__(self, args):
        os.environ["MQUIC_BUILD"] = str(args.build)
        self.args = args
        if args.packaged:
            packaged.make(args.build)
        self.out = args.out
        self._build = None
        self._certificates = None
        self._facts = None

    @property
    def build(self):
        if self._build is None:
            try:
                self._build = Build()
            except FileNotFoundError as error:
                raise BenchError(str(error)) from None
            note_directory(self._build.copies)
            if self._build.sanitizer:
                raise BenchError(f"{self._build.directory} has sanitizers in it; measure another")
        return self._build

    def certificates(self, _host):
        """A CA and a server certificate (P-256) good for every address the bench uses."""
        if self._certificates is None:
            place = make_directory()
            note_directory(place)
            for words in (["ca"], ["server", "--days", "30", *SERVER_NAMES]):
                done = self.build.run(
                    self.build.tool("mquic-keygen"), words[0], "--dir", place, *words[1:]
                )
                if done.returncode != 0:
                    raise BenchError(f"mquic-keygen: {done.stderr.strip()}")
            place.chmod(0o755)
            give_to_broker(place / "server.key")
            server = Identity(place / "server.crt", place / "server.key")
            self._certificates = Identities(place / "ca.crt", server, place)
        return self._certificates

    def results(self, command):
        if self._facts is None:
            self._facts = facts.gather(self.args.build)
        results = Results(self.out, command, self._facts, facts.identity(self._facts))
        if getattr(self.args, "fresh", False):
            results.forget()
        elif results.others:
            say(f"{results.path}: {results.others} rows are of another build or machine and are "
                "kept; --fresh measures them again")
        return results

    def kept(self, command, directory=None):
        """Rows that were measured before."""
        return Results(directory or self.out, command)

    def print_table(self, title, table):
        print(f"\n{title}\n\n{table.text()}\n", flush=True)

    def print_text(self, text):
        print(f"{text}\n", flush=True)

    def say(self, text):
        say(text)

    def load_average(self):
        return facts.load_average()

    def close(self):
        if self._certificates:
            subprocess.run(["rm", "-rf", str(self._certificates.directory)], check=False)
        if self._build:
            self._build.close()


# ---- options


def _list_of(kind, known=None):
    def parse(text):
        values = [kind(word) for word in text.split(",") if word]
        for value in values:
            if known and value not in known:
                raise argparse.ArgumentTypeError(
                    f"{value} is not known; choose from {', '.join(map(str, known))}"
                )
        return values

    return parse


def _transport(name):
    base, _, congestion = name.partition("-")
    if base not in TRANSPORTS or congestion not in ("", "cubic", "reno", "bbr"):
        raise argparse.ArgumentTypeError(f"{name} is not quic[-reno|-bbr], tls or tcp")
    return name


def _common(parser, repeats):
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    parser.add_argument("--repeats", type=int, default=repeats,
                        help=f"rounds (default: {repeats})")
    parser.add_argument("--transports", type=_list_of(_transport), default=list(TRANSPORTS),
                        metavar="LIST", help="of quic, quic-reno, quic-bbr, tls, tcp")


def _add_lossy(parser):
    _common(parser, 20)
    lossy_works = [work for work in links.WORK if work != "trickle"]
    parser.add_argument("--scenarios", type=_list_of(str, list(links.SCENARIOS)),
                        default=list(links.SCENARIOS), metavar="LIST",
                        help="of " + ", ".join(links.SCENARIOS))
    parser.add_argument("--links", type=_list_of(str, list(links.LINKS)),
                        default=list(links.LINKS), metavar="LIST",
                        help="of " + ", ".join(links.LINKS))
    parser.add_argument("--work", type=_list_of(str, lossy_works), default=lossy_works,
                        metavar="LIST", help="of " + ", ".join(lossy_works))
    parser.add_argument("--conditions", type=_list_of(str, list(links.CONDITIONS)),
                        default=list(links.CONDITIONS), metavar="LIST",
                        help="troubles: " + ", ".join(links.CONDITIONS))
    parser.add_argument("--connects", type=int, default=100, help="seeds per connect cell")
    parser.add_argument("--ones", type=int, default=4, help="seeds per one-at-a-time cell")
    parser.add_argument("--synthetic", type=int, default=5, help="seeds per synthetic cell")
    parser.add_argument("--trouble", type=int, default=8, help="seeds per trouble")
    parser.add_argument("--senders", type=_list_of(str, ["one", "all"]), default=["one", "all"],
                        metavar="LIST", help="one: a host alone; all: the ten hosts at once")
    parser.add_argument("--crowd-links", type=_list_of(str, list(links.LINKS)),
                        default=["wifi", "zigbee"], metavar="LIST",
                        help="of --links, those that all senders use (default: wifi,zigbee)")
    parser.add_argument("--crowds", type=int, default=8, help="seeds per cell with all senders")
    parser.add_argument("--lanes", type=int, default=12,
                        help="dumbbells side by side, fewer where they keep a processor busy")
    _add_network(parser)


def _add_network(parser):
    parser.add_argument("--network", choices=["auto", "netem", "emulator"], default="auto",
                        help="what makes the links; auto: netem where the kernel has it")


def _add_throughput(parser):
    _common(parser, 7)
    parser.add_argument("--shapes", type=_list_of(str, list(loopback.SHAPES)),
                        default=list(loopback.SHAPES), metavar="LIST",
                        help="publishers→subscribers, of " + ", ".join(loopback.SHAPES))
    parser.add_argument("--qos", type=_list_of(int, [0, 1, 2]), default=[0, 1, 2], metavar="LIST")
    parser.add_argument("--sizes", type=_list_of(int), default=loopback.SIZES, metavar="LIST",
                        help="payload bytes")
    parser.add_argument("--scale", type=float, default=0.25,
                        help="how long: 1 is 200,000 messages at QoS 0 (default: 0.25)")


def _add_latency(parser):
    _common(parser, 5)
    parser.add_argument("--qos", type=_list_of(int, [0, 1, 2]), default=[0, 1, 2], metavar="LIST")
    parser.add_argument("--count", type=int, default=10000, help="messages per round")


def _add_connections(parser):
    _common(parser, 5)
    parser.add_argument("--count", type=int, default=500, help="connects per round")


def _add_memory(parser):
    _common(parser, 2)
    parser.add_argument("--clients", type=_list_of(int), default=[1000, 0], metavar="LIST",
                        help="how many idle clients; 0: as many as there is room for")


def _add_workers(parser):
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--loads", type=int, default=3,
                        help="processes that are clients; more than one, or a worker has none")
    parser.add_argument("--connects", type=int, default=400, help="of each, per round")
    parser.add_argument("--messages", type=int, default=10000, help="of each, per round")


def _add_good(parser, seconds):
    _common(parser, 3)
    parser.set_defaults(transports=["quic"])
    parser.add_argument("--seconds", type=float, default=seconds,
                        help=f"that good clients publish in a round (default: {seconds})")


def _add_storm(parser):
    _add_good(parser, 6)
    parser.add_argument("--clients", type=_list_of(int), default=[1000, 3000], metavar="LIST",
                        help="how many connect at once")
    parser.add_argument("--workers", type=_list_of(int), default=[1, 2], metavar="LIST",
                        help="processes beside the broker (default: 1,2)")


def _add_attacks(parser):
    _add_good(parser, 3)
    parser.add_argument("--attacks", type=_list_of(str), default=[], metavar="LIST",
                        help="some of those of `build/tests/attack/attack list`, and publisher; default: all")
    parser.add_argument("--rate", type=int, default=20000,
                        help="packets a second, 0: as many as the attacker can (default: 20000)")
    parser.add_argument("--workers", type=int, default=1, help="processes beside the broker")


def _parser():
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measures mquic against Mosquitto's own TCP and TLS listeners. Results are "
        "kept as JSON in the output directory; what is there is not measured again, so an "
        "interrupted run goes on where it was. Traffic stays on loopback and in network "
        "namespaces; those (emulator-check, lossy) need root.",
    )
    parser.add_argument("--quick", action="store_true",
                        help="a little of everything in about three minutes")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    helps = {
        "emulator-check": "how accurate the link emulator is",
        "lossy": "connect and transfer over the dissertation's lossy links",
        "throughput": "messages per second and processor time per message",
        "latency": "one message at a time",
        "connections": "connects per second and their cost",
        "memory": "memory per idle connection",
        "workers": "handshakes and messages per second with one worker and two",
        "storm": "good clients while thousands connect at once",
        "attacks": "good clients in peace and under each attack",
        "footprint": "sizes by component, feature, architecture and reduction step",
        "report": "renders the results as one HTML page, or as the document's tables",
        "all": "all of the above, full length",
    }
    adders = {"emulator-check": _add_network, "lossy": _add_lossy, "throughput": _add_throughput,
              "latency": _add_latency, "connections": _add_connections,
              "memory": _add_memory, "workers": _add_workers, "storm": _add_storm,
              "attacks": _add_attacks, "footprint": footprint.add_options, "report": report.add_options}
    for name, text in helps.items():
        sub = commands.add_parser(name, help=text, description=text)
        # Given before the command or behind it: a default here would undo what stands before.
        _outputs(sub, argparse.SUPPRESS)
        if name in adders:
            adders[name](sub)
    _outputs(parser)
    return parser


def _outputs(parser, default=None):
    """The options that may stand on either side of the command; a `default` replaces theirs."""
    parser.add_argument("--out", type=Path, default=default or SOURCE / "build" / "bench",
                        metavar="DIR", help="where results go (default: build/bench)")
    parser.add_argument("--build", type=Path, default=default or SOURCE / "build", metavar="DIR",
                        help="the build to measure (default: build)")
    parser.add_argument("--packaged", action="store_true", default=default or False,
                        help="make and measure a build with the flags of the Debian packages, in "
                        "build-packaged")
    parser.add_argument("--fresh", action="store_true", default=default or False,
                        help="forget what was measured before")


RUN = {
    "emulator-check": emulator_check.run,
    "lossy": lossy.run,
    "throughput": loopback.throughput,
    "latency": loopback.latency,
    "connections": loopback.connections,
    "memory": memory.run,
    "workers": workers.run,
    "storm": crowded.storm,
    "attacks": crowded.attacks,
    "footprint": footprint.run,
    "report": report.run,
}

QUICK = [
    ["emulator-check"],
    ["throughput", "--shapes", "1→1", "--qos", "0,1", "--sizes", "64", "--repeats", "3",
     "--scale", "0.1"],
    ["latency", "--qos", "0", "--repeats", "3", "--count", "3000"],
    ["connections", "--repeats", "3", "--count", "100"],
    ["memory", "--clients", "300", "--repeats", "1"],
    ["workers", "--repeats", "1", "--connects", "40", "--messages", "1000"],
    ["storm", "--repeats", "1", "--seconds", "2", "--clients", "200", "--workers", "1"],
    ["attacks", "--repeats", "1", "--seconds", "1", "--attacks", "blocked,initial"],
    ["lossy", "--scenarios", "home,farm", "--links", "wifi,3g", "--work", "connect,window",
     "--connects", "6", "--repeats", "4", "--conditions", "outage,NAT rebinding",
     "--trouble", "2", "--crowd-links", "wifi", "--crowds", "1"],
    ["footprint", "--no-builds"],
]


def _sub_arguments(parser, args, words):
    """The parsed options of one sub-command of --quick or `all`, with our outputs."""
    fixed = ["--out", str(args.out), "--build", str(args.build)]
    return parser.parse_args([*fixed, *(["--fresh"] if args.fresh else []), *words])


def _run_some(parser, args, commands, quick):
    start = time.monotonic()
    context = Context(args)
    try:
        if os.geteuid() != 0:
            say("Not root: emulator-check and lossy are left out, they need network namespaces.")
        for words in commands:
            if words[0] in ("lossy", "emulator-check") and os.geteuid() != 0:
                continue
            say(words[0])
            context.args = _sub_arguments(parser, args, words)
            context.args.quick = quick
            RUN[words[0]](context, context.args)
        report.run(context, _sub_arguments(parser, args, ["report"]))
    finally:
        context.close()
    say(f"Done after {time.monotonic() - start:.0f} s; results are in {args.out}.")


def _dispatch(parser, args):
    if args.quick:
        _run_some(parser, args, QUICK, True)
    elif args.command == "all":
        commands = [[name] for name in COMMANDS]
        _run_some(parser, args, commands, False)
    else:
        context = Context(args)
        try:
            RUN[args.command](context, args)
        finally:
            context.close()


def main():
    parser = _parser()
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.build = SOURCE / "build-packaged" if args.packaged else args.build.resolve()
    if not args.quick and args.command is None:
        parser.print_help()
        return 2
    # A kill cleans up like Ctrl-C, which counts even where a shell has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if args.command == "report":
            _dispatch(parser, args)
        else:
            with Ledger():
                remove_stale()
                _dispatch(parser, args)
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nbench: interrupted; run it again to go on from here\n")
        return 130
    return 0
