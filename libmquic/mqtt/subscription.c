/* SPDX-License-Identifier: MIT */
#include "mqtt/subscription.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
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

const char *mquic_subscription_error(const struct mquic_subscription *subscription)
{
	if (subscription == NULL)
		return "no subscription was given";
	return subscription->note == NULL ? "" : subscription->note;
}

static enum mquic_status refuse(struct mquic_subscription *subscription, const char *sentence)
{
	return error_note(&subscription->note, MQUIC_ERR_INVALID, sentence);
}

static enum mquic_status no_memory(struct mquic_subscription *subscription)
{
	return error_note(&subscription->note, MQUIC_ERR_MEMORY, "out of memory");
}

/* Section 3.8.3.1: what excludes each other. */
static enum mquic_status check_options(struct mquic_subscription *subscription, struct bytes filter,
				       unsigned int options)
{
	if ((options & ~(unsigned int)KNOWN_OPTIONS) != 0)
		return refuse(subscription, "the options are not or-ed MQUIC_SUBSCRIBE_*");
	if ((options & MQTT_OPTION_RETAIN_HANDLING) == MQTT_OPTION_RETAIN_HANDLING)
		return refuse(subscription, "the two options that hold retained messages back "
					    "exclude each other");
	if ((options & MQUIC_SUBSCRIBE_NO_LOCAL) != 0 && mqtt_topic_is_shared(filter))
		return refuse(subscription, "a shared subscription cannot leave out what this "
					    "client publishes (no local)");
	return MQUIC_OK;
}

static enum mquic_status check(struct mquic_subscription *subscription, struct bytes filter,
			       int qos, unsigned int options)
{
	if (!mqtt_topic_is_filter(filter))
		return refuse(subscription,
			      "a topic filter has 1 to 65535 bytes of UTF-8 without NUL, '+' and "
			      "'#' alone in their levels, '#' in the last, and behind $share/ a "
			      "share and a filter");
	if (qos < 0 || qos > 2)
		return refuse(subscription, "the QoS must be 0, 1 or 2");
	return check_options(subscription, filter, options);
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
	enum mquic_status status;
	uint8_t *copy;

	if (subscription == NULL)
		return MQUIC_ERR_INVALID;
	status = check(subscription, text, qos, options);
	if (status != MQUIC_OK)
		return status;
	copy = grow(subscription) ? malloc(text.len) : NULL;
	if (copy == NULL)
		return no_memory(subscription);
	memcpy(copy, text.data, text.len);
	subscription->filters[subscription->count].filter = bytes_of(copy, text.len);
	subscription->filters[subscription->count].options = (uint8_t)(options | (unsigned int)qos);
	subscription->count++;
	return MQUIC_OK;
}

enum mquic_status mquic_subscription_set_id(struct mquic_subscription *subscription, uint32_t id)
{
	if (subscription == NULL)
		return MQUIC_ERR_INVALID;
	if (id == 0 || id > MQTT_VARINT_MAX)
		return refuse(subscription, "a subscription identifier is 1 to 268435455");
	subscription->id = id;
	return MQUIC_OK;
}

enum mquic_status mquic_subscription_add_user_property(struct mquic_subscription *subscription,
						       const char *name, size_t name_len,
						       const char *value, size_t value_len)
{
	if (subscription == NULL)
		return MQUIC_ERR_INVALID;
	return mqtt_pairs_add_for(&subscription->pairs, name, name_len, value, value_len,
				  &subscription->note);
}

enum mquic_status mquic_subscription_clear_user_properties(struct mquic_subscription *subscription)
{
	if (subscription == NULL)
		return MQUIC_ERR_INVALID;
	mqtt_pairs_clear(&subscription->pairs);
	return MQUIC_OK;
}
