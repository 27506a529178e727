# SPDX-License-Identifier: MIT
"""
What paho-mqtt and aiomqtt have and mquic has not, or has otherwise, is in the tables of the README.

The names of both are kept in peers/, as neither has to be installed; collect.py there made them.
"""

import fnmatch
import importlib
import inspect
import re
from pathlib import Path

import pytest

import mquic
import mquic.aio
import mquic.client as mqtt
from mquic.properties import PacketTypes, Properties
from mquic.reasoncodes import ReasonCode
from mquic.subscribeoptions import SubscribeOptions

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text()
PAHO, AIOMQTT = "paho-mqtt", "aiomqtt"

# What has attributes of its own, beside those of its class.
EXAMPLES = {
    one.__class__: one
    for one in (
        mquic.Client(),
        mquic.aio.Client("localhost"),
        mquic.MQTTMessage(),
        mqtt.MQTTMessageInfo(mquic.Client(), 1),
        Properties(PacketTypes.PUBLISH),
        ReasonCode(PacketTypes.CONNACK),
        SubscribeOptions(),
        mquic.aio.Will("a"),
        mquic.aio.Message(mquic.aio.Topic("a")),
        mqtt.MQTTException(),
    )
}

# Arguments of aiomqtt that go by **more, with a value that must be fine.
BY_MORE = {
    "clean_session": None,
    "tls_params": mquic.aio.TLSParameters(),
    "tls_insecure": True,
    "max_inflight_messages": 5,
    "max_concurrent_outgoing_calls": 5,
    "max_queued_outgoing_messages": 5,
}


def known(peer):
    """(name, parameters) of a peer."""
    for line in (HERE / "peers" / f"{peer}.txt").read_text().splitlines():
        name, *given = line.split(" ")
        yield name, given


def ours(peer, name):
    """What we have by this name; LookupError if nothing."""
    module, *path = name.split(".")
    try:
        thing = importlib.import_module(f"mquic.{module}") if peer == PAHO else mquic.aio
    except ImportError:
        raise LookupError(name) from None
    if path[-1] == "__init__":  # or __new__()
        path.pop()
    for part in path:
        whole = EXAMPLES.get(thing, thing) if isinstance(thing, type) else thing
        if not hasattr(whole, part):
            raise LookupError(name)
        thing = getattr(whole, part) if not hasattr(thing, part) else getattr(thing, part)
    return thing


def parameter_differences(name, given, thing):
    if not given or not callable(thing):
        return
    signature = inspect.signature(thing).parameters
    for one in given:
        parameter, _, default = one.partition("=")
        if parameter in signature:
            mine = signature[parameter].default
            if default and repr(mine) != default and str(mine) != default.strip("'\""):
                yield f"{name}({one})"
        elif not (name == "client.Client.__init__" and parameter in BY_MORE):
            yield f"{name}({parameter})"


def differences(peer):
    missing = set()
    for name, given in known(peer):
        if any(name.startswith(f"{one}.") for one in missing):
            continue
        try:
            thing = ours(peer, name)
        except LookupError:
            missing.add(name)
            continue
        if name.rsplit(".", 1)[-1].startswith("on_"):
            continue
        yield from parameter_differences(name, given, thing)
    yield from missing


def table(peer):
    """The patterns in the first column of the README's table of names."""
    rows = re.search(rf"^### Names of {peer}\n.*?\n\n(\|.*?)\n\n", README, re.M | re.S)[1]
    cells = [row.split("|")[1] for row in rows.splitlines()[2:]]
    return [pattern for cell in cells for pattern in re.findall(r"`([^`]+)`", cell)]


def matches(pattern, name):
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


@pytest.mark.parametrize("peer", [PAHO, AIOMQTT])
def test_table_has_every_difference_and_no_other(peer):
    found = sorted(differences(peer))
    patterns = table(peer)
    untold = [name for name in found if not any(matches(one, name) for one in patterns)]
    idle = [one for one in patterns if not any(matches(one, name) for name in found)]
    assert not untold, "not in the README: " + " ".join(untold)
    assert not idle, "in the README, but no difference: " + " ".join(idle)


def test_names_are_those_of_the_paho_that_is_installed():
    client = pytest.importorskip("paho.mqtt.client")
    names = {name for name, _ in known(PAHO)}
    for name in dir(client.Client):
        assert name.startswith("_") or f"client.Client.{name}" in names
    # Classes are listed where they are made, and seen where they are imported, too.
    modules = ("client", "enums", "matcher", "properties", "reasoncodes", "subscribeoptions")
    for name in dir(client):
        if name.startswith(("MQTT", "CONNACK_", "on_", "connack", "error", "topic")):
            listed = any(f"{module}.{name}" in names for module in modules)
            assert listed or name == "MQTTMatcher", name


def test_arguments_of_aiomqtt_that_are_taken():
    for name, value in BY_MORE.items():
        mquic.aio.Client("localhost", **{name: value})


def test_arguments_that_are_only_about_tcp_are_refused_with_a_sentence():
    for name, value in (
        ("transport", "tcp"),
        ("bind_address", "127.0.0.1"),
        ("bind_port", 7),
        ("proxy", object()),
        ("socket_options", [(1, 2, 3)]),
        ("websocket_path", "/mqtt"),
        ("websocket_headers", {}),
    ):
        with pytest.raises(ValueError, match=f"{name} is about TCP"):
            mquic.aio.Client("localhost", **{name: value})
    with pytest.raises(TypeError, match="TLSSettings"):
        mquic.aio.Client("localhost", tls_context=object())
    with pytest.raises(ValueError, match="3.1.1 and 5"):
        mquic.aio.Client("localhost", protocol=mquic.aio.ProtocolVersion.V31)
    with pytest.raises(ValueError, match="3.1.1 and 5"):
        mquic.Client(protocol=mqtt.MQTTv31)
    with pytest.raises(ValueError, match="clean_start"):
        mquic.aio.Client("localhost", clean_session=True)
    with pytest.raises(TypeError, match="argument"):
        mquic.aio.Client("localhost", colour="blue")
