/* SPDX-License-Identifier: MIT */
/* DISCONNECT and AUTH (MQTT 5.0 sections 3.14 and 3.15). */
#ifndef MQUIC_MQTT_DISCONNECT_H
#define MQUIC_MQTT_DISCONNECT_H

#include "mqtt/packet.h"
#include "mqtt/property.h"

struct mqtt_disconnect {
	enum mqtt_type type; /* MQTT_DISCONNECT or MQTT_AUTH */
	uint8_t reason;      /* 0 in 3.1.1, which has none */
	struct mqtt_properties properties;
};

/* AUTH is a protocol error in 3.1.1. */
enum mqtt_reason mqtt_disconnect_read(struct mqtt_disconnect *disconnect,
				      const struct mqtt_packet *packet, int version);
void mqtt_disconnect_write(struct buf_writer *writer, const struct mqtt_disconnect *disconnect,
			   int version);

#endif
