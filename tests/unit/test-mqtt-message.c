/* SPDX-License-Identifier: MIT */
/* mquic_message and mquic_subscription: what applications hold in their hands. */
#include "unit.h"

#include <string.h>

#include "mqtt/message.h"
#include "mqtt/subscription.h"

static struct mquic_message *message;
static struct mquic_subscription *subscription;

static void setup(void)
{
	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_new(&subscription), MQUIC_OK);
}

static void teardown(void)
{
	mquic_message_free(message);
	mquic_subscription_free(subscription);
}

static void expect_user_property(const struct mquic_message *of, size_t index, const char *name,
				 const char *value)
{
	const char *got_name;
	const char *got_value;
	size_t name_len;
	size_t value_len;

	ck_assert(mquic_message_user_property(of, index, &got_name, &name_len, &got_value,
					      &value_len));
	ck_assert_uint_eq(name_len, strlen(name));
	ck_assert_uint_eq(value_len, strlen(value));
	ck_assert_str_eq(got_name, name);
	ck_assert_str_eq(got_value, value);
}

static void fill(struct mquic_message *m)
{
	ck_assert_int_eq(mquic_message_set_topic(m, "a/topic", MQUIC_NUL_TERMINATED), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(m, (const uint8_t *)"pay\0load", 8), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(m, 2), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_retain(m, true), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_utf8_payload(m, true), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_expiry_s(m, 60), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_content_type(m, "text/plain", 10), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_response_topic(m, "answer", 6), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_correlation_data(m, (const uint8_t *)"\0\1", 2),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_message_add_user_property(m, "k", 1, "v1", 2), MQUIC_OK);
	ck_assert_int_eq(mquic_message_add_user_property(m, "k", 1, "v2", 2), MQUIC_OK);
}

static void expect_filled(const struct mquic_message *m)
{
	const char *unused;
	uint32_t seconds;
	size_t len;

	ck_assert_str_eq(mquic_message_topic(m, &len), "a/topic");
	ck_assert_uint_eq(len, 7);
	ck_assert_mem_eq(mquic_message_payload(m, &len), "pay\0load\0", 9);
	ck_assert_uint_eq(len, 8);
	ck_assert_int_eq(mquic_message_qos(m), 2);
	ck_assert(mquic_message_retain(m));
	ck_assert(mquic_message_utf8_payload(m));
	ck_assert(mquic_message_expiry_s(m, &seconds));
	ck_assert_uint_eq(seconds, 60);
	ck_assert_str_eq(mquic_message_content_type(m, NULL), "text/plain");
	ck_assert_str_eq(mquic_message_response_topic(m, NULL), "answer");
	ck_assert_mem_eq(mquic_message_correlation_data(m, &len), "\0\1", 2);
	ck_assert_uint_eq(len, 2);
	expect_user_property(m, 0, "k", "v1");
	expect_user_property(m, 1, "k", "v2");
	ck_assert(!mquic_message_user_property(m, 2, &unused, &len, &unused, &len));
}

START_TEST(message_is_empty_at_first)
{
	uint32_t seconds = 1;
	size_t len = 1;

	ck_assert_str_eq(mquic_message_topic(message, &len), "");
	ck_assert_uint_eq(len, 0);
	ck_assert_ptr_nonnull(mquic_message_payload(message, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(mquic_message_qos(message), 0);
	ck_assert(!mquic_message_retain(message));
	ck_assert(!mquic_message_duplicate(message));
	ck_assert_uint_eq(mquic_message_packet_id(message), 0);
	ck_assert(!mquic_message_expiry_s(message, &seconds));
	ck_assert_ptr_null(mquic_message_content_type(message, &len));
	ck_assert_ptr_null(mquic_message_response_topic(message, NULL));
	ck_assert_ptr_null(mquic_message_correlation_data(message, NULL));
	ck_assert_uint_eq(mquic_message_subscription_id(message, 0), 0);
}
END_TEST

START_TEST(message_keeps_what_setters_give_it)
{
	fill(message);
	expect_filled(message);
}
END_TEST

START_TEST(message_copy_is_deep_and_one_allocation)
{
	struct mquic_message *copy;

	fill(message);
	ck_assert_int_eq(mquic_message_copy(&copy, message), MQUIC_OK);
	mquic_message_free(message);
	message = copy;
	expect_filled(copy);
	ck_assert_uint_gt((uintptr_t)copy->topic.data, (uintptr_t)copy);
	ck_assert_uint_lt((uintptr_t)copy->extras->pairs.items[1].name,
			  (uintptr_t)copy + copy->block_size);
}
END_TEST

START_TEST(message_copy_can_be_changed_like_any_other)
{
	struct mquic_message *copy;
	int i;

	fill(message);
	ck_assert_int_eq(mquic_message_copy(&copy, message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(copy, "longer/than/before", 18), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(copy, NULL, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_content_type(copy, NULL, 0), MQUIC_OK);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(mquic_message_add_user_property(copy, "x", 1, "y", 1), MQUIC_OK);
	expect_user_property(copy, 0, "k", "v1");
	expect_user_property(copy, 101, "x", "y");
	ck_assert_str_eq(mquic_message_topic(copy, NULL), "longer/than/before");
	ck_assert_ptr_null(mquic_message_content_type(copy, NULL));
	mquic_message_free(copy);
	expect_filled(message);
}
END_TEST

START_TEST(message_without_extras_can_get_them_after_a_copy)
{
	struct mquic_message *copy;

	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_copy(&copy, message), MQUIC_OK);
	ck_assert_ptr_null(copy->extras);
	fill(copy);
	expect_filled(copy);
	mquic_message_free(copy);
}
END_TEST

static void expect_refusal(enum mquic_status got, enum mquic_status wanted, const char *words)
{
	ck_assert_int_eq(got, wanted);
	ck_assert_msg(strstr(mquic_message_error(message), words) != NULL, "\"%s\" lacks \"%s\"",
		      mquic_message_error(message), words);
}

static void expect_invalid(enum mquic_status got, const char *words)
{
	expect_refusal(got, MQUIC_ERR_INVALID, words);
}

START_TEST(refused_values_leave_the_old_ones_and_a_sentence)
{
	static uint8_t big[65536];
	struct mquic_message *m = message;

	fill(m);
	ck_assert_str_eq(mquic_message_error(m), "");
	expect_invalid(mquic_message_set_topic(m, "", 0), "topic has 1 to 65535 bytes");
	expect_invalid(mquic_message_set_topic(m, NULL, 0), "topic has");
	expect_invalid(mquic_message_set_topic(m, "a/#", 3), "topic has");
	expect_invalid(mquic_message_set_topic(m, "a\0b", 3), "topic has");
	expect_invalid(mquic_message_set_payload(m, NULL, 1), "payload is NULL");
	expect_refusal(mquic_message_set_payload(m, big, MQTT_VARINT_MAX + (size_t)1),
		       MQUIC_ERR_TOO_LARGE, "268435455");
	expect_invalid(mquic_message_set_qos(m, 3), "QoS");
	expect_invalid(mquic_message_set_qos(m, -1), "QoS");
	expect_invalid(mquic_message_set_content_type(m, "\xff", 1), "content type");
	expect_invalid(mquic_message_set_response_topic(m, "+", 1), "response topic");
	expect_invalid(mquic_message_set_correlation_data(m, NULL, 1), "NULL");
	expect_invalid(mquic_message_set_correlation_data(m, big, 65536), "65535");
	expect_invalid(mquic_message_add_user_property(m, NULL, 0, "v", 1), "a name and a value");
	expect_invalid(mquic_message_add_user_property(m, "\xff", 1, "v", 1), "UTF-8");
	expect_invalid(mquic_message_add_user_property(m, (const char *)big, 65536, "v", 1),
		       "65535");
	expect_filled(m);
}
END_TEST

START_TEST(message_copy_knows_nothing_of_its_failures)
{
	struct mquic_message *copy;

	expect_invalid(mquic_message_set_qos(message, 3), "QoS");
	ck_assert_int_eq(mquic_message_copy(&copy, message), MQUIC_OK);
	ck_assert_str_eq(mquic_message_error(copy), "");
	mquic_message_free(copy);
}
END_TEST

static void expect_no_user_property(struct mquic_message *of)
{
	size_t len;

	ck_assert_int_eq(mquic_message_clear_user_properties(of), MQUIC_OK);
	ck_assert(!mquic_message_user_property(of, 0, NULL, &len, NULL, NULL));
	ck_assert_int_eq(mquic_message_add_user_property(of, "new", 3, "one", 3), MQUIC_OK);
	expect_user_property(of, 0, "new", "one");
	ck_assert(!mquic_message_user_property(of, 1, NULL, &len, NULL, NULL));
}

START_TEST(user_properties_and_expiry_can_be_taken_away)
{
	struct mquic_message *copy;
	uint32_t seconds;

	ck_assert_int_eq(mquic_message_clear_user_properties(message), MQUIC_OK); /* has none */
	fill(message);
	ck_assert_int_eq(mquic_message_copy(&copy, message), MQUIC_OK);
	expect_no_user_property(message);
	expect_no_user_property(copy); /* there they lie in the message's own block */
	expect_no_user_property(copy);
	ck_assert_int_eq(mquic_message_clear_expiry(copy), MQUIC_OK);
	ck_assert(!mquic_message_expiry_s(copy, &seconds));
	ck_assert_str_eq(mquic_message_content_type(copy, NULL), "text/plain");
	mquic_message_free(copy);
}
END_TEST

START_TEST(null_is_answered_and_not_followed)
{
	size_t len;

	mquic_message_free(NULL);
	mquic_subscription_free(NULL);
	ck_assert_int_eq(mquic_message_new(NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_message_copy(NULL, message), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_message_set_topic(NULL, "t", 1), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_message_set_qos(NULL, 0), MQUIC_ERR_INVALID);
	ck_assert_str_eq(mquic_message_topic(NULL, &len), "");
	ck_assert_ptr_nonnull(mquic_message_payload(NULL, NULL));
	ck_assert_int_eq(mquic_message_qos(NULL), 0);
	ck_assert_ptr_null(mquic_message_content_type(NULL, NULL));
	ck_assert_uint_eq(mquic_message_subscription_id(NULL, 0), 0);
	ck_assert_int_eq(mquic_subscription_new(NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_subscription_add(NULL, "#", 1, 0, 0), MQUIC_ERR_INVALID);
}
END_TEST

START_TEST(packed_message_has_all_the_packet_had)
{
	static const uint32_t ids[] = {7, 300};
	struct mqtt_publish publish = {.qos = 1, .duplicate = true, .packet_id = 77};
	struct mquic_message *packed;
	struct mquic_message *copy;

	publish.topic = bytes_of("t", 1);
	publish.payload = bytes_of(NULL, 0);
	mqtt_properties_init(&publish.properties);
	mqtt_properties_set_ids(&publish.properties, ids, 2);
	mqtt_properties_set_number(&publish.properties, MQTT_TOPIC_ALIAS, 65535);
	packed = mqtt_message_pack(&publish);
	ck_assert_ptr_nonnull(packed);
	ck_assert(mquic_message_duplicate(packed));
	ck_assert_uint_eq(mquic_message_packet_id(packed), 77);
	ck_assert_uint_eq(mquic_message_subscription_id(packed, 0), 7);
	ck_assert_uint_eq(mquic_message_subscription_id(packed, 1), 300);
	ck_assert_uint_eq(mquic_message_subscription_id(packed, 2), 0);
	ck_assert_uint_eq(mquic_message_topic_alias(packed), 65535);
	ck_assert_int_eq(mquic_message_copy(&copy, packed), MQUIC_OK);
	ck_assert_uint_eq(mquic_message_topic_alias(copy), 65535);
	mquic_message_free(copy);
	mquic_message_free(packed);
}
END_TEST

START_TEST(subscription_takes_filters_with_options)
{
	ck_assert_int_eq(mquic_subscription_add(subscription, "a/+", MQUIC_NUL_TERMINATED, 2,
						MQUIC_SUBSCRIBE_NO_LOCAL |
							MQUIC_SUBSCRIBE_RETAIN_AS_PUBLISHED |
							MQUIC_SUBSCRIBE_RETAINED_NEVER),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_add(subscription, "$share/g/x", 10, 1, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_set_id(subscription, MQTT_VARINT_MAX), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_add_user_property(subscription, "k", 1, "v", 1),
			 MQUIC_OK);
	ck_assert_uint_eq(subscription->count, 2);
	ck_assert_uint_eq(subscription->filters[0].options, 0x2e);
	ck_assert_uint_eq(subscription->filters[1].options, 1);
}
END_TEST

static void expect_subscription_refusal(enum mquic_status got, const char *words)
{
	ck_assert_int_eq(got, MQUIC_ERR_INVALID);
	ck_assert_msg(strstr(mquic_subscription_error(subscription), words) != NULL,
		      "\"%s\" lacks \"%s\"", mquic_subscription_error(subscription), words);
}

START_TEST(subscription_refuses_what_no_server_would_take)
{
	static const struct {
		const char *filter;
		int qos;
		unsigned int options;
		const char *words;
	} bad[] = {
		{"", 0, 0, "topic filter"},
		{"a#", 0, 0, "topic filter"},
		{"$share/g", 0, 0, "$share/"},
		{"a", 3, 0, "QoS"},
		{"a", -1, 0, "QoS"},
		{"a", 0, 0x40, "MQUIC_SUBSCRIBE_"},
		{"a", 0, 0x01, "MQUIC_SUBSCRIBE_"},
		{"a", 0, MQUIC_SUBSCRIBE_RETAINED_IF_NEW | MQUIC_SUBSCRIBE_RETAINED_NEVER,
		 "exclude"},
		{"$share/g/a", 0, MQUIC_SUBSCRIBE_NO_LOCAL, "no local"},
	};
	struct mquic_subscription *s = subscription;
	size_t i;

	ck_assert_str_eq(mquic_subscription_error(s), "");
	for (i = 0; i < COUNT(bad); i++)
		expect_subscription_refusal(mquic_subscription_add(s, bad[i].filter,
								   MQUIC_NUL_TERMINATED, bad[i].qos,
								   bad[i].options),
					    bad[i].words);
	expect_subscription_refusal(mquic_subscription_add(s, NULL, 0, 0, 0), "topic filter");
	expect_subscription_refusal(mquic_subscription_set_id(s, 0), "identifier");
	expect_subscription_refusal(mquic_subscription_set_id(s, MQTT_VARINT_MAX + 1), "268435455");
	expect_subscription_refusal(mquic_subscription_add_user_property(s, "\xff", 1, "", 0),
				    "UTF-8");
	ck_assert_uint_eq(s->count, 0);
}
END_TEST

START_TEST(subscription_can_lose_its_user_properties)
{
	ck_assert_int_eq(mquic_subscription_add_user_property(subscription, "k", 1, "v", 1),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_clear_user_properties(subscription), MQUIC_OK);
	ck_assert_uint_eq(subscription->pairs.count, 0);
	ck_assert_int_eq(mquic_subscription_add_user_property(subscription, "k", 1, "v", 1),
			 MQUIC_OK);
	ck_assert_uint_eq(subscription->pairs.count, 1);
}
END_TEST

START_TEST(subscription_holds_many_filters)
{
	int i;

	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(mquic_subscription_add(subscription, "a/b/c", 5, 0, 0), MQUIC_OK);
	ck_assert_uint_eq(subscription->count, 1000);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&message_is_empty_at_first,
		&message_keeps_what_setters_give_it,
		&message_copy_is_deep_and_one_allocation,
		&message_copy_can_be_changed_like_any_other,
		&message_without_extras_can_get_them_after_a_copy,
		&refused_values_leave_the_old_ones_and_a_sentence,
		&message_copy_knows_nothing_of_its_failures,
		&user_properties_and_expiry_can_be_taken_away,
		&null_is_answered_and_not_followed,
		&packed_message_has_all_the_packet_had,
		&subscription_takes_filters_with_options,
		&subscription_refuses_what_no_server_would_take,
		&subscription_can_lose_its_user_properties,
		&subscription_holds_many_filters,
	};

	return unit_run("mqtt-message", setup, teardown, tests, COUNT(tests));
}
