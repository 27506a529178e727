# SPDX-License-Identifier: MIT
"""publish.single() and .multiple(), subscribe.simple() and .callback()."""

import sys
import threading

import mquic.publish as publish
import mquic.subscribe as subscribe

where = {"hostname": "localhost", "port": int(sys.argv[2]), "tls": {"ca_certs": sys.argv[1]}}
msgs = [
    {"topic": "paho/test/multiple", "payload": "test 1"},
    ("paho/test/multiple", "test 2", 0, False),
]
publish.single("paho/test/single", "boo", retain=True, **where)
m = subscribe.simple("paho/test/single", **where)
print(m.topic, m.payload)


def print_msg(client, userdata, message):
    print("%s : %s" % (message.topic, message.payload))
    userdata["message_count"] += 1
    if userdata["message_count"] == 1:  # the retained one, so we are subscribed
        threading.Thread(target=publish.multiple, args=[msgs], kwargs=where).start()
    if userdata["message_count"] >= 3:
        client.disconnect()


subscribe.callback(print_msg, "paho/test/#", userdata={"message_count": 0}, **where)
