#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program of port_before.py over QUIC: another import and another port, that is all."""

import sys

import mquic.client as mqtt

unacked = set()


def on_connect(client, userdata, flags, reason_code, properties):
    if reason_code.is_failure:
        print(f"Failed to connect: {reason_code}. The loop will retry.")
    else:
        client.subscribe([("paho/test/topic", 1), ("paho/test/other", 0)])


def on_subscribe(client, userdata, mid, reason_code_list, properties):
    for code in reason_code_list:
        print(f"Broker rejected: {code}" if code.is_failure else f"Broker granted: {code}")
    for n in range(3):
        info = client.publish("paho/test/topic", f"message {n}", qos=1)
        userdata.add(info.mid)


def on_publish(client, userdata, mid, reason_code, properties):
    userdata.discard(mid)


def on_message(client, userdata, message):
    print(f"Received {message.payload.decode()!r} on {message.topic} with QoS {message.qos}")
    if message.payload == b"message 2":
        client.disconnect()


def on_disconnect(client, userdata, disconnect_flags, reason_code, properties):
    print(f"Disconnected: {reason_code}")


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_publish = on_publish
client.on_message = on_message
client.on_disconnect = on_disconnect
client.user_data_set(unacked)
client.tls_set(ca_certs=sys.argv[2])
client.connect(sys.argv[1], 14567, 60)
client.loop_forever()
