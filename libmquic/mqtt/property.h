/* SPDX-License-Identifier: MIT */
/*
 * MQTT 5.0 properties (section 2.2.2). Reading allocates nothing: texts point into the packet,
 * and repeated ones (user properties, subscription identifiers) are walked in place.
 */
#ifndef MQUIC_MQTT_PROPERTY_H
#define MQUIC_MQTT_PROPERTY_H

#include "core/buf.h"
#include "mqtt/reason.h"
#include "mquic.h"

/* The identifiers of section 2.2.2.2. */
enum mqtt_property {
	MQTT_PAYLOAD_FORMAT = 0x01,
	MQTT_MESSAGE_EXPIRY = 0x02,
	MQTT_CONTENT_TYPE = 0x03,
	MQTT_RESPONSE_TOPIC = 0x08,
	MQTT_CORRELATION_DATA = 0x09,
	MQTT_SUBSCRIPTION_ID = 0x0b,
	MQTT_SESSION_EXPIRY = 0x11,
	MQTT_ASSIGNED_CLIENT_ID = 0x12,
	MQTT_SERVER_KEEP_ALIVE = 0x13,
	MQTT_AUTH_METHOD = 0x15,
	MQTT_AUTH_DATA = 0x16,
	MQTT_REQUEST_PROBLEM_INFO = 0x17,
	MQTT_WILL_DELAY = 0x18,
	MQTT_REQUEST_RESPONSE_INFO = 0x19,
	MQTT_RESPONSE_INFO = 0x1a,
	MQTT_SERVER_REFERENCE = 0x1c,
	MQTT_REASON_STRING = 0x1f,
	MQTT_RECEIVE_MAXIMUM = 0x21,
	MQTT_TOPIC_ALIAS_MAXIMUM = 0x22,
	MQTT_TOPIC_ALIAS = 0x23,
	MQTT_MAXIMUM_QOS = 0x24,
	MQTT_RETAIN_AVAILABLE = 0x25,
	MQTT_USER_PROPERTY = 0x26,
	MQTT_MAXIMUM_PACKET_SIZE = 0x27,
	MQTT_WILDCARDS_AVAILABLE = 0x28,
	MQTT_SUBSCRIPTION_IDS_AVAILABLE = 0x29,
	MQTT_SHARED_AVAILABLE = 0x2a
};

#define MQTT_PROPERTY_END 0x2b

/* Where a set of properties stands: a packet type of mqtt/packet.h, or the will in CONNECT. */
#define MQTT_IN_WILL 0

/* One user property: the name, a NUL, the value, a NUL, in one allocation or somebody's block. */
struct mqtt_pair {
	const char *name;
	uint16_t name_len;
	uint16_t value_len;
};

/* A growing list of user properties that owns its pairs. */
struct mqtt_pairs {
	struct mqtt_pair *items;
	size_t count;
};

/* Adds a copy. MQTT_MALFORMED_PACKET: not UTF-8 or too long; MQTT_QUOTA_EXCEEDED: no memory. */
enum mqtt_reason mqtt_pairs_add(struct mqtt_pairs *pairs, struct bytes name, struct bytes value);
/*
 * Replaces the array, which is somebody else's, by one that mqtt_pairs_add() can grow; the texts of
 * the pairs stay where they are. False if out of memory.
 */
bool mqtt_pairs_detach(struct mqtt_pairs *pairs);
void mqtt_pairs_clear(struct mqtt_pairs *pairs);
/*
 * The same for a program, with lengths that may be MQUIC_NUL_TERMINATED; a refusal leaves its
 * sentence in `note`.
 */
enum mquic_status mqtt_pairs_add_for(struct mqtt_pairs *pairs, const char *name, size_t name_len,
				     const char *value, size_t value_len, const char **note);
/* Lays a pair out at `at` and returns the bytes taken, name.len + value.len + 2. */
size_t mqtt_pair_store(struct mqtt_pair *pair, char *at, struct bytes name, struct bytes value);
const char *mqtt_pair_value(const struct mqtt_pair *pair);

/* The properties of one packet, or of the will. */
struct mqtt_properties {
	uint64_t present; /* one bit for each identifier */
	uint32_t numbers[MQTT_PROPERTY_END];
	struct bytes texts[MQTT_PROPERTY_END];
	size_t pair_count;
	size_t subscription_id_count;
	/* reading: the section itself, for mqtt_properties_next_pair() and _next_id() */
	struct bytes section;
	/* writing: what the counts count */
	const struct mqtt_pair *pairs;
	const uint32_t *subscription_ids;
};

/* None of them. */
void mqtt_properties_init(struct mqtt_properties *properties);
void mqtt_properties_unset(struct mqtt_properties *properties, enum mqtt_property id);

/* What to write besides: `pairs` and `ids` must outlive the set. */
void mqtt_properties_set_pairs(struct mqtt_properties *properties, const struct mqtt_pair *pairs,
			       size_t count);
void mqtt_properties_set_ids(struct mqtt_properties *properties, const uint32_t *ids, size_t count);

/* Whether there are none at all. */
bool mqtt_properties_is_empty(const struct mqtt_properties *properties);

bool mqtt_properties_has(const struct mqtt_properties *properties, enum mqtt_property id);
/* The value of a number or flag, `fallback` if it is absent. */
uint32_t mqtt_properties_number(const struct mqtt_properties *properties, enum mqtt_property id,
				uint32_t fallback);
/* The value of a text or binary property; data NULL if it is absent. */
struct bytes mqtt_properties_text(const struct mqtt_properties *properties, enum mqtt_property id);
void mqtt_properties_set_number(struct mqtt_properties *properties, enum mqtt_property id,
				uint32_t value);
void mqtt_properties_set_text(struct mqtt_properties *properties, enum mqtt_property id,
			      struct bytes value);

/* Walk over what was read; `walk` starts as buf_reader_of(properties->section). */
bool mqtt_properties_next_pair(struct buf_reader *walk, struct bytes *name, struct bytes *value);
bool mqtt_properties_next_id(struct buf_reader *walk, uint32_t *id);
/* Any property: `walk` goes over it, and it is of this kind. */
bool mqtt_properties_next(struct buf_reader *walk, uint32_t *id);

/*
 * Reads property length and properties as they may stand in packet type `where`. What is wrong is
 * told by the reason code; a reader that runs dry is left failed and is the caller's to notice.
 */
enum mqtt_reason mqtt_properties_read(struct mqtt_properties *properties, struct buf_reader *reader,
				      int where);

/* Writes property length and properties; NULL writes a length of 0. */
void mqtt_properties_write(struct buf_writer *writer, const struct mqtt_properties *properties);

/* ---- The data types of section 1.5 that need more than the cursor ---- */

/* Variable byte integer; an overlong or fifth byte makes the reader fail. */
uint32_t mqtt_read_varint(struct buf_reader *reader);
void mqtt_write_varint(struct buf_writer *writer, uint32_t value);
/* UTF-8 string with a two byte length; ill-formed text makes the reader fail. */
struct bytes mqtt_read_text(struct buf_reader *reader);
/* Binary data with a two byte length. */
struct bytes mqtt_read_binary(struct buf_reader *reader);
/* Writes text or binary data; more than 65535 bytes make the writer fail. */
void mqtt_write_binary(struct buf_writer *writer, struct bytes value);

#define MQTT_VARINT_MAX 268435455u

#endif
