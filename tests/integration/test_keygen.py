# SPDX-License-Identifier: MIT
"""mquic-keygen: what it makes satisfies openssl, and it never destroys anything."""

import os
import re
import stat
import subprocess
import threading
from datetime import datetime, timedelta, timezone

import pytest


@pytest.fixture
def keygen(build, tmp_path):
    """Runs mquic-keygen in a fresh directory."""

    def run(*argv, **options):
        return build.run(build.tool("mquic-keygen"), *argv, cwd=tmp_path, **options)

    return run


@pytest.fixture
def good(keygen):
    """As keygen, for what must succeed in silence on standard error; gives standard output."""

    def run(*argv):
        done = keygen(*argv)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


@pytest.fixture
def ca(good, tmp_path):
    good("ca", "--dir", "pki")
    return tmp_path / "pki"


def openssl(*argv):
    done = subprocess.run(
        ["openssl", *map(str, argv)], capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout + done.stderr


def text_of(path):
    code, text = openssl("x509", "-in", path, "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")
    assert code == 0, text
    return text


def days_left(path):
    end = openssl("x509", "-in", path, "-noout", "-enddate")[1].strip().removeprefix("notAfter=")
    end = datetime.strptime(end, "%b %d %H:%M:%S %Y %Z").replace(tzinfo=timezone.utc)
    left = end - datetime.now(timezone.utc)
    return round(left / timedelta(days=1))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def assert_refused(done, status, *parts):
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("mquic-keygen: ")
    for part in parts:
        assert part in done.stderr


def listing(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


# ---- What it makes


def test_ca_is_one_that_signs_leaves_only(ca):
    text = text_of(ca / "ca.crt")
    assert "CA:TRUE, pathlen:0" in text
    assert re.search(r"Key Usage: critical\s+Certificate Sign, CRL Sign\n", text)
    assert "Subject: CN = mquic CA" in text.replace("CN=", "CN = ")
    assert "NIST CURVE: P-256" in text
    assert "ecdsa-with-SHA256" in text
    assert "Subject Key Identifier" in text
    assert openssl("verify", "-x509_strict", "-CAfile", ca / "ca.crt", ca / "ca.crt")[0] == 0
    assert days_left(ca / "ca.crt") == 3650


def test_keys_are_private_and_certificates_public(keygen, ca):
    assert keygen("server", "--dir", "pki", "localhost", umask=0).returncode == 0
    assert keygen("client", "--dir", "pki", "alice", umask=0o077).returncode == 0
    for name in ("ca", "server", "alice"):
        assert mode(ca / f"{name}.key") == 0o600
        assert mode(ca / f"{name}.crt") == 0o644
        assert openssl("pkey", "-in", ca / f"{name}.key", "-noout", "-check")[0] == 0
    assert sorted(path.name for path in ca.iterdir()) == [
        "alice.crt", "alice.key", "ca.crt", "ca.key", "server.crt", "server.key",
    ]  # fmt: skip


def test_server_may_have_a_name_in_another_script(good, ca):
    good("server", "--dir", "pki", "--out", "odd", "bücher.example", "*.bröker.example", "my_host")
    text = text_of(ca / "odd.crt")
    assert "DNS:xn--bcher-kva.example, DNS:*.xn--brker-kua.example, DNS:my_host" in text
    assert "CN=bücher.example" in text.replace("CN = ", "CN=")


def test_server_is_good_for_every_name_and_address(good, ca):
    out = good("server", "--dir", "pki", "localhost", "*.wild.example", "127.0.0.1", "::1")
    assert "server.crt" in out and "server.key" in out
    crt = ca / "server.crt"
    verify = ("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca / "ca.crt")
    for check in (
        ("-verify_hostname", "localhost"),
        ("-verify_hostname", "a.wild.example"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_ip", "::1"),
    ):
        code, text = openssl(*verify, *check, crt)
        assert code == 0, text
    assert openssl(*verify, "-verify_hostname", "other.example", crt)[0] != 0
    assert openssl(*verify, "-verify_ip", "127.0.0.2", crt)[0] != 0
    text = text_of(crt)
    assert "CA:FALSE" in text
    assert re.search(r"X509v3 Extended Key Usage: \s+TLS Web Server Authentication\n", text)
    assert re.search(r"Key Usage: critical\s+Digital Signature\n", text)
    assert days_left(crt) == 825


def test_client_is_known_by_its_common_name(good, ca):
    good("client", "--dir", "pki", "alice")
    crt = ca / "alice.crt"
    code, text = openssl(
        "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca / "ca.crt", crt
    )
    assert code == 0, text
    assert openssl("verify", "-purpose", "sslserver", "-CAfile", ca / "ca.crt", crt)[0] != 0
    assert re.search(r"Subject: CN ?= ?alice\n", text_of(crt))


def test_client_name_may_be_any_text_if_the_files_get_another(good, ca):
    good("client", "--dir", "pki", "--out", "device", "sites/Zürich/Gerät 7")
    assert re.search(r"Subject: CN ?= ?sites/Zürich/Gerät 7\n", text_of(ca / "device.crt"))


def test_serial_numbers_are_long_and_differ(good, ca):
    serials = set()
    for name in ("a", "b", "c"):
        good("client", "--dir", "pki", name)
        serials.add(openssl("x509", "-in", ca / f"{name}.crt", "-noout", "-serial")[1].strip())
    assert len(serials) == 3
    assert all(re.fullmatch(r"serial=[4-7][0-9A-F]{31}", serial) for serial in serials)


def test_negative_days_make_an_expired_certificate(good, ca):
    good("server", "--dir", "pki", "--days", "-1", "localhost")
    code, text = openssl("verify", "-CAfile", ca / "ca.crt", ca / "server.crt")
    assert code != 0 and "certificate has expired" in text


def test_no_certificate_outlives_its_ca(good, tmp_path):
    good("ca", "--days", "30")
    out = good("server", "--days", "3650", "localhost")
    assert "when its CA expires" in out
    assert days_left(tmp_path / "server.crt") == 30


def test_another_ca_can_be_named(good, ca, tmp_path):
    good("server", "--dir", "elsewhere", "--ca-cert", ca / "ca.crt", "--ca-key", ca / "ca.key", "h")
    crt = tmp_path / "elsewhere" / "server.crt"
    assert openssl("verify", "-CAfile", ca / "ca.crt", crt)[0] == 0


@pytest.mark.parametrize("kind", ["rsa:2048", "ed25519"])
def test_a_ca_of_openssl_can_sign(good, tmp_path, kind):
    code, text = openssl(
        "req", "-x509", "-newkey", kind, "-nodes", "-subj", "/CN=Theirs", "-days", "9",
        "-keyout", tmp_path / "ca.key", "-out", tmp_path / "ca.crt",
    )  # fmt: skip
    assert code == 0, text
    good("server", "localhost")
    code, text = openssl("verify", "-CAfile", tmp_path / "ca.crt", tmp_path / "server.crt")
    assert code == 0, text


def test_an_intermediate_ca_goes_into_the_file(good, tmp_path):
    assert openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Root",
        "-keyout", tmp_path / "root.key", "-out", tmp_path / "root.crt",
    )[0] == 0  # fmt: skip
    (tmp_path / "extensions").write_text("basicConstraints=critical,CA:TRUE\n")
    assert openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Middle",
        "-keyout", tmp_path / "ca.key", "-out", tmp_path / "ca.csr",
    )[0] == 0  # fmt: skip
    assert openssl(
        "x509", "-req", "-in", tmp_path / "ca.csr", "-CA", tmp_path / "root.crt",
        "-CAkey", tmp_path / "root.key", "-CAcreateserial", "-out", tmp_path / "ca.crt",
        "-extfile", tmp_path / "extensions",
    )[0] == 0  # fmt: skip
    good("server", "localhost")
    crt = tmp_path / "server.crt"
    assert crt.read_text().count("BEGIN CERTIFICATE") == 2
    code, text = openssl("verify", "-CAfile", tmp_path / "root.crt", "-untrusted", crt, crt)
    assert code == 0, text


# ---- What it never does


@pytest.mark.parametrize("taken", ["server.crt", "server.key"])
def test_it_never_overwrites_and_leaves_nothing_behind(keygen, ca, taken):
    (ca / taken).write_text("precious\n")
    before = listing(ca)
    done = keygen("server", "--dir", "pki", "localhost")
    assert_refused(done, 1, f"pki/{taken} exists already", "remove it first")
    assert listing(ca) == before


def test_it_makes_no_second_ca(keygen, ca):
    before = listing(ca)
    assert_refused(keygen("ca", "--dir", "pki"), 1, "exists already")
    assert listing(ca) == before


def test_it_does_not_write_through_a_dangling_link(keygen, ca, tmp_path):
    (ca / "server.key").symlink_to(tmp_path / "stolen")
    assert_refused(keygen("server", "--dir", "pki", "localhost"), 1, "exists already")
    assert not (tmp_path / "stolen").exists()


def test_of_many_at_once_one_wins(keygen, ca):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(keygen("client", "--dir", "pki", "race")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done.returncode for done in results) == [0, 1, 1, 1, 1, 1]
    public = openssl("x509", "-in", ca / "race.crt", "-noout", "-pubkey")[1]
    assert openssl("pkey", "-in", ca / "race.key", "-pubout")[1] == public
    assert not [path for path in ca.iterdir() if path.name.startswith(".")]


def test_a_directory_it_cannot_fill_is_not_left_behind(keygen, tmp_path):
    assert_refused(keygen("server", "--dir", "new", "localhost"), 1, "new/ca.crt does not exist")
    assert not (tmp_path / "new").exists()
    assert_refused(keygen("ca", "--dir", "no/such"), 1, "cannot make the directory no/such")
    assert_refused(keygen("ca", "--dir", "/proc"), 1, "cannot write to /proc")


# ---- What it refuses


def test_the_wrong_ca_is_named(keygen, good, ca, tmp_path):
    good("client", "--dir", "pki", "alice")
    good("ca", "--dir", "other")
    both = ("--ca-cert", "pki/ca.crt", "--ca-key")
    assert_refused(keygen("client", *both, "other/ca.key", "x"), 1, "is not the key of the CA")
    assert_refused(keygen("client", *both, "pki/ca.crt", "x"), 1, "not a private key")
    assert_refused(
        keygen("client", "--ca-cert", "pki/alice.crt", "--ca-key", "pki/alice.key", "x"),
        1, "not the certificate of a CA",
    )  # fmt: skip
    os.mkfifo(tmp_path / "fifo")
    assert_refused(keygen("client", "--ca-cert", "fifo", "--ca-key", "fifo", "x"), 1, "fifo")
    good("ca", "--dir", "old", "--days", "-1")
    assert_refused(keygen("client", "--dir", "old", "x"), 1, "has expired", "make a new CA")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("x.")]


def test_a_key_with_a_pass_phrase_is_refused(keygen, ca):
    openssl(
        "pkey", "-in", ca / "ca.key", "-aes256", "-passout", "pass:x", "-out", ca / "locked.key"
    )
    done = keygen("client", "--ca-cert", "pki/ca.crt", "--ca-key", "pki/locked.key", "x")
    assert_refused(done, 1, "locked.key", "pass phrase")


@pytest.mark.parametrize(
    "argv, part",
    [
        ((), "say what to make"),
        (("frobnicate",), "ca, server or client"),
        (("server",), "server needs the names"),
        (("server", "a b"), "not a host name"),
        (("server", "--", "-x.example"), "not a host name"),
        (("server", "x" * 64), "not a host name"),
        (("server", "a..b"), "not a host name"),
        (("server", "bücher .example"), "not a host name"),
        (("server", "1.2.3"), "neither a host name nor an address"),
        (("server", "[::1]"), "neither a host name nor an address"),
        (("server", "host:14567"), "without port"),
        (("server", "--name", "x", "host"), "--name is for a CA"),
        (("server", "--ca-cert", "x", "host"), "belong together"),
        (("server", "--out", "../x", "host"), "cannot be a file name"),
        (("client",), "exactly one name"),
        (("client", "a", "b"), "exactly one name"),
        (("client", ""), "empty"),
        (("client", "a/b"), "--out BASE"),
        (("client", ".hidden"), "--out BASE"),
        (("client", "tab\there"), "control characters"),
        (("client", "x" * 65), "too long"),
        (("client", b"\xff"), "UTF-8"),
        (("ca", "name"), "--name sets"),
        (("ca", "--out", "x"), "--out"),
        (("ca", "--days", "0"), "--days 0"),
        (("ca", "--days", "1d"), "--days 1d"),
        (("ca", "--days", "36501"), "36500"),
        (("ca", "--days", "99999999999999999999"), "--days"),
        (("ca", "--dir", ""), "--dir is empty"),
    ],
)
def test_wrong_usage_is_told_with_status_2(build, tmp_path, argv, part):
    done = subprocess.run(
        [build.tool("mquic-keygen"), *argv],
        cwd=tmp_path, env=build.environment(), capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert_refused(done, 2, part, "--help")
    assert list(tmp_path.iterdir()) == []


def test_unknown_options_are_told_with_status_2(keygen):
    done = keygen("ca", "--force")
    assert done.returncode == 2
    assert "--force" in done.stderr and "--help" in done.stderr


def test_help_and_version(good):
    assert "Usage: mquic-keygen ca" in good("--help")
    assert "Exit status" in good("server", "--help")
    assert re.fullmatch(r"mquic-keygen \d+\.\d+\.\d+\n", good("--version"))


def test_options_may_follow_names(good, ca):
    good("server", "localhost", "--dir", "pki")
    assert (ca / "server.crt").exists()
