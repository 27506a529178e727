/* SPDX-License-Identifier: MIT */
/*
 * Topic aliases (MQTT 5.0 section 3.3.2.3.4): numbers that stand for topics on one network
 * connection, in each direction its own. Both tables are emptied when the connection is lost.
 */
#ifndef MQUIC_MQTT_ALIAS_H
#define MQUIC_MQTT_ALIAS_H

#include "core/text.h"
#include "mqtt/publish.h"

/* What the peer's topics may take, so that its aliases cannot eat our memory. */
#define MQTT_ALIAS_BYTES_MAX 4194304u

/* Aliases the peer has defined. */
struct mqtt_alias_in {
	struct text *topics; /* index: alias - 1 */
	size_t count;        /* of the array, which grows to the largest alias used */
	uint16_t maximum;
	size_t bytes;
};

void mqtt_alias_in_init(struct mqtt_alias_in *aliases, uint16_t maximum);
void mqtt_alias_in_clear(struct mqtt_alias_in *aliases);

/*
 * Remembers or fills in the topic of a PUBLISH that carries an alias; leaves others alone. The
 * topic is valid until the next call. MQTT_TOPIC_ALIAS_INVALID: above the maximum;
 * MQTT_PROTOCOL_ERROR: never defined; MQTT_QUOTA_EXCEEDED: too much memory.
 */
enum mqtt_reason mqtt_alias_in_resolve(struct mqtt_alias_in *aliases, struct mqtt_publish *publish);

/* Aliases we have defined, for the first topics that came along. */
struct mqtt_alias_out {
	struct mqtt_alias_entry **buckets;
	size_t bucket_count; /* a power of two, 0 before the first */
	uint16_t maximum;
	uint16_t used;
};

void mqtt_alias_out_init(struct mqtt_alias_out *aliases, uint16_t maximum);
void mqtt_alias_out_clear(struct mqtt_alias_out *aliases);

/* The alias for a topic: known, or (`*known` false) the next free one; 0 if there is none. */
uint16_t mqtt_alias_out_find(const struct mqtt_alias_out *aliases, struct bytes topic, bool *known);

/* The next free alias has been sent with the topic. Without memory it just stays free. */
void mqtt_alias_out_define(struct mqtt_alias_out *aliases, struct bytes topic);

#endif
