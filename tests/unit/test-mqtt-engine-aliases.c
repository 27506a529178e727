/* SPDX-License-Identifier: MIT */
/* The engine and topic aliases, both ways. */
#include "engine-kit.h"

#include <string.h>

static void sends_aliased(const char *topic, uint32_t alias)
{
	struct mqtt_publish publish;
	struct mqtt_packet packet;

	kit_sends(MQTT_PUBLISH, &packet);
	ck_assert_int_eq(mqtt_publish_read(&publish, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert(bytes_equal(publish.topic, bytes_of(topic, strlen(topic))));
	ck_assert_uint_eq(mqtt_properties_number(&publish.properties, MQTT_TOPIC_ALIAS, 0), alias);
}

START_TEST(aliases_of_ours_go_to_the_first_topics_the_server_allows)
{
	ck_assert_int_eq(mqtt_settings_set_topic_aliases(kit.settings, 10, &kit.error), MQUIC_OK);
	kit_up_with(MQTT_TOPIC_ALIAS_MAXIMUM, 2);
	ck_assert_int_eq(kit_try_publish("first", "x", 0, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("second", "x", 1, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("third", "x", 0, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("second", "x", 1, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("first", "x", 0, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("abc", "x", 0, false), MQUIC_OK);
	sends_aliased("first", 1);
	sends_aliased("second", 2);
	sends_aliased("third", 0);
	sends_aliased("", 2);
	sends_aliased("", 1);
	sends_aliased("abc", 0);
}
END_TEST

START_TEST(aliases_of_ours_start_anew_on_a_new_connection)
{
	ck_assert_int_eq(mqtt_settings_set_topic_aliases(kit.settings, 10, &kit.error), MQUIC_OK);
	kit_up_with(MQTT_TOPIC_ALIAS_MAXIMUM, 1);
	ck_assert_int_eq(kit_try_publish("topic", "one", 1, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("topic", "two", 1, false), MQUIC_OK);
	sends_aliased("topic", 1);
	sends_aliased("", 1);
	kit_reconnect();
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS_MAXIMUM, 1);
	kit_accept(false);
	kit_connected(false);
	sends_aliased("topic", 1);
	sends_aliased("", 1);
	kit_reconnect();
	kit_accept(false);
	kit_connected(false);
	sends_aliased("topic", 0);
	sends_aliased("topic", 0);
}
END_TEST

START_TEST(aliases_of_ours_never_make_a_packet_too_large)
{
	ck_assert_int_eq(mqtt_settings_set_topic_aliases(kit.settings, 10, &kit.error), MQUIC_OK);
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS_MAXIMUM, 10);
	kit_up_with(MQTT_MAXIMUM_PACKET_SIZE, 12);
	ck_assert_int_eq(kit_try_publish("topic", "12", 0, false), MQUIC_OK);
	sends_aliased("topic", 0);
	ck_assert_int_eq(kit_try_publish("tops", "", 0, false), MQUIC_OK);
	sends_aliased("tops", 1);
}
END_TEST

START_TEST(aliases_of_the_server_are_resolved)
{
	ck_assert_int_eq(mqtt_settings_set_topic_alias_maximum(kit.settings, 2, &kit.error),
			 MQUIC_OK);
	kit_up();
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS, 2);
	ck_assert_int_eq(kit_deliver("long/topic", "1", 0, 0, false), MQUIC_OK);
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS, 2);
	ck_assert_int_eq(kit_deliver("", "2", 1, 1, false), MQUIC_OK);
	kit_message("long/topic", "1");
	kit_message("long/topic", "2");
	kit_reconnect();
	kit_accept(false);
	kit_connected(false);
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS, 2);
	ck_assert_int_eq(kit_deliver("", "3", 0, 0, false), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "PUBLISH");
}
END_TEST

START_TEST(aliases_of_the_server_are_held_to_the_maximum)
{
	ck_assert_int_eq(mqtt_settings_set_topic_alias_maximum(kit.settings, 2, &kit.error),
			 MQUIC_OK);
	kit_up();
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS, 3);
	ck_assert_int_eq(kit_deliver("t", "1", 0, 0, false), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_TOPIC_ALIAS_INVALID, "PUBLISH");
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&aliases_of_ours_go_to_the_first_topics_the_server_allows,
		&aliases_of_ours_start_anew_on_a_new_connection,
		&aliases_of_ours_never_make_a_packet_too_large,
		&aliases_of_the_server_are_resolved,
		&aliases_of_the_server_are_held_to_the_maximum,
	};

	return unit_run("mqtt-engine-aliases", kit_open, kit_close, tests, COUNT(tests));
}
