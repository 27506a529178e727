/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "../say.h"
#include "../utf8.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <stdlib.h>
#include <string.h>

/* A parsed value takes up to sixty times its text, which the server chooses. */
#define LONGEST_PARSED 4194304
#define DEPTH          256

/* An object in the making; `failed` when memory has run out on the way. */
struct builder {
	struct json_object *object;
	bool failed;
};

static void add(struct builder *builder, const char *name, struct json_object *value)
{
	if (value && !builder->failed && json_object_object_add(builder->object, name, value) == 0)
		return;
	builder->failed = true;
	json_object_put(value);
}

static void add_number(struct builder *builder, const char *name, uint64_t number)
{
	add(builder, name, json_object_new_int64((int64_t)number));
}

static bool append(struct json_object *list, struct json_object *value)
{
	if (value && json_object_array_add(list, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* ---- text ---------------------------------------------------------------- */

/* Copies bytes with U+FFFD in place of each that is no UTF-8; returns how many were written. */
static size_t clean(char *out, const uint8_t *data, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t written = 0;

	for (size_t read = 0, step; read < len; read += step ? step : 1) {
		step = utf8_character(data + read, len - read);
		memcpy(out + written, step ? (const char *)data + read : replacement,
		       step ? step : sizeof(replacement) - 1);
		written += step ? step : sizeof(replacement) - 1;
	}
	return written;
}

static struct json_object *new_text(const void *data, size_t len)
{
	char *copy = malloc(len * 3 + 1);
	struct json_object *text = NULL;
	size_t used;

	if (!copy)
		return NULL;
	used = clean(copy, data, len);
	if (used <= INT32_MAX)
		text = json_object_new_string_len(copy, (int)used);
	free(copy);
	return text;
}

static void add_text(struct builder *builder, const char *name, const void *data, size_t len)
{
	if (data)
		add(builder, name, new_text(data, len));
}

/* ---- properties ---------------------------------------------------------- */

/* {"name":"value"}, one for each user property: names may be there twice (MQTT 5.0 3.3.2.3.7). */
static struct json_object *new_pair(const char *name, size_t name_len, const char *value,
				    size_t value_len)
{
	struct json_object *key = new_text(name, name_len);
	struct builder pair = {json_object_new_object(), false};

	pair.failed = !pair.object || !key;
	if (!pair.failed)
		add(&pair, json_object_get_string(key), new_text(value, value_len));
	json_object_put(key);
	if (!pair.failed)
		return pair.object;
	json_object_put(pair.object);
	return NULL;
}

static struct json_object *new_pairs(const struct mquic_message *message)
{
	struct json_object *pairs = json_object_new_array();
	const char *name, *value;
	size_t name_len, value_len;

	for (size_t i = 0;
	     pairs && mquic_message_user_property(message, i, &name, &name_len, &value, &value_len);
	     i++)
		if (!append(pairs, new_pair(name, name_len, value, value_len))) {
			json_object_put(pairs);
			return NULL;
		}
	return pairs;
}

/* One number, or a list if several subscriptions match (MQTT 5.0 3.3.2.3.8). */
static void add_subscription_ids(struct builder *builder, const struct mquic_message *message)
{
	static const char name[] = "subscription-identifier";
	struct json_object *list;
	uint32_t id;

	if (mquic_message_subscription_id(message, 1) == 0) {
		add_number(builder, name, mquic_message_subscription_id(message, 0));
		return;
	}
	list = json_object_new_array();
	for (size_t i = 0; list && (id = mquic_message_subscription_id(message, i)) != 0; i++)
		builder->failed |= !append(list, json_object_new_int64(id));
	add(builder, name, list);
}

static void add_properties(struct builder *builder, const struct mquic_message *message)
{
	struct builder properties = {json_object_new_object(), false};
	const char *name, *value;
	size_t len, other;
	const void *data;
	uint32_t seconds;

	properties.failed = !properties.object;
	if (mquic_message_topic_alias(message))
		add_number(&properties, "topic-alias", mquic_message_topic_alias(message));
	if (mquic_message_subscription_id(message, 0))
		add_subscription_ids(&properties, message);
	data = mquic_message_content_type(message, &len);
	add_text(&properties, "content-type", data, len);
	data = mquic_message_response_topic(message, &len);
	add_text(&properties, "response-topic", data, len);
	if (mquic_message_user_property(message, 0, &name, &len, &value, &other))
		add(&properties, "user-properties", new_pairs(message));
	data = mquic_message_correlation_data(message, &len);
	add_text(&properties, "correlation-data", data, len);
	if (mquic_message_utf8_payload(message))
		add_number(&properties, "payload-format-indicator", 1);
	if (mquic_message_expiry_s(message, &seconds))
		add_number(&properties, "message-expiry-interval", seconds);
	builder->failed |= properties.failed;
	if (properties.object && json_object_object_length(properties.object) > 0)
		add(builder, "properties", properties.object);
	else
		json_object_put(properties.object);
}

/* ---- payload ------------------------------------------------------------- */

/* The parser knows numbers that JSON does not: NaN and Infinity. */
static int refuse_no_numbers(struct json_object *value, int flags, struct json_object *parent,
			     const char *key, size_t *index, void *bad)
{
	(void)flags;
	(void)parent;
	(void)key;
	(void)index;
	if (json_object_is_type(value, json_type_double) &&
	    strpbrk(json_object_to_json_string(value), "NI"))
		*(bool *)bad = true;
	return *(bool *)bad ? JSON_C_VISIT_RETURN_STOP : JSON_C_VISIT_RETURN_CONTINUE;
}

static bool has_no_numbers(struct json_object *value)
{
	bool bad = false;

	json_c_visit(value, 0, refuse_no_numbers, &bad);
	return bad;
}

/* False if the payload is not JSON; `*value` may be NULL, which is JSON's null. */
static bool parse(const uint8_t *payload, size_t len, struct json_object **value)
{
	struct json_tokener *parser = json_tokener_new_ex(DEPTH);
	bool good;

	*value = NULL;
	if (!parser)
		return false;
	json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL behind a payload ends a number at its end. */
	*value = json_tokener_parse_ex(parser, (const char *)payload, (int)len + 1);
	good = json_tokener_get_error(parser) == json_tokener_success &&
	       json_tokener_get_parse_end(parser) == len;
	json_tokener_free(parser);
	if (good && !has_no_numbers(*value))
		return true;
	json_object_put(*value);
	*value = NULL;
	return false;
}

/* A topic is there for people to read, so it may be cut. */
static bool refuse(const struct mquic_message *message, const char *why)
{
	char shown[1024];
	size_t len;
	const char *topic = mquic_message_topic(message, &len);

	say_error("Message payload is %s on topic %s.", why,
		  mquic_text_printable(shown, sizeof(shown), topic, len, '\0'));
	return false;
}

static bool add_parsed(struct builder *builder, const struct mquic_message *message)
{
	struct json_object *value;
	size_t len;
	const uint8_t *payload = mquic_message_payload(message, &len);

	if (len > LONGEST_PARSED)
		return refuse(message, "too long for %J");
	if (!parse(payload, len, &value))
		return refuse(message, "not valid JSON");
	builder->failed |= json_object_object_add(builder->object, "payload", value) != 0;
	return true;
}

static bool add_payload(struct builder *builder, const struct mquic_message *message, bool parsed)
{
	size_t len;
	const uint8_t *payload = mquic_message_payload(message, &len);

	if (len == 0)
		builder->failed |= json_object_object_add(builder->object, "payload", NULL) != 0;
	else if (parsed)
		return add_parsed(builder, message);
	else
		add_text(builder, "payload", payload, len);
	return true;
}

/* ---- the whole ----------------------------------------------------------- */

static void add_time(struct builder *builder, const struct timespec *now)
{
	char text[64], date[32], zone[8];
	struct tm local;

	localtime_r(&now->tv_sec, &local);
	strftime(date, sizeof(date), "%FT%T", &local);
	strftime(zone, sizeof(zone), "%z", &local);
	snprintf(text, sizeof(text), "%s.%06ld%s", date, now->tv_nsec / 1000, zone);
	add(builder, "tst", json_object_new_string(text));
}

static bool build(struct builder *builder, const struct mquic_message *message,
		  const struct timespec *now, bool parsed)
{
	size_t len;
	const char *topic = mquic_message_topic(message, &len);

	if (!builder->object) {
		builder->failed = true;
		return true;
	}
	add_time(builder, now);
	add_text(builder, "topic", topic, len);
	add_number(builder, "qos", (uint64_t)mquic_message_qos(message));
	add_number(builder, "retain", mquic_message_retain(message));
	mquic_message_payload(message, &len);
	add_number(builder, "payloadlen", len);
	if (mquic_message_qos(message) > 0)
		add_number(builder, "mid", mquic_message_packet_id(message));
	add_properties(builder, message);
	return add_payload(builder, message, parsed);
}

void json_print(FILE *out, const struct mquic_message *message, const struct timespec *now,
		struct json_style style)
{
	struct builder builder = {json_object_new_object(), false};
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text = NULL;
	size_t len = 0;

	if (style.pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB |
			 JSON_C_TO_STRING_SPACED;
	if (build(&builder, message, now, style.parsed)) {
		if (!builder.failed)
			text = json_object_to_json_string_length(builder.object, flags, &len);
		if (text)
			fwrite(text, 1, len, out);
		else
			say_error("Out of memory.");
	}
	json_object_put(builder.object);
}
