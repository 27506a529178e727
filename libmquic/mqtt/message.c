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
