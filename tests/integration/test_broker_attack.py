# SPDX-License-Identifier: MIT
"""A flood of random and half-valid UDP while a good client keeps publishing."""

import os
import subprocess
import threading

import pytest

from harness.attack import Attack
from harness.clients import exchange, many_clients
from harness.process import eventually

SECONDS = int(os.environ.get("MQUIC_FLOOD_SECONDS", "60"))
INTERVAL_MS = 20
# What a broker may grow by under attack: caps are meant to hold.
GROWTH_KB = 150_000


def real_initials(broker, proxy, count=40):
    """First datagrams of real clients that never hear back."""
    proxy.mute = True
    assert many_clients(broker, proxy.port, count=count, timeout_ms=1500).returncode != 0
    proxy.mute = False

    def initials():
        return [data for data in proxy.captured if data[0] & 0xF0 == 0xC0 and len(data) >= 1200]

    eventually(lambda: len(initials()) >= count, what="the datagrams of the clients")
    return initials()


def half_open(broker, proxy, stop):
    """Crowds of clients that send a good Initial each and then fall silent."""
    proxy.mute = True
    while not stop.is_set():
        many_clients(broker, proxy.port, count=100, timeout_ms=1000)


def test_the_broker_survives_a_flood(make_broker, make_proxy):
    broker = make_broker(top=["max_queued_messages 0"]).start()
    initials = real_initials(broker, make_proxy(broker))
    before_kb = broker.memory_kb()
    stop = threading.Event()
    crowd = threading.Thread(target=half_open, args=(broker, make_proxy(broker), stop))
    attack = Attack(broker.port, initials)
    crowd.start()
    try:
        done, sides = exchange(
            broker,
            qos=1,
            count=SECONDS * 1000 // INTERVAL_MS,
            interval_ms=INTERVAL_MS,
            timeout_ms=(SECONDS + 60) * 1000,
            timeout=SECONDS + 90,
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"the good client hangs; the broker's log ends:\n{broker.log()[-4000:]}")
    finally:
        stop.set()
        attack.stop()
        crowd.join(60)
    assert done.returncode == 0, (done, sides)
    assert attack.sent > SECONDS * 100  # it is to be there, however little it got of the machine
    # A sanitizer keeps what was freed for a while.
    assert broker.build.sanitizer or broker.memory_kb() - before_kb < GROWTH_KB
    # Others are let in right behind it.
    assert many_clients(broker, count=20).returncode == 0
