# SPDX-License-Identifier: MIT
"""The asyncio client: what users of aiomqtt rely on."""

import asyncio
import functools
import signal
import socket
import time

import pytest
from conftest import PATIENCE

import mquic
from mquic import aio


def asynchronous(function):
    """Runs a test on an event loop of its own, for two minutes at most."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(120):
                await function(*args, **kwargs)

        asyncio.run(limited(), debug=True)

    return run


@pytest.fixture
def client(broker, tls):
    return aio.Client(broker.host, broker.port, tls=tls)


@pytest.fixture
def other(broker, tls):
    return aio.Client(broker.host, broker.port, tls=tls)


@asynchronous
async def test_publish_and_receive(client):
    async with client:
        assert await client.subscribe("a/#", 2) == (2,)
        for qos in (0, 1, 2):
            await client.publish(f"a/{qos}", f"payload {qos}", qos)
        got = []
        async for message in client.messages:
            got.append((str(message.topic), message.payload, message.qos))
            if len(got) == 3:
                break
        assert sorted(got) == [(f"a/{qos}", b"payload %d" % qos, qos) for qos in (0, 1, 2)]


@asynchronous
async def test_topics_match(client):
    async with client:
        await client.subscribe("house/#")
        await client.publish("house/kitchen/temperature", 21)
        message = await anext(client.messages())
        assert message.topic == "house/kitchen/temperature"
        assert message.topic.matches("house/+/temperature")
        assert not message.topic.matches("garden/#")


@asynchronous
async def test_host_name_and_info(broker, tls):
    async with aio.Client("localhost", broker.port, tls=tls) as client:
        assert client.connection_info().tls_version == "TLS1.3"
        assert client.statistics().smoothed_rtt > 0
        assert client.identifier  # the server's choice
        await client.publish("a", "b", 1)


@asynchronous
async def test_properties_and_options(client):
    async with client:
        codes = await client.subscribe(
            [("p", 1), ("mine", mquic.SubscribeOptions(noLocal=True))], subscription_identifier=5
        )
        assert [str(code) for code in codes] == ["Granted QoS 1", "Granted QoS 0"]
        await client.publish("mine", "not to me")
        await client.publish("p", "x", user_property={"k": "v"}, response_topic="r")
        message = await anext(client.messages)
        assert message.properties.UserProperty == [("k", "v")]
        assert message.properties.ResponseTopic == "r"
        assert message.properties.SubscriptionIdentifier == [5]
        assert await client.unsubscribe(["p", "mine", "never"]) == (0, 0, 17)


@asynchronous
async def test_several_tasks_share_the_messages(client):
    async with client:
        await client.subscribe("jobs")
        seen = []

        async def worker(name):
            async for message in client.messages:
                seen.append((name, int(message.payload)))
                await asyncio.sleep(0)

        workers = [asyncio.create_task(worker(n)) for n in range(3)]
        for n in range(60):
            await client.publish("jobs", n, 1)
        while len(seen) < 60:
            await asyncio.sleep(0.01)
        for one in workers:
            one.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        assert sorted(number for _, number in seen) == list(range(60))


@asynchronous
async def test_many_calls_at_once(client):
    async with client:
        await client.subscribe("many", 1)
        await asyncio.gather(*(client.publish("many", n, 1) for n in range(500)))
        got = [int((await anext(client.messages)).payload) for _ in range(500)]
        assert got == list(range(500))


@asynchronous
async def test_cannot_be_entered_twice(client):
    async with client:
        with pytest.raises(mquic.ReentrantError):
            async with client:
                pass
        await client.publish("still", "alive", 1)


@asynchronous
async def test_can_be_entered_again(client):
    for n in range(3):
        async with client:
            await client.subscribe("again")
            await client.publish("again", n)
            assert (await anext(client.messages)).payload == str(n).encode()
    with pytest.raises(mquic.ClosedError):
        await client.publish("again", "outside")
    with pytest.raises(mquic.ClosedError):
        await anext(client.messages)


@asynchronous
async def test_cancelled_iteration_loses_nothing(client):
    async with client:
        await client.subscribe("c")
        for n in range(20):
            waiting = asyncio.create_task(anext(client.messages))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await client.publish("c", "x")
        first, second = (asyncio.create_task(anext(client.messages)) for _ in range(2))
        while not first.done() and not second.done():
            await asyncio.sleep(0.01)
        assert (await first).payload == b"x"
        second.cancel()


@asynchronous
async def test_cancelling_a_woken_getter_passes_the_message_on(client):
    async with client:
        await client.subscribe("c")
        first = asyncio.create_task(anext(client.messages))
        second = asyncio.create_task(anext(client.messages))
        await asyncio.sleep(0)
        await client.publish("c", "x", 0)
        while not client.messages:
            await asyncio.sleep(0)
            if len(client.messages):
                break
        first.cancel()
        done, _ = await asyncio.wait([second], timeout=5)
        if done:
            assert (await second).payload == b"x"
        else:
            assert (await first).payload == b"x"  # it was quicker than its end
            second.cancel()


@asynchronous
async def test_cancelled_publish_leaves_the_client_usable(client):
    async with client:
        for _ in range(20):
            task = asyncio.create_task(client.publish("x", "y", 2))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await client.publish("x", "y", 2)


@asynchronous
async def test_body_cancelled_disconnects(client, broker):
    async def body():
        async with client:
            await asyncio.sleep(60)

    task = asyncio.create_task(body())
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not client._entered and client._core is None
    await asyncio.to_thread(broker.wait_log, "disconnected")


@asynchronous
async def test_connecting_can_be_cancelled(tls):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        client = aio.Client("127.0.0.1", silent.getsockname()[1], tls=tls)
        task = asyncio.create_task(client.__aenter__())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not client._entered


@asynchronous
async def test_connecting_times_out(tls):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        client = aio.Client("127.0.0.1", silent.getsockname()[1], tls=tls, timeout=0.3)
        before = time.monotonic()
        with pytest.raises(mquic.TimedOutError) as error:
            await client.__aenter__()
        assert time.monotonic() - before < 9  # by default it waits for ten seconds
        assert isinstance(error.value, TimeoutError) and isinstance(error.value, aio.MqttError)


@asynchronous
async def test_connecting_fails(broker, certs, tls):
    with pytest.raises(mquic.RefusedError):
        await aio.Client("127.0.0.1", 9).__aenter__()
    with pytest.raises(mquic.ResolveError):
        await aio.Client("no-such-host.invalid").__aenter__()
    wrong = mquic.TLSSettings(ca_file=certs.other_ca)
    with pytest.raises(mquic.TLSError):
        await aio.Client(broker.host, broker.port, tls=wrong).__aenter__()


@asynchronous
async def test_refused(make_broker, tls):
    broker = await asyncio.to_thread(make_broker(anonymous=False).start)
    with pytest.raises(mquic.RefusedError) as error:
        await aio.Client(broker.host, broker.port, tls=tls).__aenter__()
    assert error.value.reason_code == "Not authorized"


@asynchronous
async def test_subscription_refused(make_broker, tls):
    acl = "topic read allowed/#"
    broker = make_broker()
    path = broker.directory / "acl"
    path.write_text(acl + "\n")
    path.chmod(0o644)
    broker._lines["listener"].append(f"acl_file {path}")
    await asyncio.to_thread(broker.start)
    async with aio.Client(broker.host, broker.port, tls=tls) as client:
        assert await client.subscribe("allowed/a") == (0,)
        with pytest.raises(mquic.NegativeAckError) as error:
            await client.publish("forbidden", "x", 1)
        assert error.value.reason_code == "Not authorized"


@asynchronous
async def test_lost_connection_ends_all_calls(broker, tls):
    quic = mquic.QUICSettings(idle_timeout=3)
    client = aio.Client(broker.host, broker.port, tls=tls, quic=quic, keepalive=3)
    async with client:
        await client.subscribe("l")
        await client.publish("l", "before")
        messages = []
        reader = asyncio.create_task(_collect(client, messages))
        while not messages:
            await asyncio.sleep(0.01)
        broker.expect_failure = True
        broker.signal(signal.SIGKILL)  # it goes without a word
        with pytest.raises(mquic.MquicError):
            await client.publish("l", "x", 1)
        error = await reader
        assert [m.payload for m in messages] == [b"before"]
        assert isinstance(error, mquic.MquicError)
        for _ in range(3):
            with pytest.raises(mquic.MquicError):
                await client.subscribe("m")


async def _collect(client, messages):
    try:
        async for message in client.messages:
            messages.append(message)
    except mquic.MquicError as error:
        return error


@asynchronous
async def test_reconnects_in_a_loop(client, broker):
    got = []
    stopped = asyncio.Event()

    async def follow():
        while len(got) < 2:
            try:
                async with client:
                    await client.subscribe("f")
                    await client.publish("f", "hello")
                    async for message in client.messages:
                        got.append(message.payload)
                        if len(got) == 1:
                            await asyncio.to_thread(broker.stop)
                            stopped.set()
                        else:
                            break
            except mquic.MquicError:
                await asyncio.sleep(0.2)

    task = asyncio.create_task(follow())
    await stopped.wait()
    await asyncio.sleep(0.5)
    await asyncio.to_thread(broker.start)
    await task
    assert got == [b"hello", b"hello"]


@asynchronous
async def test_session_is_kept(broker, tls):
    client = aio.Client(
        broker.host,
        broker.port,
        tls=tls,
        identifier="keeper",
        clean_start=False,
        session_expiry_interval=60,
    )
    async with client:
        assert not client.session_present
        await client.subscribe("kept", 1)
    await asyncio.to_thread(broker.tcp_pub, "-t", "kept", "-m", "while away", "-q", "1")
    async with client:
        assert client.session_present
        assert (await anext(client.messages)).payload == b"while away"


@asynchronous
async def test_will(broker, tls, other):
    properties = mquic.Properties(mquic.PacketTypes.WILLMESSAGE, content_type="text/plain")
    async with other:
        await other.subscribe("w")
        for values in (None, properties, {"content_type": "text/plain", "will_delay_interval": 0}):
            will = aio.Will("w", "gone", 1, properties=values)
            client = aio.Client(broker.host, broker.port, tls=tls, will=will)
            await client.__aenter__()
            client._cut_off()  # as if the process had ended
            message = await anext(other.messages)
            assert message.payload == b"gone"
            assert message.properties.get("ContentType") == (values and "text/plain")


@asynchronous
async def test_filters_may_be_given_in_many_ways(client):
    async with client:
        assert await client.subscribe("a", 1) == (1,)
        assert await client.subscribe(("a", 2)) == (2,)
        assert await client.subscribe([("a", 0), ("b", mquic.SubscribeOptions(qos=1))]) == (0, 1)
        assert await client.unsubscribe("a") == (0,)
        assert await client.unsubscribe(["b", "c"]) == (0, 17)


@asynchronous
async def test_queue_without_bound(broker, tls):
    client = aio.Client(broker.host, broker.port, tls=tls, max_queued_incoming_messages=-1)
    async with client:
        await client.subscribe("a")
        await client.publish("a", "b")
        assert (await anext(client.messages)).payload == b"b"


@asynchronous
async def test_bounded_queue_pushes_back(broker, tls, other):
    client = aio.Client(broker.host, broker.port, tls=tls, max_queued_incoming_messages=10)
    async with client, other:
        await client.subscribe("flood", 1)
        count = 600  # less than the broker would keep for us, more bytes than anybody buffers
        payload = b"x" * 5000
        for n in range(count):
            await other.publish("flood", payload, 1)
        while len(client.messages) < 10:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert len(client.messages) == 10
        # A call still gets its answer, although it stands behind messages in the stream.
        waiting = asyncio.create_task(client.publish("other", "x", 1))
        taken = 0
        async for message in client.messages:
            assert message.payload == payload
            taken += 1
            if taken == count:
                break
        await waiting


@asynchronous
async def test_reader_may_publish(broker, tls, other):
    """The answer to a call from the loop over messages comes, however small the queue."""
    client = aio.Client(broker.host, broker.port, tls=tls, max_queued_incoming_messages=1)
    async with client, other:
        await client.subscribe("in", 1)
        await other.subscribe("out", 1)
        for n in range(100):
            await other.publish("in", n, 1)
        for n in range(100):
            message = await anext(client.messages)
            await client.publish("out", message.payload, 1)
        assert [int((await anext(other.messages)).payload) for _ in range(100)] == list(range(100))


@asynchronous
async def test_full_send_buffer_waits(broker, tls):
    quic = mquic.QUICSettings(send_buffer=16384)
    async with aio.Client(broker.host, broker.port, tls=tls, quic=quic) as client:
        for n in range(500):
            await client.publish("bulk", b"x" * 1000)
        await client.publish("bulk", "last", 1)


@asynchronous
async def test_manual_ack(broker, tls, other):
    client = aio.Client(broker.host, broker.port, tls=tls, manual_ack=True)
    async with client, other:
        await client.subscribe("m", 1)
        await other.publish("m", "x", 1)
        message = await anext(client.messages)
        client.ack(message)
        with pytest.raises(mquic.MquicError):
            client.ack(message)


@asynchronous
async def test_migrate(client):
    with pytest.raises(mquic.StateError):
        client.migrate()
    async with client:
        before = client.connection_info().local_address
        async with asyncio.timeout(PATIENCE):
            while client.connection_info().local_address == before:
                try:  # refused until the server has confirmed the handshake
                    client.migrate()
                except mquic.WouldBlock:
                    pass
                await asyncio.sleep(0.05)
        await client.publish("a", "b", 1)


@asynchronous
async def test_wrong_arguments(client):
    with pytest.raises(ValueError):
        aio.Client("")
    for name, value in {
        "colour": "blue",
        "hostname": 7,
        "port": "14567",
        "identifier": 7,
        "username": 7,
        "password": 7,
        "keepalive": 7.5,
        "will": "gone",
        "tls": "ca.crt",
        "quic": 3,
    }.items():
        with pytest.raises(TypeError, match=name.removesuffix("name")):
            aio.Client(**{"hostname": "somewhere", name: value})
    with pytest.raises(ValueError, match="port"):
        aio.Client("host", 0)
    async with client:
        for topic in ("", "a/#", "a\0b"):
            with pytest.raises(ValueError):
                await client.publish(topic, "x")
        for qos in (3, "1", 1.0):
            with pytest.raises(ValueError):
                await client.publish("a", "x", qos=qos)
            with pytest.raises(ValueError):
                await client.subscribe("a", qos)
        with pytest.raises(TypeError):
            await client.publish("a", object())
        for filter in ("a/#/b", 7, ["a", "b"], []):
            with pytest.raises(ValueError):
                await client.subscribe(filter)
        for filter in ("a/#/b", 7, []):
            with pytest.raises(ValueError):
                await client.unsubscribe(filter)
        with pytest.raises(ValueError, match="SubscriptionIdentifier"):
            await client.subscribe("a", subscription_identifier=0)
        with pytest.raises(mquic.TooLargeError, match="268435455 bytes"):
            await client.publish("a", bytes(300_000_000))
        await client.publish("a", "b", 1)


@asynchronous
async def test_idle_costs_nothing(client):
    """The descriptor is quiet while nothing happens: no busy loop."""
    async with client:
        await asyncio.sleep(0.5)
        before = time.process_time()
        await asyncio.sleep(1)
        assert time.process_time() - before < 0.1


def test_loop_without_context_manager_end(broker, tls):
    """A loop that is closed with a client in it leaves nothing that crashes."""

    async def forget():
        client = aio.Client(broker.host, broker.port, tls=tls)
        await client.__aenter__()

    asyncio.run(forget())


# ---- arguments of aiomqtt


@asynchronous
async def test_queue_types(broker, tls):
    class ByPayload(asyncio.PriorityQueue):
        def _put(self, message):
            super()._put((message.payload, id(message), message))

        def _get(self):
            return super()._get()[-1]

    for kind, wanted in (
        (asyncio.LifoQueue, [b"2", b"3", b"1"]),
        (ByPayload, [b"1", b"2", b"3"]),
        (asyncio.Queue, [b"1", b"3", b"2"]),
    ):
        async with aio.Client(broker.host, broker.port, tls=tls, queue_type=kind) as client:
            await client.subscribe("order")
            for payload in "132":
                await client.publish("order", payload, 1)
            while len(client.messages) < 3:
                await asyncio.sleep(0.01)
            assert [(await anext(client.messages)).payload for _ in range(3)] == wanted


@asynchronous
async def test_limits_of_what_goes_on_at_once(broker, tls):
    for name in ("max_inflight_messages", "max_concurrent_outgoing_calls"):
        async with aio.Client(broker.host, broker.port, tls=tls, **{name: 2}) as client:
            seen = []
            original = client._core.publish

            def noting(*arguments):
                packet_id = original(*arguments)
                seen.append(client._core.inflight)
                return packet_id

            client._core.publish = noting
            await asyncio.gather(*(client.publish("a", "b", 1) for _ in range(20)))
            assert len(seen) == 20 and max(seen) <= 2
    with pytest.raises(ValueError):
        aio.Client("localhost", max_inflight_messages=-1)
    with pytest.raises(TypeError):
        aio.Client("localhost", max_inflight_messages="2")


@asynchronous
async def test_tls_as_aiomqtt_gives_it(broker, certs):
    trust = aio.TLSParameters(ca_certs=certs.ca)
    async with aio.Client(broker.host, broker.port, tls_params=trust) as client:
        await client.publish("a", "b", 1)
    async with aio.Client(broker.host, broker.port, tls_insecure=True) as client:
        await client.publish("a", "b", 1)
    async with aio.Client(
        broker.host, broker.port, tls_params=trust, protocol=aio.ProtocolVersion.V311, clean_session=True
    ) as client:
        await client.publish("a", "b", 1)
    with pytest.raises(ValueError, match="ciphers"):
        aio.Client("localhost", tls_params=aio.TLSParameters(ciphers="AES"))
    with pytest.raises(ValueError, match="tls says all"):
        aio.Client("localhost", tls=mquic.TLSSettings(), tls_insecure=True)


@asynchronous
async def test_logger(broker, tls, caplog):
    import logging

    with caplog.at_level(logging.DEBUG):
        async with aio.Client(
            broker.host, broker.port, tls=tls, logger=logging.getLogger("mine")
        ) as client:
            await client.publish("a", "b", 1)
    lines = [record.getMessage() for record in caplog.records if record.name == "mine"]
    assert any("connected to" in line for line in lines)
    assert any("TLS1.3" in line for line in lines)  # the library's own
    assert any(line.startswith("disconnected") for line in lines)


@asynchronous
async def test_exceptions_of_aiomqtt(broker, tls):
    with pytest.raises(aio.MqttCodeError) as error:
        async with aio.Client("127.0.0.1", 9, tls=tls):
            pass
    assert error.value.rc == error.value.status
    with pytest.raises(aio.MqttConnectError):
        async with aio.Client("127.0.0.1", 9, tls=tls):
            pass
    assert aio.Wildcard("a/+").value == "a/+"
    with pytest.raises(ValueError):
        aio.Wildcard("a/#/b")
