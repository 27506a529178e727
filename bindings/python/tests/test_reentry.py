# SPDX-License-Identifier: MIT
"""
Calls that come from where a call is already going on: callbacks, signal handlers, finalisers.

Whatever is called there returns, or says why it cannot; it never waits for what waits for it.
"""

import gc
import socket
import threading

import pytest
from conftest import PATIENCE
from test_safety import run_python  # noqa: F401  (a fixture)

import mquic
import mquic.client as mqtt
from mquic import quic

# Prints where all threads stand and ends the process, should it hang.
WATCHDOG = """
    import faulthandler
    faulthandler.dump_traceback_later(50, exit=True)
"""


# ---- callbacks


def in_callback(make_client, recorder, call):
    """What `call(client)` returns or raises in on_message."""
    client = make_client(recorder)
    came = []
    done = threading.Event()

    @client.topic_callback("ask")
    def ask(client, userdata, message):
        try:
            came.append(call(client))
        except Exception as error:
            came.append(error)
        done.set()

    client.subscribe("ask")
    recorder.wait("on_subscribe")
    client.publish("ask")
    assert done.wait(PATIENCE), "it hangs"
    return came[0]


@pytest.mark.parametrize(
    "call, instead",
    [
        (lambda client: client.publish("a", "b", 1).wait_for_publish(), "on_publish"),
        (lambda client: client.publish("a", "b", 2).wait_for_publish(PATIENCE), "on_publish"),
        (lambda client: client.loop_forever(), "returns"),
    ],
)
def test_waiting_in_a_callback_is_refused(make_client, recorder, call, instead):
    error = in_callback(make_client, recorder, call)
    assert type(error) is RuntimeError
    assert "callback" in str(error) and instead in str(error)


def test_waiting_for_what_is_over_is_fine(make_client, recorder):
    waited = threading.Event()

    def published(client, userdata, mid, reason, properties):
        infos[mid].wait_for_publish()
        waited.set()

    client = make_client(recorder)
    client.on_publish = published
    with client._lock:  # so that it is in the table before it is settled
        info = client.publish("a", "b", 1)
        infos = {info.mid: info}
    assert waited.wait(PATIENCE)


@pytest.mark.parametrize("qos", [1, 2])
def test_waiting_elsewhere_is_as_before(make_client, qos):
    client = make_client()
    info = client.publish("a", "b", qos)
    info.wait_for_publish(PATIENCE)
    assert info.is_published()


def test_loop_start_in_a_callback_is_one_loop_too_many(broker, tls):
    client = mquic.Client(tls=tls)
    returned = []

    @client.connect_callback()
    def connected(client, *_):
        returned.append(client.loop_start())
        client.disconnect()

    client.connect(broker.host, broker.port)
    client.loop_forever()
    assert returned == [mqtt.MQTT_ERR_INVAL]


def test_reconnect_while_a_callback_holds_the_loop_up(make_client, recorder, broker):
    client = make_client(recorder)
    inside, go_on = threading.Event(), threading.Event()

    @client.topic_callback("slow")
    def slow(client, userdata, message):
        inside.set()
        go_on.wait(PATIENCE)

    client.subscribe("slow")
    recorder.wait("on_subscribe")
    client.publish("slow")
    assert inside.wait(PATIENCE)
    assert client.reconnect() == mqtt.MQTT_ERR_SUCCESS  # not stuck behind the callback
    go_on.set()
    recorder.wait("on_connect", 2)


def test_reconnect_and_disconnect_in_callbacks(make_client, recorder):
    client = make_client(recorder)
    calls = []
    client.message_callback_add("again", lambda client, *_: calls.append(client.reconnect()))
    client.message_callback_add("end", lambda client, *_: calls.append(client.disconnect()))
    client.subscribe("again")
    recorder.wait("on_subscribe")
    client.publish("again")
    recorder.wait("on_connect", 2)
    client.subscribe("end")
    recorder.wait("on_subscribe", 2)
    client.publish("end")
    recorder.wait("on_disconnect", 2)
    assert calls == [mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_SUCCESS]


# ---- while connect() waits


@pytest.fixture
def connecting(tls):
    """A client whose connect() waits in a thread for a server that is silent; its thread, and
    what connect() raises in the end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(PATIENCE)
        client = mquic.Client(tls=tls)
        raised = []

        def connect():
            try:
                client.connect("localhost", silent.getsockname()[1])
            except mquic.MquicError as error:
                raised.append(error)

        thread = threading.Thread(target=connect)
        thread.start()
        silent.recv(2000)
        yield client, thread, raised
        client._core.close()
        thread.join(PATIENCE)


def test_calls_while_connect_waits(connecting):
    client, thread, _ = connecting
    info = client.publish("a", "b", 1)  # none of these waits or fails
    assert info.rc == mqtt.MQTT_ERR_SUCCESS and not info.is_published()
    assert client.statistics().bytes_sent > 0
    assert client.connection_info().tls_version == ""
    assert client.loop(0) == mqtt.MQTT_ERR_SUCCESS
    client._pull()
    client._core.wakeup()
    assert thread.is_alive()


def test_closing_while_connect_waits(connecting):
    client, thread, raised = connecting
    client._core.close()
    assert client._core.closed and client._core._endpoint is None
    thread.join(PATIENCE)
    assert [type(one) for one in raised] == [mquic.ClosedError]


# ---- signal handlers


@pytest.mark.parametrize(
    "call",
    [
        "client.publish('signal', 's', qos=1)",
        "client.publish('signal', 's', qos=0)",
        "client.subscribe('signal')",
        "client.unsubscribe('signal')",
        "client.statistics()",
        "client.publish('signal', b'x' * 70000, qos=1, content_type='text/plain')",
    ],
)
def test_signal_handler_and_loop_do_not_wait_for_each_other(run_python, call):  # noqa: F811
    code, out, err = run_python(
        WATCHDOG
        + f"""
    import signal, sys, time
    client = mquic.Client(client_id="signals", tls=mquic.TLSSettings(ca_file=CA))
    client.connect(HOST, PORT)
    client.loop_start()
    sys.setswitchinterval(1e-5)  # threads meet where they can
    count = 0

    def handler(number, frame):
        global count
        count += 1
        {call}

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.002)
    end = time.monotonic() + 3
    sent = 0
    while time.monotonic() < end or count < 50:
        last = client.publish("busy", b"y" * 100, qos=1)
        client.statistics()
        sent += 1
        if sent % 500 == 0:
            last.wait_for_publish(40)  # what a busy machine leaves behind stays small
    signal.setitimer(signal.ITIMER_REAL, 0)
    last.wait_for_publish(40)
    print(last.is_published())
    client.disconnect()
    client.loop_stop()
    """
    )
    assert out == "True\n"


def test_signals_while_this_thread_runs_the_loop_lose_nothing(run_python):  # noqa: F811
    code, out, err = run_python(
        WATCHDOG
        + """
    import signal
    client = mquic.Client(client_id="order", tls=mquic.TLSSettings(ca_file=CA))
    numbers = []
    TOTAL, WINDOW = 4000, 100  # more at a time the broker would not keep

    def on_message(client, userdata, message):
        numbers.append(int(message.payload))
        if len(numbers) == TOTAL:
            client.disconnect()
        elif numbers[-1] + WINDOW < TOTAL:
            client.publish("order", numbers[-1] + WINDOW, 1)

    def on_subscribe(client, *_):
        for n in range(WINDOW):
            client.publish("order", n, 1)

    client.on_connect = lambda client, *_: client.subscribe("order", 1)
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    client.connect(HOST, PORT)
    signal.signal(signal.SIGALRM, lambda *_: client.publish("other", "x", 1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    client.loop_forever()
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(numbers == list(range(TOTAL)), len(numbers))
    """
    )
    assert out == "True 4000\n"


def test_signal_handler_that_raises_loses_nothing(run_python):  # noqa: F811
    code, out, err = run_python(
        WATCHDOG
        + """
    import signal
    client = mquic.Client(client_id="raise", tls=mquic.TLSSettings(ca_file=CA))
    numbers = []
    TOTAL = 900  # of 1000 that the broker keeps

    class Ring(BaseException):
        pass

    armed = False  # one at a time, and none where nobody catches it

    def handler(number, frame):
        global armed
        if not armed:
            return
        # Not in the program's own callback: what that had begun would be its own to mend.
        while frame is not None:
            if frame.f_code.co_name == "take":
                return
            frame = frame.f_back
        armed = False
        raise Ring

    def take(client, userdata, message):
        numbers.append(int(message.payload))

    client.on_connect = lambda client, *_: client.subscribe("ring", 1)
    client.on_message = take
    heard = []
    client.on_subscribe = lambda *_: heard.append(True)
    client.connect(HOST, PORT)
    while not heard:
        client.loop(1)
    other = mquic.Client(tls=mquic.TLSSettings(ca_file=CA))
    other.connect(HOST, PORT)
    other.loop_start()
    for n in range(TOTAL):
        last = other.publish("ring", n, 1)
    last.wait_for_publish(40)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    rings = 0
    while True:
        try:
            armed = True
            while len(numbers) < TOTAL - rings:
                client.loop(0.5)
            armed = False
            break
        except Ring:
            rings += 1
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    # One message may be with whoever was interrupted in handing it over, each time.
    print(rings > 0, numbers == sorted(numbers), len(set(numbers)) == len(numbers))
    other.disconnect()
    other.loop_stop()
    """
    )
    assert out == "True True True\n"


def test_term_handler_that_ends_it_all(run_python):  # noqa: F811
    """The handler that everybody writes, in the middle of publishing."""
    for delay in ("0.2", "0.21", "0.22"):
        code, out, err = run_python(
            WATCHDOG
            + f"""
    import signal, sys
    client = mquic.Client(client_id="term", tls=mquic.TLSSettings(ca_file=CA))
    client.connect(HOST, PORT)
    client.loop_start()

    def term(number, frame):
        client.disconnect()
        client.loop_stop()
        print("end", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGALRM, term)
    signal.setitimer(signal.ITIMER_REAL, {delay})
    while True:
        client.publish("busy", "y", qos=1)
    """
        )
        assert out == "end\n"


def test_waiting_in_a_handler_that_has_interrupted_the_client(tls):
    """Made certain: the handler's thread has the lock."""
    client = mquic.Client(client_id="c", tls=tls)
    info = client.publish("a", "b", 1)
    info.rc = mqtt.MQTT_ERR_SUCCESS
    with client._lock:
        for call in (info.wait_for_publish, client.loop_forever, lambda: client.connect("localhost")):
            with pytest.raises(RuntimeError, match="signal handler"):
                call()


def test_handler_waits_for_what_its_own_thread_waits_for(run_python):  # noqa: F811
    code, out, err = run_python(
        WATCHDOG
        + """
    import signal
    from mquic import quic
    endpoint = quic.Endpoint()

    def handler(number, frame):
        print(endpoint.wait(0.05))
        endpoint.wakeup()

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    print(endpoint.wait(30))
    """
    )
    assert out == "False\nTrue\n"


# ---- finalisers


def test_finaliser_does_not_wait_for_a_lock(tls):
    endpoint = quic.Endpoint()
    connections = [endpoint.dial("127.0.0.1", 9, tls=tls) for _ in range(2)]
    streams = [one.open_stream() for one in connections]
    held, over = threading.Event(), threading.Event()

    def hold():
        with endpoint._lock:
            held.set()
            over.wait(PATIENCE)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        connections.clear()
        streams.clear()
        gc.collect()  # returns, though another thread has the lock
        assert len(endpoint._box.dropped) == 4
    finally:
        over.set()
        thread.join()
    endpoint.process()
    assert not endpoint._box.dropped


def test_collector_in_two_threads_that_hold_each_others_locks(tls):
    """Each thread has the lock of one endpoint while it lets go of what is on the other."""
    endpoints = [quic.Endpoint(), quic.Endpoint()]
    things = [
        [endpoints[1 - n].dial("127.0.0.1", 9, tls=tls) for _ in range(20)] for n in range(2)
    ]
    both = threading.Barrier(2)

    def work(n):
        while things[n]:
            with endpoints[n]._lock:
                both.wait(PATIENCE)
                things[n].pop()
                both.wait(PATIENCE)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


def test_buffer_that_calls_back(make_client, recorder):
    """What is sent is looked at before the library is called."""
    client = make_client(recorder)

    class Closing(bytearray):
        def __str__(self):
            client._core.close()
            return "x"

    info = client.publish("a", Closing(b"abc"), 1)
    info.wait_for_publish(PATIENCE)
