/* SPDX-License-Identifier: MIT */
#include "mqtt/property.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "mqtt/packet.h"

enum value_type {
	VALUE_NONE, /* no such property */
	VALUE_FLAG, /* a byte that is 0 or 1 */
	VALUE_U16,
	VALUE_U32,
	VALUE_VARINT,
	VALUE_TEXT,
	VALUE_BINARY,
	VALUE_PAIR
};

struct rule {
	enum value_type type;
	bool nonzero;   /* 0 is a protocol error */
	uint32_t where; /* one bit for each packet type */
};

#define IN(type) (1u << (type))

#define IN_MESSAGE (IN(MQTT_PUBLISH) | IN(MQTT_IN_WILL))
#define IN_AUTH    (IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_AUTH))
#define IN_REASON                                                                                  \
	(IN(MQTT_CONNACK) | IN(MQTT_PUBACK) | IN(MQTT_PUBREC) | IN(MQTT_PUBREL) |                  \
	 IN(MQTT_PUBCOMP) | IN(MQTT_SUBACK) | IN(MQTT_UNSUBACK) | IN(MQTT_DISCONNECT) |            \
	 IN(MQTT_AUTH))
#define IN_ANY                                                                                     \
	(IN_REASON | IN_MESSAGE | IN(MQTT_CONNECT) | IN(MQTT_SUBSCRIBE) | IN(MQTT_UNSUBSCRIBE))

/* Table 2-4 of MQTT 5.0. */
static const struct rule rules[MQTT_PROPERTY_END] = {
	[MQTT_PAYLOAD_FORMAT] = {VALUE_FLAG, false, IN_MESSAGE},
	[MQTT_MESSAGE_EXPIRY] = {VALUE_U32, false, IN_MESSAGE},
	[MQTT_CONTENT_TYPE] = {VALUE_TEXT, false, IN_MESSAGE},
	[MQTT_RESPONSE_TOPIC] = {VALUE_TEXT, false, IN_MESSAGE},
	[MQTT_CORRELATION_DATA] = {VALUE_BINARY, false, IN_MESSAGE},
	[MQTT_SUBSCRIPTION_ID] = {VALUE_VARINT, true, IN(MQTT_PUBLISH) | IN(MQTT_SUBSCRIBE)},
	[MQTT_SESSION_EXPIRY] = {VALUE_U32, false,
				 IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT)},
	[MQTT_ASSIGNED_CLIENT_ID] = {VALUE_TEXT, false, IN(MQTT_CONNACK)},
	[MQTT_SERVER_KEEP_ALIVE] = {VALUE_U16, false, IN(MQTT_CONNACK)},
	[MQTT_AUTH_METHOD] = {VALUE_TEXT, false, IN_AUTH},
	[MQTT_AUTH_DATA] = {VALUE_BINARY, false, IN_AUTH},
	[MQTT_REQUEST_PROBLEM_INFO] = {VALUE_FLAG, false, IN(MQTT_CONNECT)},
	[MQTT_WILL_DELAY] = {VALUE_U32, false, IN(MQTT_IN_WILL)},
	[MQTT_REQUEST_RESPONSE_INFO] = {VALUE_FLAG, false, IN(MQTT_CONNECT)},
	[MQTT_RESPONSE_INFO] = {VALUE_TEXT, false, IN(MQTT_CONNACK)},
	[MQTT_SERVER_REFERENCE] = {VALUE_TEXT, false, IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT)},
	[MQTT_REASON_STRING] = {VALUE_TEXT, false, IN_REASON},
	[MQTT_RECEIVE_MAXIMUM] = {VALUE_U16, true, IN(MQTT_CONNECT) | IN(MQTT_CONNACK)},
	[MQTT_TOPIC_ALIAS_MAXIMUM] = {VALUE_U16, false, IN(MQTT_CONNECT) | IN(MQTT_CONNACK)},
	[MQTT_TOPIC_ALIAS] = {VALUE_U16, true, IN(MQTT_PUBLISH)},
	[MQTT_MAXIMUM_QOS] = {VALUE_FLAG, false, IN(MQTT_CONNACK)},
	[MQTT_RETAIN_AVAILABLE] = {VALUE_FLAG, false, IN(MQTT_CONNACK)},
	[MQTT_USER_PROPERTY] = {VALUE_PAIR, false, IN_ANY},
	[MQTT_MAXIMUM_PACKET_SIZE] = {VALUE_U32, true, IN(MQTT_CONNECT) | IN(MQTT_CONNACK)},
	[MQTT_WILDCARDS_AVAILABLE] = {VALUE_FLAG, false, IN(MQTT_CONNACK)},
	[MQTT_SUBSCRIPTION_IDS_AVAILABLE] = {VALUE_FLAG, false, IN(MQTT_CONNACK)},
	[MQTT_SHARED_AVAILABLE] = {VALUE_FLAG, false, IN(MQTT_CONNACK)},
};

uint32_t mqtt_read_varint(struct buf_reader *reader)
{
	uint32_t value = 0;
	unsigned int shift;

	for (shift = 0; shift < 28; shift += 7) {
		uint8_t byte = buf_read_u8(reader);

		value |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			if (byte == 0 && shift > 0)
				buf_reader_fail(reader);
			return value;
		}
	}
	buf_reader_fail(reader);
	return 0;
}

void mqtt_write_varint(struct buf_writer *writer, uint32_t value)
{
	if (value > MQTT_VARINT_MAX) {
		writer->failed = true;
		return;
	}
	while (value >= 0x80) {
		buf_write_u8(writer, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	buf_write_u8(writer, (uint8_t)value);
}

struct bytes mqtt_read_binary(struct buf_reader *reader)
{
	size_t len = buf_read_u16(reader);

	return buf_read_bytes(reader, len);
}

struct bytes mqtt_read_text(struct buf_reader *reader)
{
	struct bytes text = mqtt_read_binary(reader);

	if (!text_is_utf8((const char *)text.data, text.len))
		buf_reader_fail(reader);
	return text;
}

void mqtt_write_binary(struct buf_writer *writer, struct bytes value)
{
	if (value.len > UINT16_MAX) {
		writer->failed = true;
		return;
	}
	buf_write_u16(writer, (uint16_t)value.len);
	buf_write_bytes(writer, value);
}

/* ---- User properties as a list ---- */

/* What mqtt_pairs_add() has allocated when there are `count` pairs. */
static size_t capacity_of(size_t count)
{
	size_t capacity = 4;

	while (capacity < count)
		capacity *= 2;
	return capacity;
}

static bool pairs_grow(struct mqtt_pairs *pairs)
{
	struct mqtt_pair *items;

	if (pairs->count > 0 && pairs->count < capacity_of(pairs->count))
		return true;
	items = realloc(pairs->items, capacity_of(pairs->count + 1) * sizeof(*items));
	if (items == NULL)
		return false;
	pairs->items = items;
	return true;
}

bool mqtt_pairs_detach(struct mqtt_pairs *pairs)
{
	struct mqtt_pair *items = malloc(capacity_of(pairs->count) * sizeof(*items));

	if (items == NULL)
		return false;
	if (pairs->count > 0)
		memcpy(items, pairs->items, pairs->count * sizeof(*items));
	pairs->items = items;
	return true;
}

enum mqtt_reason mqtt_pairs_add(struct mqtt_pairs *pairs, struct bytes name, struct bytes value)
{
	char *copy;

	if (name.len > UINT16_MAX || value.len > UINT16_MAX ||
	    !text_is_utf8((const char *)name.data, name.len) ||
	    !text_is_utf8((const char *)value.data, value.len))
		return MQTT_MALFORMED_PACKET;
	if (!pairs_grow(pairs))
		return MQTT_QUOTA_EXCEEDED;
	copy = malloc(name.len + value.len + 2);
	if (copy == NULL)
		return MQTT_QUOTA_EXCEEDED;
	mqtt_pair_store(&pairs->items[pairs->count++], copy, name, value);
	return MQTT_SUCCESS;
}

enum mquic_status mqtt_pairs_add_for(struct mqtt_pairs *pairs, const char *name, size_t name_len,
				     const char *value, size_t value_len, const char **note)
{
	enum mqtt_reason reason = MQTT_MALFORMED_PACKET;

	if (name != NULL && value != NULL)
		reason = mqtt_pairs_add(pairs, bytes_of(name, text_length(name, name_len)),
					bytes_of(value, text_length(value, value_len)));
	if (reason == MQTT_SUCCESS)
		return MQUIC_OK;
	if (reason != MQTT_MALFORMED_PACKET)
		return error_note(note, MQUIC_ERR_MEMORY, "out of memory");
	return error_note(note, MQUIC_ERR_INVALID,
			  "a user property needs a name and a value, both UTF-8 text of at most "
			  "65535 bytes without NUL characters");
}

size_t mqtt_pair_store(struct mqtt_pair *pair, char *at, struct bytes name, struct bytes value)
{
	pair->name = at;
	pair->name_len = (uint16_t)name.len;
	pair->value_len = (uint16_t)value.len;
	if (name.len > 0)
		memcpy(at, name.data, name.len);
	at += name.len;
	*at++ = '\0';
	if (value.len > 0)
		memcpy(at, value.data, value.len);
	at[value.len] = '\0';
	return name.len + value.len + 2;
}

void mqtt_pairs_clear(struct mqtt_pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->count; i++)
		free((char *)(uintptr_t)pairs->items[i].name);
	free(pairs->items);
	pairs->items = NULL;
	pairs->count = 0;
}

const char *mqtt_pair_value(const struct mqtt_pair *pair)
{
	return pair->name + pair->name_len + 1;
}

/* ---- The set ---- */

void mqtt_properties_init(struct mqtt_properties *properties)
{
	properties->present = 0;
	properties->pair_count = 0;
	properties->subscription_id_count = 0;
	properties->section = bytes_of(NULL, 0);
	properties->pairs = NULL;
	properties->subscription_ids = NULL;
}

void mqtt_properties_unset(struct mqtt_properties *properties, enum mqtt_property id)
{
	properties->present &= ~(1ull << id);
}

void mqtt_properties_set_pairs(struct mqtt_properties *properties, const struct mqtt_pair *pairs,
			       size_t count)
{
	properties->pairs = pairs;
	properties->pair_count = count;
}

void mqtt_properties_set_ids(struct mqtt_properties *properties, const uint32_t *ids, size_t count)
{
	properties->subscription_ids = ids;
	properties->subscription_id_count = count;
}

bool mqtt_properties_is_empty(const struct mqtt_properties *properties)
{
	return properties->present == 0 && properties->pair_count == 0 &&
	       properties->subscription_id_count == 0;
}

bool mqtt_properties_has(const struct mqtt_properties *properties, enum mqtt_property id)
{
	return (properties->present >> id & 1) != 0;
}

uint32_t mqtt_properties_number(const struct mqtt_properties *properties, enum mqtt_property id,
				uint32_t fallback)
{
	return mqtt_properties_has(properties, id) ? properties->numbers[id] : fallback;
}

struct bytes mqtt_properties_text(const struct mqtt_properties *properties, enum mqtt_property id)
{
	if (!mqtt_properties_has(properties, id))
		return bytes_of(NULL, 0);
	return properties->texts[id];
}

void mqtt_properties_set_number(struct mqtt_properties *properties, enum mqtt_property id,
				uint32_t value)
{
	properties->present |= 1ull << id;
	properties->numbers[id] = value;
}

void mqtt_properties_set_text(struct mqtt_properties *properties, enum mqtt_property id,
			      struct bytes value)
{
	properties->present |= 1ull << id;
	properties->texts[id] = value;
}

/* ---- Reading ---- */

/* Reads one value; `*number` or `*text` gets it, the name of a pair goes to `*name`. */
static void read_value(struct buf_reader *reader, enum value_type type, uint32_t *number,
		       struct bytes *name, struct bytes *text)
{
	switch (type) {
	case VALUE_FLAG:
		*number = buf_read_u8(reader);
		break;
	case VALUE_U16:
		*number = buf_read_u16(reader);
		break;
	case VALUE_U32:
		*number = buf_read_u32(reader);
		break;
	case VALUE_VARINT:
		*number = mqtt_read_varint(reader);
		break;
	case VALUE_TEXT:
		*text = mqtt_read_text(reader);
		break;
	case VALUE_BINARY:
		*text = mqtt_read_binary(reader);
		break;
	case VALUE_PAIR:
		*name = mqtt_read_text(reader);
		*text = mqtt_read_text(reader);
		break;
	case VALUE_NONE:
		buf_reader_fail(reader);
		break;
	}
}

/* Those that may come more than once are counted, all others must be new. */
static bool may_repeat(uint32_t id, int where)
{
	return id == MQTT_USER_PROPERTY || (id == MQTT_SUBSCRIPTION_ID && where == MQTT_PUBLISH);
}

static enum mqtt_reason read_property(struct mqtt_properties *properties, struct buf_reader *reader,
				      int where)
{
	uint32_t id = mqtt_read_varint(reader);
	const struct rule *rule;
	uint32_t number = 0;
	struct bytes name;
	struct bytes text = {NULL, 0};

	if (reader->failed || id >= MQTT_PROPERTY_END || (rules[id].where & IN(where)) == 0)
		return MQTT_MALFORMED_PACKET;
	rule = &rules[id];
	if ((properties->present >> id & 1) != 0 && !may_repeat(id, where))
		return MQTT_PROTOCOL_ERROR;
	read_value(reader, rule->type, &number, &name, &text);
	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	if ((rule->nonzero && number == 0) || (rule->type == VALUE_FLAG && number > 1))
		return id == MQTT_TOPIC_ALIAS ? MQTT_TOPIC_ALIAS_INVALID : MQTT_PROTOCOL_ERROR;
	properties->present |= 1ull << id;
	properties->numbers[id] = number;
	properties->texts[id] = text;
	properties->pair_count += id == MQTT_USER_PROPERTY;
	properties->subscription_id_count += id == MQTT_SUBSCRIPTION_ID;
	return MQTT_SUCCESS;
}

enum mqtt_reason mqtt_properties_read(struct mqtt_properties *properties, struct buf_reader *reader,
				      int where)
{
	struct buf_reader section;
	uint32_t len;

	mqtt_properties_init(properties);
	len = mqtt_read_varint(reader);
	properties->section = buf_read_bytes(reader, len);
	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	section = buf_reader_of(properties->section);
	while (section.left > 0) {
		enum mqtt_reason reason = read_property(properties, &section, where);

		if (reason != MQTT_SUCCESS)
			return reason;
	}
	if (mqtt_properties_has(properties, MQTT_AUTH_DATA) &&
	    !mqtt_properties_has(properties, MQTT_AUTH_METHOD))
		return MQTT_PROTOCOL_ERROR;
	return MQTT_SUCCESS;
}

/* Steps to the next property `wanted`; the values are those of read_value(). */
static bool walk_to(struct buf_reader *walk, uint32_t wanted, uint32_t *number, struct bytes *name,
		    struct bytes *text)
{
	while (walk->left > 0) {
		uint32_t id = mqtt_read_varint(walk);

		if (id >= MQTT_PROPERTY_END)
			return false;
		read_value(walk, rules[id].type, number, name, text);
		if (id == wanted)
			return !walk->failed;
	}
	return false;
}

bool mqtt_properties_next(struct buf_reader *walk, uint32_t *id)
{
	uint32_t number;
	struct bytes pair[2];

	*id = walk->left > 0 ? walk->next[0] : 0; /* of one byte all */
	return walk_to(walk, *id, &number, &pair[0], &pair[1]);
}

bool mqtt_properties_next_pair(struct buf_reader *walk, struct bytes *name, struct bytes *value)
{
	uint32_t number;

	return walk_to(walk, MQTT_USER_PROPERTY, &number, name, value);
}

bool mqtt_properties_next_id(struct buf_reader *walk, uint32_t *id)
{
	struct bytes name;
	struct bytes value;

	return walk_to(walk, MQTT_SUBSCRIPTION_ID, id, &name, &value);
}

/* ---- Writing ---- */

static void write_value(struct buf_writer *writer, const struct mqtt_properties *properties,
			uint32_t id)
{
	uint32_t number = properties->numbers[id];

	buf_write_u8(writer, (uint8_t)id);
	switch (rules[id].type) {
	case VALUE_FLAG:
		buf_write_u8(writer, (uint8_t)number);
		break;
	case VALUE_U16:
		buf_write_u16(writer, (uint16_t)number);
		break;
	case VALUE_U32:
		buf_write_u32(writer, number);
		break;
	case VALUE_TEXT:
	case VALUE_BINARY:
		mqtt_write_binary(writer, properties->texts[id]);
		break;
	case VALUE_VARINT:
	case VALUE_PAIR:
	case VALUE_NONE:
		writer->failed = true;
		break;
	}
}

static void write_section(struct buf_writer *writer, const struct mqtt_properties *properties)
{
	uint64_t rest = properties->present;
	size_t i;

	rest &= ~(1ull << MQTT_USER_PROPERTY | 1ull << MQTT_SUBSCRIPTION_ID);
	while (rest != 0) {
		write_value(writer, properties, (uint32_t)__builtin_ctzll(rest));
		rest &= rest - 1;
	}
	for (i = 0; i < properties->subscription_id_count; i++) {
		buf_write_u8(writer, MQTT_SUBSCRIPTION_ID);
		mqtt_write_varint(writer, properties->subscription_ids[i]);
	}
	for (i = 0; i < properties->pair_count; i++) {
		const struct mqtt_pair *pair = &properties->pairs[i];

		buf_write_u8(writer, MQTT_USER_PROPERTY);
		mqtt_write_binary(writer, bytes_of(pair->name, pair->name_len));
		mqtt_write_binary(writer, bytes_of(mqtt_pair_value(pair), pair->value_len));
	}
}

void mqtt_properties_write(struct buf_writer *writer, const struct mqtt_properties *properties)
{
	struct buf_writer counter;

	if (properties == NULL || mqtt_properties_is_empty(properties)) {
		buf_write_u8(writer, 0);
		return;
	}
	buf_writer_init_counter(&counter);
	write_section(&counter, properties);
	if (counter.failed || counter.len > MQTT_VARINT_MAX) {
		writer->failed = true;
		return;
	}
	mqtt_write_varint(writer, (uint32_t)counter.len);
	write_section(writer, properties);
}
