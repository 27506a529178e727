/* SPDX-License-Identifier: MIT */
#include "property.h"

#include "client-options.h"
#include "say.h"

#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const char property_connect_help[] =
	"   connect: user-property, receive-maximum, maximum-packet-size,\n"
	"            topic-alias-maximum, session-expiry-interval,\n"
	"            request-problem-information, request-response-information,\n"
	"            authentication-method, authentication-data\n"
	"   will: content-type, correlation-data, message-expiry-interval,\n"
	"         payload-format-indicator, response-topic, user-property,\n"
	"         will-delay-interval\n"
	"   disconnect: reason-string, session-expiry-interval, user-property\n";
const char property_message_help[] =
	"   publish: content-type, correlation-data, message-expiry-interval,\n"
	"            payload-format-indicator, response-topic, topic-alias, user-property\n";
const char property_subscribe_help[] = "   subscribe: subscription-identifier, user-property\n"
				       "   unsubscribe: user-property\n";

/* One property given on the command line. */
struct property {
	struct client_options *options;
	const char *option; /* "-D" */
	const char *command, *name;
	const char *key; /* user-property only */
	const char *value;
	uint32_t number;
};

static enum mquic_status add_user_property(struct mquic_message *message,
					   const struct property *property)
{
	return mquic_message_add_user_property(message, property->key, MQUIC_NUL_TERMINATED,
					       property->value, MQUIC_NUL_TERMINATED);
}

static enum mquic_status set_content_type(struct mquic_message *message,
					  const struct property *property)
{
	return mquic_message_set_content_type(message, property->value, MQUIC_NUL_TERMINATED);
}

static enum mquic_status set_correlation_data(struct mquic_message *message,
					      const struct property *property)
{
	return mquic_message_set_correlation_data(message, (const uint8_t *)property->value,
						  strlen(property->value));
}

static enum mquic_status set_expiry(struct mquic_message *message, const struct property *property)
{
	return mquic_message_set_expiry_s(message, property->number);
}

static enum mquic_status set_format(struct mquic_message *message, const struct property *property)
{
	return mquic_message_set_utf8_payload(message, property->number != 0);
}

static enum mquic_status set_response_topic(struct mquic_message *message,
					    const struct property *property)
{
	return mquic_message_set_response_topic(message, property->value, MQUIC_NUL_TERMINATED);
}

/* Properties of a message. `max` is 0 for text. */
static const struct {
	const char *name;
	uint32_t max;
	enum mquic_status (*set)(struct mquic_message *, const struct property *);
} message_properties[] = {
	{"content-type", 0, set_content_type},
	{"correlation-data", 0, set_correlation_data},
	{"message-expiry-interval", UINT32_MAX, set_expiry},
	{"payload-format-indicator", 1, set_format},
	{"response-topic", 0, set_response_topic},
	{"user-property", 0, add_user_property},
};

static bool refuse_name(const struct property *property)
{
	return say_usage("%s: there is no %s property for %s here.", property->option,
			 property->name, property->command);
}

static bool refuse_value(const struct property *property)
{
	return say_usage("%s: '%s' is not a valid %s.", property->option, property->value,
			 property->name);
}

static bool read_number(struct property *property, uint32_t min, uint32_t max)
{
	if (options_number(property->value, min, max, &property->number))
		return true;
	return say_usage("%s: %s takes a number from %u to %u, not '%s'.", property->option,
			 property->name, min, max, property->value);
}

static bool set_on_message(struct mquic_message *message, struct property *property)
{
	for (size_t i = 0; i < COUNT(message_properties); i++) {
		uint32_t max = message_properties[i].max;

		if (strcmp(message_properties[i].name, property->name) != 0)
			continue;
		if (max && !read_number(property, 0, max))
			return false;
		return message_properties[i].set(message, property) == MQUIC_OK ||
		       refuse_value(property);
	}
	return refuse_name(property);
}

static bool set_on_publish(struct property *property)
{
	if (strcmp(property->name, "topic-alias") != 0)
		return set_on_message(property->options->publish, property);
	if (!read_number(property, 1, 65535))
		return false;
	property->options->topic_alias = property->number;
	return true;
}

static bool set_on_will(struct property *property)
{
	if (strcmp(property->name, "will-delay-interval") != 0)
		return set_on_message(property->options->will, property);
	if (!read_number(property, 0, UINT32_MAX))
		return false;
	property->options->will_delay_s = property->number;
	return true;
}

/* A number of CONNECT or DISCONNECT, and where it goes. */
struct number {
	const char *name;
	uint32_t min, max;
	uint32_t *place;
	bool *given; /* NULL: nobody asks */
};

/* Sets one of them, the last of which has no name. */
static bool set_number(const struct number *number, struct property *property)
{
	for (; number->name; number++) {
		if (strcmp(number->name, property->name) != 0)
			continue;
		if (!read_number(property, number->min, number->max))
			return false;
		*number->place = property->number;
		if (number->given)
			*number->given = true;
		return true;
	}
	return refuse_name(property);
}

static bool set_on_connect(struct property *property)
{
	struct client_options *options = property->options;
	const struct number numbers[] = {
		{"receive-maximum", 1, 65535, &options->receive_maximum, NULL},
		{"maximum-packet-size", 1024, 268435460, &options->maximum_packet_size, NULL},
		{"topic-alias-maximum", 0, 65535, &options->topic_alias_maximum, NULL},
		{"session-expiry-interval", 0, UINT32_MAX, &options->expiry_s,
		 &options->has_expiry},
		{"request-problem-information", 0, 1, &options->problem_information, NULL},
		{"request-response-information", 0, 1, &options->response_information, NULL},
		{NULL, 0, 0, NULL, NULL},
	};

	if (strcmp(property->name, OPTION_PAIR) == 0)
		return add_user_property(options->connect, property) == MQUIC_OK ||
		       refuse_value(property);
	if (strcmp(property->name, "authentication-method") == 0)
		options->auth_method = property->value;
	else if (strcmp(property->name, "authentication-data") == 0)
		options->auth_data = property->value;
	else
		return set_number(numbers, property);
	return true;
}

static bool set_on_disconnect(struct property *property)
{
	struct client_options *options = property->options;
	const struct number numbers[] = {
		{"session-expiry-interval", 0, UINT32_MAX, &options->disconnect_expiry_s,
		 &options->has_disconnect_expiry},
		{NULL, 0, 0, NULL, NULL},
	};

	if (strcmp(property->name, OPTION_PAIR) == 0)
		return add_user_property(options->disconnect, property) == MQUIC_OK ||
		       refuse_value(property);
	if (strcmp(property->name, "reason-string") != 0)
		return set_number(numbers, property);
	options->disconnect_text = property->value;
	return true;
}

static bool add_to_subscription(struct mquic_subscription *subscription,
				const struct property *property)
{
	return mquic_subscription_add_user_property(subscription, property->key,
						    MQUIC_NUL_TERMINATED, property->value,
						    MQUIC_NUL_TERMINATED) == MQUIC_OK ||
	       refuse_value(property);
}

static bool set_on_subscribe(struct property *property)
{
	struct mquic_subscription *subscribe = property->options->subscribe;

	if (strcmp(property->name, OPTION_PAIR) == 0)
		return add_to_subscription(subscribe, property);
	if (strcmp(property->name, "subscription-identifier") != 0)
		return refuse_name(property);
	return read_number(property, 1, 268435455) &&
	       (mquic_subscription_set_id(subscribe, property->number) == MQUIC_OK ||
		refuse_value(property));
}

static bool set_on_unsubscribe(struct property *property)
{
	if (strcmp(property->name, OPTION_PAIR) != 0)
		return refuse_name(property);
	return add_to_subscription(property->options->unsubscribe, property);
}

static bool set(struct property *property)
{
	if (strcasecmp(property->command, "connect") == 0)
		return set_on_connect(property);
	if (strcasecmp(property->command, "will") == 0)
		return set_on_will(property);
	if (strcasecmp(property->command, "disconnect") == 0)
		return set_on_disconnect(property);
	if (strcasecmp(property->command, "unsubscribe") == 0 && property->options->unsubscribe)
		return set_on_unsubscribe(property);
	if (strcasecmp(property->command, "publish") == 0 && property->options->publish)
		return set_on_publish(property);
	if (strcasecmp(property->command, "subscribe") == 0 && property->options->subscribe)
		return set_on_subscribe(property);
	return say_usage("%s: '%s' is not a command that can carry properties here.",
			 property->option, property->command);
}

bool property_option(void *target, const char *option, struct words *words)
{
	struct property property = {.options = target, .option = option};

	property.options->property_option = option;
	property.command = words_part(words, option, "command");
	if (!property.command)
		return false;
	property.name = words_part(words, option, "property name");
	if (!property.name)
		return false;
	if (strcmp(property.name, OPTION_PAIR) == 0) {
		property.key = words_part(words, option, "key");
		if (!property.key)
			return false;
	}
	property.value = words_next(words, option, "value");
	return property.value && set(&property);
}
