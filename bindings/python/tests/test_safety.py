# SPDX-License-Identifier: MIT
"""Misuse and bad moments: always a Python exception or a clean end, never a crash."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
from conftest import BUILD, PATIENCE
from harness.process import eventually

import mquic
import mquic.client as mqtt
from mquic import _native, aio, quic


@pytest.fixture
def run_python(broker, certs, build):
    """Runs a program in a process of its own; it knows HOST, PORT, CA and mquic."""

    def run(program, check=True, interrupt_at=None, **env):
        head = f"HOST, PORT, CA = {broker.host!r}, {broker.port}, {str(certs.ca)!r}\n"
        # Whoever is started in the background by a shell is deaf to it.
        head += "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        text = head + "import mquic, mquic.aio\n" + textwrap.dedent(program)
        child = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", text],
            env=dict(
                os.environ,
                PYTHONPATH=str(BUILD / "bindings" / "python"),
                PYTHONMALLOC="debug",
                **env,
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            first = ""
            if interrupt_at is not None:
                first = child.stdout.readline()
                assert first == interrupt_at + "\n", child.communicate(timeout=60)
                child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
            out = first + out
        finally:
            child.kill()
        if check:
            assert child.returncode == 0, (out, err)
            assert err == "", err
        return child.returncode, out, err

    return run


# ---- misuse


def _handle_calls():
    """Every native function with None for each argument, by trying numbers of arguments."""
    for name in dir(_native):
        function = getattr(_native, name)
        # _new() makes an object of nothing; on_failure() is called once, by the package.
        if name.startswith("_") or not callable(function) or name == "on_failure":
            continue
        yield name, function


@pytest.mark.parametrize("filler", [None, "", b"", 0, -1, 2**70, "a\0b", object()])
def test_native_functions_survive_anything(filler):
    for name, function in _handle_calls():
        for count in range(8):
            try:
                made = function(*[None] * min(1, count), *[filler] * (count - 1))
            except (TypeError, ValueError, OverflowError, BufferError, mquic.MquicError):
                continue
            kind = name.removesuffix("_new")
            if name.endswith("_new") and made is not None:
                getattr(_native, f"delete_{kind}")(made)


def test_wrong_handle_types_are_refused():
    endpoint = _native.endpoint_new()
    settings = _native.settings_new()
    with pytest.raises(TypeError):
        _native.drain(settings, 1)
    with pytest.raises(TypeError):
        _native.session_new(settings, endpoint)
    _native.delete_settings(settings)
    _native.delete_endpoint(endpoint)


def test_statuses_are_those_of_the_header():
    for enum, prefix in (
        (mquic.Status, ""),
        (mquic.Origin, "ORIGIN_"),
        (mquic.EventType, "EVENT_"),
        (mquic.CongestionControl, "CONGESTION_"),
        (mquic.Redundancy, "REDUNDANCY_"),
        (mquic.Retry, "RETRY_"),
        (mquic.Statistic, "STATISTIC_"),
        (mquic.Total, "TOTAL_"),
        (mquic.SubscribeOption, "SUBSCRIBE_"),
    ):
        names = {name.removeprefix(prefix) for name in dir(_native) if name.startswith(prefix)}
        if enum is mquic.Status:
            names = {name.removeprefix("ERR_") for name in names if name[:4] in ("OK", "ERR_")}
        assert {member.name for member in enum} == names
        for member in enum:
            native = prefix + member.name
            if enum is mquic.Status and member:
                native = "ERR_" + member.name
            assert getattr(_native, native) == member


def test_every_status_has_its_exception():
    from mquic import errors

    for status in mquic.Status:
        if status in (mquic.Status.OK, mquic.Status.MEMORY):
            continue
        error = errors.make(status, "why")
        assert type(error) is not mquic.MquicError
        assert (error.status, str(error)) == (status, "why")


def test_no_nul_reaches_a_c_string(tls):
    client = mquic.Client(tls=tls)
    with pytest.raises(ValueError):
        client.connect("local\0host")
    with pytest.raises(ValueError):
        quic.Endpoint().dial("127.0.0.1", 9, alpn="a\0b")
    with pytest.raises(ValueError):
        mquic.Client(tls=mquic.TLSSettings(ca_file="a\0b")).connect("127.0.0.1")
    with pytest.raises(ValueError):
        mquic.Client(client_id="a\0b", tls=tls).connect("127.0.0.1")


def test_nuls_in_payloads_and_correlation_data(make_client, recorder):
    client = make_client(recorder, protocol=mqtt.MQTTv5)
    client.subscribe("nul")
    recorder.wait("on_subscribe")
    client.publish("nul", b"a\0b\0", correlation_data=b"\0\0")
    message = recorder.wait("on_message")[0][1]
    assert message.payload == b"a\0b\0"
    assert message.properties.CorrelationData == b"\0\0"


def test_buffer_is_free_after_publish(make_client):
    client = make_client()
    payload = bytearray(b"x" * 1000)
    client.publish("buffer", payload)
    payload.extend(b"y")  # BufferError if it were still held
    with pytest.raises(ValueError):
        client.publish("a/#", payload)
    payload.extend(b"y")


# ---- exceptions in callbacks


def test_exception_comes_out_of_the_loop_and_loses_nothing(broker, tls):
    client = mquic.Client(tls=tls)
    seen = []

    def on_message(client, userdata, message):
        seen.append(int(message.payload))
        if message.payload in (b"1", b"3"):
            raise KeyError(f"number {seen[-1]}")

    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe("e")

    def on_subscribe(client, *_):
        for n in range(5):
            client.publish("e", n)

    client.on_subscribe = on_subscribe
    client.connect(broker.host, broker.port)
    raised = []
    end = time.monotonic() + PATIENCE
    while len(seen) < 5 and time.monotonic() < end:
        try:
            client.loop(0.2)
        except KeyError as error:
            raised.append(error.args[0])
    assert seen == [0, 1, 2, 3, 4]
    assert raised == ["number 1", "number 3"]
    client.disconnect()


def test_suppressed_exceptions_are_logged(make_client, recorder):
    client = make_client(recorder)
    lines = []
    client.suppress_exceptions = True
    client.on_log = lambda client, userdata, level, text: lines.append((level, text))
    client.message_callback_add("bad", lambda *_: 1 / 0)
    client.subscribe([("bad", 0), ("good", 0)])
    recorder.wait("on_subscribe")
    client.publish("bad")
    client.publish("good")
    recorder.wait("on_message")
    assert any(level == mqtt.MQTT_LOG_ERR and "on_message" in text for level, text in lines)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_exception_ends_the_thread_and_loop_start_goes_on(make_client, recorder):
    client = make_client(recorder)
    client.message_callback_add("bad", lambda *_: 1 / 0)
    client.subscribe([("bad", 0), ("good", 0)])
    recorder.wait("on_subscribe")
    client.publish("bad")
    client.publish("good")
    client._thread.join(PATIENCE)
    assert not client._thread.is_alive()
    assert client.loop_start() == mqtt.MQTT_ERR_SUCCESS
    recorder.wait("on_message")


def test_system_exit_and_interrupt_pass(broker, tls):
    client = mquic.Client(tls=tls)
    client.suppress_exceptions = True

    @client.connect_callback()
    def on_connect(client, *_):
        raise KeyboardInterrupt

    client.connect(broker.host, broker.port)
    with pytest.raises(KeyboardInterrupt):
        client.loop_forever()


# ---- objects that go


def test_client_is_collected(broker, tls):
    client = mquic.Client(tls=tls)
    client.user_data_set(client)  # a cycle
    client.on_message = client.user_data_set
    client.connect(broker.host, broker.port)
    client.loop(0.1)
    core, gone = client._core, weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
    assert core.closed


def test_use_after_close(broker, tls):
    client = mquic.Client(tls=tls)
    client.connect(broker.host, broker.port)
    client._core.close()
    for call in (
        lambda: client.publish("a", "b"),
        lambda: client.subscribe("a"),
        lambda: client.reconnect(),
        lambda: client.statistics(),
    ):
        with pytest.raises(mquic.MquicError):
            call()
    client.loop(0)


def test_asyncio_client_dropped_inside(broker, tls):
    async def main():
        client = aio.Client(broker.host, broker.port, tls=tls)
        await client.__aenter__()
        core = client._core
        asyncio.get_running_loop().remove_reader(core.fd)
        gone = weakref.ref(client)
        del client
        gc.collect()
        assert gone() is None and core.closed

    asyncio.run(main())


def test_many_objects_at_random(tls):
    import random

    rng = random.Random(7)
    things = []
    for _ in range(300):
        endpoint = quic.Endpoint()
        connections = [endpoint.dial("127.0.0.1", 9, tls=tls) for _ in range(rng.randrange(3))]
        streams = [one.open_stream() for one in connections for _ in range(rng.randrange(3))]
        for stream in streams:
            stream.send(b"x" * rng.randrange(1, 2000))
        if rng.random() < 0.5:
            endpoint.process()
        if rng.random() < 0.3:
            endpoint.close()
        things += [endpoint, *connections, *streams]
        del endpoint, connections, streams
        rng.shuffle(things)
        del things[20:]
        things[:5] = [things]  # a cycle for the collector
        things.pop(0)
    things.clear()
    gc.collect()


# ---- threads


def test_others_run_while_a_loop_waits(make_client):
    client = make_client()

    def counted():
        count = 0
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            count += 1
        return count > 10000

    # The waiting thread does not hold the interpreter; but another program may hold the machine.
    eventually(counted, what="much work in a third of a second")
    assert client.is_connected() or time.sleep(0.5) or client.is_connected()


def test_names_are_looked_up_without_the_interpreter(tls):
    ticks = []
    over = threading.Event()

    def tick():
        while not over.is_set():
            ticks.append(1)
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    end = time.monotonic() + PATIENCE
    while not ticks and time.monotonic() < end:  # one answer may come before the thread runs
        with pytest.raises(mquic.ResolveError):
            mquic.Client(tls=tls).connect("no-such-host.invalid")
    over.set()
    thread.join()
    assert ticks


def test_threads_do_everything_at_once(make_client, recorder):
    client = make_client(recorder)
    client.subscribe("storm/#")
    recorder.wait("on_subscribe")
    over = time.monotonic() + 2
    failures = []

    def storm(number):
        n = 0
        while time.monotonic() < over:
            n += 1
            try:
                client.publish(f"storm/{number}", bytes(n % 3000), n % 3)
                client.is_connected()
                client.statistics()
                if n % 10 == 0:
                    client.subscribe(f"more/{number}/{n}")
                    client.unsubscribe(f"more/{number}/{n}")
            except Exception as error:
                failures.append(error)
            time.sleep(0.001)

    threads = [threading.Thread(target=storm, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert client.is_connected()


def test_loop_stop_from_a_callback(make_client, recorder):
    client = make_client(recorder)
    done = threading.Event()

    @client.topic_callback("stop")
    def stop(client, userdata, message):
        client.loop_stop()
        done.set()

    client.subscribe("stop")
    recorder.wait("on_subscribe")
    client.publish("stop")
    assert done.wait(PATIENCE)
    client._thread.join(PATIENCE)
    assert not client._thread.is_alive()


# ---- the end of the interpreter


LIVE = """
    client = mquic.Client(client_id="at-exit", tls=mquic.TLSSettings(ca_file=CA))
    client.will_set("wills/exit", "gone", 1)
    client.on_message = lambda *_: None
    client.connect(HOST, PORT)
    client.loop_start()
    client.subscribe("x")
    while not client.is_connected():
        pass
"""


def test_exit_with_a_live_session(run_python, broker):
    listener = broker.tcp_sub("-t", "wills/#", "-C", "1")
    run_python(LIVE)
    # The connection was closed at exit, so the will comes now and not after a minute.
    assert listener.wait_lines(1, timeout=20) == ["gone"]


@pytest.mark.parametrize(
    "end",
    [
        "import sys; sys.exit(0)",
        "import gc; gc.disable(); keep = [client, client.publish]; keep.append(keep)",
        "import mquic.quic; e = mquic.quic.Endpoint(); c = e.dial(HOST, PORT); s = c.open_stream()",
        "import builtins; builtins.kept = client",
        "client.publish('a', 'b', 1); del client",
        "client.loop_stop(); client.publish('a', 'b', 1)",
        "import threading; threading.Thread(target=lambda: client.publish('t', 'x')).start()",
    ],
)
def test_exit_in_many_ways(run_python, end):
    run_python(textwrap.dedent(LIVE) + end)


def test_exit_with_a_live_asyncio_client(run_python):
    run_python(
        """
        import asyncio

        async def main():
            global client
            # In development mode it would complain of a machine that is slow.
            asyncio.get_running_loop().slow_callback_duration = 60
            client = mquic.aio.Client(HOST, PORT, tls=mquic.TLSSettings(ca_file=CA))
            await client.__aenter__()
            await client.subscribe("x")

        asyncio.run(main())
        """
    )


def test_interrupt_of_loop_forever(run_python):
    code, out, err = run_python(
        """
        client = mquic.Client(tls=mquic.TLSSettings(ca_file=CA))
        client.on_connect = lambda *_: print("connected", flush=True)
        client.connect(HOST, PORT)
        try:
            client.loop_forever()
        except KeyboardInterrupt:
            print("interrupted")
        """,
        interrupt_at="connected",
    )
    assert out == "connected\ninterrupted\n"


def test_import_and_nothing_else(run_python):
    run_python("import mquic.quic, mquic.publish, mquic.subscribe; mquic.Client()")
