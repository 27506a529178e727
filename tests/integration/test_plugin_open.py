# SPDX-License-Identifier: MIT
"""
A broker that lets in everybody lets in everybody with the plugin, too, over TCP and over QUIC, those
who send a user name included; and no longer once it is told so.
"""

import pytest

from harness import mqtt
from harness.broker import RUNNING
from harness.build import give_to_broker
from harness.clients import SessionClient, raw
from harness.process import eventually
from test_plugin_handoff import connect_as, straight
from test_plugin_login import passwords_of
from test_plugin_refusals import over_tcp

ACCEPTED = b"\x20\x02\x00\x00"
REFUSED = b"\x20\x02\x00\x05"


def without_plugin(broker):
    """The same broker, had it never heard of us."""
    config = broker.config
    broker.config = lambda: config().partition("plugin ")[0]
    broker.launch()
    broker.wait_log(RUNNING)
    return broker


@pytest.fixture(params=["plugin", "plain"])
def open_broker(make_broker, request):
    broker = make_broker(per_listener=False, anonymous=True)
    return without_plugin(broker) if request.param == "plain" else broker.start()


def named(name, client_id):
    return mqtt.connect(client_id, flags=0xC2, payload=mqtt.text(name) + mqtt.text("guess"))


def reconfigure(broker, old, new):
    """Changes the configuration and has it read; all is done when this returns."""
    path = broker.directory / "mosquitto.conf"
    text = path.read_text()
    assert old in text
    fresh = path.with_suffix(".new")
    fresh.write_text(text.replace(old, new))
    give_to_broker(fresh)
    fresh.replace(path)  # in one step: the broker may be reading
    mark = len(broker.log())
    broker.signal(1)
    broker.wait_log("Reloading config", start=mark)
    # It says so before it reads, and forgets a signal that comes meanwhile. Who is answered after
    # that line is answered after all of it.
    tcp_answer(broker, mqtt.connect("after"))


def tcp_answer(broker, packet):
    return over_tcp(broker, packet)[:4]


def quic_answer(broker, packet):
    return raw(broker, packet, flags=["--finish"]).data[:4]


def test_names_are_let_in_over_tcp(open_broker):
    assert tcp_answer(open_broker, named("anybody", "a")) == ACCEPTED
    assert tcp_answer(open_broker, mqtt.connect("b")) == ACCEPTED


def test_names_stay_over_tcp_until_the_broker_is_closed(open_broker):
    """The same with and without the plugin, for a client and for the session of an absent one."""
    stays = open_broker.tcp_sub("-t", "#", "-u", "anybody", "-P", "x", client_id="stays")
    open_broker.tcp_pub("-t", "x", "-m", "1", "-q", "1")
    stays.wait_line("1")
    for _ in range(3):
        reconfigure(open_broker, "", "")
    open_broker.tcp_pub("-t", "x", "-m", "2", "-q", "1", "-u", "somebody", "-P", "y")
    stays.wait_line("2")
    assert "stays disconnected" not in open_broker.log()
    reconfigure(open_broker, "allow_anonymous true", "allow_anonymous false")
    open_broker.wait_log(r"Client stays (\[.*\] )?disconnected")
    eventually(lambda: tcp_answer(open_broker, named("anybody", "a")) == REFUSED)
    assert tcp_answer(open_broker, mqtt.connect("b")) == REFUSED
    reconfigure(open_broker, "allow_anonymous false", "allow_anonymous true")
    eventually(lambda: tcp_answer(open_broker, named("anybody", "a")) == ACCEPTED)


def test_a_password_file_decides_from_the_reload_on(open_broker, workdir):
    passwords = passwords_of(workdir, "carol")
    assert tcp_answer(open_broker, named("anybody", "a")) == ACCEPTED
    anybody = open_broker.tcp_sub("-t", "#", "-u", "anybody", client_id="anybody")
    carol = open_broker.tcp_sub("-t", "#", "-u", "carol", "-P", "word", client_id="carol")
    reconfigure(
        open_broker, "allow_anonymous true", f"allow_anonymous true\npassword_file {passwords}"
    )
    open_broker.wait_log(r"Client anybody (\[.*\] )?disconnected")
    assert tcp_answer(open_broker, named("anybody", "a")) == REFUSED
    assert tcp_answer(open_broker, named("carol", "a")) == REFUSED
    assert tcp_answer(open_broker, mqtt.connect("b")) == ACCEPTED
    open_broker.tcp_pub("-t", "x", "-m", "1", "-q", "1", "-u", "carol", "-P", "word")
    carol.wait_line("1")
    assert anybody.lines == []


@pytest.mark.parametrize("per_listener", [False, True])
def test_names_are_let_in_over_quic(make_broker, per_listener):
    broker = make_broker(per_listener=per_listener, anonymous=True).start()
    assert quic_answer(broker, named("anybody", "a")) == ACCEPTED
    client = SessionClient(broker, "stays", username="somebody", password="x")
    client.connect()
    for _ in range(3):
        broker.sighup()
    client.publish("x", "y", qos=1)
    assert client.events("DISCONNECTED") == []
    # The socket is for QUIC clients all the same.
    assert straight(broker, connect_as("anybody", "guess"))[:4] == REFUSED
    assert straight(broker, mqtt.connect("a"))[:4] == REFUSED
    listener = f"listener 0 {broker.socket}\nallow_anonymous"
    reconfigure(broker, f"{listener} true", f"{listener} false")
    client.event("DISCONNECTED")
    eventually(lambda: quic_answer(broker, named("anybody", "a")) == REFUSED)


def test_a_password_file_still_decides_over_quic(make_broker, workdir):
    listener = [f"password_file {passwords_of(workdir, 'carol')}"]
    for per_listener in (False, True):
        broker = make_broker(per_listener=per_listener, anonymous=True, listener=listener).start()
        assert quic_answer(broker, named("anybody", "a")) == REFUSED
        assert quic_answer(broker, named("carol", "a")) == REFUSED
        assert quic_answer(broker, mqtt.connect("b")) == ACCEPTED
        broker.stop()
