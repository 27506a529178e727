/* SPDX-License-Identifier: MIT */
#include "mqtt/message.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
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

static void release_pairs(struct mquic_message *message)
{
	struct mqtt_pairs *pairs = &message->extras->pairs;
	size_t i;

	for (i = 0; i < pairs->count; i++)
		release(message, (char *)(uintptr_t)pairs->items[i].name);
	release(message, pairs->items);
	pairs->items = NULL;
	pairs->count = 0;
}

static void extras_free(struct mquic_message *message)
{
	struct mqtt_message_extras *extras = message->extras;

	if (extras == NULL)
		return;
	release(message, extras->content_type.data);
	release(message, extras->response_topic.data);
	release(message, extras->correlation_data.data);
	release_pairs(message);
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

const char *mquic_message_error(const struct mquic_message *message)
{
	if (message == NULL)
		return "no message was given";
	return message->note == NULL ? "" : message->note;
}

static enum mquic_status refuse(struct mquic_message *message, const char *sentence)
{
	return error_note(&message->note, MQUIC_ERR_INVALID, sentence);
}

static enum mquic_status no_memory(struct mquic_message *message)
{
	return error_note(&message->note, MQUIC_ERR_MEMORY, "out of memory");
}

/* Replaces one text by a copy; NULL data makes it absent. */
static enum mquic_status replace(struct mquic_message *message, struct text *text, const char *data,
				 size_t len)
{
	struct text made = {NULL, 0};

	if (!text_set(&made, data, len))
		return no_memory(message);
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
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (!mquic_topic_is_name(topic, len))
		return refuse(message, "a topic has 1 to 65535 bytes of UTF-8 without NUL, '+' "
				       "and '#'");
	return replace(message, &message->topic, topic, text_length(topic, len));
}

enum mquic_status mquic_message_set_payload(struct mquic_message *message, const uint8_t *data,
					    size_t len)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (data == NULL && len > 0)
		return refuse(message, "the payload is NULL but not empty");
	if (len > MQTT_VARINT_MAX)
		return error_note(&message->note, MQUIC_ERR_TOO_LARGE,
				  "the payload is larger than the 268435455 bytes that MQTT can "
				  "carry");
	return replace(message, &message->payload, (const char *)data, len);
}

enum mquic_status mquic_message_set_qos(struct mquic_message *message, int qos)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (qos < 0 || qos > 2)
		return refuse(message, "the QoS must be 0, 1 or 2");
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

enum mquic_status mquic_message_clear_expiry(struct mquic_message *message)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	message->has_expiry = false;
	return MQUIC_OK;
}

enum mquic_status mquic_message_set_content_type(struct mquic_message *message, const char *text,
						 size_t len)
{
	len = text_length(text, len);
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (len > UINT16_MAX || !text_is_utf8(text, len))
		return refuse(message, "a content type is UTF-8 text of at most 65535 bytes "
				       "without NUL");
	if (extras_of(message) == NULL)
		return no_memory(message);
	return replace(message, &message->extras->content_type, text, len);
}

enum mquic_status mquic_message_set_response_topic(struct mquic_message *message, const char *topic,
						   size_t len)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (topic != NULL && !mquic_topic_is_name(topic, len))
		return refuse(message, "a response topic has 1 to 65535 bytes of UTF-8 without "
				       "NUL, '+' and '#'");
	if (extras_of(message) == NULL)
		return no_memory(message);
	return replace(message, &message->extras->response_topic, topic, text_length(topic, len));
}

enum mquic_status mquic_message_set_correlation_data(struct mquic_message *message,
						     const uint8_t *data, size_t len)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (data == NULL && len > 0)
		return refuse(message, "the correlation data is NULL but not empty");
	if (len > UINT16_MAX)
		return refuse(message, "the correlation data has more than the 65535 bytes that "
				       "MQTT allows");
	if (extras_of(message) == NULL)
		return no_memory(message);
	return replace(message, &message->extras->correlation_data, (const char *)data, len);
}

enum mquic_status mquic_message_add_user_property(struct mquic_message *message, const char *name,
						  size_t name_len, const char *value,
						  size_t value_len)
{
	struct mqtt_pairs *pairs;

	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (extras_of(message) == NULL)
		return no_memory(message);
	pairs = &message->extras->pairs;
	if (is_inside(message, pairs->items) && !mqtt_pairs_detach(pairs))
		return no_memory(message);
	return mqtt_pairs_add_for(pairs, name, name_len, value, value_len, &message->note);
}

enum mquic_status mquic_message_clear_user_properties(struct mquic_message *message)
{
	if (message == NULL)
		return MQUIC_ERR_INVALID;
	if (message->extras != NULL)
		release_pairs(message);
	return MQUIC_OK;
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
