# SPDX-License-Identifier: MIT
"""Callbacks as methods of a class made of Client."""

import sys

import mquic.client as mqtt


class MyMQTTClass(mqtt.Client):
    def on_connect(self, mqttc, obj, flags, reason_code, properties):
        print("rc: " + str(reason_code))

    def on_connect_fail(self, mqttc, obj):
        print("Connect failed")

    def on_message(self, mqttc, obj, msg):
        print(msg.topic + " " + str(msg.qos) + " " + str(msg.payload))
        self.disconnect()

    def on_publish(self, mqttc, obj, mid, reason_codes, properties):
        print("mid: " + str(mid))

    def on_subscribe(self, mqttc, obj, mid, reason_code_list, properties):
        print("Subscribed: " + str(mid) + " " + str(reason_code_list))
        self.publish("class/topic", "hello")

    def on_log(self, mqttc, obj, level, string):
        assert isinstance(string, str)

    def run(self):
        self.tls_set(sys.argv[1])
        self.connect("localhost", int(sys.argv[2]), 60)
        self.subscribe("class/#", 0)
        rc = 0
        while rc == 0:
            rc = self.loop()
        return rc


mqttc = MyMQTTClass(mqtt.CallbackAPIVersion.VERSION2)
rc = mqttc.run()
print("rc: " + mqtt.error_string(rc))
