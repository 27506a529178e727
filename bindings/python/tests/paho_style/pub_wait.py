# SPDX-License-Identifier: MIT
"""Publishing with loop_start() and waiting for all of it."""

import sys
import time

import mquic.client as mqtt


def on_publish(client, userdata, mid, reason_code, properties):
    userdata.discard(mid)  # The last message is nobody's to wait for, and may be acknowledged early.


unacked_publish = set()
mqttc = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
mqttc.on_publish = on_publish

mqttc.user_data_set(unacked_publish)
mqttc.tls_set(sys.argv[1])
mqttc.connect("localhost", int(sys.argv[2]))

msg_info = mqttc.publish("paho/test/topic", "my message", qos=1)
unacked_publish.add(msg_info.mid)
msg_info2 = mqttc.publish("paho/test/topic", "my message2", qos=1)
unacked_publish.add(msg_info2.mid)
mqttc.loop_start()

while len(unacked_publish):
    time.sleep(0.1)

msg_info.wait_for_publish()
msg_info2.wait_for_publish()
(rc, mid) = mqttc.publish("tuple", "bar", qos=2)
print("published", rc, mid)

mqttc.disconnect()
mqttc.loop_stop()
