#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
A sensor: publishes a measurement again and again, whatever the network does.

    sensor.py HOST PORT CAFILE [COUNT]

While there is no connection, measurements wait here; the will tells others that it is away.
"""

import json
import random
import sys
import time

import mquic


def on_connect(client, userdata, flags, reason_code, properties):
    print(f"connected: {reason_code}", flush=True)
    client.publish("sensors/7/status", "here", qos=1, retain=True)


def on_disconnect(client, userdata, flags, reason_code, properties):
    print(f"disconnected: {client.error or reason_code}", flush=True)


def main():
    host, port, ca_file, *count = sys.argv[1:]
    client = mquic.Client(client_id="sensor-7", tls=mquic.TLSSettings(ca_file=ca_file))
    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.will_set("sensors/7/status", "away", qos=1, retain=True)
    client.reconnect_delay_set(min_delay=0.5, max_delay=30)
    client.max_queued_messages_set(1000)
    client.connect_async(host, int(port), keepalive=15)
    client.loop_start()
    for number in range(int(count[0]) if count else sys.maxsize):
        measurement = {"number": number, "temperature": round(random.gauss(21, 0.5), 2)}
        client.publish("sensors/7/temperature", json.dumps(measurement), qos=1)
        time.sleep(0.2)
    client.publish("sensors/7/status", "away", qos=1, retain=True)
    client.loop_stop()  # waits until all is delivered
    client.disconnect()


if __name__ == "__main__":
    main()
