# SPDX-License-Identifier: MIT
"""Certificates and protocols that must be refused, with a sentence that says why."""

import pytest

from harness.clients import raw
from harness.ports import free_udp_port


def refused(done):
    """The words of a tool that failed."""
    assert done.returncode != 0, done
    assert done.stdout == "", done
    assert done.stderr.strip() != "", done
    return done.stderr.lower()


def publish(broker, **options):
    return broker.pub("-t", "x", "-m", "y", check=False, **options)


def test_an_unknown_authority_is_refused(broker, certs):
    text = refused(publish(broker, cafile=certs.other_ca))
    assert "certificate" in text
    assert broker.connections() == []


def test_the_broker_log_says_why_a_handshake_failed(broker, certs):
    publish(broker, cafile=certs.other_ca)
    broker.wait_log(r"127\.0\.0\.1:\d+: handshake failed: .*certificate")


def test_the_systems_store_does_not_know_our_authority(broker):
    tool = broker.build.tool("mquic-pub")
    done = broker.build.run(tool, "-h", broker.host, "-p", broker.port, "-t", "x", "-m", "y")
    assert "certificate" in refused(done)


def test_a_wrong_host_name_is_refused(make_broker, certs):
    broker = make_broker(identity=certs.wrong_host).start()
    text = refused(publish(broker))
    assert "name" in text
    assert broker.host in text


def test_an_expired_certificate_is_refused(make_broker, certs):
    broker = make_broker(identity=certs.expired).start()
    assert "expired" in refused(publish(broker))


def test_a_server_of_another_authority_is_refused(make_broker, certs):
    broker = make_broker(identity=certs.other_server).start()
    assert "certificate" in refused(publish(broker))
    assert publish(broker, cafile=certs.other_ca).returncode == 0


def test_insecure_accepts_them_all(make_broker, certs):
    broker = make_broker(identity=certs.expired).start()
    broker.pub("--insecure", "-t", "x", "-m", "y")


def test_subscribing_is_refused_just_so(broker, certs):
    tool = broker.build.tool("mquic-sub")
    address = broker.address(cafile=certs.other_ca)
    done = broker.build.run(tool, *address, "-t", "x", "-C", "1")
    assert "certificate" in refused(done)


def test_a_missing_ca_file_is_named(broker, workdir):
    text = refused(publish(broker, cafile=workdir / "nowhere.crt"))
    assert "nowhere.crt" in text


def test_a_ca_file_that_is_none_is_named(broker, workdir):
    path = workdir / "poem.txt"
    path.write_text("no certificate here\n")
    assert "poem.txt" in refused(publish(broker, cafile=path))


@pytest.mark.parametrize("protocol", ["h3", "mqtt2", "MQTT"])
def test_another_application_protocol_is_refused(broker, protocol):
    result = raw(broker, b"\0", alpn=protocol)
    assert not result.ready
    assert result.closed["origin"] in ("2", "3"), result
    assert "120" in result.closed["code"] or "376" in result.closed["code"], result
    assert result.closed["text"] != ""
    broker.pub("-t", "x", "-m", "y")


def test_nobody_listens(broker):
    done = publish(broker, port=free_udp_port(), timeout=40)
    refused(done)


def test_a_host_that_does_not_exist_is_named(broker):
    text = refused(publish(broker, host="no-such-host.invalid"))
    assert "no-such-host.invalid" in text
