# SPDX-License-Identifier: MIT
"""Certificates and options as people have them from TLS: the recipe of mosquitto-tls(7), and tools."""

import shutil
import subprocess

import pytest

from harness.build import give_to_broker, make_directory
from harness.certs import Identity
from harness.clients import SessionClient
from test_tunnel import Tunnel

PUB = ["-t", "x", "-m", "y", "-q", "1"]


class Recipe:
    """The commands of mosquitto-tls(7), which asks for names and pass phrases on the way."""

    def __init__(self, directory):
        self.directory = directory
        self.openssl("req -new -x509 -days 30 -extensions v3_ca -nodes -subj /CN=recipe "
                     "-keyout ca.key -out ca.crt")
        self.ca = directory / "ca.crt"

    def openssl(self, text):
        argv = ["openssl", *text.split()]
        done = subprocess.run(argv, cwd=self.directory, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done

    def leaf(self, name, common_name, request="", sign="", cipher=""):
        """A key, a request, a certificate; `cipher` for one with a pass phrase."""
        self.openssl(f"genrsa {cipher} -out {name}.key 2048")
        self.openssl(f"req -out {name}.csr -key {name}.key -passin pass:word -new "
                     f"-subj /CN={common_name} {request}")
        self.openssl(f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial "
                     f"-out {name}.crt -days 30 {sign}")
        give_to_broker(self.directory / f"{name}.key")
        return Identity(self.directory / f"{name}.crt", self.directory / f"{name}.key")


@pytest.fixture(scope="module")
def recipe():
    directory = make_directory()
    yield Recipe(directory)
    shutil.rmtree(directory, ignore_errors=True)


def test_a_common_name_is_no_name_of_a_server(make_broker, recipe):
    broker = make_broker(identity=recipe.leaf("bare", "localhost")).start()
    done = broker.pub(*PUB, host="localhost", cafile=recipe.ca, check=False)
    assert done.returncode == 1 and "common name" in done.stderr, done


def test_the_recipe_with_an_alternative_name_is_taken(make_broker, recipe):
    identity = recipe.leaf(
        "named",
        "localhost",
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-copy_extensions copy",
    )
    broker = make_broker(identity=identity).start()
    broker.pub(*PUB, host="localhost", cafile=recipe.ca)


def test_a_client_of_the_recipe_is_known(make_broker, recipe):
    opts = {
        "cafile": recipe.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    broker = make_broker(plugin_opts=opts).start()
    lamp = recipe.leaf("lamp", "lamp")
    SessionClient(broker, "one", settings={"cert": lamp.cert, "key": lamp.key}).connect()
    broker.wait_log("-> client id 'one', user 'lamp', certificate")


def test_a_key_with_a_pass_phrase_is_refused_with_advice(make_broker, recipe):
    identity = recipe.leaf("locked", "localhost", cipher="-aes256 -passout pass:word")
    code, log = make_broker(identity=identity).refuse()
    assert code > 0 and "pass phrase" in log and str(identity.key) in log, log


def test_a_directory_of_authorities_is_trusted(broker, certs, workdir):
    authorities = workdir / "authorities"
    authorities.mkdir()
    (authorities / "whatever it is called").write_bytes(certs.ca.read_bytes())
    tool = broker.build.tool("mquic-pub")
    address = ["-h", broker.host, "-p", broker.port]
    done = broker.build.run(tool, *address, "--capath", authorities, *PUB)
    assert done.returncode == 0, done


def test_secrets_are_written_for_wireshark(broker, workdir):
    broker.pub(*PUB, "--tls-keylog", workdir / "keys")
    assert "CLIENT_TRAFFIC_SECRET_0 " in (workdir / "keys").read_text()


def test_the_tls_half_of_a_bridge_moves_to_the_tunnel(make_broker, certs):
    """Certificate, address to dial from and protocol."""
    opts = {
        "cafile": certs.ca,
        "require_certificate": "true",
        "use_identity_as_username": "true",
    }
    broker = make_broker(plugin_opts=opts).start()
    bridge = certs.client("bridge")
    own = ["--cert", bridge.cert, "--key", bridge.key]
    tunnel = Tunnel(broker, *own, "-A", "127.0.0.8", "--tls-alpn", "mqtt")
    tunnel.mosquitto("mosquitto_pub", "-i", "behind", *PUB)
    broker.wait_log(r"QUIC 127\.0\.0\.8:\d+ -> client id 'behind', user 'bridge', certificate")


def test_a_tunnel_may_leave_out_the_verification(make_broker, certs):
    broker = make_broker(identity=certs.other_server).start()
    Tunnel(broker, "--insecure").mosquitto("mosquitto_pub", *PUB)
