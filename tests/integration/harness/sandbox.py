# SPDX-License-Identifier: MIT
"""
A machine to try the documentation on: this one, in namespaces of its own, with mquic installed
as the packages install it. /etc, /usr and /var are overlays, so that commands may change what
they like, as is the source tree; the network is a loopback of its own, so that ports are those of the
documentation.
"""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from .build import SOURCE, is_root
from .process import PATIENCE

HOME = "/mnt/home"
HOSTS = "127.0.0.1 localhost broker.example.org\n::1 localhost\n"

# Standing in for systemd, which wants to be process 1: does what mosquitto.service says, and
# waits until the broker is up, which that learns by sd_notify.
SYSTEMCTL = r"""#!/bin/sh
log=/var/log/mosquitto/mosquitto.log
pid=$(cat /run/mosquitto.pid 2>/dev/null)
running() { [ -n "$pid" ] && grep -qs '^State:.[^Z]' "/proc/$pid/status"; }
stop() { running && kill "$pid"; while running; do sleep 0.05; done; }
start() {
    mkdir -m 740 -p /var/log/mosquitto /run/mosquitto
    chown mosquitto:mosquitto /var/log/mosquitto /run/mosquitto
    from=$(cat "$log" 2>/dev/null | wc -l)
    /usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf >/dev/null 2>&1 </dev/null &
    pid=$!
    echo $pid >/run/mosquitto.pid
    for try in $(seq 800); do
        new=$(tail -n "+$((from + 1))" "$log" 2>/dev/null)
        case $new in
        *"ready for QUIC clients"* | *"no QUIC client is served"*) return ;;
        *version*" running"*) case $new in *mquic*) ;; *) return ;; esac ;;
        esac
        running || break
        sleep 0.05
    done
    echo "Job for mosquitto.service failed. See \"$log\"." >&2
    exit 1
}
case "$1 $2" in
"start mosquitto" | "restart mosquitto") stop; start ;;
"stop mosquitto") stop ;;
"reload mosquitto") kill -HUP "$pid" ;;
"is-active mosquitto") running && echo active ;;
"daemon-reload ") ;;
"enable --now")
    unit=${3%%@*}@.service
    name=${3#*@}
    file=/usr/lib/systemd/system/$unit
    [ -f "$file" ] || { echo "Unit $unit does not exist." >&2; exit 1; }
    options=$(sed -n 's/^EnvironmentFile=//p' "$file" | sed "s/%i/$name/")
    options=$(sed -n 's/^OPTIONS=//p' "$options")
    # With DynamicUser it is nobody that anybody knows.
    setpriv --reuid 64999 --regid 64999 --clear-groups \
        $(sed -n 's/^ExecStart=//p' "$file" | sed "s|[$]OPTIONS|$options|") \
        >/var/log/unit.log 2>&1 </dev/null &
    ;;
*) echo "systemctl: this stand-in does not know $*" >&2; exit 1 ;;
esac
"""

# What the documentation calls an installed system is made from the build.
SET_UP = r"""
set -e
mount -t tmpfs tmpfs /mnt
for name in etc usr var; do
    mkdir -p /mnt/overlay/$name/upper /mnt/overlay/$name/work
    mount -t overlay overlay -o "lowerdir=/$name,upperdir=/mnt/overlay/$name/upper,\
workdir=/mnt/overlay/$name/work" /$name
done
if [ -d "$SOURCE" ]; then # it may have been in /mnt
    mkdir -p /mnt/overlay/source/upper /mnt/overlay/source/work
    mount -t overlay overlay -o "lowerdir=$SOURCE,upperdir=/mnt/overlay/source/upper,\
workdir=/mnt/overlay/source/work" "$SOURCE"
fi
mount -t tmpfs tmpfs /run
mkdir -p "$HOME" /var/lib/mosquitto
cp -a "$STAGE"/usr/. /usr
cp "$SCRATCH/systemctl" /usr/bin/
chmod 755 /usr/bin/systemctl
cat "$SCRATCH/hosts" >/etc/hosts
ldconfig
chown mosquitto: /var/lib/mosquitto
python3 -c 'import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 1))'
"""


UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]


def why_not():
    """Why there can be no sandbox on this machine, "" if there can."""
    if not is_root():
        return "that needs root"
    test = "mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w && mount -t overlay overlay -o"
    test += " lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"
    if not shutil.which("unshare"):
        return "there is no unshare (util-linux)"
    done = subprocess.run([*UNSHARE, "sh", "-c", test], capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def stage(build):
    """Installs the build as packages would, into a directory to be copied to /."""
    place = Path(tempfile.mkdtemp(prefix="mquic-stage-"))
    place.chmod(0o755)
    subprocess.run(
        ["meson", "install", "-C", str(build.directory), "--no-rebuild", "--quiet"],
        env=dict(os.environ, DESTDIR=str(place)),
        check=True,
        capture_output=True,
        text=True,
    )
    config = next(place.rglob("libmquic.pc"))
    prefix = re.search(r"^prefix=(.*)$", config.read_text(), re.M)[1]
    config.write_text(config.read_text().replace(f"prefix={prefix}", "prefix=/usr", 1))
    if prefix != "/usr":
        (place / prefix.lstrip("/")).rename(place / "moved")
        shutil.rmtree(place / prefix.lstrip("/").split("/")[0])
        (place / "moved").rename(place / "usr")
        # The plugin knows where its worker was to be.
        shutil.copytree(place / "usr/libexec", place / prefix.lstrip("/") / "libexec")
    return place


class Sandbox:
    """One such machine. run() and spawn() take lines of shell."""

    def __init__(self, staged):
        self.scratch = Path(tempfile.mkdtemp(prefix="mquic-docs-"))
        (self.scratch / "systemctl").write_text(SYSTEMCTL)
        (self.scratch / "hosts").write_text(HOSTS)
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": HOME,
            "LC_ALL": "C.UTF-8",
        }
        self._spawned = []
        more = {"STAGE": str(staged), "SCRATCH": str(self.scratch), "SOURCE": str(SOURCE)}
        self._keeper = subprocess.Popen(
            # It lives as long as we hold the other end of its input, and no longer.
            [*UNSHARE, "sh", "-c", SET_UP + "echo ready; exec cat"],
            env={**self.environment, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self._keeper.stdout.readline() != "ready\n":
            raise RuntimeError(f"no sandbox: {self._keeper.stderr.read()}")
        self._first = self._child()
        self.triplet = self.run("gcc -print-multiarch").output[0]

    def _child(self):
        path = Path(f"/proc/{self._keeper.pid}/task/{self._keeper.pid}/children")
        return path.read_text().split()[0]

    def _argv(self, text):
        return [
            *["nsenter", "-t", self._first, "--mount", "--root", "--wd", "--net", "--pid"],
            *["sh", "-ec", f"cd {HOME}\n{text}"],
        ]

    def spawn(self, text):
        """Starts it; a Running."""
        self._spawned.append(Running(self._argv(text), self.environment))
        return self._spawned[-1]

    def run(self, text, timeout=120):
        """Runs it to its end; a Running with .code."""
        one = Running(self._argv(text), self.environment)
        one.wait(timeout)
        return one

    def write(self, path, text):
        """A file, from the home directory if it is relative."""
        # What the commands see is not what we see, so one of them has to write.
        passing = self.scratch / "passing"
        passing.write_text(text)
        done = self.run(f'mkdir -p "$(dirname {path})"; cat {passing} >{path}')
        assert done.code == 0, done.output

    def close(self):
        self._keeper.kill()  # and with it, by --kill-child, all that it keeps
        self._keeper.wait()
        for one in self._spawned:
            one.wait(PATIENCE)
        for pipe in (self._keeper.stdin, self._keeper.stdout, self._keeper.stderr):
            pipe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Running:
    """A command and what it has printed so far, errors included."""

    def __init__(self, argv, environment):
        self._lines = []
        self._child = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            self._lines.append(line.rstrip("\n"))
        self._child.stdout.close()

    @property
    def output(self):
        return list(self._lines)

    @property
    def code(self):
        return self._child.poll()

    def wait(self, timeout):
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise AssertionError(f"not over after {timeout} s: {self._lines}") from None
        finally:
            # A daemon that the command has left behind may hold the pipe.
            self._reader.join(1)

    def eventually(self, condition, timeout):
        """Whether condition(lines) becomes true."""
        end = time.monotonic() + timeout
        while not condition(self.output):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True
