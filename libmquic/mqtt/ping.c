/* SPDX-License-Identifier: MIT */
#include "mqtt/ping.h"

enum mqtt_reason mqtt_ping_read(const struct mqtt_packet *packet)
{
	if (!mqtt_packet_flags_valid(packet) || packet->body.len > 0)
		return MQTT_MALFORMED_PACKET;
	return MQTT_SUCCESS;
}

void mqtt_ping_write(struct buf_writer *writer, enum mqtt_type type)
{
	mqtt_header_write(writer, type, 0, 0);
}
