/* SPDX-License-Identifier: MIT */
#include "mqtt/message.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/topic.h"

/* ---- One block ---- */

/* Whether `data` lies in the message's own allocation. */
static bool is_inside(const struct mquic_message *message, const void *data)
{
	uintptr_t start = (uintptr_t)message;
	uintptr_t at = (uintptr_t)data;

	return at >= start && at - start < message->block_size;
}

static void release(const struct mquic_message *message, void *data)
{
	if (!is_inside(message, data))
		free(data);
}

static bool has_extras(const struct mqtt_publish *publish)
{
	const struct mqtt_properties *properties = &publish->properties;

	return properties->pair_count > 0 || properties->subscription_id_count > 0 ||
	       mqtt_properties_has(properties, MQTT_CONTENT_TYPE) ||
	       mqtt_properties_has(properties, MQTT_RESPONSE_TOPIC) ||
	       mqtt_properties_has(properties, MQTT_CORRELATION_DATA);
}

/* The pairs of a set that was read or filled, one after the other. */
struct pair_walk {
	const struct mqtt_properties *properties;
	struct buf_reader reader;
	size_t next;
};

static struct pair_walk pair_walk_of(const struct mqtt_properties *properties)
{
	struct pair_walk walk = {properties, buf_reader_of(properties->section), 0};

	return walk;
}

static bool pair_walk_next(struct pair_walk *walk, struct bytes *name, struct bytes *value)
{
	const struct mqtt_pair *pair;

	if (walk->next == walk->properties->pair_count)
		return false;
	if (walk->properties->pairs == NULL) {
		walk->next++;
		return mqtt_properties_next_pair(&walk->reader, name, value);
	}
	pair = &walk->properties->pairs[walk->next++];
	*name = bytes_of(pair->name, pair->name_len);
	*value = bytes_of(mqtt_pair_value(pair), pair->value_len);
	return true;
}

/* Where the parts of a block go: arrays first, because they must be aligned, then texts. */
struct block {
	char *array;
	char *text;
};

/* What pack_extras() takes: arrays and texts. */
static size_t extras_size(const struct mqtt_properties *properties, size_t *arrays)
{
	struct pair_walk walk = pair_walk_of(properties);
	struct bytes name;
	struct bytes value;
	size_t texts = 3;

	*arrays = sizeof(struct mqtt_message_extras) +
		  properties->pair_count * sizeof(struct mqtt_pair) +
		  properties->subscription_id_count * sizeof(uint32_t);
	texts += mqtt_properties_text(properties, MQTT_CONTENT_TYPE).len;
	texts += mqtt_properties_text(properties, MQTT_RESPONSE_TOPIC).len;
	texts += mqtt_properties_text(properties, MQTT_CORRELATION_DATA).len;
	while (pair_walk_next(&walk, &name, &value))
		texts += name.len + value.len + 2;
	return texts;
}

static struct text pack_text(struct block *block, struct bytes bytes)
{
	struct text text = {NULL, 0};

	if (bytes.data == NULL)
		return text;
	text.data = block->text;
	text.len = bytes.len;
	memcpy(text.data, bytes.data, bytes.len);
	text.data[bytes.len] = '\0';
	block->text += bytes.len + 1;
	return text;
}

static void *pack_array(struct block *block, size_t size)
{
	void *array = block->array;

	block->array += size;
	return array;
}

static void pack_ids(struct mqtt_message_extras *extras, struct block *block,
		     const struct mqtt_properties *properties)
{
	struct buf_reader walk = buf_reader_of(properties->section);
	size_t count = properties->subscription_id_count;
	size_t i;

	extras->subscription_ids = pack_array(block, count * sizeof(uint32_t));
	for (i = 0; i < count; i++) {
		if (properties->subscription_ids != NULL)
			extras->subscription_ids[i] = properties->subscription_ids[i];
		else if (!mqtt_properties_next_id(&walk, &extras->subscription_ids[i]))
			break;
	}
	extras->subscription_id_count = i;
}

static struct mqtt_message_extras *pack_extras(struct block *block,
					       const struct mqtt_properties *properties)
{
	struct mqtt_message_extras *extras = pack_array(block, sizeof(*extras));
	struct pair_walk walk = pair_walk_of(properties);
	struct bytes name;
	struct bytes value;

	extras->pairs.items = pack_array(block, properties->pair_count * sizeof(struct mqtt_pair));
	extras->pairs.count = 0;
	pack_ids(extras, block, properties);
	extras->content_type =
		pack_text(block, mqtt_properties_text(properties, MQTT_CONTENT_TYPE));
	extras->response_topic =
		pack_text(block, mqtt_properties_text(properties, MQTT_RESPONSE_TOPIC));
	extras->correlation_data =
		pack_text(block, mqtt_properties_text(properties, MQTT_CORRELATION_DATA));
	while (pair_walk_next(&walk, &name, &value))
		block->text += mqtt_pair_store(&extras->pairs.items[extras->pairs.count++],
					       block->text, name, value);
	return extras;
}

struct mquic_message *mqtt_message_pack(const struct mqtt_publish *publish)
{
	const struct mqtt_properties *properties = &publish->properties;
	size_t texts = publish->topic.len + publish->payload.len + 2;
	size_t arrays = 0;
	struct mquic_message *message;
	struct block block;
	size_t size;

	if (has_extras(publish))
		texts += extras_size(properties, &arrays);
	size = sizeof(*message) + arrays + texts;
	message = malloc(size);
	if (message == NULL)
		return NULL;
	memset(message, 0, sizeof(*message));
	message->block_size = size;
	block.array = (char *)(message + 1);
	block.text = block.array + arrays;
	message->topic = pack_text(&block, publish->topic);
	message->payload = pack_text(&block, publish->payload);
	if (arrays > 0)
		message->extras = pack_extras(&block, properties);
	message->packet_id = publish->packet_id;
	message->topic_alias = (uint16_t)mqtt_properties_number(properties, MQTT_TOPIC_ALIAS, 0);
	message->qos = publish->qos;
	message->retain = publish->retain;
	message->duplicate = publish->duplicate;
	message->has_expiry = mqtt_properties_has(properties, MQTT_MESSAGE_EXPIRY);
	message->expiry_s = mqtt_properties_number(properties, MQTT_MESSAGE_EXPIRY, 0);
	message->utf8_payload = mqtt_properties_number(properties, MQTT_PAYLOAD_FORMAT, 0) != 0;
	return message;
}

static struct bytes bytes_of_text(const struct text *text)
{
	return bytes_of(text->data, text->len);
}

static void view_text(struct mqtt_properties *properties, enum mqtt_property id,
		      const struct text *text)
{
	if (text->data != NULL)
		mqtt_properties_set_text(properties, id, bytes_of_text(text));
}

void mqtt_message_view(const struct mquic_message *message, struct mqtt_publish *publish)
{
	const struct mqtt_message_extras *extras = message->extras;
	struct mqtt_properties *properties = &publish->properties;

	publish->duplicate = message->duplicate;
	publish->qos = message->qos;
	publish->retain = message->retain;
	publish->packet_id = message->packet_id;
	publish->topic = bytes_of_text(&message->topic);
	publish->payload = bytes_of_text(&message->payload);
	mqtt_properties_init(properties);
	if (message->has_expiry)
		mqtt_properties_set_number(properties, MQTT_MESSAGE_EXPIRY, message->expiry_s);
	if (message->utf8_payload)
		mqtt_properties_set_number(properties, MQTT_PAYLOAD_FORMAT, 1);
	if (extras == NULL)
		return;
	view_text(properties, MQTT_CONTENT_TYPE, &extras->content_type);
	view_text(properties, MQTT_RESPONSE_TOPIC, &extras->response_topic);
	view_text(properties, MQTT_CORRELATION_DATA, &extras->correlation_data);
	mqtt_properties_set_pairs(properties, extras->pairs.items, extras->pairs.count);
	mqtt_properties_set_ids(properties, extras->subscription_ids,
				extras->subscription_id_count);
}

/* ---- Life ---- */

enum mquic_status mquic_message_new(struct mquic_message **message)
{
	struct mquic_message *made;

	if (message == NULL)
		return MQUIC_ERR_INVALID;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	made->block_size = sizeof(*made);
	*message = made;
	return MQUIC_OK;
}

enum mquic_status mquic_message_copy(struct mquic_message **copy,
				     const struct mquic_message *message)
{
	struct mqtt_publish publish;
	struct mquic_message *made;

	if (copy == NULL || message == NULL)
		return MQUIC_ERR_INVALID;
	mqtt_message_view(message, &publish);
	made = mqtt_message_pack(&publish);
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	made->topic_alias = message->topic_alias;
	*copy = made;
	return MQUIC_OK;
}

static void extras_free(struct mquic_message *message)
{
	struct mqtt_message_extras *extras = message->extras;
	size_t i;

	if (extras == NULL)
		return;
	release(message, extras->content_type.data);
	release(message, extras->response_topic.data);
	release(message, extras->correlation_data.data);
	for (i = 0; i < extras->pairs.count; i++)
		release(message, (char *)(uintptr_t)extras->pairs.items[i].name);
	release(message, extras->pairs.items);
	release(message, extras->subscription_ids);
	release(message, extras);
}

void mquic_message_free(struct mquic_message *message)
{
	if (message == NULL)
		return;
	extras_free(message);
	release(message, message->topic.data);
	release(message, message->payload.data);
	free(message);
}

/* ---- Setters ---- */

/* Replaces one text by a copy; NULL data makes it absent. */
static enum mquic_status replace(struct mquic_message *message, struct text *text, const char *data,
				 size_t len)
{
	struct text made = {NULL, 0};

	if (!text_set(&made, data, len))
		return MQUIC_ERR_MEMORY;
	release(message, text->data);
	*text = made;
	return MQUIC_OK;
}

static struct mqtt_message_extras *extras_of(struct mquic_message *message)
{
	if (message->extras == NULL)
		message->extras = calloc(1, sizeof(*message->extras));
	return message->extras;
}

enum mquic_status mquic_message_set_topic(struct mquic_message *message, const char *topic,
					  size_t len)
{
	len = text_length(topic, len);
	if (message == NULL || topic == NULL || !mqtt_topic_is_name(bytes_of(topic, len)))
		return MQUIC_ERR_INVALID;
	return replace(message, &message->topic, topic, len);
}

enum mquic_status mquic_message_set_payload(struct mquic_message *message, const uint8_t *data,
					    size_t len)
{
	if (message == NULL || (data == NULL && len > 0))
		return MQUIC_ERR_INVALID;
	if (len > MQTT_VARINT_MAX)
		return MQUIC_ERR_TOO_LARGE;
	return replace(message, &message->payload, (const char *)data, len);
}

enum mquic_status mquic_message_set_qos(struct mquic_message *message, int qos)
{
	if (message == NULL || qos < 0 || qos > 2)
		return MQUIC_ERR_INVALID;
	message->qos = (uint8_t)qos;
	return MQUIC_OK;
}

enum mquic_status mquic_message_set_retain(struct mquic_message *message, bool retain)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	message->retain = retain;
	return MQUIC_OK;
}

enum mquic_status mquic_message_set_utf8_payload(struct mquic_message *message, bool utf8)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	message->utf8_payload = utf8;
	return MQUIC_OK;
}

enum mquic_status mquic_message_set_expiry_s(struct mquic_message *message, uint32_t seconds)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	message->has_expiry = true;
	message->expiry_s = seconds;
	return MQUIC_OK;
}

enum mquic_status mquic_message_set_content_type(struct mquic_message *message, const char *text,
						 size_t len)
{
	len = text_length(text, len);
	if (message == NULL || len > UINT16_MAX || !text_is_utf8(text, len))
		return MQUIC_ERR_INVALID;
	if (extras_of(message) == NULL)
		return MQUIC_ERR_MEMORY;
	return replace(message, &message->extras->content_type, text, len);
}

enum mquic_status mquic_message_set_response_topic(struct mquic_message *message, const char *topic,
						   size_t len)
{
	len = text_length(topic, len);
	if (message == NULL || (topic != NULL && !mqtt_topic_is_name(bytes_of(topic, len))))
		return MQUIC_ERR_INVALID;
	if (extras_of(message) == NULL)
		return MQUIC_ERR_MEMORY;
	return replace(message, &message->extras->response_topic, topic, len);
}

enum mquic_status mquic_message_set_correlation_data(struct mquic_message *message,
						     const uint8_t *data, size_t len)
{
	if (message == NULL || (data == NULL && len > 0) || len > UINT16_MAX)
		return MQUIC_ERR_INVALID;
	if (extras_of(message) == NULL)
		return MQUIC_ERR_MEMORY;
	return replace(message, &message->extras->correlation_data, (const char *)data, len);
}

enum mquic_status mquic_message_add_user_property(struct mquic_message *message, const char *name,
						  size_t name_len, const char *value,
						  size_t value_len)
{
	struct mqtt_pairs *pairs;

	if (message == NULL || name == NULL || value == NULL)
		return MQUIC_ERR_INVALID;
	if (extras_of(message) == NULL)
		return MQUIC_ERR_MEMORY;
	pairs = &message->extras->pairs;
	if (is_inside(message, pairs->items) && !mqtt_pairs_detach(pairs))
		return MQUIC_ERR_MEMORY;
	switch (mqtt_pairs_add(pairs, bytes_of(name, text_length(name, name_len)),
			       bytes_of(value, text_length(value, value_len)))) {
	case MQTT_SUCCESS:
		return MQUIC_OK;
	case MQTT_MALFORMED_PACKET:
		return MQUIC_ERR_INVALID;
	default:
		return MQUIC_ERR_MEMORY;
	}
}

/* ---- Getters ---- */

/* The text, `absent` in its place if it is not there. */
static const char *get(const struct text *text, size_t *len, const char *absent)
{
	bool there = text != NULL && text->data != NULL;

	if (len != NULL)
		*len = there ? text->len : 0;
	return there ? text->data : absent;
}

const char *mquic_message_topic(const struct mquic_message *message, size_t *len)
{
	return get(message == NULL ? NULL : &message->topic, len, "");
}

const uint8_t *mquic_message_payload(const struct mquic_message *message, size_t *len)
{
	return (const uint8_t *)get(message == NULL ? NULL : &message->payload, len, "");
}

int mquic_message_qos(const struct mquic_message *message)
{
	return message == NULL ? 0 : message->qos;
}

bool mquic_message_retain(const struct mquic_message *message)
{
	return message != NULL && message->retain;
}

bool mquic_message_duplicate(const struct mquic_message *message)
{
	return message != NULL && message->duplicate;
}

uint16_t mquic_message_topic_alias(const struct mquic_message *message)
{
	return message == NULL ? 0 : message->topic_alias;
}

uint16_t mquic_message_packet_id(const struct mquic_message *message)
{
	return message == NULL ? 0 : message->packet_id;
}

bool mquic_message_utf8_payload(const struct mquic_message *message)
{
	return message != NULL && message->utf8_payload;
}

bool mquic_message_expiry_s(const struct mquic_message *message, uint32_t *seconds)
{
	bool there = message != NULL && message->has_expiry;

	if (seconds != NULL)
		*seconds = there ? message->expiry_s : 0;
	return there;
}

static const struct mqtt_message_extras *get_extras(const struct mquic_message *message)
{
	return message == NULL ? NULL : message->extras;
}

const char *mquic_message_content_type(const struct mquic_message *message, size_t *len)
{
	const struct mqtt_message_extras *extras = get_extras(message);

	return get(extras == NULL ? NULL : &extras->content_type, len, NULL);
}

const char *mquic_message_response_topic(const struct mquic_message *message, size_t *len)
{
	const struct mqtt_message_extras *extras = get_extras(message);

	return get(extras == NULL ? NULL : &extras->response_topic, len, NULL);
}

const uint8_t *mquic_message_correlation_data(const struct mquic_message *message, size_t *len)
{
	const struct mqtt_message_extras *extras = get_extras(message);

	return (const uint8_t *)get(extras == NULL ? NULL : &extras->correlation_data, len, NULL);
}

bool mquic_message_user_property(const struct mquic_message *message, size_t index,
				 const char **name, size_t *name_len, const char **value,
				 size_t *value_len)
{
	const struct mqtt_message_extras *extras = get_extras(message);
	const struct mqtt_pair *pair;

	if (extras == NULL || index >= extras->pairs.count)
		return false;
	pair = &extras->pairs.items[index];
	if (name != NULL)
		*name = pair->name;
	if (name_len != NULL)
		*name_len = pair->name_len;
	if (value != NULL)
		*value = mqtt_pair_value(pair);
	if (value_len != NULL)
		*value_len = pair->value_len;
	return true;
}

uint32_t mquic_message_subscription_id(const struct mquic_message *message, size_t index)
{
	const struct mqtt_message_extras *extras = get_extras(message);

	if (extras == NULL || index >= extras->subscription_id_count)
		return 0;
	return extras->subscription_ids[index];
}
