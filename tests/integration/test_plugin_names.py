# SPDX-License-Identifier: MIT
"""Several certificates at one address: the name that a client dials chooses."""

import shutil

import pytest

from harness.build import give_to_broker
from harness.certs import Identity
from harness.clients import SessionClient


def publishes(broker, name):
    """Whether a client that dials by this name gets in, and what it says if not."""
    done = broker.pub("-t", "x", "-m", "y", "-q", "1", "--server-name", name, check=False)
    return done.returncode == 0, done.stderr


def put(identity, place):
    """Puts certificate and key in `place`, under the names that others are read from there."""
    for source, target in zip(identity, place, strict=True):
        fresh = target.with_suffix(".new")
        shutil.copy(source, fresh)
        give_to_broker(fresh)
        fresh.rename(target)


@pytest.fixture
def second(workdir, certs):
    """A certificate for elsewhere.example, in files that a test may replace."""
    place = Identity(workdir / "second.crt", workdir / "second.key")
    put(certs.wrong_host, place)
    return place


@pytest.fixture
def broker(make_broker, certs, second):
    options = {
        "certfile": [certs.server.cert, second.cert],
        "keyfile": [certs.server.key, second.key],
    }
    return make_broker(plugin_opts=options)


def test_each_name_gets_its_certificate(broker):
    broker.start()
    for name in ("localhost", "elsewhere.example", "Elsewhere.EXAMPLE"):
        good, why = publishes(broker, name)
        assert good, why
    good, why = publishes(broker, "third.example")
    assert not good and "for localhost, " in why, why


def test_a_reload_may_change_one_of_them(broker, certs, second):
    broker.start()
    client = SessionClient(broker)
    client.connect()
    assert publishes(broker, "elsewhere.example")[0]
    put(certs.make_server("third", "third.example"), second)
    broker.sighup()
    for name in ("localhost", "third.example"):
        good, why = publishes(broker, name)
        assert good, why
    assert not publishes(broker, "elsewhere.example")[0]
    client.publish("x", "y", qos=1)


def test_a_reload_of_a_broken_one_changes_none(broker, second):
    broker.start()
    second.key.with_suffix(".new").write_text("")
    second.key.with_suffix(".new").rename(second.key)
    broker.sighup()
    broker.wait_log("certificates and keys stay as they were: .*second.key is empty")
    for name in ("localhost", "elsewhere.example"):
        good, why = publishes(broker, name)
        assert good, why


def test_each_that_ends_is_told(make_broker, certs, workdir):
    place = Identity(workdir / "short.crt", workdir / "short.key")
    put(certs.expired, place)
    options = {
        "certfile": [certs.server.cert, place.cert],
        "keyfile": [certs.server.key, place.key],
    }
    broker = make_broker(plugin_opts=options).start()
    broker.wait_log("the certificate .*short.crt expired on")


def test_certificates_and_keys_go_together(make_broker, certs):
    options = {"certfile": [certs.server.cert, certs.wrong_host.cert]}
    code, log = make_broker(plugin_opts=options).refuse()
    assert code != 0
    assert "plugin_opt_certfile is given 2 times and plugin_opt_keyfile 1 times" in log
    options["keyfile"] = [certs.server.key, certs.server.key]
    code, log = make_broker(plugin_opts=options).refuse()
    assert code != 0 and "mquic: plugin_opt_keyfile: the key in" in log, log
