/* SPDX-License-Identifier: MIT */
/*
 * The body of mquic_message. A message that came from the wire, or is a copy, is one
 * allocation: the structure with everything it points to behind it. What a setter changes later
 * gets memory of its own.
 */
#ifndef MQUIC_MQTT_MESSAGE_H
#define MQUIC_MQTT_MESSAGE_H

#include "core/text.h"
#include "mqtt/publish.h"
#include "mquic.h"

/* What most messages do not have. */
struct mqtt_message_extras {
	struct text content_type;
	struct text response_topic;
	struct text correlation_data;
	struct mqtt_pairs pairs;
	uint32_t *subscription_ids;
	size_t subscription_id_count;
};

struct mquic_message {
	size_t block_size; /* of this allocation; what points into it is not freed by itself */
	struct text topic;
	struct text payload;
	struct mqtt_message_extras *extras; /* NULL: none */
	const char *note;                   /* about the last call that failed; NULL: none has */
	uint32_t expiry_s;
	uint16_t packet_id;
	uint16_t topic_alias;
	uint8_t qos;
	bool retain;
	bool duplicate;
	bool has_expiry;
	bool utf8_payload;
};

/* A message in one allocation from a packet that was read or filled; NULL if out of memory. */
struct mquic_message *mqtt_message_pack(const struct mqtt_publish *publish);

/* Fills `publish` with what is in the message; it points into the message. */
void mqtt_message_view(const struct mquic_message *message, struct mqtt_publish *publish);

#endif
