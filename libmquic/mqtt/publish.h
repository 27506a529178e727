/* SPDX-License-Identifier: MIT */
/* PUBLISH (MQTT 5.0 section 3.3). */
#ifndef MQUIC_MQTT_PUBLISH_H
#define MQUIC_MQTT_PUBLISH_H

#include "mqtt/packet.h"
#include "mqtt/property.h"

/* Everything points into the packet, or into whatever it was filled from. */
struct mqtt_publish {
	bool duplicate;
	uint8_t qos;
	bool retain;
	uint16_t packet_id; /* 0 for QoS 0 */
	struct bytes topic; /* empty if only a topic alias stands for it */
	struct bytes payload;
	struct mqtt_properties properties;
};

enum mqtt_reason mqtt_publish_read(struct mqtt_publish *publish, const struct mqtt_packet *packet,
				   int version);
void mqtt_publish_write(struct buf_writer *writer, const struct mqtt_publish *publish, int version);

/* The size of the packet that mqtt_publish_write() makes; SIZE_MAX if it cannot be written. */
size_t mqtt_publish_size(const struct mqtt_publish *publish, int version);

#endif
