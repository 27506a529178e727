# SPDX-License-Identifier: MIT
"""Whether the broker has kept the session, and retained messages cleared."""

import sys

import mquic.client as mqtt


class Client(mqtt.Client):
    def on_connect(self, mqttc, userdata, flags, reason_code, properties):
        print(f"session_present: {flags.session_present}")
        if not flags.session_present:
            self.subscribe("kept/#", 1)
        else:
            self.disconnect()

    def on_subscribe(self, mqttc, userdata, mid, reason_code_list, properties):
        self.publish("kept/a", "retained", retain=True)

    def on_message(self, mqttc, userdata, msg):
        if msg.payload:
            mqttc.publish(msg.topic, None, 1, True)
        else:
            print("cleared " + msg.topic)
            self.disconnect()


for _ in range(2):
    mqttc = Client(mqtt.CallbackAPIVersion.VERSION2, client_id="asdfj", clean_session=False)
    mqttc.tls_set(sys.argv[1])
    mqttc.connect("localhost", int(sys.argv[2]))
    mqttc.loop_forever()
