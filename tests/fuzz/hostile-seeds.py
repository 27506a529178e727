#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Writes the seeds of the hostile peers' corpora: programs (hostile-program.h) of faults there were,
and of what is worth being varied. Usage: hostile-seeds.py tests/fuzz/corpus
"""

import re
import sys
from pathlib import Path

HEADER = Path(__file__).with_name("hostile-program.h").read_text(encoding="utf-8")
ACTIONS = {name: i for i, name in enumerate(re.findall(r"ACTION_(\w+),", HEADER))}

INITIAL, EARLY, HANDSHAKE, APP = range(4)
CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS, FINISHED = 1, 2, 8, 20
DROP_EXTENSION, RENAME_EXTENSION, ADD_EXTENSION, CHANGE_BYTE, DROP = range(5)
REPEAT, CUT, INSERT, WITH_APP, WITH_HANDSHAKE, WITH_INITIAL, AT_ONCE = range(5, 12)
MUTE, NO_ACKS, NO_CRYPTO, NO_DONE, SPLIT, APP_FIRST, NO_RESPONSES = range(7)
KEY_UPDATE = 24


def record(action, *arguments):
    return bytes([ACTIONS[action], *arguments, *[0] * (7 - len(arguments))])


def frame(kind, selectors=0, *rest):
    return record("FRAME", kind, selectors, *rest)


def new_cid(number, retire, length=1, fill=0):
    return frame(0x18, 0, number, retire, 0, fill, length)


CONNECT = record("CONNECT")
BEGIN = record("BEGIN")
SECOND = record("TIME", 10, 100)
FIRST_FLIGHT = (FINISHED, WITH_APP)


def say(*frames):
    return b"".join(frames) + record("PACKET", APP) + record("SEND")


def with_flight(*frames):
    return b"".join(frames) + record("MESSAGE", *FIRST_FLIGHT)


def habit(which, on=1):
    return record("HABIT", which, on)


def setting(which, value=0):
    return record("SETTING", which, value)


HANDSHAKE_DONE = frame(0x1E)
WAYS = {
    "": b"",
    "-retry": setting(0),
    "-hello-retry": setting(1),
}

BOTH = {
    "connect": CONNECT,
    "without-params": setting(5) + CONNECT,
    "params-dropped": record("MESSAGE", 0, DROP_EXTENSION) + CONNECT,
    "params-renamed": record("MESSAGE", 0, RENAME_EXTENSION, 0, 0x39, 0x39) + CONNECT,
    "params-twice": record("MESSAGE", 0, ADD_EXTENSION, 0, 30, 1) + CONNECT,
    "another-protocol": setting(6, 1) + CONNECT,
    "no-protocol": setting(6) + CONNECT,
    "key-update-with-finished": record("MESSAGE", FINISHED, INSERT, KEY_UPDATE, 1, 1) + CONNECT,
    "key-update-before-finished": record("MESSAGE", FINISHED, INSERT, KEY_UPDATE, 1, 0) + CONNECT,
    "key-update-late": CONNECT + SECOND + record("TLS", APP, KEY_UPDATE, 1),
    "key-update-at-once": CONNECT
    + record("TLS", APP, KEY_UPDATE, 1)
    + record("TLS", APP, KEY_UPDATE, 1),
    "finished-late": CONNECT + record("TLS", APP, FINISHED, 32),
    "ticket": CONNECT + record("TLS", APP, 4, 60) + SECOND,
    "long-message": CONNECT + record("TLS", APP, 4, 255, 1) + SECOND,
    "hello-late": CONNECT + record("TLS", INITIAL, 1, 60) + record("TLS", HANDSHAKE, 1, 60),
    "finished-twice": record("MESSAGE", FINISHED, REPEAT) + CONNECT,
    "new-keys": CONNECT + record("KEYS") + say(frame(1)) + SECOND + record("KEYS") + say(frame(1)),
    "new-keys-at-once": CONNECT + (record("KEYS") + say(frame(1))) * 3,
    "reserved-bits": CONNECT + frame(1) + record("PACKET", APP, 1) + record("SEND"),
    "empty-packet": CONNECT + record("PACKET", APP) + record("SEND"),
    "identifiers": CONNECT + say(new_cid(1, 0), new_cid(2, 1), new_cid(3, 3), new_cid(4, 4)),
    "identifiers-retired": CONNECT + say(frame(0x19, 0, 1), frame(0x19, 0, 2)) + SECOND,
    "identifier-again": CONNECT + say(new_cid(1, 0, 1, 1), new_cid(1, 0, 1, 2)),
    "stream": CONNECT + say(frame(8, 0, 0, 0, 0, 0, 50)) + SECOND + say(frame(9, 0, 0, 200)),
    "stream-stopped": CONNECT
    + record("PROGRAM", 0, 50)
    + SECOND
    + say(frame(5, 0, 0, 9), frame(4, 0, 0, 9))
    + SECOND,
    "stream-ids": CONNECT + b"".join(say(frame(8, 0, i, 0, 0, 0, 2)) for i in range(0, 20, 3)),
    "stream-freed": CONNECT
    + record("PROGRAM", 0, 50)
    + record("PROGRAM", 6)
    + say(frame(0x0A, 0, 0, 0, 0, 0, 50), frame(0x0A, 0, 1, 0, 0, 0, 50))
    + SECOND,
    "nobody-reads": CONNECT
    + record("PROGRAM", 14, 1)
    + say(frame(8, 0, 0, 0, 0, 0, 250), frame(9, 0, 4, 0, 0, 0, 250))
    + SECOND,
    "path-challenge": CONNECT + say(frame(0x1A), frame(0x1B)) + SECOND,
    "moved": CONNECT + record("MOVE", 0) + say(frame(1)) + SECOND + record("MOVE", 0) + SECOND,
    "moved-with-identifier": CONNECT
    + say(new_cid(1, 0), new_cid(2, 0))
    + record("MOVE", 1)
    + record("MOVE", 0)
    + say(frame(1))
    + SECOND,
    "acks": CONNECT + say(frame(2, 0xBB, 128, 128)) + say(frame(2, 0, 255, 3)),
    "acks-of-nothing": CONNECT + say(frame(2, 0x09, 0, 0)),
    "closed": CONNECT + say(frame(0x1C, 0, 1)),
    "closed-in-handshake": frame(0x1C, 0, 1)
    + BEGIN
    + record("PACKET", HANDSHAKE)
    + record("SEND"),
    "silent-peer": habit(MUTE) + BEGIN + SECOND * 3,
    "no-acks": habit(NO_ACKS) + CONNECT + record("PROGRAM", 0, 200) + SECOND * 3,
    "program-closes": CONNECT + record("PROGRAM", 7, 3) + say(frame(1)),
    "replayed": CONNECT + record("REPLAY", 0, 0, 0, 0) + record("REPLAY", 1, 40, 7, 1),
    "reset": CONNECT + record("SPECIAL", 2, 30, 9),
    "version-negotiation": BEGIN + record("SPECIAL", 1, 0, 1),
    "crypto-gap": CONNECT + say(frame(6, 0x4, 200, 0, 0, 0, 50)),
    "line-dead": CONNECT + record("LINE", 1) + record("PROGRAM", 0, 250) + SECOND * 2,
    "bbr": setting(8) + CONNECT + record("PROGRAM", 0, 250) + SECOND,
    "no-identifier": setting(7) + CONNECT + record("MOVE", 0) + say(frame(1), frame(0x1A)) + SECOND,
    "long-identifier": setting(7, 20) + CONNECT + record("PROGRAM", 0, 50) + SECOND,
    "numbers-skipped": CONNECT + frame(1) + record("PACKET", APP, 0, 0, 100, 1) + record("SEND"),
}

for message in (1, 2, 8, 11, 13, 15, FINISHED):
    for what in (CHANGE_BYTE, DROP, REPEAT, CUT, INSERT):
        BOTH[f"message-{message}-{what}"] = record("MESSAGE", message, what, 0, 8, 1) + CONNECT

SERVER = {  # attacks a client
    "long-token": setting(0, 140) + CONNECT,
    "longer-token": setting(0, 180) + CONNECT,
    "done-with-flight": with_flight(HANDSHAKE_DONE) + CONNECT,
    "done-before-flight": habit(SPLIT) + habit(APP_FIRST) + with_flight(HANDSHAKE_DONE) + CONNECT,
    "identifier-with-flight": with_flight(new_cid(1, 1)) + CONNECT,
    "identifier-and-done-with-flight": with_flight(new_cid(1, 1), HANDSHAKE_DONE) + CONNECT,
    "identifiers-before-flight": habit(SPLIT)
    + habit(APP_FIRST)
    + with_flight(new_cid(1, 0), new_cid(2, 2))
    + CONNECT,
    "done-without-acks": habit(NO_ACKS) + with_flight(HANDSHAKE_DONE) + CONNECT + SECOND,
    "retry-late": CONNECT + record("SPECIAL", 0),
    "retry-twice": setting(0) + BEGIN + record("SPECIAL", 0) + CONNECT,
    "endpoint-moves": CONNECT + say(new_cid(1, 0), new_cid(2, 0)) + record("MOVE", 2, 1) + SECOND,
    "endpoint-moves-bare": CONNECT + record("MOVE", 2, 1) + record("PROGRAM", 0, 9) + SECOND,
    "preferred-address": record("PARAM", 1, 0, 0x0D, 0, 41, 8) + CONNECT,
    "new-token": CONNECT + say(frame(7, 0, 0, 0, 0, 0, 20), frame(7)),
}

CLIENT = {  # attacks a server
    "retirements": habit(NO_ACKS)
    + CONNECT
    + say(*(new_cid(i, i) for i in range(1, 16)))
    + say(new_cid(16, 0), new_cid(17, 0), new_cid(18, 0))
    + (record("MOVE", 0) + record("MOVE", 1) + say(frame(1))) * 3,
    "probes": CONNECT
    + say(new_cid(1, 0), new_cid(2, 0), new_cid(3, 0))
    + (record("MOVE", 0) + say(frame(0x1A)) + record("TIME", 10, 30)) * 8,
    "new-token": CONNECT + say(frame(7, 0, 0, 0, 0, 0, 20)),
    "handshake-done": CONNECT + say(HANDSHAKE_DONE),
    "client-certificate": setting(2) + CONNECT,
    "params-of-servers": record("PARAM", 1, 0, 0x00, 0, 8, 1) + CONNECT,
    "handshake-path-challenge": frame(0x1A)
    + record("MESSAGE", FINISHED, WITH_HANDSHAKE)
    + CONNECT,
    "data-before-done": frame(8, 0, 0, 0, 0, 0, 9)
    + record("MESSAGE", *FIRST_FLIGHT)
    + CONNECT,
    "early-data": record("PACKET", EARLY) + CONNECT,
    "end-of-early-data": record("MESSAGE", FINISHED, INSERT, 5, 0, 0) + CONNECT,
}


def write(folder, seeds):
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in seeds.items():
        for way, before in WAYS.items():
            if way == "" or re.match(r"connect|params|key-update|done|identifier", name):
                (folder / (name + way)).write_bytes(before + program)


def main():
    corpus = Path(sys.argv[1])
    write(corpus / "hostile-client", BOTH | CLIENT)
    write(corpus / "hostile-server", BOTH | SERVER)


main()
