# SPDX-License-Identifier: MIT
"""
Fixtures of the integration tests. Everything is real: /usr/sbin/mosquitto, UDP on loopback,
the built plugin and tools. The build directory is $MQUIC_BUILD, build/ by default.

build        where the programs are: tool(name), helper(name), run(argv…)
workdir      a directory of this test that the broker may write to
certs        certificates: ca, server, other_ca, other_server, wrong_host, expired, client(name)
mquic        the Python module, with mquic.quic
broker       a running Broker with defaults
make_broker  make_broker(**options) gives a Broker that is not started yet: .start(), .refuse()
make_proxy   make_proxy(broker, loss=…, delay_ms=…) gives a Proxy in front of the broker
"""

import importlib
import os
import shutil
import sys

import pytest

from harness.broker import Broker
from harness.build import Build, make_directory
from harness.certs import Certificates
from harness.process import heed_signals
from harness.proxy import Proxy

# The broker's user has to read some of what tests make.
os.umask(0o022)
heed_signals()

BROKERS = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test that fails says what its brokers were about, while they still run."""
    report = (yield).get_result()
    if report.failed:
        for one in item.stash.get(BROKERS, []):
            report.sections.append(("broker", one.state()))
        # Should a second try pass, the summary tells what went wrong at the first.
        item.user_properties.append(("failed", report.longreprtext))


@pytest.fixture(scope="session")
def build():
    value = Build()
    yield value
    value.close()


@pytest.fixture(scope="session")
def certs(build):
    value = Certificates(build)
    yield value
    shutil.rmtree(value.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def mquic(build):
    path = build.python()
    if path is None:
        pytest.skip("the Python module is not built: meson option python")
    sys.path.insert(0, str(path))
    try:
        return importlib.import_module("mquic.quic") and importlib.import_module("mquic")
    except ImportError as error:
        pytest.skip(f"the Python module is for another Python: {error}")
    finally:
        sys.path.remove(str(path))


@pytest.fixture
def workdir():
    path = make_directory()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_broker(build, certs, request):
    made = request.node.stash.setdefault(BROKERS, [])

    def make(**options):
        made.append(Broker(build, certs, make_directory(), **options))
        return made[-1]

    yield make
    problems = []
    for one in made:
        try:
            one.close()
        except AssertionError as problem:
            problems.append(str(problem))
        shutil.rmtree(one.directory, ignore_errors=True)
    assert not problems, "\n".join(problems)


@pytest.fixture
def broker(make_broker):
    return make_broker().start()


@pytest.fixture
def make_proxy():
    made = []

    def make(broker, **options):
        made.append(Proxy(broker.port, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
