# SPDX-License-Identifier: MIT
"""The client on asyncio by the hooks for loops of others."""

import asyncio
import sys
import uuid

import mquic.client as mqtt

client_id = "paho-mqtt-python/issue72/" + str(uuid.uuid4())
topic = client_id


class AsyncioHelper:
    def __init__(self, loop, client):
        self.loop = loop
        self.client = client
        self.client.on_socket_open = self.on_socket_open
        self.client.on_socket_close = self.on_socket_close
        self.client.on_socket_register_write = self.on_socket_register_write
        self.client.on_socket_unregister_write = self.on_socket_unregister_write

    def on_socket_open(self, client, userdata, sock):
        print("Socket opened")

        def cb():
            client.loop_read()

        self.loop.add_reader(sock, cb)
        self.misc = self.loop.create_task(self.misc_loop())

    def on_socket_close(self, client, userdata, sock):
        print("Socket closed")
        self.loop.remove_reader(sock)
        self.misc.cancel()

    def on_socket_register_write(self, client, userdata, sock):
        def cb():
            client.loop_write()

        self.loop.add_writer(sock, cb)

    def on_socket_unregister_write(self, client, userdata, sock):
        self.loop.remove_writer(sock)

    async def misc_loop(self):
        while self.client.loop_misc() == mqtt.MQTT_ERR_SUCCESS:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                break


class AsyncMqttExample:
    def __init__(self, loop):
        self.loop = loop

    def on_connect(self, client, userdata, flags, reason_code, properties):
        client.subscribe(topic)

    def on_subscribe(self, client, userdata, mid, reason_code_list, properties):
        self.subscribed.set_result(mid)

    def on_message(self, client, userdata, msg):
        if not self.got_message:
            print(f"Got unexpected message: {msg.payload!r}")
        else:
            self.got_message.set_result(msg.payload)

    def on_disconnect(self, client, userdata, flags, reason_code, properties):
        self.disconnected.set_result(reason_code)

    async def main(self):
        self.disconnected = self.loop.create_future()
        self.subscribed = self.loop.create_future()
        self.got_message = None
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id)
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = self.on_subscribe
        self.client.on_message = self.on_message
        self.client.on_disconnect = self.on_disconnect
        AsyncioHelper(self.loop, self.client)
        self.client.tls_set(sys.argv[1])
        self.client.connect("localhost", int(sys.argv[2]), 60)
        await self.subscribed
        for _ in range(3):
            await asyncio.sleep(0.1)
            self.got_message = self.loop.create_future()
            self.client.publish(topic, b"Hello" * 40000, qos=1)
            msg = await self.got_message
            print(f"Got response with {len(msg)} bytes")
            self.got_message = None
        self.client.disconnect()
        print(f"Disconnected: {await self.disconnected}")


loop = asyncio.new_event_loop()
loop.run_until_complete(AsyncMqttExample(loop).main())
loop.close()
