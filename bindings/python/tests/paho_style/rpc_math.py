# SPDX-License-Identifier: MIT
"""Request and response with MQTT 5 properties, client and server in one."""

import json
import sys

import mquic.client as mqtt
from mquic.properties import PacketTypes, Properties

reply = None
subscribed = set()


def on_subscribe(mqttc, userdata, mid, reason_code_list, properties):
    subscribed.add(mqttc)


def on_connect_server(mqttc, userdata, flags, reason_code, properties):
    mqttc.subscribe("requests/math/#")


def on_message_server(mqttc, userdata, msg):
    props = msg.properties
    if not hasattr(props, "ResponseTopic") or not hasattr(props, "CorrelationData"):
        print("No reply requested")
        return
    terms = json.loads(msg.payload)
    res = {"add": lambda a, b: a + b, "mul": lambda a, b: a * b}[msg.topic.split("/")[2]](*terms)
    out = Properties(PacketTypes.PUBLISH)
    out.CorrelationData = props.CorrelationData
    mqttc.publish(props.ResponseTopic, json.dumps(res), qos=1, properties=out)


def on_message_client(mqttc, userdata, msg):
    global reply
    if msg.properties.CorrelationData == b"1234":
        reply = json.loads(msg.payload)


def make(client_id):
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5
    )
    client.tls_set(sys.argv[1])
    client.on_subscribe = on_subscribe
    return client


server = make("server")
server.on_connect = on_connect_server
server.on_message = on_message_server
server.connect(host="localhost", port=int(sys.argv[2]), clean_start=True)
server.loop_start()

client = make("client")
client.on_message = on_message_client
properties = Properties(PacketTypes.CONNECT)
properties.SessionExpiryInterval = 30
properties.UserProperty = ("a", "b")
client.connect("localhost", int(sys.argv[2]), properties=properties)
client.subscribe("replies/client/#")
props = Properties(PacketTypes.PUBLISH)
props.CorrelationData = b"1234"
props.ResponseTopic = "replies/client/1"
while len(subscribed) < 2:
    client.loop(0.1)
client.publish("requests/math/add", json.dumps([2, 40]), properties=props)
while reply is None:
    client.loop(0.5)
print("The answer:", reply)
client.disconnect()
server.disconnect()
server.loop_stop()
