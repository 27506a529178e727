#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run_workers.py BENCH_WORKERS MQUIC_KEYGEN: the load on workers runs, with one and with two."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CONNECTS = 40


def main():
    load, keygen = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        subprocess.run([keygen, "ca", "--dir", name], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([keygen, "server", "--dir", name, "127.0.0.1"], check=True,
                       stdout=subprocess.DEVNULL)
        files = [str(place / file) for file in ("server.crt", "server.key", "ca.crt")]
        for workers in (1, 2):
            done = subprocess.run([load, str(workers), str(CONNECTS), "3", *files], check=True,
                                  stdout=subprocess.PIPE)
            row = json.loads(done.stdout)
            assert row["workers"] == workers and row["connects"] == CONNECTS, row
            assert row["per_second"] > 0 and row["server_us"] > 0 and row["client_us"] > 0, row


if __name__ == "__main__":
    main()
