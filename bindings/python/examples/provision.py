#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Certificates for a fleet: makes a client certificate per device with mquic-keygen, and connects
with one. The broker demands certificates and takes the common name as the user name
(`plugin_opt_require_certificate true`, `plugin_opt_use_identity_as_username true`).

    provision.py HOST PORT DIRECTORY DEVICE...

DIRECTORY is where `mquic-keygen ca --dir DIRECTORY` made the authority.
"""

import subprocess
import sys
from pathlib import Path

import mquic
import mquic.publish


def provision(directory, device):
    """Makes certificate and key of a device; returns what it needs to connect."""
    subprocess.run(["mquic-keygen", "client", "--dir", directory, device], check=True)
    return mquic.TLSSettings(
        ca_file=directory / "ca.crt",
        certificate=directory / f"{device}.crt",
        key=directory / f"{device}.key",
    )


def main():
    host, port, directory, *devices = sys.argv[1:]
    for device in devices:
        tls = provision(Path(directory), device)
        mquic.publish.single(
            f"devices/{device}/hello", "here I am", 1, hostname=host, port=int(port), tls=tls
        )
        print(f"{device} is provisioned and was let in")
    try:
        anonymous = mquic.TLSSettings(ca_file=Path(directory) / "ca.crt")
        mquic.publish.single("x", "y", 1, hostname=host, port=int(port), tls=anonymous)
    except mquic.MquicError as error:
        print(f"without a certificate: {error}")


if __name__ == "__main__":
    main()
