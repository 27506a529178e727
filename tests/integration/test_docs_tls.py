# SPDX-License-Identifier: MIT
"""The tables of doc/tls-and-quic.md name tests that exist, and all that Mosquitto's pages name."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

from harness.build import SOURCE

PAGE = SOURCE / "doc" / "tls-and-quic.md"
HEADS = ("of a listener", "of a TLS listener", "of the tools", "of a bridge")
TESTS = SOURCE / "tests"

# What mosquitto.conf(5) of 2.1.2 has and that of 2.0.21 has not.
NEW_IN_2_1 = """accept_protocol_versions enable_proxy_protocol listener_allow_anonymous auto_id_prefix
max_topic_alias_broker proxy_protocol_v2_require_tls packet_buffer_size websockets_origin
disable_client_cert_date_checks bridge_tls_use_os_certs bridge_ciphers bridge_ciphers_tls1.3
bridge_tcp_keepalive bridge_tcp_user_timeout""".split()

# Of the tools, those that concern the connection and TLS; the last four came with 2.1.
TOOLS = """--cafile --capath --cert --key --keyform --ciphers --insecure --psk --psk-identity --proxy
--tls-alpn --tls-engine --tls-engine-kpass-sha1 --tls-use-os-certs --tls-version --nodelay --unix
-A -p -S -L --no-tls --ws --tls-keylog""".split()


def rows():
    """(the first cell, the second, the third) of each row of a table."""
    found, inside = [], False
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        inside = line.startswith("|") and (inside or cells[0] in HEADS)
        if inside and not line.startswith("|---") and cells[0] not in HEADS:
            assert len(cells) == 3, line
            found.append(cells)
    return found


def test_every_row_names_its_tests():
    found = rows()
    assert len(found) > 50
    for cells in found:
        assert re.fullmatch(r"(`[\w-]+\.(py|c)::\w+`(, )?)+|–", cells[2].strip()), cells
        assert cells[2].strip() != "–" or cells[1].startswith("no"), cells


def is_there(name):
    file, _, test = name.partition("::")
    if file.endswith(".c"):
        return f"START_TEST({test})" in (TESTS / "unit" / file).read_text()
    return re.search(rf"^def {test}\(", (TESTS / "integration" / file).read_text(), re.M)


def test_the_tests_of_the_rows_exist():
    names = {name for _, _, tests in rows() for name in re.findall(r"`([^`]+)`", tests)}
    missing = [name for name in sorted(names) if not is_there(name)]
    assert missing == []


def named():
    """Every name that the first column has."""
    return {name.split()[0] for first, _, _ in rows() for name in re.findall(r"`([^`]+)`", first)}


def test_options_of_2_1_and_of_the_tools_have_a_row():
    assert set(NEW_IN_2_1) - named() == set()
    assert set(TOOLS) - named() == set()


def manual():
    """mosquitto.conf(5) of this machine."""
    done = subprocess.run(["man", "-w", "mosquitto.conf"], capture_output=True, text=True)
    path = Path(done.stdout.strip() or "/usr/share/man/man5/mosquitto.conf.5.gz")
    if not path.exists():
        pytest.skip("mosquitto.conf(5) is not installed here")
    return gzip.decompress(path.read_bytes()).decode()


def test_every_option_of_the_manual_page_has_a_row():
    """Those of its section about listeners, and the TLS options of bridges."""
    page = manual()
    listeners = page.split('.SH "LISTENERS"')[1].split('.SH "CONFIGURING BRIDGES"')[0]
    bridges = page.split('.SH "CONFIGURING BRIDGES"')[1]
    options = r"^\.PP\n\\fB(%s)\\fR"
    wanted = set(re.findall(options % r"[\w.]+", listeners, re.M))
    assert len(wanted) > 25
    tls = r"bridge_(?:alpn|cafile|capath|certfile|ciphers\S*|identity|insecure|keyfile|psk|tls\w+)"
    wanted |= set(re.findall(options % tls, bridges, re.M))
    wanted |= set(re.findall(options % r"bridge_(?:require_ocsp|bind_address|tcp\w+)", bridges, re.M))
    assert wanted - named() == set()


def test_every_tls_option_of_the_tools_here_has_a_row():
    done = subprocess.run(["mosquitto_sub", "--help"], capture_output=True, text=True)
    tls = r"--(?:ca\w+|cert|ciphers|insecure|key\w*|no-tls|psk[\w-]*|tls-[\w-]+|ws|proxy|unix)\b"
    wanted = {name for name in re.findall(tls, done.stdout) if name != "--keepalive"}
    assert len(wanted) > 10
    assert wanted - named() == set()
