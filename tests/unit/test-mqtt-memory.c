/* SPDX-License-Identifier: MIT */
/*
 * The MQTT room when memory runs out: one life of a session is repeated, and each time the next
 * allocation in it fails. Nothing may crash, leak or be half done.
 */
#include "unit.h"

#include <string.h>

#include "mqtt-kit.h"
#include "mqtt/engine.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Allocations until one fails; 0: none does. */
static size_t countdown;
static bool failed;

static bool fails_now(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

/* Each piece is one call of receive(). The identifiers are those the client takes in life(). */
static const char *const from_server[] = {
	"20 09 00 00 06 120003'abc'",
	"90 0b 0001 07 260001'k' 0001'v' 00",
	"b0 04 0002 00 00",
	"40 02 0003",
	"50 02 0004",
	"70 0b 0004 00 07 260001'k' 0001'v'",
	"30 1a 0001't' 14 030001'c' 080001'r' 260001'k' 0001'v' 0b01 'x'",
	"32 09 0001't' 0001 03 230001",
	"34 06 0001't' 0002 00",
	"62 02",
	"0002",
	"f0 0a 18 08 150001'M' 160001'?'",
	"e0 0d 8b 0b 1f0008'see you!'",
};

struct piece {
	uint8_t *data;
	size_t len;
};

static struct piece pieces[COUNT(from_server)];

static void setup(void)
{
	size_t i;

	for (i = 0; i < COUNT(from_server); i++)
		pieces[i].data = kit_bytes(from_server[i], &pieces[i].len);
}

static void teardown(void)
{
	size_t i;

	for (i = 0; i < COUNT(from_server); i++)
		free(pieces[i].data);
}

static struct mquic_message *make_message(int qos)
{
	struct mquic_message *message = NULL;

	if (mquic_message_new(&message) != MQUIC_OK)
		return NULL;
	(void)mquic_message_set_payload(message, (const uint8_t *)"payload", 7);
	(void)mquic_message_set_content_type(message, "c", 1);
	(void)mquic_message_add_user_property(message, "k", 1, "v", 1);
	(void)mquic_message_set_qos(message, qos);
	if (mquic_message_set_topic(message, "a/topic", 7) == MQUIC_OK)
		return message;
	mquic_message_free(message);
	return NULL;
}

static void publish(struct mqtt_engine *engine, int qos)
{
	struct mquic_message *message = make_message(qos);
	struct error error;

	if (message != NULL)
		(void)mqtt_engine_publish(engine, message, NULL, &error);
	mquic_message_free(message);
}

static void subscribe(struct mqtt_engine *engine)
{
	struct mquic_subscription *subscription = NULL;
	struct error error;

	if (mquic_subscription_new(&subscription) != MQUIC_OK)
		return;
	(void)mquic_subscription_add_user_property(subscription, "k", 1, "v", 1);
	if (mquic_subscription_add(subscription, "#", 1, 0, 0) == MQUIC_OK) {
		(void)mqtt_engine_subscribe(engine, subscription, NULL, &error);
		(void)mqtt_engine_unsubscribe(engine, subscription, NULL, &error);
	}
	mquic_subscription_free(subscription);
}

static void drain(struct mqtt_engine *engine)
{
	struct mquic_event *event;
	const uint8_t *data;
	size_t len;

	while ((event = mqtt_engine_next_event(engine)) != NULL)
		mquic_event_free(event);
	mqtt_lane_output(mqtt_engine_control(engine), &data, &len);
	mqtt_engine_output_consume(engine, mqtt_engine_control(engine), len, 0);
}

static void configure(struct mqtt_settings *options)
{
	struct mquic_message *will = make_message(1);
	struct error error;

	options->topic_alias_maximum = 3;
	options->topic_aliases = 3;
	(void)mqtt_settings_set_client_id(options, "", 0, &error);
	(void)mqtt_settings_set_username(options, "u", 1, &error);
	(void)mqtt_settings_set_will(options, will, 1, &error);
	(void)mqtt_settings_add_user_property(options, "k", 1, "v", 1, &error);
	mquic_message_free(will);
}

/* Whether the engine came to its end, or a new one could not even begin. */
static bool live(struct mqtt_engine *engine)
{
	struct error error;
	size_t i;

	if (mqtt_engine_connect(engine, 0, 0, &error) != MQUIC_OK)
		return false;
	subscribe(engine);
	publish(engine, 1);
	publish(engine, 2);
	publish(engine, 0);
	for (i = 0; i < COUNT(pieces); i++) {
		(void)mqtt_engine_receive(engine, mqtt_engine_control(engine), pieces[i].data,
					  pieces[i].len, 0);
		drain(engine);
	}
	mqtt_engine_lost(engine);
	return true;
}

static void life(void)
{
	struct mqtt_engine *engine;

	if (mqtt_engine_new(&engine, 100000) != MQUIC_OK)
		return;
	configure(mqtt_engine_settings(engine));
	(void)live(engine);
	countdown = 0;
	/* The first failure over, it must be as able as a new one. */
	ck_assert(live(engine));
	mqtt_engine_free(engine);
}

START_TEST(every_allocation_of_a_session_may_fail)
{
	size_t n = 0;

	do {
		failed = false;
		countdown = ++n;
		life();
		countdown = 0;
		ck_assert_uint_lt(n, 1000);
	} while (failed);
	ck_assert_uint_gt(n, 60);
}
END_TEST

static struct mqtt_engine *connected_with_authentication(void)
{
	struct mqtt_engine *engine;
	struct error error;
	uint8_t *connack;
	size_t len;

	/* At most 64 bytes a packet, client identifier "abc", authentication method "M". */
	connack = kit_bytes("20 12 00 00 0f 2700000040 120003'abc' 150001'M'", &len);
	ck_assert_int_eq(mqtt_engine_new(&engine, 100000), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_authentication(mqtt_engine_settings(engine), "M", 1,
							  NULL, 0, &error),
			 MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_connect(engine, 0, 0, &error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_receive(engine, mqtt_engine_control(engine), connack, len, 0),
			 MQUIC_OK);
	free(connack);
	drain(engine);
	return engine;
}

START_TEST(lack_of_memory_is_told_as_such_after_a_packet_too_large)
{
	static const uint8_t large[100];
	struct mqtt_engine *engine = connected_with_authentication();
	struct mquic_event *event;
	struct error error;

	ck_assert_int_eq(mqtt_engine_auth(engine, 0x19, large, sizeof(large), &error),
			 MQUIC_ERR_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(error.text, "more than 64 bytes"));
	countdown = 1;
	(void)mqtt_engine_receive(engine, mqtt_engine_control(engine), pieces[6].data,
				  pieces[6].len, 0);
	countdown = 0;
	event = mqtt_engine_next_event(engine);
	ck_assert_ptr_nonnull(event);
	ck_assert_int_eq(mquic_event_type(event), MQUIC_EVENT_DISCONNECTED);
	ck_assert_int_eq(mquic_event_status(event), MQUIC_ERR_MEMORY);
	ck_assert_msg(strstr(mquic_event_text(event), "memory") != NULL, "%s",
		      mquic_event_text(event));
	mquic_event_free(event);
	mqtt_engine_free(engine);
}
END_TEST

START_TEST(every_allocation_of_a_copy_may_fail)
{
	size_t n = 0;

	do {
		struct mquic_message *message;
		struct mquic_message *copy = NULL;
		enum mquic_status status;

		failed = false;
		message = make_message(1);
		ck_assert_ptr_nonnull(message);
		countdown = ++n;
		status = mquic_message_copy(&copy, message);
		if (copy != NULL)
			status = mquic_message_add_user_property(copy, "k", 1, "v", 1);
		countdown = 0;
		ck_assert_int_eq(status, failed ? MQUIC_ERR_MEMORY : MQUIC_OK);
		mquic_message_free(copy);
		mquic_message_free(message);
	} while (failed);
	ck_assert_uint_gt(n, 2);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&every_allocation_of_a_session_may_fail,
		&lack_of_memory_is_told_as_such_after_a_packet_too_large,
		&every_allocation_of_a_copy_may_fail,
	};

	return unit_run("mqtt-memory", setup, teardown, tests, COUNT(tests));
}
