# SPDX-License-Identifier: MIT
"""A server's words: data for programs, and never lines of their own for people."""

import asyncio
import logging
import traceback

import pytest
from conftest import PATIENCE
from fake_server import ASSIGNED, REASON, connack, disconnect, publish, text, user

import mquic
import mquic.client as mqtt
from mquic import aio
from mquic.properties import PacketTypes, Properties

# An end of line, an escape sequence, two Unicode ends of lines, a turn of direction, invisibles.
EVIL = "a\nERROR: forged\r\x1b[2J\u2028\u2029\u202e\u2066\u200b\x85end"
BAD = set(EVIL) - set("aERO: forged[2Jn")


def is_clean(line):
    return not BAD & set(line)


def everything_about(error):
    return [str(error), repr(error), *"".join(traceback.format_exception(error)).split("\n")]


def test_printable():
    assert mquic.printable("plain \u00fcml\u00e4ut \U0001f600") == "plain \u00fcml\u00e4ut \U0001f600"
    assert is_clean(mquic.printable(EVIL)) and mquic.printable(EVIL).endswith("end")
    assert mquic.printable("\ud800x") == "?x"
    assert mquic.printable(b"\xffx") == "?x"


@pytest.mark.parametrize("kind", [mquic.MquicError, mquic.RefusedError, mquic.ResolveError])
def test_exceptions(kind):
    assert all(map(is_clean, everything_about(kind(EVIL))))
    assert mquic.TLSError("why", "because").message == "because"


def test_what_was_received():
    for one in (
        mquic.MQTTMessage(EVIL, b"x"),
        aio.Message(aio.Topic(EVIL), EVIL.encode()),
        Properties(PacketTypes.PUBLISH, content_type=EVIL, user_property=[(EVIL, EVIL)]),
    ):
        assert is_clean(repr(one)) and is_clean(str(one))
    assert mquic.MQTTMessage(EVIL).topic == EVIL  # data stays as it is


def talk(port, tls, caplog):
    """A client with all that it logs and is told, until the server ends it."""
    lines, told = [], {}
    client = mquic.Client(client_id="", protocol=mqtt.MQTTv5, tls=tls, reconnect_on_failure=False)
    client.on_log = lambda client, userdata, level, line: lines.append(line)
    client.on_connect = lambda *rest: (told.update(connect=rest[-1]), client.subscribe("a"))
    client.on_message = lambda client, userdata, message: told.update(message=message)
    client.on_disconnect = lambda *rest: told.update(disconnect=rest[-1])
    client.suppress_exceptions = True
    with caplog.at_level(logging.DEBUG):
        client.enable_logger()
        client.connect("127.0.0.1", port)
        client.loop_forever()
    return client, told, lines + [record.getMessage() for record in caplog.records]


def test_log_lines_and_exceptions_of_a_client(serve, tls, caplog):
    port = serve(
        connack((ASSIGNED, text("id-" + EVIL)), (REASON, text(EVIL)), user(EVIL, EVIL)),
        publish("topic/" + EVIL, b"payload") + disconnect(0x8B, (REASON, text(EVIL))),
    )
    client, told, lines = talk(port, tls, caplog)
    assert lines and all(map(is_clean, lines))
    assert all(map(is_clean, everything_about(client.error)))
    assert told["message"].topic == "topic/" + EVIL
    for one in told.values():
        assert is_clean(repr(one)) and is_clean(str(one))
    assert told["connect"].AssignedClientIdentifier == "id-" + EVIL


def test_exceptions_of_callbacks_in_the_log(serve, tls, caplog):
    port = serve(connack(), publish(EVIL, b"") + disconnect(0x8B))
    lines = []
    client = mquic.Client(
        client_id="me", protocol=mqtt.MQTTv5, tls=tls, reconnect_on_failure=False
    )
    client.suppress_exceptions = True
    client.on_log = lambda client, userdata, level, line: lines.append(line)

    def on_message(client, userdata, message):
        raise KeyError(f"no such topic: {message.topic}")

    client.on_connect = lambda *_: client.subscribe("a")
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()
    assert any("no such topic" in line for line in lines) and all(map(is_clean, lines))


def test_exceptions_of_asyncio(serve, tls):
    async def main(port):
        async with aio.Client("127.0.0.1", port, identifier="me", tls=tls) as client:
            async for message in client.messages:
                pass

    for answers in (
        [connack((REASON, text(EVIL)), reason=0x87)],
        [connack() + disconnect(0x8B, (REASON, text(EVIL)), user(EVIL, EVIL))],
    ):
        with pytest.raises(mquic.MquicError) as caught:
            asyncio.run(asyncio.wait_for(main(serve(*answers)), PATIENCE))
        assert all(map(is_clean, everything_about(caught.value)))
