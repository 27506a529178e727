# SPDX-License-Identifier: MIT
"""Who a QUIC client is: passwords, certificates, access lists, as on a TLS listener."""

import re
import shutil
import subprocess

import pytest

from harness import mqtt
from harness.build import give_to_broker
from harness.clients import SessionClient, raw

ACL = "pattern readwrite u/%u/#\npattern readwrite c/%c/#\ntopic read open/#\n"
NOT_AUTHORIZED = {4: b"\x20\x02\x00\x05", 5: b"\x20\x03\x00\x87\x00"}


@pytest.fixture
def files(workdir):
    """A password file with carol and dave, and an access list."""
    passwords = workdir / "passwords"
    passwords.touch()
    for name in ("carol", "dave"):
        subprocess.run(
            ["mosquitto_passwd", "-b", str(passwords), name, f"{name}s-word"],
            check=True,
            capture_output=True,
            timeout=30,
        )
    acl = workdir / "acl"
    acl.write_text(ACL)
    for path in (passwords, acl):
        path.chmod(0o600)
        give_to_broker(path)
    return [f"password_file {passwords}", f"acl_file {acl}"]


@pytest.fixture
def password_broker(make_broker, files):
    return make_broker(anonymous=False, listener=files).start()


@pytest.fixture
def certificate_broker(make_broker, files, certs):
    options = {
        "cafile": certs.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    return make_broker(anonymous=False, listener=files, plugin_opts=options).start()


def login(name, password=None):
    return ["-u", name, "-P", password or f"{name}s-word"]


def certificate(identity):
    return ["--cert", identity.cert, "--key", identity.key]


def accepted(broker, topic, *args):
    """Publishes with QoS 1 in MQTT 5, where the broker says if it is refused."""
    options = ["-V", "5", "-q", "1", "-t", topic, "-m", "hello"]
    return broker.pub(*options, *args, check=False).returncode == 0


# ---- Passwords


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_a_password_opens_the_door(password_broker, version):
    password_broker.pub("-V", version, "-t", "u/carol/x", "-m", "y", *login("carol"))
    password_broker.wait_log(r"New client connected from .*u'carol'")


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
@pytest.mark.parametrize(
    "credentials",
    [[], login("carol", "wrong"), login("nobody", "x"), ["-u", "carol"]],
    ids=["none", "wrong password", "unknown user", "no password"],
)
def test_nobody_else_comes_in(password_broker, version, credentials):
    done = password_broker.pub("-V", version, "-t", "x", "-m", "y", *credentials, check=False)
    assert done.returncode != 0
    assert password_broker.connections() == []


def test_the_refusal_is_a_proper_connack(password_broker):
    user = mqtt.text("carol") + mqtt.text("wrong")
    for level, answer in NOT_AUTHORIZED.items():
        result = raw(password_broker, mqtt.connect(level=level, flags=0xC2, payload=user))
        assert result.data[: len(answer)][:1] == b"\x20", result
        assert result.data[3] in (4, 5, 0x86, 0x87), result


def test_access_lists_know_user_and_client(password_broker):
    carol = login("carol")
    assert accepted(password_broker, "u/carol/x", *carol)
    assert not accepted(password_broker, "u/dave/x", *carol)
    assert accepted(password_broker, "c/phone/x", "-i", "phone", *carol)
    assert not accepted(password_broker, "c/phone/x", "-i", "watch", *carol)
    assert not accepted(password_broker, "open/x", *carol)


def test_subscriptions_obey_the_access_list(password_broker):
    sub = password_broker.sub("-t", "#", *login("dave"))
    password_broker.pub("-t", "u/carol/x", "-m", "carols", "-q", "1", *login("carol"))
    password_broker.pub("-t", "u/dave/x", "-m", "daves", "-q", "1", *login("dave"))
    assert sub.wait_lines(1) == ["daves"]


def test_anonymous_clients_come_in_where_they_may(make_broker, files):
    broker = make_broker(anonymous=True, listener=files).start()
    assert accepted(broker, "c/phone/x", "-i", "phone")
    assert accepted(broker, "u/carol/x", *login("carol"))
    assert not accepted(broker, "u/carol/x", *login("carol", "wrong"))


def passwords_of(workdir, name):
    """A password file with one user, whose password is `word`."""
    passwords = workdir / "passwords"
    passwords.touch()
    # mosquitto_passwd takes no long names, and a hash does not depend on the name.
    subprocess.run(
        ["mosquitto_passwd", "-b", str(passwords), "someone", "word"],
        check=True,
        capture_output=True,
        timeout=30,
    )
    passwords.write_text(passwords.read_text().replace("someone", name))
    passwords.chmod(0o600)
    give_to_broker(passwords)
    return passwords


@pytest.mark.parametrize("name", ["ünïcode", "with blank", "qt1!", "x" * 1000, "x" * 65535])
def test_odd_user_names_arrive_as_they_are(make_broker, workdir, name):
    passwords = passwords_of(workdir, name)
    broker = make_broker(anonymous=False, listener=[f"password_file {passwords}"]).start()
    assert accepted(broker, "x", "-u", name, "-P", "word")
    assert not accepted(broker, "x", "-u", name, "-P", "other")


@pytest.mark.parametrize("payload", [mqtt.text("pass"), mqtt.text("")])
@pytest.mark.parametrize("level", [3, 4])
def test_a_password_without_a_user_name_is_refused(broker, level, payload):
    """As over TCP: before MQTT 5 there is no such thing, and the broker hangs up."""
    result = raw(broker, mqtt.connect("lonely", level, flags=0x42, payload=payload))
    assert result.data == b"" and result.closed["code"] == "0", result
    assert "as lonely" not in broker.log()


def test_no_client_forges_a_line_of_the_log(broker):
    nasty = "x', user 'admin', certificate\u2028\u202eé"
    client = SessionClient(broker, nasty)
    client.connect()
    broker.wait_log(r"-> client id 'x\?, user \?admin\?, certificate\?\?é', no user name\n")
    assert len(re.findall("-> client id", broker.log())) == 1
    # A long one ends its field, not the line.
    client = SessionClient(broker, "é" * 500, protocol=4)
    client.connect()
    broker.wait_log(r"-> client id 'é{127}', no user name\n")


def test_no_user_name_forges_a_line_of_the_log(make_broker, workdir):
    name = "x', certificate\u2029"
    listener = [f"password_file {passwords_of(workdir, name)}"]
    broker = make_broker(anonymous=False, listener=listener).start()
    client = SessionClient(broker, "phone", username=name, password="word")
    client.connect()
    broker.wait_log(r"-> client id 'phone', user 'x\?, certificate\?'\n")


def test_the_log_line_tells_address_client_and_user(password_broker):
    password_broker.pub("-t", "u/carol/x", "-m", "y", "-i", "phone", *login("carol"))
    password_broker.wait_log(r"QUIC 127\.0\.0\.1:\d+ -> client id 'phone', user 'carol'\n")


def test_tokens_and_passwords_are_not_logged(password_broker):
    password_broker.pub("-t", "u/carol/x", "-m", "y", *login("carol"))
    password_broker.pub("-t", "u/carol/x", "-m", "y", *login("carol", "wr0ng"), check=False)
    log = password_broker.log()
    assert "carols-word" not in log and "wr0ng" not in log
    # A token is 22 letters where a name would be.
    assert not re.search(r"'[\w-]{22}'", log)


@pytest.mark.parametrize("user", ["", "carol"])
def test_an_authentication_method_nobody_knows_is_refused_as_such(password_broker, user):
    method = b"\x15" + mqtt.text("SCRAM-SHA-256")
    flags = 0x82 if user else 0x02
    head = mqtt.text("MQTT") + bytes([5, flags, 0, 60, len(method)]) + method
    packet = mqtt.packet(0x10, head + mqtt.text("phone") + (mqtt.text(user) if user else b""))
    result = raw(password_broker, packet)
    assert result.data[:1] == b"\x20" and result.data[3] == 0x8C, result
    password_broker.wait_log(r"-> client id '.*', (user 'carol'|no user name)\n")


# ---- Certificates


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_the_common_name_is_the_user_name(certificate_broker, certs, version):
    alice = certificate(certs.client("alice"))
    certificate_broker.pub("-V", version, "-t", "u/alice/x", "-m", "y", "-i", "a", *alice)
    certificate_broker.wait_log(r"New client connected from .*u'alice'")
    certificate_broker.wait_log(r"-> client id 'a', user 'alice', certificate\n")


def test_the_certificate_wins_over_the_user_name(certificate_broker, certs):
    alice = certificate(certs.client("alice"))
    assert accepted(certificate_broker, "u/alice/x", *alice, *login("carol"))
    assert not accepted(certificate_broker, "u/carol/x", *alice, *login("carol"))
    assert not accepted(certificate_broker, "u/mallory/x", *alice, *login("mallory", "x"))
    assert "u'carol'" not in certificate_broker.log()


def test_a_will_and_properties_survive_the_new_user_name(certificate_broker, certs):
    alice = certificate(certs.client("alice"))
    sub = certificate_broker.sub("-t", "u/alice/#", *alice)
    identity = certs.client("alice")
    settings = {"cert": identity.cert, "key": identity.key}
    words = {"username": "carol", "keep_alive": 2}
    client = SessionClient(certificate_broker, "a", settings=settings, **words)
    client.do("will", "u/alice/will", 1, 0, 0, "gone")
    client.connect()
    client.kill()
    assert sub.wait_lines(1) == ["gone"]


def test_no_certificate_is_refused(certificate_broker):
    done = certificate_broker.pub("-t", "x", "-m", "y", *login("carol"), check=False)
    assert done.returncode != 0
    assert certificate_broker.connections() == []


def test_a_strangers_certificate_is_refused(certificate_broker, certs):
    stranger = certificate(certs.client("alice", "other"))
    done = certificate_broker.pub("-t", "x", "-m", "y", *stranger, check=False)
    assert done.returncode != 0
    assert certificate_broker.connections() == []


@pytest.fixture
def nameless(workdir, certs):
    """A certificate of our CA that has no common name."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which can make such a certificate, is not installed")
    cert, key, request = (workdir / f"nameless.{kind}" for kind in ("crt", "key", "csr"))
    ca_key = certs.ca.with_suffix(".key")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    sign = ["-CA", certs.ca, "-CAkey", ca_key, "-set_serial", "4711", "-days", "2"]
    for command in (
        ["openssl", "req", "-new", *new_key, "-subj", "/O=Nobody", "-out", request],
        ["openssl", "x509", "-req", "-in", request, *sign, "-out", cert],
    ):
        subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=30)
    return ["--cert", cert, "--key", key]


def test_a_certificate_without_common_name_is_refused(certificate_broker, nameless):
    done = certificate_broker.pub("-t", "x", "-m", "y", *nameless, check=False)
    assert done.returncode != 0 and "uthori" in done.stderr, done
    certificate_broker.wait_log("its certificate has no common name")
    assert certificate_broker.connections() == []


def test_without_use_identity_the_password_decides(make_broker, files, certs):
    options = {"cafile": certs.ca, "require_certificate": "true"}
    broker = make_broker(anonymous=False, listener=files, plugin_opts=options).start()
    alice = certificate(certs.client("alice"))
    assert accepted(broker, "u/carol/x", *alice, *login("carol"))
    assert not accepted(broker, "u/alice/x", *alice)
    assert not accepted(broker, "u/carol/x", *login("carol"))


def test_a_certificate_may_be_optional(make_broker, certs):
    broker = make_broker(plugin_opts={"cafile": certs.ca}).start()
    assert accepted(broker, "x")
    assert accepted(broker, "x", *certificate(certs.client("alice")))
    assert not accepted(broker, "x", *certificate(certs.client("alice", "other")))
