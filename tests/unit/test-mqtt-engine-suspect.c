/* SPDX-License-Identifier: MIT */
/* Messages that the server hangs up at: three times, then they are given up; no others ever. */
#include "engine-kit.h"

#include <string.h>

#include "mqtt/suspect.h"

static void up(void)
{
	ck_assert_int_eq(mqtt_settings_set_client_id(kit.settings, "id", 2, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_clean_start(kit.settings, false, &kit.error), MQUIC_OK);
	kit_up();
}

static void again(bool session_present)
{
	kit_reconnect();
	kit_accept(session_present);
	kit_connected(session_present);
}

/* The server closes the connection without a word. */
static void hung_up(bool session_present)
{
	mqtt_engine_hung_up(kit.engine);
	kit_reconnect();
	kit_accept(session_present);
}

/* The message is given up, before CONNECTED of the connection that follows. */
static void given_up(uint16_t id)
{
	struct mquic_event *event = kit_event(MQUIC_EVENT_DELIVERED);

	ck_assert_uint_eq(mquic_event_packet_id(event), id);
	ck_assert_uint_eq(mquic_event_reason(event, 0), MQTT_UNSPECIFIED_ERROR);
	ck_assert_ptr_nonnull(strstr(mquic_event_text(event), "three connections"));
	mquic_event_free(event);
}

static void check_publish(int qos, bool session_present)
{
	uint16_t bad;
	uint16_t good;
	int i;

	up();
	bad = kit_publish("bad", qos);
	kit_sends_publish("bad", (uint8_t)qos, bad, false);
	for (i = 1; i < MQTT_ENDINGS_MAX; i++) {
		hung_up(session_present);
		kit_connected(session_present);
		kit_sends_publish("bad", (uint8_t)qos, bad, session_present);
	}
	good = kit_publish("good", qos);
	kit_sends_nothing();
	hung_up(session_present);
	given_up(bad);
	kit_connected(session_present);
	kit_sends_publish("good", (uint8_t)qos, good, false);
	kit_sends_nothing();
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 1);
}

START_TEST(publish_is_given_up_after_three_connections)
{
	check_publish(1, true);
	kit_close();
	kit_open();
	check_publish(1, false);
	kit_close();
	kit_open();
	check_publish(2, true);
	kit_close();
	kit_open();
	check_publish(2, false);
}
END_TEST

START_TEST(release_is_given_up_after_three_connections)
{
	uint16_t bad;
	int i;

	up();
	bad = kit_publish("bad", 2);
	kit_sends_publish("bad", 2, bad, false);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, bad, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREL, bad, 0);
	for (i = 1; i < MQTT_ENDINGS_MAX; i++) {
		hung_up(true);
		kit_connected(true);
		kit_sends_ack(MQTT_PUBREL, bad, 0);
	}
	hung_up(true);
	given_up(bad);
	kit_connected(true);
	kit_sends_nothing();
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
}
END_TEST

START_TEST(networks_that_fail_are_nobodys_fault)
{
	uint16_t id;
	int i;

	up();
	id = kit_publish("patient", 1);
	kit_sends_publish("patient", 1, id, false);
	for (i = 0; i < 3 * MQTT_ENDINGS_MAX; i++) {
		again(true);
		kit_sends_publish("patient", 1, id, true);
	}
	/* Nor is a server that cannot be reached behind the others. */
	for (i = 0; i < 3 * MQTT_ENDINGS_MAX; i++) {
		mqtt_engine_hung_up(kit.engine);
		mqtt_engine_lost(kit.engine);
		kit_connect();
		mqtt_engine_hung_up(kit.engine);
		mqtt_engine_lost(kit.engine);
		if (i == 0)
			kit_no_event();
		kit_connect();
	}
	buf_writer_consume(&kit.wire, SIZE_MAX);
	kit_accept(true);
	kit_connected(true);
	kit_sends_publish("patient", 1, id, true);
}
END_TEST

START_TEST(reasons_of_the_servers_own_are_nobodys_fault)
{
	static const char *const innocent[] = {
		"e0 01 89", "e0 01 8b", "e0 01 8d", "e0 01 8e", "e0 01 98",
		"e0 01 9c", "e0 01 9d", "e0 01 9f", "e0 01 a0",
	};
	uint16_t id;
	size_t i;

	up();
	id = kit_publish("m", 1);
	kit_sends_publish("m", 1, id, false);
	for (i = 0; i < COUNT(innocent); i++) {
		ck_assert_int_eq(kit_feed(innocent[i]), MQUIC_ERR_CLOSED);
		mquic_event_free(kit_event(MQUIC_EVENT_DISCONNECTED));
		again(true);
		kit_sends_publish("m", 1, id, true);
	}
}
END_TEST

START_TEST(disconnect_and_broken_rules_count_as_well)
{
	static const char *const ends[] = {"e0 01 95", "30 00", "e0 00"};
	uint16_t id;
	size_t i;

	up();
	id = kit_publish("m", 1);
	for (i = 0; i < COUNT(ends); i++) {
		buf_writer_consume(&kit.wire, SIZE_MAX);
		ck_assert_int_ne(kit_feed(ends[i]), MQUIC_OK);
		mquic_event_free(kit_event(MQUIC_EVENT_DISCONNECTED));
		kit_reconnect();
		kit_accept(true);
		if (i == COUNT(ends) - 1)
			given_up(id);
		kit_connected(true);
	}
}
END_TEST

START_TEST(suspects_travel_alone_until_they_are_cleared)
{
	uint16_t ids[3];
	uint16_t late;

	up();
	ids[0] = kit_publish("a", 1);
	ids[1] = kit_publish("bad", 1);
	ids[2] = kit_publish("c", 2);
	/* The acknowledgement of the first is lost with the connection. */
	hung_up(true);
	kit_connected(true);
	kit_sends_publish("a", 1, ids[0], true);
	(void)kit_publish("zero", 0);
	late = kit_subscribe("t", 0);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, ids[0], 0), MQUIC_OK);
	kit_delivered(ids[0], 0);
	kit_sends_publish("bad", 1, ids[1], true);
	kit_sends_publish("c", 2, ids[2], true);
	kit_sends_publish("zero", 0, 0, false);
	ck_assert_uint_ne(late, 0);
	buf_writer_consume(&kit.wire, SIZE_MAX);
	for (int i = 1; i < MQTT_ENDINGS_MAX; i++) {
		hung_up(true);
		kit_connected(true);
		kit_sends_publish("bad", 1, ids[1], true);
		kit_sends_nothing();
	}
	hung_up(true);
	given_up(ids[1]);
	kit_connected(true);
	kit_sends_publish("c", 2, ids[2], true);
	kit_sends_nothing();
}
END_TEST

START_TEST(suspects_wait_until_what_precedes_them_is_settled)
{
	uint16_t ids[3];

	up();
	ids[0] = kit_publish("slow", 1);
	ids[1] = kit_publish("quick", 1);
	ids[2] = kit_publish("suspect", 1);
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, ids[1], 0), MQUIC_OK);
	kit_delivered(ids[1], 0);
	/* The server has got past the first: the third is what it hung up at. */
	hung_up(true);
	kit_connected(true);
	kit_sends_publish("slow", 1, ids[0], true);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, ids[0], 0), MQUIC_OK);
	kit_delivered(ids[0], 0);
	kit_sends_publish("suspect", 1, ids[2], true);
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, ids[2], 0), MQUIC_OK);
	kit_delivered(ids[2], 0);
}
END_TEST

START_TEST(messages_the_server_got_past_are_never_blamed)
{
	uint16_t slow;
	uint16_t quick;
	int i;

	up();
	slow = kit_publish("slow", 1);
	for (i = 0; i < 3 * MQTT_ENDINGS_MAX; i++) {
		quick = kit_publish("quick", 1);
		ck_assert_int_eq(kit_ack(MQTT_PUBACK, quick, 0), MQUIC_OK);
		kit_delivered(quick, 0);
		buf_writer_consume(&kit.wire, SIZE_MAX);
		hung_up(true);
		kit_connected(true);
	}
	kit_sends_publish("slow", 1, slow, true);
}
END_TEST

START_TEST(subscribing_is_not_blamed_on_messages_behind_it)
{
	uint16_t id;
	int i;

	up();
	(void)kit_subscribe("a", 0);
	id = kit_publish("m", 1);
	for (i = 0; i < MQTT_ENDINGS_MAX; i++) {
		mqtt_engine_hung_up(kit.engine);
		kit_reconnect();
		buf_writer_consume(&kit.wire, SIZE_MAX);
		kit_accept(true);
		kit_connected(true);
		kit_sends_publish("m", 1, id, true);
		/* The connection is lost before it counts, and the next one starts as the first. */
		mqtt_engine_lost(kit.engine);
		kit_connect();
		(void)kit_subscribe("a", 0);
		buf_writer_consume(&kit.wire, SIZE_MAX);
		kit_accept(true);
		kit_connected(true);
	}
	kit_no_event();
}
END_TEST

START_TEST(who_says_goodbye_is_not_hung_up_on)
{
	uint16_t id;
	int i;

	up();
	id = kit_publish("m", 1);
	for (i = 0; i < 2 * MQTT_ENDINGS_MAX; i++) {
		buf_writer_consume(&kit.wire, SIZE_MAX);
		ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
		hung_up(true);
		kit_connected(true);
	}
	kit_sends_publish("m", 1, id, true);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&publish_is_given_up_after_three_connections,
		&release_is_given_up_after_three_connections,
		&networks_that_fail_are_nobodys_fault,
		&reasons_of_the_servers_own_are_nobodys_fault,
		&disconnect_and_broken_rules_count_as_well,
		&suspects_travel_alone_until_they_are_cleared,
		&suspects_wait_until_what_precedes_them_is_settled,
		&messages_the_server_got_past_are_never_blamed,
		&subscribing_is_not_blamed_on_messages_behind_it,
		&who_says_goodbye_is_not_hung_up_on,
	};

	return unit_run("mqtt-engine-suspect", kit_open, kit_close, tests, COUNT(tests));
}
