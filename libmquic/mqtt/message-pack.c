/* SPDX-License-Identifier: MIT */
/* Messages in one block, from the form that packets have and back. */
#include "mqtt/message.h"

#include <stdlib.h>
#include <string.h>

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
