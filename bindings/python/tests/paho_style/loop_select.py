# SPDX-License-Identifier: MIT
"""The client in a loop of select(), by socket() and want_write()."""

import sys
from select import select

import mquic.client as mqtt


class SelectMqttExample:
    state = 0

    def on_connect(self, client, userdata, flags, reason_code, properties):
        print(f"Connected with result code {reason_code}")
        client.subscribe("select/topic")

    def on_message(self, client, userdata, msg):
        if self.state not in {1, 3, 5}:
            print("Got unexpected message: {}".format(msg.payload.decode()))
            return
        print(f"Got message with len {len(msg.payload)}")
        self.state += 1

    def on_disconnect(self, client, userdata, flags, reason_code, properties):
        self.disconnected = True, reason_code

    def do_select(self):
        sock = self.client.socket()
        if not sock:
            raise Exception("Socket is gone")
        r, w, e = select([sock], [sock] if self.client.want_write() else [], [], 1)
        if sock in r:
            self.client.loop_read()
        if sock in w:
            self.client.loop_write()
        self.client.loop_misc()
        if self.state in {0, 2, 4} and self.client.is_connected():
            self.client.publish("select/topic", b"Hello" * 40000)
            self.state += 1
        if self.state == 6:
            self.state += 1
            self.client.disconnect()

    def main(self):
        self.disconnected = (False, None)
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_connect = self.on_connect
        self.client.on_message = self.on_message
        self.client.on_disconnect = self.on_disconnect
        self.client.tls_set(sys.argv[1])
        self.client.connect("localhost", int(sys.argv[2]), 60)
        while not self.disconnected[0]:
            self.do_select()
        print(f"Disconnected: {self.disconnected[1]}")


SelectMqttExample().main()
