# SPDX-License-Identifier: MIT
"""``pip install .``: a package that needs no other file of ours."""

import importlib.util
import os
import subprocess
import sys

import pytest
from conftest import SOURCE

PROGRAM = """
import sys
import mquic

host, port, ca = sys.argv[1:]
client = mquic.Client(tls=mquic.TLSSettings(ca_file=ca))
client.on_connect = lambda client, *rest: client.publish("wheel", "rolls", 1)
client.on_publish = lambda client, *rest: client.disconnect()
client.connect(host, int(port))
client.loop_forever()
print(mquic.__file__)
"""


def run(*argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=840, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Where pip has installed it."""
    for module in ("pip", "mesonpy"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"the module {module} is not installed")
    if "LD_PRELOAD" in os.environ:
        pytest.skip("what pip builds has no sanitizers")
    path = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--target", path]
    run(sys.executable, "-m", "pip", "install", *options, SOURCE, cwd=path)
    (SOURCE / ".mesonpy-native-file.ini").unlink(missing_ok=True)  # mesonpy leaves it behind
    return path


def test_installed_by_pip_it_talks_to_a_broker(site, broker, certs):
    env = dict(os.environ, PYTHONPATH=str(site))
    argv = [sys.executable, "-X", "dev", "-c", PROGRAM, broker.host, str(broker.port), certs.ca]
    assert run(*argv, env=env, cwd=site).startswith(str(site))


def test_the_library_is_inside(site):
    (native,) = (site / "mquic").glob("_native*.so")
    assert "libmquic" not in run("ldd", native)
    symbols = run("nm", "--dynamic", "--defined-only", native).split()[2::3]
    assert [name for name in symbols if not name.startswith(("PyInit_", "_"))] == []


def test_it_is_typed_and_has_no_tests(site):
    assert (site / "mquic" / "py.typed").exists()
    assert (site / "mquic" / "_native.pyi").exists()
    assert [path.name for path in site.iterdir() if path.suffix != ".dist-info"] == ["mquic"]
