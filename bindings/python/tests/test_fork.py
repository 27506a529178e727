# SPDX-License-Identifier: MIT
"""Children of a process that has connections: they have copies of all of it and may use none."""

import textwrap

import pytest
from test_safety import run_python  # noqa: F401  (a fixture)

PARENT = """
    import os, sys, threading, warnings
    warnings.simplefilter("ignore")  # of threads and fork(): that is what this is about
    from mquic import quic
    TLS = mquic.TLSSettings(ca_file=CA)
    client = mquic.Client(client_id="forks", tls=TLS)
    client.will_set("fork/will", "gone")
    ends = []
    client.on_disconnect = lambda *rest: ends.append(rest)
    client.connect(HOST, PORT)
    client.loop_start()
    client.publish("fork/first", "1", 1).wait_for_publish(30)

    def child(body):
        pid = os.fork()
        if pid == 0:
            body()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0

    def forked(call, *arguments):
        try:
            call(*arguments)
        except mquic.ForkedError as error:
            assert "parent process" in str(error), error
            assert error.status == mquic.Status.FORKED
        else:
            raise AssertionError(f"{call} did not refuse")
"""

REST = """
    info = client.publish("fork/last", "2", 1)
    info.wait_for_publish(30)
    assert info.is_published() and not ends and client.is_connected()
    client.disconnect()
    client.loop_stop()
"""


@pytest.fixture
def parent_of(run_python, broker):  # noqa: F811
    """Runs what children do, in a parent whose connection must not notice it."""

    def run(program):
        listener = broker.tcp_sub("-t", "fork/#", "-C", "2")
        run_python(*[textwrap.dedent(PARENT) + textwrap.dedent(program) + textwrap.dedent(REST)])
        # The will would have come between: at the broker the connection never ended.
        assert listener.wait_lines(2) == ["1", "2"]

    return run


@pytest.mark.parametrize(
    "end",
    [
        "os._exit(0)",
        "raise SystemExit(0)",  # with all that runs at exit
        "import gc; global client; del client; gc.collect()",
        "client._core.close()",
        "client.__dict__.clear()",
    ],
)
def test_child_that_ends(parent_of, end):
    parent_of(
        f"""
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            try:
                def body():
                    {end}
                body()
            except SystemExit:
                sys.exit(0)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        """
    )


def test_child_of_multiprocessing(parent_of):
    parent_of(
        """
        import multiprocessing
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
        process = context.Process(target=print)
        process.start()
        process.join()
        assert process.exitcode == 0
        """
    )


def test_child_of_subprocess(parent_of):
    parent_of(
        """
        import subprocess
        assert subprocess.run(["true"], preexec_fn=lambda: None).returncode == 0
        assert subprocess.run("true", close_fds=False, shell=True).returncode == 0
        """
    )


def test_every_call_in_a_child_says_why_it_cannot(parent_of):
    parent_of(
        """
        info = client.publish("unsettled", "", 1)

        def body():
            forked(client.publish, "fork/child", "no")
            forked(client.publish, "fork/child", "no", 1)
            forked(client.subscribe, "x")
            forked(client.unsubscribe, "x")
            forked(client.disconnect)
            forked(client.loop)
            forked(client.loop_read)
            forked(client.loop_forever)
            forked(client.loop_start)
            forked(client.reconnect)
            forked(client.connect, HOST, PORT)
            forked(client.statistics)
            forked(client.migrate)
            info._published or forked(info.wait_for_publish)
            assert not client.is_connected() and client.socket() is None
            client.loop_stop()

        child(body)
        """
    )


def test_fork_in_a_callback_leaves_the_rest_to_the_parent(parent_of):
    parent_of(
        """
        done = threading.Event()
        me = os.getpid()

        def on_message(client, userdata, message):
            if message.payload == b"fork":
                pid = os.fork()
                if pid == 0:
                    return  # into the loop
                userdata.append(os.waitpid(pid, 0)[1])
            else:
                assert os.getpid() == me
                done.set()

        statuses = []
        client.user_data_set(statuses)
        client.on_message = on_message
        # What is written to stderr is wrong here, so the child says it otherwise.
        threading.excepthook = lambda what: os._exit(7 if what.exc_type is mquic.ForkedError else 1)
        client.subscribe("in")
        client.publish("in", "fork", 1)
        client.publish("in", "rest", 1)
        assert done.wait(30)
        assert [os.waitstatus_to_exitcode(one) for one in statuses] == [7]
        """
    )


def test_locks_of_other_threads_do_not_hold_a_child_up(parent_of):
    parent_of(
        """
        held, over = threading.Event(), threading.Event()
        endpoint = quic.Endpoint()
        waiting = mquic.Client(client_id="never connected")

        def hold():
            with client._lock, client._dial_lock, endpoint._lock, waiting._lock:
                held.set()
                over.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()

        pid = os.fork()
        if pid == 0:
            forked(client.publish, "fork/child")
            forked(endpoint.process)
            waiting.publish("a", "b", 1)
            sys.exit(0)
        status = os.waitpid(pid, 0)[1]
        over.set()
        thread.join()
        assert status == 0
        """
    )


def test_child_has_a_client_of_its_own(parent_of):
    parent_of(
        """
        def body():
            own = mquic.Client(client_id="child", tls=TLS)
            own.connect(HOST, PORT)
            own.loop_start()
            own.publish("child", "hello", 1).wait_for_publish(30)
            own.disconnect()
            own.loop_stop()
            assert own.error is None

        child(body)
        """
    )


def test_asyncio_client_in_a_child(parent_of):
    parent_of(
        """
        import asyncio

        async def main():
            asyncio.get_running_loop().slow_callback_duration = 60
            async with mquic.aio.Client(HOST, PORT, tls=TLS) as client:
                await client.publish("a", "b", 1)

                def body():
                    async def use():
                        await client.publish("a", "b")
                    asyncio.events._set_running_loop(None)
                    forked(asyncio.new_event_loop().run_until_complete, use())

                child(body)
                await client.publish("a", "c", 1)

        asyncio.run(main())
        """
    )


def test_streams_in_a_child(parent_of, certs):
    parent_of(
        f"""
        server = quic.Endpoint()
        port = server.listen("127.0.0.1", tls=mquic.TLSSettings(
            certificate={str(certs.server.cert)!r}, key={str(certs.server.key)!r}))

        def serve():
            global accepted, other_end
            accepted = server.accept(30)
            other_end = accepted.accept_stream(30)
            other_end.sendall(b"hi")
            while not answered.is_set():
                server.wait(0.05)

        answered = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        connection = quic.connect("127.0.0.1", port, tls=TLS, timeout=30)
        stream = connection.open_stream()
        stream.send(b"x")
        assert stream.recv(timeout=30) == b"hi"
        answered.set()
        thread.join()

        def body():
            global connection, stream
            forked(stream.send, b"y")
            forked(stream.recv)
            forked(stream.finish)
            forked(connection.open_stream)
            forked(connection.close)
            forked(connection.endpoint.process)
            forked(connection.endpoint.wait)
            forked(server.accept)
            del connection, stream

        child(body)
        assert connection.error is None
        """
    )
