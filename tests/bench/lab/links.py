# SPDX-License-Identifier: MIT
"""The dissertation's links, scenarios and topology, and a mesh with cycles."""

from .stats import path_loss

# Rate in Mbit/s, one-way delay in ms, of every link; a path is three of them.
LINKS = {
    "wifi": {"name": "Wi-Fi", "rate": 30, "delay": 10},
    "zigbee": {"name": "ZigBee", "rate": 0.25, "delay": 5},
    "4g": {"name": "4G", "rate": 4, "delay": 20},
    "3g": {"name": "3G", "rate": 1, "delay": 40},
    "ethernet": {"name": "Ethernet", "rate": 100, "delay": 1},
}

HOME_TOPIC = "HOME/JSON/0/1/SET-TEMP"
FARM_TOPIC = "GENERIC-CORPO/JSON/0/1/ADDITIVE-MANUFACTURING-13/PRINT/1"

# Loss in % per link; `size` is that of the payload.
SCENARIOS = {
    "home": {
        "name": "smart home",
        "topic": HOME_TOPIC,
        "size": 120,
        "loss": {"wifi": 2, "zigbee": 1, "4g": 1.5, "3g": 1.5, "ethernet": 0.2},
    },
    "farm": {
        "name": "printer farm",
        "topic": FARM_TOPIC,
        "size": 420,
        "loss": {"wifi": 5, "zigbee": 3, "4g": 2.5, "3g": 2.5, "ethernet": 0.5},
    },
    "synthetic": {
        "name": "synthetic",
        "topic": "SYNTHETIC/1",
        "size": 16384,
        "loss": {"wifi": 15, "zigbee": 15, "4g": 20, "3g": 20, "ethernet": 4},
    },
}

BROKER_HOST = "h9"
HOSTS = [f"h0{i}" for i in range(5)] + [f"h1{i}" for i in range(5)]


def dumbbell(clients):
    """(switches, links, client hosts): h00–h04 on s0, h10–h14 on s1, both on s9 with h9."""
    hosts = HOSTS[:clients]
    links = [("s0", "s9"), ("s1", "s9"), ("s9", BROKER_HOST)]
    links += [(host, "s0" if host[1] == "0" else "s1") for host in hosts]
    return ["s0", "s1", "s9"], links, hosts


def mesh(clients):
    """A ring of five switches with two chords; clients around it, the broker on the far side."""
    ring = [f"m{i}" for i in range(5)]
    links = [(ring[i], ring[(i + 1) % 5]) for i in range(5)]
    links += [("m0", "m2"), ("m1", "m3"), ("m3", BROKER_HOST)]
    hosts = HOSTS[:clients]
    links += [(host, ring[i % 2]) for i, host in enumerate(hosts)]
    return ring, links, hosts


TOPOLOGIES = {"dumbbell": dumbbell, "mesh": mesh}


def parameters(link, scenario):
    """Emulator parameters of every link of a cell."""
    kind = LINKS[link]
    return {
        "rate_bps": kind["rate"] * 1e6,
        "delay_ms": kind["delay"],
        "loss": SCENARIOS[scenario]["loss"][link] / 100,
    }


def round_trip_ms(link, links=3):
    return 2 * links * LINKS[link]["delay"]


def cell_loss(link, scenario):
    """Loss of the whole path, one way."""
    return path_loss(SCENARIOS[scenario]["loss"][link] / 100)


MESSAGES = 100

# What is sent after CONNACK. Trouble comes in the middle of a steady trickle: 20 messages a
# second for 5 seconds.
WORK = {
    "connect": {"count": 0, "timeout_ms": 30000},
    "window": {"count": MESSAGES, "window": 20, "timeout_ms": 60000},
    "one": {"count": MESSAGES, "window": 1, "timeout_ms": 120000},
    "trickle": {"count": MESSAGES, "window": 20, "gap_us": 50000, "timeout_ms": 20000},
}

# Troubles: parameters on top of a cell's, and a plan in ms after the first packet.
CONDITIONS = {
    "steady": {},
    # The same mean loss as Wi-Fi's 2 %, in bursts of five packets: 0.02 = share * 0.5.
    "bursts": {"set": {"loss": 0, "burst_enter": 0.00833, "burst_leave": 0.2, "burst_loss": 0.5}},
    "jitter": {"set": {"jitter_ms": 5}},
    "reordering": {"set": {"reorder": 0.05}},
    "outage": {"plan": [(1000, "down", "s0-s9"), (4000, "up", "s0-s9")]},
    "switch outage": {"plan": [(1000, "down", "s9"), (2000, "up", "s9")]},
    "NAT rebinding": {"nat": True, "plan": [(1500, "rebind", "h00")]},
    "address change": {"move_ms": 1500},
    "mesh": {
        "topology": "mesh",
        "plan": [
            (800, "down", "m0-m2"),
            (1600, "down", "m4-m0"),
            (2200, "up", "m0-m2"),
            (2600, "down", "m2-m3"),
            (3400, "up", "m4-m0"),
            (3800, "down", "m3-m4"),
            (4100, "up", "m2-m3"),
        ],
    },
}
