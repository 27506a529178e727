/* SPDX-License-Identifier: MIT */
/* The options of a session: what is refused, and that the sentence says why. */
#include "unit.h"

#include <string.h>

#include "mqtt/message.h"
#include "mqtt/options.h"

static struct mqtt_options options;
static struct error error;

static void setup(void)
{
	mqtt_options_init(&options);
	memset(&error, 0, sizeof(error));
}

static void teardown(void)
{
	mqtt_options_clear(&options);
}

/* A refusal must come with a sentence that has the word in it. */
static void refused(enum mquic_status status, const char *word)
{
	ck_assert_int_eq(status, MQUIC_ERR_INVALID);
	ck_assert_msg(strstr(error.text, word) != NULL, "\"%s\" lacks \"%s\"", error.text, word);
	error.text[0] = '\0';
}

static void accepted(enum mquic_status status)
{
	ck_assert_int_eq(status, MQUIC_OK);
	ck_assert_str_eq(error.text, "");
}

START_TEST(defaults_are_those_of_the_header)
{
	ck_assert_int_eq(options.version, 5);
	ck_assert_uint_eq(options.keep_alive_s, 60);
	ck_assert(options.clean_start);
	ck_assert_uint_eq(options.expiry_s, 0);
	ck_assert_uint_eq(options.receive_maximum, 65535);
	ck_assert_uint_eq(options.maximum_packet_size, 16777216);
	ck_assert_uint_eq(options.maximum_properties, 1000);
	ck_assert_uint_eq(options.topic_alias_maximum, 0);
	ck_assert_uint_eq(options.topic_aliases, 0);
	ck_assert(!options.manual_ack);
	accepted(mqtt_options_check(&options, &error));
}
END_TEST

START_TEST(texts_are_utf8_of_65535_bytes)
{
	static char big[65536];

	memset(big, 'x', sizeof(big));
	accepted(mqtt_options_set_client_id(&options, big, 65535, &error));
	refused(mqtt_options_set_client_id(&options, big, 65536, &error), "client identifier");
	refused(mqtt_options_set_client_id(&options, "\xff", 1, &error), "UTF-8");
	ck_assert_uint_eq(options.client_id.len, 65535);
	accepted(mqtt_options_set_username(&options, "user", MQUIC_NUL_TERMINATED, &error));
	refused(mqtt_options_set_username(&options, "a\0b", 3, &error), "user name");
	ck_assert_str_eq(options.username.data, "user");
	accepted(mqtt_options_set_username(&options, NULL, 0, &error));
	ck_assert_ptr_null(options.username.data);
	accepted(mqtt_options_set_password(&options, (const uint8_t *)"\0\xff", 2, &error));
	refused(mqtt_options_set_password(&options, (const uint8_t *)big, 65536, &error),
		"password");
	refused(mqtt_options_set_password(&options, NULL, 1, &error), "password");
	ck_assert_uint_eq(options.password.len, 2);
}
END_TEST

START_TEST(numbers_are_held_to_their_range)
{
	refused(mqtt_options_set_receive_maximum(&options, 0, &error), "receive maximum");
	accepted(mqtt_options_set_receive_maximum(&options, 1, &error));
	refused(mqtt_options_set_maximum_packet_size(&options, 1023, &error), "1024");
	refused(mqtt_options_set_maximum_packet_size(&options, 268435461, &error), "268435461");
	accepted(mqtt_options_set_maximum_packet_size(&options, 268435460, &error));
	accepted(mqtt_options_set_maximum_packet_size(&options, 1024, &error));
	refused(mqtt_options_set_maximum_properties(&options, 0, &error), "1 to 1000000");
	refused(mqtt_options_set_maximum_properties(&options, 1000001, &error), "1000001");
	accepted(mqtt_options_set_maximum_properties(&options, 1000000, &error));
	accepted(mqtt_options_set_maximum_properties(&options, 1, &error));
	refused(mqtt_options_set_protocol(&options, (enum mquic_protocol)2, &error), "3.1.1");
	refused(mqtt_options_set_protocol(&options, (enum mquic_protocol)6, &error), "protocol 6");
	accepted(mqtt_options_set_protocol(&options, MQUIC_PROTOCOL_MQTT_3_1, &error));
	accepted(mqtt_options_set_protocol(&options, MQUIC_PROTOCOL_MQTT_3_1_1, &error));
	accepted(mqtt_options_set_keep_alive_s(&options, 0, &error));
	accepted(mqtt_options_set_expiry_s(&options, UINT32_MAX, &error));
	accepted(mqtt_options_set_topic_alias_maximum(&options, 65535, &error));
	accepted(mqtt_options_set_topic_aliases(&options, 65535, &error));
	accepted(mqtt_options_set_clean_start(&options, false, &error));
	accepted(mqtt_options_set_manual_ack(&options, true, &error));
	ck_assert_int_eq(options.version, 4);
	ck_assert_uint_eq(options.receive_maximum, 1);
	ck_assert_uint_eq(options.maximum_packet_size, 1024);
	ck_assert_uint_eq(options.maximum_properties, 1);
}
END_TEST

START_TEST(will_is_copied_and_needs_a_topic)
{
	static uint8_t big[65536];
	struct mquic_message *will;

	ck_assert_int_eq(mquic_message_new(&will), MQUIC_OK);
	refused(mqtt_options_set_will(&options, will, 0, &error), "topic");
	ck_assert_int_eq(mquic_message_set_topic(will, "w", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(will, big, sizeof(big)), MQUIC_OK);
	refused(mqtt_options_set_will(&options, will, 0, &error), "65536");
	ck_assert_int_eq(mquic_message_set_payload(will, big, 65535), MQUIC_OK);
	accepted(mqtt_options_set_will(&options, will, 5, &error));
	mquic_message_free(will);
	ck_assert_str_eq(options.will->topic.data, "w");
	ck_assert_uint_eq(options.will_delay_s, 5);
	accepted(mqtt_options_set_will(&options, NULL, 0, &error));
	ck_assert_ptr_null(options.will);
}
END_TEST

START_TEST(user_properties_add_up)
{
	accepted(mqtt_options_add_user_property(&options, "k", 1, "v", 1, &error));
	accepted(mqtt_options_add_user_property(&options, "k", MQUIC_NUL_TERMINATED, "w",
						MQUIC_NUL_TERMINATED, &error));
	refused(mqtt_options_add_user_property(&options, "k", 1, "\xff", 1, &error), "UTF-8");
	refused(mqtt_options_add_user_property(&options, NULL, 0, "v", 1, &error), "name");
	ck_assert_uint_eq(options.user_properties.count, 2);
	mqtt_options_clear_user_properties(&options);
	ck_assert_uint_eq(options.user_properties.count, 0);
}
END_TEST

START_TEST(authentication_data_needs_a_method)
{
	const uint8_t *data = (const uint8_t *)"data";

	refused(mqtt_options_set_authentication(&options, NULL, 0, data, 4, &error), "method");
	accepted(mqtt_options_set_authentication(&options, "SCRAM", 5, data, 4, &error));
	refused(mqtt_options_set_authentication(&options, "\xff", 1, data, 4, &error), "UTF-8");
	refused(mqtt_options_set_authentication(&options, "X", 1, data, 65536, &error), "65535");
	ck_assert_str_eq(options.auth_method.data, "SCRAM");
	accepted(mqtt_options_set_authentication(&options, NULL, 0, NULL, 0, &error));
	ck_assert_ptr_null(options.auth_data.data);
}
END_TEST

START_TEST(contradictions_with_3_1_1_are_found)
{
	accepted(mqtt_options_set_protocol(&options, MQUIC_PROTOCOL_MQTT_3_1_1, &error));
	accepted(mqtt_options_check(&options, &error));
	accepted(mqtt_options_set_password(&options, (const uint8_t *)"p", 1, &error));
	refused(mqtt_options_check(&options, &error), "user name");
	accepted(mqtt_options_set_username(&options, "u", 1, &error));
	accepted(mqtt_options_set_clean_start(&options, false, &error));
	refused(mqtt_options_check(&options, &error), "client identifier");
	accepted(mqtt_options_set_client_id(&options, "id", 2, &error));
	accepted(mqtt_options_set_authentication(&options, "m", 1, NULL, 0, &error));
	refused(mqtt_options_check(&options, &error), "authentication");
	accepted(mqtt_options_set_protocol(&options, MQUIC_PROTOCOL_MQTT_5, &error));
	accepted(mqtt_options_check(&options, &error));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&defaults_are_those_of_the_header,
		&texts_are_utf8_of_65535_bytes,
		&numbers_are_held_to_their_range,
		&will_is_copied_and_needs_a_topic,
		&user_properties_add_up,
		&authentication_data_needs_a_method,
		&contradictions_with_3_1_1_are_found,
	};

	return unit_run("mqtt-options", setup, teardown, tests, COUNT(tests));
}
