# SPDX-License-Identifier: MIT
"""Certificates over the years: who is pinned, what ends, and what certbot leaves."""

import os
import re
import shutil
import stat
import subprocess

import pytest

from harness.build import SOURCE, give_to_broker
from harness.clients import SessionClient

HOOK = SOURCE / "mosquitto-plugin" / "certbot-deploy-hook"

# What openssl needs to say nothing at all of CAs.
PLAIN = """
[req]
distinguished_name = name
[name]
[none]
"""


def openssl(*argv):
    subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True, timeout=60)


@pytest.fixture
def keygen(build):
    """Makes certificates in a directory: keygen(directory, "server", "localhost", days=3)."""

    def make(directory, command, *names, days=30, out=None):
        place = ["--dir", directory, "--days", days, *(["--out", out] if out else [])]
        done = build.run(build.tool("mquic-keygen"), command, *place, *names)
        assert done.returncode == 0, done
        for key in directory.glob("*.key"):
            give_to_broker(key)

    return make


# ---- Pinned clients


@pytest.fixture
def pinned(workdir):
    """alice with a certificate of her own making, and bob whom she has signed."""
    config = workdir / "plain.cnf"
    config.write_text(PLAIN)
    for name in ("alice", "bob"):
        key = workdir / f"{name}.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        request = ["-key", key, "-subj", f"/CN={name}", "-config", config]
        openssl("req", "-new", *request, "-out", workdir / f"{name}.csr")
    alice = workdir / "alice"
    plain = ["-days", "9", "-extfile", config, "-extensions", "none"]
    signers = {
        "alice": ["-signkey", f"{alice}.key"],
        "bob": ["-CA", f"{alice}.crt", "-CAkey", f"{alice}.key", "-CAcreateserial"],
    }
    for name, signer in signers.items():
        files = ["-in", workdir / f"{name}.csr", "-out", workdir / f"{name}.crt"]
        openssl("x509", "-req", *files, *signer, *plain)
    chain = workdir / "chain.crt"
    chain.write_text((workdir / "bob.crt").read_text() + (workdir / "alice.crt").read_text())
    return workdir


def test_who_is_pinned_signs_for_nobody(make_broker, pinned):
    options = {
        "cafile": pinned / "alice.crt",
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    broker = make_broker(anonymous=False, plugin_opts=options).start()
    alice = ["--cert", pinned / "alice.crt", "--key", pinned / "alice.key"]
    broker.pub(*alice, "-t", "x", "-m", "y", "-q", "1")
    broker.wait_log(r"user 'alice'")
    for cert in ("bob.crt", "chain.crt"):
        bob = ["--cert", pinned / cert, "--key", pinned / "bob.key"]
        done = broker.pub(*bob, "-t", "x", "-m", "y", "-q", "1", check=False)
        assert done.returncode != 0, done
    broker.wait_log(r"handshake failed: CN=alice signed the client's certificate, but is no CA")
    assert "'bob'" not in broker.log()


# ---- What ends


def warnings(broker):
    return re.findall(r"mquic: (the [^\n]* expire[sd] on [^\n]*)", broker.log_since_start())


def test_nothing_is_said_of_certificates_that_are_good(broker):
    broker.sighup()
    assert warnings(broker) == []


def test_what_ends_is_told_at_the_start_and_after_sighup(make_broker, workdir, certs, keygen):
    home = workdir / "ends"
    keygen(home, "ca")
    keygen(home, "server", "localhost", "127.0.0.1", days=-1)
    keygen(workdir / "old", "ca", days=-1)
    identity = type(certs.server)(home / "server.crt", home / "server.key")
    broker = make_broker(identity=identity, plugin_opts={"cafile": workdir / "old" / "ca.crt"})
    broker.start()
    told = "\n".join(warnings(broker))
    assert told.count("\n") == 1, broker.log()
    assert re.search(r"the certificate \S+/server.crt expired on .* renew it and reload", told)
    assert re.search(r"the CA certificate CN=mquic CA in \S+/ca.crt expired on ", told)
    keygen(home, "server", "localhost", "127.0.0.1", out="new")
    (home / "new.key").replace(home / "server.key")
    (home / "new.crt").replace(home / "server.crt")
    mark = len(broker.log())
    broker.sighup()
    broker.wait_log(r"the CA certificate .* expired on ", start=mark)
    assert "server.crt" not in broker.log()[mark:]


def test_what_ends_is_told_every_day(make_broker, build, workdir, certs, keygen):
    home = workdir / "ends"
    keygen(home, "ca")
    keygen(home, "server", "localhost", "127.0.0.1", days=-1)
    identity = type(certs.server)(home / "server.crt", home / "server.key")
    mark = workdir / "tomorrow"
    before = build.environment(preload=True).get("LD_PRELOAD", "")
    wrapper = ["env", f"LD_PRELOAD={before} {build.preload('later')}", f"MQUIC_TEST_LATER={mark}"]
    broker = make_broker(identity=identity, wrapper=wrapper).start()
    assert len(warnings(broker)) == 1, broker.log()
    mark.touch()
    mark.chmod(0o644)
    broker.wait_log(r"(?s)server.crt expired on .*server.crt expired on ")


# ---- certbot


@pytest.fixture
def lineage(workdir, certs):
    """What certbot leaves for broker.example."""
    home = workdir / "live" / "broker.example"
    home.mkdir(parents=True)
    shutil.copy(certs.server.cert, home / "fullchain.pem")
    shutil.copy(certs.server.key, home / "privkey.pem")
    give_to_broker(home / "privkey.pem")
    for folder in (home, home.parent):
        folder.chmod(0o755)
    return home


def test_the_key_is_found_under_certbots_name(make_broker, lineage):
    options = {"certfile": lineage / "fullchain.pem", "keyfile": None}
    broker = make_broker(plugin_opts=options).start()
    broker.pub("-t", "x", "-m", "y")


@pytest.fixture
def hook(workdir):
    """Runs the deploy hook with a systemctl that writes down what it is told to do."""
    programs = workdir / "bin"
    programs.mkdir()
    systemctl = programs / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >>{workdir}/told\n')
    systemctl.chmod(0o755)
    target = workdir / "certs"
    target.mkdir()

    def run(lineage, name="broker.example"):
        env = dict(
            os.environ,
            PATH=f"{programs}:{os.environ['PATH']}",
            RENEWED_LINEAGE=str(lineage),
            MQUIC_LINEAGE=name,
            MQUIC_TARGET=str(target),
            MQUIC_OWNER=str(os.geteuid()),
        )
        return subprocess.run(
            [HOOK], env=env, capture_output=True, text=True, timeout=60, check=False
        )

    run.target = target
    run.told = workdir / "told"
    return run


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_deploy_hook_copies_and_reloads(hook, lineage):
    for _ in range(2):
        done = hook(lineage)
        assert done.returncode == 0, done
    assert sorted(path.name for path in hook.target.iterdir()) == ["server.crt", "server.key"]
    assert (hook.target / "server.crt").read_text() == (lineage / "fullchain.pem").read_text()
    assert (hook.target / "server.key").read_text() == (lineage / "privkey.pem").read_text()
    assert mode(hook.target / "server.key") == 0o400
    assert mode(hook.target / "server.crt") == 0o444
    assert hook.told.read_text().splitlines().count("reload mosquitto") == 2


def test_the_deploy_hook_leaves_other_lineages_alone(hook, lineage):
    done = hook(lineage, name="other.example")
    assert done.returncode == 0, done
    assert list(hook.target.iterdir()) == []
    assert not hook.told.exists()
    done = hook(lineage, name="")
    assert done.returncode != 0
    assert "set the lineage" in done.stderr


def test_the_deploy_hook_takes_no_half_pair(hook, lineage, certs):
    shutil.copy(certs.client("alice").key, lineage / "privkey.pem")
    done = hook(lineage)
    assert done.returncode != 0
    assert "does not belong" in done.stderr
    assert list(hook.target.iterdir()) == []


def test_a_broker_takes_what_the_hook_has_renewed(make_broker, hook, lineage, certs):
    hook(lineage)
    for path in hook.target.iterdir():
        give_to_broker(path)
    identity = type(certs.server)(hook.target / "server.crt", hook.target / "server.key")
    broker = make_broker(identity=identity).start()
    client = SessionClient(broker, "before")
    client.connect()
    hook(lineage)
    for path in hook.target.iterdir():
        give_to_broker(path)
    broker.sighup()
    assert "certificates and keys were read again" in broker.log()
    client.publish("x", "y", qos=1)
