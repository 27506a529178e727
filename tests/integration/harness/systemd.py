# SPDX-License-Identifier: MIT
"""
A systemd of its own, process 1 of namespaces: this machine with all its files as an overlay, and
mquic installed as the packages install it. For what harness/sandbox.py only stands in for.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .build import is_root
from .process import eventually

# The unit that does what it is told, and ends the whole; $PLACE is seen as /mnt there.
UNIT = """[Unit]
DefaultDependencies=no
After=sysinit.target
[Service]
Type=oneshot
Environment=HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
StandardOutput=append:/mnt/output
StandardError=inherit
ExecStart=/bin/sh -e /mnt/script
ExecStartPost=/bin/touch /mnt/done
ExecStopPost=/bin/systemctl --force exit
"""

# Process 1 has a cgroup of its own, which it takes for the whole tree.
BOOT = r"""
set -e
tree=/sys/fs/cgroup/unified
[ -d "$tree" ] || tree=/sys/fs/cgroup
mkdir "$tree/$NAME"
echo $$ >"$tree/$NAME/cgroup.procs"
exec unshare --mount --net --pid --cgroup --uts --ipc --fork --kill-child --mount-proc sh -ec '
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
root=/mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work $root
mount -t proc proc $root/proc
mount --rbind /dev $root/dev
mount -t sysfs sysfs $root/sys
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
mount -t tmpfs tmpfs $root/run
mount --bind "$PLACE" $root/mnt
cp "$PLACE/unit" $root/etc/systemd/system/mquic-test.service
cd $root
mkdir /mnt/root/run/before
pivot_root . run/before
umount -l /run/before
export container=mquic-test
exec $(command -v systemd || echo /lib/systemd/systemd) --system --unit=mquic-test.service
'
"""

PREPARE = r"""
cp -a /mnt/stage/usr/. /usr
ldconfig
rm -rf /var/lib/mosquitto/* /var/log/mosquitto/* /etc/mosquitto/conf.d/*
python3 -c 'import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 1))'
"""


def _rmdir(path):
    with contextlib.suppress(OSError):  # who was killed may not be gone yet
        os.rmdir(path)
    return not os.path.isdir(path)


def _leave_cgroup(name):
    for tree in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        for folder, _, _ in os.walk(os.path.join(tree, name), topdown=False):
            eventually(functools.partial(_rmdir, folder), what=f"the end of {folder}")


def _boot(place, timeout):
    name = place.name
    try:
        done = subprocess.run(
            ["sh", "-c", BOOT],
            env=dict(os.environ, NAME=name, PLACE=str(place)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
        return done.stderr
    except subprocess.TimeoutExpired:
        return f"not over after {timeout} s"
    finally:
        _leave_cgroup(name)


def run(script, staged=None, timeout=300):
    """Runs lines of shell to their end; (whether all went well, what they printed)."""
    place = Path(tempfile.mkdtemp(prefix="mquic-systemd-"))
    try:
        (place / "unit").write_text(UNIT)
        (place / "script").write_text((PREPARE if staged else "") + script)
        if staged:
            shutil.copytree(staged, place / "stage", symlinks=True)
        errors = _boot(place, timeout)
        output = place / "output"
        text = output.read_text(errors="replace") if output.exists() else errors
        return (place / "done").exists(), text
    finally:
        shutil.rmtree(place, ignore_errors=True)


def why_not():
    """Why there can be no systemd of its own on this machine, "" if there can."""
    if not is_root():
        return "that needs root"
    if not shutil.which("systemctl") or not shutil.which("unshare"):
        return "there is no systemd, or no unshare (util-linux)"
    good, text = run("systemctl --version\n", timeout=120)
    return "" if good else (text.strip().splitlines() or ["it says nothing"])[-1]
