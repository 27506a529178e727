/* SPDX-License-Identifier: MIT */
/* PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5.0 sections 3.4 to 3.7). */
#ifndef MQUIC_MQTT_ACK_H
#define MQUIC_MQTT_ACK_H

#include "mqtt/packet.h"
#include "mqtt/property.h"

struct mqtt_ack {
	enum mqtt_type type;
	uint16_t packet_id;
	uint8_t reason; /* 0 in 3.1.1, which has none */
	struct mqtt_properties properties;
};

enum mqtt_reason mqtt_ack_read(struct mqtt_ack *ack, const struct mqtt_packet *packet, int version);
void mqtt_ack_write(struct buf_writer *writer, const struct mqtt_ack *ack, int version);

#endif
