# SPDX-License-Identifier: MIT
"""The types of packets, where ``paho.mqtt.packettypes`` has them."""

from .reasoncodes import PacketTypes

__all__ = ["PacketTypes"]
