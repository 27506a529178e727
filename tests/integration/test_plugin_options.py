# SPDX-License-Identifier: MIT
"""The broker does not start with a plugin that is told nonsense, and says what to change."""

import os
import re
import socket

import pytest

from harness.build import SOURCE, broker_version, is_root, plugin_options
from harness.datagrams import answers_quic
from harness.ports import free_udp_port
from harness.process import eventually

# Option, value (None: the line is missing), words of the sentence.
WRONG = [
    ("certfile", None, "plugin_opt_certfile is missing"),
    ("listen", "localhost:14567", "not a numeric address"),
    ("listen", "14567", "such as 0.0.0.0:14567"),
    ("listen", "127.0.0.1:70000", "127.0.0.1:70000"),
    ("handoff", "quic.sock", "absolute path"),
    ("handoff", "/" + "x" * 107, "at most 107"),
    ("certfile", "/nowhere/server.crt", "plugin_opt_certfile: cannot read /nowhere/server.crt"),
    ("keyfile", "/nowhere/server.key", "plugin_opt_keyfile: cannot read /nowhere/server.key"),
    ("cafile", "/nowhere/ca.crt", "plugin_opt_cafile: cannot read /nowhere/ca.crt"),
    ("reset_key_file", "reset.key", "absolute path"),
    ("ticket_key_file", "ticket.key", "absolute path"),
    ("resumption", "never", "must be true or false"),
    ("cert_file", "/x", "did you mean plugin_opt_certfile"),
    ("tls_version", "tlsv1.3", "QUIC always uses TLS 1.3"),
    ("colour", "blue", "plugin_opt_colour is not an option"),
    ("require_certificate", "yes", "must be true or false"),
    ("require_certificate", "true", "add plugin_opt_cafile"),
    ("use_identity_as_username", "true", "plugin_opt_require_certificate true"),
    ("max_connections", "0", "a number from 1 to"),
    ("max_connections", "many", "a number from 1 to"),
    ("connect_timeout", "0", "a number from 1 to 600"),
    ("idle_timeout", "3", "from 10 to 86400"),
    ("memory_limit", "64M", "a number of bytes from 16777216"),
    ("retry", "often", "adaptive, always or never"),
    ("congestion_control", "vegas", "cubic, reno or bbr"),
    ("redundancy", "twice", "handshake or off"),
    ("log_level", "verbose", "error, warning, notice, information or debug"),
    ("proxy_protocol", "2", "needs Mosquitto 2.1"),
    ("metrics", "mquic.prom", "absolute path of a file, or an address of this machine"),
    ("metrics", "http://0.0.0.0:9153", "can be reached by others"),
    ("control", "quic.control", "absolute path"),
    ("control", "/" + "x" * 108, "at most 107 are possible"),
    ("sys_interval", "soon", "from 0 to 65535"),
    ("worker", "mquic-gateway", "absolute path"),
    ("worker", "/nowhere/mquic-gateway", "cannot run /nowhere/mquic-gateway: No such file"),
    ("worker", "/etc/passwd", "cannot run /etc/passwd: Permission denied"),
    ("worker", "/bin/false", "ended with exit status 1 before it listened"),
    ("workers", "0", "must be auto, for as many as there are processors, or a number from 1 to 64"),
    ("workers", "65", "from 1 to 64"),
    ("workers", "many", "must be auto"),
    ("sandbox", "maybe", "must be true or false"),
]


def refused(broker):
    """The plugin's sentence in the log of a broker that does not start."""
    code, log = broker.refuse()
    assert code not in (0, None) and code > 0, (code, log)
    sentences = [line for line in log.splitlines() if "mquic: " in line]
    assert len(sentences) == 1, log
    assert not re.search(r"version \S+ running", log), log
    return sentences[0]


@pytest.mark.parametrize("option, value, words", WRONG)
def test_a_wrong_option_stops_the_broker(make_broker, option, value, words):
    if words == "needs Mosquitto 2.1" and broker_version() >= (2, 1, 0):
        pytest.skip("this is Mosquitto 2.1")
    if value is None:
        broker = make_broker(plugin_opts={option: None})
    else:
        broker = make_broker(plugin_opts={option: value})
    sentence = refused(broker)
    assert words in sentence
    assert f"plugin_opt_{option}" in sentence


def test_the_example_names_options_that_exist(make_broker, certs, workdir):
    """All lines of the example, commented ones too, but for what needs 2.1 or another path."""
    example = SOURCE / "mosquitto-plugin" / "mquic.conf.example"
    lines = re.findall(r"^#?plugin_opt_(\S+) (.+)$", example.read_text(), re.MULTILINE)
    options = dict(lines)
    assert len(options) == len(lines)
    assert set(options) == plugin_options()
    del options["proxy_protocol"], options["crlfile"], options["capath"]
    options["cafile"] = certs.ca
    options["keylog_file"] = workdir / "keys.log"
    for own in ("listener", "handoff", "listen", "certfile", "keyfile", "worker"):
        del options[own]
    del options["reset_key_file"], options["ticket_key_file"]
    broker = make_broker(plugin_opts=options).start()
    assert "mquic: ready" in broker.log()


def test_the_example_changes_nothing_for_clients_of_other_listeners(make_broker, build):
    """Copied as it says, into the configuration of a broker that lets clients in."""
    example = (SOURCE / "mosquitto-plugin" / "mquic.conf.example").read_text()
    assert "/etc/mosquitto/conf.d/00-mquic.conf" in example.splitlines()[0]
    broker = make_broker()
    given = broker.options()
    for pattern, text in (
        (r"^listener 0 .*", f"listener 0 {broker.socket}"),
        (r"^plugin .*", f"plugin {build.plugin}"),
        (r"^plugin_opt_certfile .*", f"plugin_opt_certfile {given['certfile']}"),
        (r"^#plugin_opt_keyfile .*", f"plugin_opt_keyfile {given['keyfile']}"),
        (r"^#plugin_opt_handoff .*", f"plugin_opt_handoff {given['handoff']}"),
        (r"^#plugin_opt_listen .*", f"plugin_opt_listen {given['listen']}"),
        (r"^#plugin_opt_worker .*", f"plugin_opt_worker {given['worker']}"),
    ):
        example, count = re.subn(pattern, text, example, flags=re.M)
        assert count == 1, pattern
    before = f"""log_type all
log_dest stderr
listener {broker.tcp_port} {broker.host}
allow_anonymous true
"""
    for order in (example + before, before + example):
        broker.config = lambda order=order: order
        broker.start()
        broker.tcp_pub("-t", "x", "-m", "y", "-q", "1")
        broker.tcp_pub("-t", "x", "-m", "y", "-q", "1", "-u", "anybody", "-P", "x")
        broker.pub("-t", "x", "-m", "y", "-q", "1")
        broker.pub("-t", "x", "-m", "y", "-q", "1", "-u", "anybody", "-P", "x")
        assert broker.stop() == 0


@pytest.mark.parametrize("algorithm", ["cubic", "reno", "bbr"])
def test_messages_pass_with_every_congestion_control(make_broker, algorithm):
    broker = make_broker(plugin_opts={"congestion_control": algorithm}).start()
    sub = broker.sub("-t", "x", "-q", "1", "-C", "100", "--congestion-control", algorithm)
    lines = [f"{number:03d}" + "x" * 4000 for number in range(100)]
    broker.pub("-t", "x", "-l", "-q", "1", "--congestion-control", algorithm,
               input="\n".join(lines) + "\n")
    assert sub.wait_lines(100) == lines


def test_each_step_of_a_client_is_a_line_for_those_who_ask(make_broker):
    broker = make_broker(plugin_opts={"log_level": "debug"}).start()
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    broker.wait_log(r"mquic: client 1: WAITING, from 127\.0\.0\.1:\d+")
    for step in ("WAITING → DIALING", "DIALING → PIPING"):
        broker.wait_log(f"mquic: client 1: {step}")
    broker.wait_log("mquic: client 1: .* → OVER")
    broker.wait_log("mquic: connection 1: HANDSHAKE → READY")
    broker.wait_log("mquic: ready for QUIC clients")


def test_nobody_else_gets_them(make_broker):
    broker = make_broker().start()
    broker.pub("-t", "x", "-m", "y", "-q", "1")
    broker.wait_log("QUIC .* -> client id")
    assert broker.stop() == 0
    assert "→" not in broker.log()


def test_a_log_of_nothing_but_trouble(make_broker):
    broker = make_broker(plugin_opts={"log_level": "warning"})
    broker.launch()
    eventually(lambda: answers_quic(broker.port), what=broker.log)
    broker.pub("-t", "x", "-m", "y", "-q", "1", "-i", "panel")
    broker.wait_log("Client panel .*disconnected")
    assert broker.stop() == 0
    assert "QUIC" not in broker.log()


def test_the_key_is_found_next_to_the_certificate(make_broker, certs):
    broker = make_broker(plugin_opts={"keyfile": None}, identity=certs.server).start()
    broker.pub("-t", "x", "-m", "y", "-q", "1")


def test_a_certificate_without_its_key_stops_the_broker(make_broker, workdir, certs):
    alone = workdir / "alone.crt"
    alone.write_bytes(certs.server.cert.read_bytes())
    sentence = refused(make_broker(plugin_opts={"certfile": alone, "keyfile": None}))
    assert "plugin_opt_keyfile is missing" in sentence
    assert str(workdir / "alone.key") in sentence


def test_a_line_given_twice_stops_the_broker(make_broker):
    broker = make_broker()
    config = broker.config
    broker.config = lambda: config() + "plugin_opt_connect_timeout 5\n" * 2
    assert "plugin_opt_connect_timeout is given twice" in refused(broker)


def test_listen_may_be_a_list_and_repeated(make_broker):
    ports = [free_udp_port() for _ in range(2)]
    broker = make_broker()
    first = f"{broker.host}:{broker.port}"
    config = broker.config
    more = f"plugin_opt_listen 127.0.0.1:{ports[0]}, [::1]:{ports[1]}\n"
    broker.config = lambda: config() + more
    broker.start()
    for address in (first, f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}"):
        broker.wait_log(f"QUIC listener on UDP {address.replace('[', '.').replace(']', '.')}")
    broker.pub("-t", "x", "-m", "y", "-q", "1", port=ports[0])
    broker.pub("-t", "x", "-m", "y", "-q", "1", port=ports[1], host="::1")


def test_a_port_in_use_stops_the_broker(make_broker):
    broker = make_broker()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((broker.host, broker.port))
        sentence = refused(broker)
    assert f"plugin_opt_listen {broker.host}:{broker.port}" in sentence
    assert "in use" in sentence


def test_a_port_that_needs_root_stops_the_broker(make_broker):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
        if int(file.read()) <= 80:
            pytest.skip("every port is free for all on this machine")
    sentence = refused(make_broker(plugin_opts={"listen": "127.0.0.1:80"}))
    assert "plugin_opt_listen 127.0.0.1:80" in sentence
    assert "ermi" in sentence or "privilege" in sentence


def test_a_key_the_broker_may_not_read_stops_it(make_broker, workdir, certs):
    if not is_root():
        pytest.skip("only root can make a file that the broker's user cannot read")
    key = workdir / "server.key"
    key.write_bytes(certs.server.key.read_bytes())
    key.chmod(0o600)
    os.chown(key, 0, 0)
    sentence = refused(make_broker(plugin_opts={"keyfile": key}))
    assert f"plugin_opt_keyfile: cannot read {key}" in sentence
    assert "user the broker runs as" in sentence


def test_a_key_of_another_certificate_stops_the_broker(make_broker, certs):
    sentence = refused(make_broker(plugin_opts={"keyfile": certs.other_server.key}))
    assert f"plugin_opt_keyfile: the key in {certs.other_server.key}" in sentence


@pytest.mark.parametrize("option", ["certfile", "cafile", "crlfile", "reset_key_file", "ticket_key_file"])
def test_a_file_of_another_kind_stops_the_broker(make_broker, workdir, certs, option):
    path = workdir / "file.pem"
    path.write_text("neither one nor the other\n")
    path.chmod(0o644)
    sentence = refused(make_broker(plugin_opts={"cafile": certs.ca, option: path}))
    assert f"mquic: plugin_opt_{option}: " in sentence
    assert str(path) in sentence


def test_a_second_plugin_line_stops_the_broker(make_broker):
    broker = make_broker()
    config = broker.config

    def twice():
        lines = config().splitlines()
        plugin = lines[next(i for i, line in enumerate(lines) if line.startswith("plugin ")) :]
        return "\n".join([*lines, f"listener 0 {broker.socket}2", *plugin, ""])

    broker.config = twice
    code, log = broker.refuse()
    assert code > 0
    assert "the plugin is loaded twice" in log
