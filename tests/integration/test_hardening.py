# SPDX-License-Identifier: MIT
"""What confines the broker from outside: the drop-in for systemd, the profile for AppArmor."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import sandbox, systemd
from harness.build import SOURCE

DROP_IN = SOURCE / "mosquitto-plugin" / "systemd-hardening.conf"

# The unit of Debian 12 and 13 is that of the machine. This one stands for that of Mosquitto 2.1.
OF_2_1 = """[Service]
ExecStartPre=
User=mosquitto
RuntimeDirectory=mosquitto
StateDirectory=mosquitto
LogsDirectory=mosquitto
"""

SCRIPT = r"""
again() { for try in $(seq 100); do "$@" && return; sleep 0.2; done; echo "in vain: $*"; false; }
log=/var/log/mosquitto/mosquitto.log
publish() { mquic-pub -h localhost --cafile ca/ca.crt -t x -m y -q 1; }
broker() { systemctl show --value -p MainPID mosquitto; }
worker() { tr -d ' ' <"/proc/$(broker)/task/$(broker)/children"; }

cd /root
mquic-keygen ca --dir ca
mquic-keygen server --dir ca localhost
install -m 644 ca/server.crt /etc/mosquitto/certs/
install -m 400 -o mosquitto ca/server.key /etc/mosquitto/certs/
plugin=$(echo /usr/lib/*/mosquitto/mosquitto_mquic.so)
cat >/etc/mosquitto/conf.d/00-mquic.conf <<CONF
listener 0 /run/mosquitto/quic.sock
allow_anonymous true
plugin $plugin
plugin_opt_certfile /etc/mosquitto/certs/server.crt
CONF
folder=/etc/systemd/system/mosquitto.service.d
mkdir -p $folder
cp /mnt/stage/hardening.conf $folder/
[ ! -f /mnt/stage/unit.conf ] || cp /mnt/stage/unit.conf $folder/
chown -R mosquitto: /var/lib/mosquitto /var/log/mosquitto
systemctl daemon-reload
systemd-analyze verify --man=no mosquitto.service
systemctl start mosquitto || { cat $log; false; }

echo "-- a client, before and after a reload and the end of a worker"
again publish
systemctl reload mosquitto
again grep 'certificates and keys were read again' $log
again publish
kill -9 "$(worker)"
again grep 'was ended by signal 9' $log
again publish
grep -e 'the worker may' -e 'are not filtered' $log || :
again mquic-status

echo "-- what it may not"
for pid in "$(broker)" "$(worker)"; do
    grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/$pid/status
done
systemctl show -p NRestarts mosquitto
systemctl stop mosquitto
systemd-analyze security --no-pager mosquitto.service | tail -n 1
"""


def has_landlock():
    """landlock_create_ruleset(), asked for its version, has this number everywhere."""
    return ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


@pytest.fixture(scope="module")
def staged(build):
    reason = sandbox.why_not() or systemd.why_not()
    if reason:
        pytest.skip(f"no systemd of its own can be started: {reason}")
    if build.sanitizer:
        pytest.skip("what is installed is not built with sanitizers")
    value = sandbox.stage(build)
    shutil.copy(DROP_IN, value / "hardening.conf")
    yield value
    shutil.rmtree(value, ignore_errors=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("unit", ["", OF_2_1], ids=["as root", "as mosquitto"])
def test_a_confined_broker_does_its_work(staged, unit):
    (staged / "unit.conf").write_text(unit)
    good, text = systemd.run(SCRIPT, staged)
    assert good, text
    assert "NRestarts=0" in text, text
    assert ("does not have Landlock" in text) != has_landlock(), text
    assert "are not filtered" not in text, text
    may_not = text.split("-- what it may not")[1]
    assert may_not.count("NoNewPrivs:\t1") == may_not.count("Seccomp:\t2") == 2, may_not
    assert may_not.count("CapEff:\t0000000000000000") == 2, may_not
    assert float(re.search(r"exposure level for mosquitto.service: ([\d.]+)", text)[1]) < 4, text


PROFILE = SOURCE / "gateway" / "usr.libexec.mquic.mquic-gateway"
PARSER = shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin")
# What a kernel can do for which the profile is written; that of this machine may have no AppArmor.
FEATURES = Path("/etc/apparmor.d/abi/3.0")


def parse(path):
    options = ["--skip-kernel-load", "--skip-cache", "--warn=all", "--kernel-features", FEATURES]
    argv = [PARSER, *map(str, options), str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    return done.returncode, [line for line in done.stderr.splitlines() if str(path) in line]


@pytest.mark.skipif(not PARSER or not FEATURES.exists(), reason="there is no apparmor_parser")
def test_the_profile_is_understood(workdir):
    assert parse(PROFILE) == (0, [])
    wrong = workdir / "wrong"
    wrong.write_text(PROFILE.read_text().replace("inet6 dgram", "inet6 diagram"))
    code, sentences = parse(wrong)
    assert code != 0 and sentences


def test_the_profile_has_the_places_that_are_built_in():
    """The program, the reset key, and where the hand-off's socket is unless told otherwise."""
    text = PROFILE.read_text()
    assert f"profile mquic-gateway /usr/libexec/mquic/{PROFILE.name.rpartition('.')[2]} " in text
    assert "/usr/libexec/mquic/mquic-gateway mr," in text
    options = (SOURCE / "gateway" / "options.h").read_text()
    key = re.search(r'OPTIONS_RESET_KEY "(/var/lib/mosquitto/)(mquic-)\w+(\.key)"', options)
    assert "owner {}{}*{}{{,.*}} rwl,".format(*key.groups()) in text
    defaults = (SOURCE / "gateway" / "option-defaults.c").read_text()
    assert 'DEFAULT_HANDOFF "/run/mosquitto/quic.sock"' in defaults
    assert "@{run}/mosquitto/*.sock rw," in text


def test_the_package_has_both():
    install = (SOURCE / "debian" / "mosquitto-plugin-mquic.install").read_text()
    assert f"gateway/{PROFILE.name} etc/apparmor.d" in install
    assert f"--profile-name={PROFILE.name}" in (SOURCE / "debian" / "rules").read_text()
    examples = (SOURCE / "debian" / "mosquitto-plugin-mquic.examples").read_text()
    assert f"mosquitto-plugin/{DROP_IN.name}" in examples
