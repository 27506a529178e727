/* SPDX-License-Identifier: MIT */
/* The settings of a session: what is refused, and that the sentence says why. */
#include "unit.h"

#include <string.h>

#include "mqtt/message.h"
#include "mqtt/settings.h"

static struct mqtt_settings settings;
static struct error error;

static void setup(void)
{
	mqtt_settings_init(&settings);
	memset(&error, 0, sizeof(error));
}

static void teardown(void)
{
	mqtt_settings_clear(&settings);
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
	ck_assert_int_eq(settings.version, 5);
	ck_assert_uint_eq(settings.keep_alive_s, 60);
	ck_assert(settings.clean_start);
	ck_assert_uint_eq(settings.expiry_s, 0);
	ck_assert_uint_eq(settings.receive_maximum, 65535);
	ck_assert_uint_eq(settings.maximum_packet_size, 16777216);
	ck_assert_uint_eq(settings.maximum_properties, 1000);
	ck_assert_uint_eq(settings.topic_alias_maximum, 0);
	ck_assert_uint_eq(settings.topic_aliases, 0);
	ck_assert(!settings.manual_ack);
	accepted(mqtt_settings_check(&settings, &error));
}
END_TEST

START_TEST(texts_are_utf8_of_65535_bytes)
{
	static char big[65536];

	memset(big, 'x', sizeof(big));
	accepted(mqtt_settings_set_client_id(&settings, big, 65535, &error));
	refused(mqtt_settings_set_client_id(&settings, big, 65536, &error), "client identifier");
	refused(mqtt_settings_set_client_id(&settings, "\xff", 1, &error), "UTF-8");
	ck_assert_uint_eq(settings.client_id.len, 65535);
	accepted(mqtt_settings_set_username(&settings, "user", MQUIC_NUL_TERMINATED, &error));
	refused(mqtt_settings_set_username(&settings, "a\0b", 3, &error), "user name");
	ck_assert_str_eq(settings.username.data, "user");
	accepted(mqtt_settings_set_username(&settings, NULL, 0, &error));
	ck_assert_ptr_null(settings.username.data);
	accepted(mqtt_settings_set_password(&settings, (const uint8_t *)"\0\xff", 2, &error));
	refused(mqtt_settings_set_password(&settings, (const uint8_t *)big, 65536, &error),
		"password");
	refused(mqtt_settings_set_password(&settings, NULL, 1, &error), "password");
	ck_assert_uint_eq(settings.password.len, 2);
}
END_TEST

START_TEST(numbers_are_held_to_their_range)
{
	refused(mqtt_settings_set_receive_maximum(&settings, 0, &error), "receive maximum");
	accepted(mqtt_settings_set_receive_maximum(&settings, 1, &error));
	refused(mqtt_settings_set_maximum_packet_size(&settings, 1023, &error), "1024");
	refused(mqtt_settings_set_maximum_packet_size(&settings, 268435461, &error), "268435461");
	accepted(mqtt_settings_set_maximum_packet_size(&settings, 268435460, &error));
	accepted(mqtt_settings_set_maximum_packet_size(&settings, 1024, &error));
	refused(mqtt_settings_set_maximum_properties(&settings, 0, &error), "1 to 1000000");
	refused(mqtt_settings_set_maximum_properties(&settings, 1000001, &error), "1000001");
	accepted(mqtt_settings_set_maximum_properties(&settings, 1000000, &error));
	accepted(mqtt_settings_set_maximum_properties(&settings, 1, &error));
	refused(mqtt_settings_set_protocol(&settings, (enum mquic_protocol)2, &error), "3.1.1");
	refused(mqtt_settings_set_protocol(&settings, (enum mquic_protocol)6, &error),
		"protocol 6");
	accepted(mqtt_settings_set_protocol(&settings, MQUIC_PROTOCOL_MQTT_3_1, &error));
	accepted(mqtt_settings_set_protocol(&settings, MQUIC_PROTOCOL_MQTT_3_1_1, &error));
	accepted(mqtt_settings_set_keep_alive_s(&settings, 0, &error));
	accepted(mqtt_settings_set_expiry_s(&settings, UINT32_MAX, &error));
	accepted(mqtt_settings_set_topic_alias_maximum(&settings, 65535, &error));
	accepted(mqtt_settings_set_topic_aliases(&settings, 65535, &error));
	accepted(mqtt_settings_set_clean_start(&settings, false, &error));
	accepted(mqtt_settings_set_manual_ack(&settings, true, &error));
	ck_assert_int_eq(settings.version, 4);
	ck_assert_uint_eq(settings.receive_maximum, 1);
	ck_assert_uint_eq(settings.maximum_packet_size, 1024);
	ck_assert_uint_eq(settings.maximum_properties, 1);
}
END_TEST

START_TEST(will_is_copied_and_needs_a_topic)
{
	static uint8_t big[65536];
	struct mquic_message *will;

	ck_assert_int_eq(mquic_message_new(&will), MQUIC_OK);
	refused(mqtt_settings_set_will(&settings, will, 0, &error), "topic");
	ck_assert_int_eq(mquic_message_set_topic(will, "w", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(will, big, sizeof(big)), MQUIC_OK);
	refused(mqtt_settings_set_will(&settings, will, 0, &error), "65536");
	ck_assert_int_eq(mquic_message_set_payload(will, big, 65535), MQUIC_OK);
	accepted(mqtt_settings_set_will(&settings, will, 5, &error));
	mquic_message_free(will);
	ck_assert_str_eq(settings.will->topic.data, "w");
	ck_assert_uint_eq(settings.will_delay_s, 5);
	accepted(mqtt_settings_set_will(&settings, NULL, 0, &error));
	ck_assert_ptr_null(settings.will);
}
END_TEST

START_TEST(user_properties_add_up)
{
	accepted(mqtt_settings_add_user_property(&settings, "k", 1, "v", 1, &error));
	accepted(mqtt_settings_add_user_property(&settings, "k", MQUIC_NUL_TERMINATED, "w",
						 MQUIC_NUL_TERMINATED, &error));
	refused(mqtt_settings_add_user_property(&settings, "k", 1, "\xff", 1, &error), "UTF-8");
	refused(mqtt_settings_add_user_property(&settings, NULL, 0, "v", 1, &error), "name");
	ck_assert_uint_eq(settings.user_properties.count, 2);
	mqtt_settings_clear_user_properties(&settings);
	ck_assert_uint_eq(settings.user_properties.count, 0);
}
END_TEST

START_TEST(authentication_data_needs_a_method)
{
	const uint8_t *data = (const uint8_t *)"data";

	refused(mqtt_settings_set_authentication(&settings, NULL, 0, data, 4, &error), "method");
	accepted(mqtt_settings_set_authentication(&settings, "SCRAM", 5, data, 4, &error));
	refused(mqtt_settings_set_authentication(&settings, "\xff", 1, data, 4, &error), "UTF-8");
	refused(mqtt_settings_set_authentication(&settings, "X", 1, data, 65536, &error), "65535");
	ck_assert_str_eq(settings.auth_method.data, "SCRAM");
	accepted(mqtt_settings_set_authentication(&settings, NULL, 0, NULL, 0, &error));
	ck_assert_ptr_null(settings.auth_data.data);
}
END_TEST

START_TEST(contradictions_with_3_1_1_are_found)
{
	accepted(mqtt_settings_set_protocol(&settings, MQUIC_PROTOCOL_MQTT_3_1_1, &error));
	accepted(mqtt_settings_check(&settings, &error));
	accepted(mqtt_settings_set_password(&settings, (const uint8_t *)"p", 1, &error));
	refused(mqtt_settings_check(&settings, &error), "user name");
	accepted(mqtt_settings_set_username(&settings, "u", 1, &error));
	accepted(mqtt_settings_set_clean_start(&settings, false, &error));
	refused(mqtt_settings_check(&settings, &error), "client identifier");
	accepted(mqtt_settings_set_client_id(&settings, "id", 2, &error));
	accepted(mqtt_settings_set_authentication(&settings, "m", 1, NULL, 0, &error));
	refused(mqtt_settings_check(&settings, &error), "authentication");
	accepted(mqtt_settings_set_protocol(&settings, MQUIC_PROTOCOL_MQTT_5, &error));
	accepted(mqtt_settings_check(&settings, &error));
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

	return unit_run("mqtt-settings", setup, teardown, tests, COUNT(tests));
}
