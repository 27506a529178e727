/* SPDX-License-Identifier: MIT */
/* SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (MQTT 5.0 sections 3.8 to 3.11). */
#ifndef MQUIC_MQTT_SUBSCRIBE_H
#define MQUIC_MQTT_SUBSCRIBE_H

#include "mqtt/packet.h"
#include "mqtt/property.h"

/* The options byte of section 3.8.3.1. */
#define MQTT_OPTION_QOS             0x03
#define MQTT_OPTION_NO_LOCAL        0x04
#define MQTT_OPTION_AS_PUBLISHED    0x08
#define MQTT_OPTION_RETAIN_HANDLING 0x30
#define MQTT_OPTION_RESERVED        0xc0

struct mqtt_filter {
	struct bytes filter;
	uint8_t options; /* 0 in UNSUBSCRIBE */
};

struct mqtt_subscribe {
	enum mqtt_type type; /* MQTT_SUBSCRIBE or MQTT_UNSUBSCRIBE */
	uint16_t packet_id;
	struct mqtt_properties properties;
	size_t filter_count;
	struct bytes section;              /* reading: for mqtt_subscribe_next() */
	const struct mqtt_filter *filters; /* writing */
};

enum mqtt_reason mqtt_subscribe_read(struct mqtt_subscribe *subscribe,
				     const struct mqtt_packet *packet, int version);
/* Walk over the filters of what was read; `walk` starts as buf_reader_of(subscribe->section). */
bool mqtt_subscribe_next(const struct mqtt_subscribe *subscribe, struct buf_reader *walk,
			 struct mqtt_filter *filter);
void mqtt_subscribe_write(struct buf_writer *writer, const struct mqtt_subscribe *subscribe,
			  int version);

struct mqtt_suback {
	enum mqtt_type type; /* MQTT_SUBACK or MQTT_UNSUBACK */
	uint16_t packet_id;
	struct mqtt_properties properties;
	struct bytes reasons; /* one for each filter; none in the UNSUBACK of 3.1.1 */
};

enum mqtt_reason mqtt_suback_read(struct mqtt_suback *suback, const struct mqtt_packet *packet,
				  int version);
void mqtt_suback_write(struct buf_writer *writer, const struct mqtt_suback *suback, int version);

#endif
