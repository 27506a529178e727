# SPDX-License-Identifier: MIT
"""Several callbacks by topic, and a logger."""

import logging
import sys

import mquic.client as mqtt

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
count = 0


def on_message_msgs(mosq, obj, msg):
    print("MESSAGES: " + msg.topic + " " + str(msg.payload))


def on_message_bytes(mosq, obj, msg):
    print("BYTES: " + msg.topic + " " + str(msg.payload))


def on_message(mosq, obj, msg):
    print(msg.topic + " " + str(msg.qos) + " " + str(msg.payload))
    mosq.disconnect()


def on_subscribe(client, userdata, mid, reason_code_list, properties):
    client.publish("$other", "x")
    client.publish("sys/messages/a", "1")
    client.publish("sys/bytes/b", "2")
    client.publish("sys/other", "3")


mqttc = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
mqttc.enable_logger(logging.getLogger(__name__))
mqttc.message_callback_add("sys/messages/#", on_message_msgs)
mqttc.message_callback_add("sys/bytes/#", on_message_bytes)
mqttc.on_message = on_message
mqttc.on_subscribe = on_subscribe
mqttc.tls_set(sys.argv[1])
mqttc.connect("localhost", int(sys.argv[2]), 60)
mqttc.subscribe("sys/#", 0)
mqttc.loop_forever()
