#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
A dashboard: shows the latest measurement of every sensor, and which ones are away.

    dashboard.py HOST PORT CAFILE
"""

import json
import sys

import mquic.client as mqtt
from mquic import TLSSettings

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, userdata={})


@client.connect_callback()
def on_connect(client, userdata, flags, reason_code, properties):
    if reason_code.is_failure:
        sys.exit(f"the broker refuses: {reason_code}")
    client.subscribe([("sensors/+/temperature", 0), ("sensors/+/status", 1)])


@client.topic_callback("sensors/+/temperature")
def on_temperature(client, latest, message):
    sensor = message.topic.split("/")[1]
    latest[sensor] = json.loads(message.payload)["temperature"]
    print("  ".join(f"{name}: {value} °C" for name, value in sorted(latest.items())), flush=True)


@client.topic_callback("sensors/+/status")
def on_status(client, latest, message):
    sensor = message.topic.split("/")[1]
    print(f"sensor {sensor} is {message.payload.decode()}", flush=True)
    if message.payload == b"away":
        latest.pop(sensor, None)


if __name__ == "__main__":
    host, port, ca_file = sys.argv[1:]
    client.tls_set_context(TLSSettings(ca_file=ca_file))
    client.connect(host, int(port))
    try:
        client.loop_forever()
    except KeyboardInterrupt:
        client.disconnect()
        client.loop()
