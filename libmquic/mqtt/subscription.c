/* SPDX-License-Identifier: MIT */
#include "mqtt/subscription.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "mqtt/topic.h"

#define KNOWN_OPTIONS                                                                              \
	(MQUIC_SUBSCRIBE_NO_LOCAL | MQUIC_SUBSCRIBE_RETAIN_AS_PUBLISHED |                          \
	 MQUIC_SUBSCRIBE_RETAINED_IF_NEW | MQUIC_SUBSCRIBE_RETAINED_NEVER)

enum mquic_status mquic_subscription_new(struct mquic_subscription **subscription)
{
	struct mquic_subscription *made;

	if (subscription == NULL)
		return MQUIC_ERR_INVALID;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	*subscription = made;
	return MQUIC_OK;
}

void mquic_subscription_free(struct mquic_subscription *subscription)
{
	size_t i;

	if (subscription == NULL)
		return;
	for (i = 0; i < subscription->count; i++)
		free((uint8_t *)(uintptr_t)subscription->filters[i].filter.data);
	free(subscription->filters);
	mqtt_pairs_clear(&subscription->pairs);
	free(subscription);
}

/* The two ways to hold retained messages back exclude each other; so do no-local and $share. */
static bool options_valid(struct bytes filter, unsigned int options)
{
	if ((options & ~(unsigned int)KNOWN_OPTIONS) != 0)
		return false;
	if ((options & MQTT_OPTION_RETAIN_HANDLING) == MQTT_OPTION_RETAIN_HANDLING)
		return false;
	return (options & MQUIC_SUBSCRIBE_NO_LOCAL) == 0 || !mqtt_topic_is_shared(filter);
}

static bool grow(struct mquic_subscription *subscription)
{
	size_t capacity = subscription->capacity == 0 ? 4 : subscription->capacity * 2;
	struct mqtt_filter *filters;

	if (subscription->count < subscription->capacity)
		return true;
	filters = realloc(subscription->filters, capacity * sizeof(*filters));
	if (filters == NULL)
		return false;
	subscription->filters = filters;
	subscription->capacity = capacity;
	return true;
}

enum mquic_status mquic_subscription_add(struct mquic_subscription *subscription,
					 const char *filter, size_t len, int qos,
					 unsigned int options)
{
	struct bytes text = bytes_of(filter, text_length(filter, len));
	uint8_t *copy;

	if (subscription == NULL || filter == NULL || qos < 0 || qos > 2)
		return MQUIC_ERR_INVALID;
	if (!mqtt_topic_is_filter(text) || !options_valid(text, options))
		return MQUIC_ERR_INVALID;
	if (!grow(subscription))
		return MQUIC_ERR_MEMORY;
	copy = malloc(text.len);
	if (copy == NULL)
		return MQUIC_ERR_MEMORY;
	memcpy(copy, text.data, text.len);
	subscription->filters[subscription->count].filter = bytes_of(copy, text.len);
	subscription->filters[subscription->count].options = (uint8_t)(options | (unsigned int)qos);
	subscription->count++;
	return MQUIC_OK;
}

enum mquic_status mquic_subscription_set_id(struct mquic_subscription *subscription, uint32_t id)
{
	if (subscription == NULL || id == 0 || id > MQTT_VARINT_MAX)
		return MQUIC_ERR_INVALID;
	subscription->id = id;
	return MQUIC_OK;
}

enum mquic_status mquic_subscription_add_user_property(struct mquic_subscription *subscription,
						       const char *name, size_t name_len,
						       const char *value, size_t value_len)
{
	if (subscription == NULL || name == NULL || value == NULL)
		return MQUIC_ERR_INVALID;
	switch (mqtt_pairs_add(&subscription->pairs, bytes_of(name, text_length(name, name_len)),
			       bytes_of(value, text_length(value, value_len)))) {
	case MQTT_SUCCESS:
		return MQUIC_OK;
	case MQTT_MALFORMED_PACKET:
		return MQUIC_ERR_INVALID;
	default:
		return MQUIC_ERR_MEMORY;
	}
}
