# SPDX-License-Identifier: MIT
"""Subjects of certificates as user names: letter by letter those of the broker's TLS listeners."""

import re
import shutil
import subprocess

import pytest

from harness.build import give_to_broker

LINES = ["require_certificate true", "use_subject_as_username true"]

# The section of a subject in a file for openssl. Its names in the order of the certificate.
SUBJECTS = {
    "plain": 'C = SE\nO = Example\nOU = Hall\nCN = lamp\nemailAddress = "lamp@example.org"',
    "escapes": 'CN = ",a+b;c<d>e=f"\nO = " #both ends "\nL = "#first"\nOU = "back\\\\slash"',
    "utf-8": 'CN = "Jürgen Żółw 😀"\nO = "東京"',
    "side by side": "O = Example\nCN = lamp\n+OU = Hall\n+C = SE\nL = Lund",
    "twice": "0.OU = one\n1.OU = two\n0.CN = three\n1.CN = four",
    "rare": "UID = u1\nDC = example\nserialNumber = 7\nSN = S\nGN = G\npseudonym = P\nstreet = W 1",
    "unknown": "0.1.3.6.1.4.1.99999.1 = what\n0.2.999.3 = example\nCN = lamp",
}

# What kinds of strings openssl may make of them; the first that is able to hold a value.
KINDS = {"utf8": "utf8only", "printable": "pkix", "teletex": "MASK:0x2004", "bmp": "MASK:0x800"}

CASES = [(name, "utf8") for name in SUBJECTS] + [
    ("escapes", "bmp"),
    ("side by side", "bmp"),
    ("plain", "printable"),
    ("unknown", "printable"),
    ("plain", "teletex"),
]


@pytest.fixture(scope="module")
def client_of(certs, tmp_path_factory):
    """Makes the options that show a certificate with one of these subjects."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which can make such certificates, is not installed")
    folder = tmp_path_factory.mktemp("subjects")
    key = folder / "client.key"

    def openssl(*argv):
        subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True, timeout=60)

    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)

    def make(subject, kind):
        cert, config, request = (folder / f"client.{end}" for end in ("crt", "cnf", "csr"))
        how = f"prompt = no\nutf8 = yes\nstring_mask = {KINDS[kind]}\ndistinguished_name = name"
        config.write_text(f"[req]\n{how}\n[name]\n{SUBJECTS[subject]}\n")
        openssl("req", "-new", "-key", key, "-config", config, "-out", request)
        signer = ["-CA", certs.ca, "-CAkey", certs.ca.with_suffix(".key"), "-set_serial", "4712"]
        openssl("x509", "-req", "-in", request, *signer, "-days", "2", "-out", cert)
        return ["--cert", cert, "--key", key]

    return make


@pytest.fixture(scope="module")
def tls_lines(certs):
    files = {"certfile": certs.server.cert, "keyfile": certs.server.key, "cafile": certs.ca}
    return [f"{name} {path}" for name, path in files.items()] + LINES


@pytest.fixture
def broker(make_broker, certs, tls_lines):
    """One whose TCP listener is a TLS listener with the same options."""
    options = dict(line.split() for line in LINES)
    return make_broker(
        anonymous=False, tcp=tls_lines, plugin_opts={"cafile": certs.ca, **options}
    ).start()


def name_in_log(broker, client_id):
    """The user name that the broker itself has in its log."""
    return broker.wait_log(rf"New client connected from \S+ as {client_id} \(.*, u'(.*)'\)")[1]


@pytest.mark.parametrize(("subject", "kind"), CASES, ids=[f"{s} as {k}" for s, k in CASES])
def test_the_subject_is_that_of_a_tls_listener(broker, client_of, subject, kind):
    client = client_of(subject, kind)
    message = ["-t", "x", "-m", "y", "-q", "1"]
    broker.tcp_pub("--cafile", broker.certs.ca, *client, "-i", "by-tls", *message)
    broker.pub(*client, "-i", "by-quic", *message)
    name = name_in_log(broker, "by-tls")
    assert name_in_log(broker, "by-quic") == name
    assert "=" in name
    if len(name) < 250:
        broker.wait_log(rf"-> client id 'by-quic', user '{re.escape(name)}', certificate\n")


def test_access_lists_know_the_subject(make_broker, certs, client_of, workdir):
    acl = workdir / "acl"
    acl.write_text("user CN=lamp,OU=Hall,C=SE\ntopic write halls/1\n")
    acl.chmod(0o600)
    give_to_broker(acl)
    options = {"cafile": certs.ca, **dict(line.split() for line in LINES)}
    broker = make_broker(
        anonymous=False, listener=[f"acl_file {acl}"], plugin_opts=options
    ).start()
    SUBJECTS["three"] = "C = SE\nOU = Hall\nCN = lamp"
    client = client_of("three", "utf8")
    publish = ["-V", "5", "-q", "1", "-m", "y", *client]
    assert broker.pub("-t", "halls/1", *publish, check=False).returncode == 0
    assert broker.pub("-t", "halls/2", *publish, check=False).returncode != 0


def test_of_both_options_the_common_name_wins(make_broker, certs):
    options = {"cafile": certs.ca, **dict(line.split() for line in LINES)}
    options["use_identity_as_username"] = "true"
    broker = make_broker(anonymous=False, plugin_opts=options).start()
    alice = certs.client("alice")
    broker.pub("--cert", alice.cert, "--key", alice.key, "-t", "x", "-m", "y", "-i", "a")
    assert name_in_log(broker, "a") == "alice"
