# SPDX-License-Identifier: MIT
"""Directories of CAs, and revocation lists that are read again at SIGHUP."""

import re
import shutil
import subprocess

import pytest

from harness.build import give_to_broker
from harness.clients import SessionClient

CONFIG = """
[ca]
default_ca = lists
[lists]
database = index.txt
crlnumber = number
default_md = sha256
"""


def openssl(directory, *argv):
    words = ["openssl", *map(str, argv)]
    done = subprocess.run(words, cwd=directory, check=True, capture_output=True, timeout=60)
    return done.stdout.decode()


@pytest.fixture
def revoke(workdir, certs):
    """Writes list.crl: revoke(identity, …, ended=True) makes one that is outdated."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes revocation lists, is not installed")
    (workdir / "lists.cnf").write_text(CONFIG)
    (workdir / "number").write_text("01\n")

    def make(*identities, ended=False):
        index = ""
        for identity in identities:
            serial = openssl(workdir, "x509", "-in", identity.cert, "-noout", "-serial")
            number = serial.strip().partition("=")[2]
            index += f"R\t491231235959Z\t240101000000Z\t{number}\tunknown\t/CN=revoked\n"
        (workdir / "index.txt").write_text(index)
        signer = ["-cert", certs.ca, "-keyfile", certs.ca.with_suffix(".key")]
        dates = ["-crldays", "30"]
        if ended:
            dates = ["-crl_lastupdate", "20240101000000Z", "-crl_nextupdate", "20240201000000Z"]
        path = workdir / "list.crl"
        new = workdir / "new.crl"
        openssl(workdir, "ca", "-config", "lists.cnf", "-gencrl", *signer, *dates, "-out", new)
        give_to_broker(new)
        new.rename(path)
        return path

    return make


@pytest.fixture
def directory(workdir, certs):
    """CAs under the names that OpenSSL looks for, next to what is none."""
    path = workdir / "cas"
    path.mkdir()
    shutil.copy(certs.ca, path / "ours.pem")
    digest = openssl(path, "x509", "-in", "ours.pem", "-noout", "-hash").strip()
    (path / f"{digest}.0").symlink_to("ours.pem")
    (path / "README").write_text("The CAs of our devices.\n")
    path.chmod(0o755)
    return path


def options(directory, **more):
    known = {"capath": directory, "require_certificate": "true"}
    return {**known, "use_identity_as_username": "true", **more}


def shown(identity):
    return {"cert": identity.cert, "key": identity.key}


def comes_in(broker, identity):
    files = ["--cert", identity.cert, "--key", identity.key]
    done = broker.pub(*files, "-t", "x", "-m", "y", "-q", "1", check=False)
    return done.returncode == 0, done.stderr


def test_a_directory_of_cas_vouches_for_clients(make_broker, certs, directory):
    broker = make_broker(anonymous=False, plugin_opts=options(directory)).start()
    assert comes_in(broker, certs.client("alice"))[0]
    assert not comes_in(broker, certs.client("alice", "other"))[0]
    shutil.copy(certs.other_ca, directory / "another.crt")
    broker.sighup()
    assert comes_in(broker, certs.client("alice", "other"))[0]


def test_who_is_revoked_stays_out_from_the_reload_on(make_broker, certs, directory, revoke):
    alice, bob = certs.client("alice"), certs.client("bob")
    opts = options(directory, crlfile=revoke())
    broker = make_broker(anonymous=False, plugin_opts=opts).start()
    here = SessionClient(broker, "here", settings=shown(alice))
    here.connect()
    assert comes_in(broker, alice)[0] and comes_in(broker, bob)[0]
    revoke(alice)
    broker.sighup()
    came, why = comes_in(broker, alice)
    assert not came and re.search("revoked", why), why
    assert comes_in(broker, bob)[0]
    here.publish("x", "y", qos=1)
    assert here.events("DISCONNECTED") == []


def test_an_outdated_list_does_not_replace_a_good_one(make_broker, certs, directory, revoke):
    alice = certs.client("alice")
    opts = options(directory, crlfile=revoke(alice))
    broker = make_broker(anonymous=False, plugin_opts=opts).start()
    revoke(ended=True)
    broker.sighup()
    broker.wait_log("stay as they were: the revocation list .*list.crl is outdated since 2024")
    assert not comes_in(broker, alice)[0]
    assert comes_in(broker, certs.client("bob"))[0]


def test_no_broker_starts_with_an_outdated_list(make_broker, directory, revoke):
    broker = make_broker(plugin_opts=options(directory, crlfile=revoke(ended=True)))
    code, log = broker.refuse()
    assert code != 0
    assert re.search("plugin_opt_crlfile: the revocation list .* is outdated since 2024", log)
