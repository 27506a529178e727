# SPDX-License-Identifier: MIT
"""
Many messages over plain TCP, one behind the other, in one thread.

mosquitto_pub -l is not for tests: it asks once, while another thread sends, whether its last
message is out, and if both look at the same moment it stays for ever.
"""

from paho.mqtt import publish


def publish_lines(host, port, topic, lines, qos=0):
    """Returns when the broker has acknowledged all; with QoS 0, when all are on their way."""
    messages = [{"topic": topic, "payload": line, "qos": qos} for line in lines]
    publish.multiple(messages, host, port)
