/* SPDX-License-Identifier: MIT */
/* The engine and its limits: windows, sizes, properties. */
#include "engine-kit.h"

#include <string.h>

/* ---- Receive maximum ---- */

START_TEST(window_of_the_server_is_never_exceeded)
{
	uint16_t ids[6];
	size_t i;

	kit_up_with(MQTT_RECEIVE_MAXIMUM, 2);
	for (i = 0; i < 6; i++)
		ids[i] = kit_publish("m", i % 2 == 0 ? 1 : 2);
	(void)kit_publish("zero", 0);
	kit_sends_publish("m", 1, ids[0], false);
	kit_sends_publish("m", 2, ids[1], false);
	kit_sends_nothing();
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 6);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, ids[1], 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREL, ids[1], 0);
	kit_sends_nothing(); /* PUBREC frees no place */
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, ids[0], 0), MQUIC_OK);
	kit_sends_publish("m", 1, ids[2], false);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, ids[1], 0), MQUIC_OK);
	kit_sends_publish("m", 2, ids[3], false);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, ids[3], MQTT_QUOTA_EXCEEDED), MQUIC_OK);
	kit_sends_publish("m", 1, ids[4], false);
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, ids[2], 0), MQUIC_OK);
	kit_sends_publish("m", 2, ids[5], false);
	kit_sends_publish("zero", 0, 0, false);
	kit_sends_nothing();
}
END_TEST

START_TEST(window_for_qos_2_is_small_in_3_1_1)
{
	uint16_t id;

	kit.settings->version = 4;
	kit_up();
	for (id = 1; id <= 21; id++)
		ck_assert_uint_eq(kit_publish("m", 2), id);
	(void)kit_publish("m", 1);
	for (id = 1; id <= 20; id++)
		kit_sends_publish("m", 2, id, false);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, 1, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREL, 1, 0);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, 1, 0), MQUIC_OK);
	kit_sends_publish("m", 2, 21, false);
	kit_sends_publish("m", 1, 22, false);
}
END_TEST

START_TEST(window_of_ours_ends_the_connection_when_exceeded)
{
	ck_assert_int_eq(mqtt_settings_set_receive_maximum(kit.settings, 2, &kit.error), MQUIC_OK);
	kit_up();
	ck_assert_int_eq(kit_deliver("t", "1", 2, 1, false), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "2", 2, 2, false), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "2", 2, 2, true), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "0", 0, 0, false), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "3", 2, 3, false), MQUIC_ERR_PROTOCOL);
	kit_message("t", "1");
	kit_message("t", "2");
	kit_message("t", "0");
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_RECEIVE_MAXIMUM_EXCEEDED, "unsettled");
	kit_sends_ack(MQTT_PUBREC, 1, 0);
	kit_sends_ack(MQTT_PUBREC, 2, 0);
	kit_sends_ack(MQTT_PUBREC, 2, 0);
	kit_sends_disconnect(MQTT_RECEIVE_MAXIMUM_EXCEEDED);
}
END_TEST

START_TEST(window_of_ours_is_freed_by_settling)
{
	uint16_t id;

	ck_assert_int_eq(mqtt_settings_set_receive_maximum(kit.settings, 1, &kit.error), MQUIC_OK);
	kit_up();
	for (id = 1; id < 100; id++) {
		ck_assert_int_eq(kit_deliver("t", "1", 1, id, false), MQUIC_OK);
		ck_assert_int_eq(kit_deliver("t", "2", 2, id, false), MQUIC_OK);
		ck_assert_int_eq(kit_ack(MQTT_PUBREL, id, 0), MQUIC_OK);
	}
}
END_TEST

START_TEST(disconnect_waits_for_the_window_to_let_the_queue_out)
{
	uint16_t one;
	uint16_t two;

	kit_up_with(MQTT_RECEIVE_MAXIMUM, 1);
	one = kit_publish("one", 1);
	two = kit_publish("two", 1);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_CLOSING);
	kit_sends_publish("one", 1, one, false);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, one, 0), MQUIC_OK);
	kit_delivered(one, 0);
	kit_sends_publish("two", 1, two, false);
	kit_sends_disconnect(0);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
}
END_TEST

/* ---- What the server takes ---- */

START_TEST(largest_packet_of_the_server_is_respected)
{
	/* "30", length, topic 2 + 1, properties 1, payload */
	kit_up_with(MQTT_MAXIMUM_PACKET_SIZE, 10);
	ck_assert_int_eq(kit_try_publish("t", "1234", 0, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("t", "12345", 0, false), MQUIC_ERR_TOO_LARGE);
	ck_assert_int_eq(kit_try_publish("t", "12", 1, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("t", "123", 1, false), MQUIC_ERR_TOO_LARGE);
	kit_sends_publish("1234", 0, 0, false);
	kit_sends_publish("12", 1, 1, false);
	kit_sends_nothing();
}
END_TEST

/* [MQTT-3.2.2-15]: not even acknowledgements, whose lack would leave the server waiting. */
START_TEST(nothing_larger_than_the_server_takes_is_sent)
{
	static const char *const unanswerable[] = {
		"32 06 0001't' 0001 00",
		"34 06 0001't' 0001 00",
		"62 02 0001",
		"50 02 0001",
	};
	uint32_t maximum;
	size_t i;

	for (i = 0; i < COUNT(unanswerable); i++)
		for (maximum = 1; maximum <= 4; maximum++) {
			kit_close();
			kit_open();
			kit_up_with(MQTT_MAXIMUM_PACKET_SIZE, maximum);
			if (maximum == 4 && i < 2) {
				ck_assert_int_eq(kit_feed(unanswerable[i]), MQUIC_OK);
				kit_sends_ack(i == 0 ? MQTT_PUBACK : MQTT_PUBREC, 1, 0);
				continue;
			}
			ck_assert_int_eq(kit_feed(unanswerable[i]), MQUIC_ERR_TOO_LARGE);
			if (i < 2)
				kit_message("t", "");
			kit_over(MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE, "takes no packet");
			kit_sends_nothing();
		}
}
END_TEST

START_TEST(goodbye_and_ping_must_fit_as_well)
{
	struct mqtt_packet packet;

	kit_up_with(MQTT_MAXIMUM_PACKET_SIZE, 1);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
	kit_sends_nothing();
	mqtt_engine_lost(kit.engine);
	kit_up_with(MQTT_MAXIMUM_PACKET_SIZE, 1);
	mqtt_engine_tick(kit.engine, kit.now_ms + 60000);
	kit_over(MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE, "PINGREQ");
	kit_sends_nothing();
	mqtt_engine_lost(kit.engine);
	kit_up_with(MQTT_MAXIMUM_PACKET_SIZE, 2);
	mqtt_engine_tick(kit.engine, kit.now_ms + 60000);
	kit_sends(MQTT_PINGREQ, &packet);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	kit_sends_disconnect(0);
	/* The limit was that of one connection. */
	mqtt_engine_lost(kit.engine);
	kit_up();
	ck_assert_int_eq(kit_deliver("t", "", 1, 1, false), MQUIC_OK);
	kit_sends_ack(MQTT_PUBACK, 1, 0);
}
END_TEST

START_TEST(acknowledging_by_hand_must_fit_as_well)
{
	ck_assert_int_eq(mqtt_settings_set_manual_ack(kit.settings, true, &kit.error), MQUIC_OK);
	kit_up_with(MQTT_MAXIMUM_PACKET_SIZE, 4);
	ck_assert_int_eq(kit_deliver("t", "", 1, 1, false), MQUIC_OK);
	kit_message("t", "");
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 1, MQTT_QUOTA_EXCEEDED, &kit.error),
			 MQUIC_ERR_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "more than 4 bytes"));
	kit_over(MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE, "PUBACK");
	kit_sends_nothing();
}
END_TEST

START_TEST(qos_and_retain_of_the_server_are_respected)
{
	mqtt_properties_set_number(&kit.properties, MQTT_MAXIMUM_QOS, 1);
	mqtt_properties_set_number(&kit.properties, MQTT_RETAIN_AVAILABLE, 0);
	kit_up();
	ck_assert_int_eq(kit_try_publish("t", "x", 2, false), MQUIC_ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "QoS"));
	ck_assert_int_eq(kit_try_publish("t", "x", 0, true), MQUIC_ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "retained"));
	ck_assert_int_eq(kit_try_publish("t", "x", 1, false), MQUIC_OK);
}
END_TEST

START_TEST(subscriptions_the_server_lacks_are_refused)
{
	static const struct {
		enum mqtt_property property;
		const char *filter;
		uint32_t id;
	} cases[] = {
		{MQTT_WILDCARDS_AVAILABLE, "a/+", 0},
		{MQTT_SHARED_AVAILABLE, "$share/g/a", 0},
		{MQTT_SUBSCRIPTION_IDS_AVAILABLE, "a", 7},
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct mquic_subscription *subscription;

		ck_assert_int_eq(mquic_subscription_new(&subscription), MQUIC_OK);
		ck_assert_int_eq(mquic_subscription_add(subscription, cases[i].filter,
							MQUIC_NUL_TERMINATED, 0, 0),
				 MQUIC_OK);
		if (cases[i].id > 0)
			ck_assert_int_eq(mquic_subscription_set_id(subscription, cases[i].id),
					 MQUIC_OK);
		kit_up_with(cases[i].property, 0);
		ck_assert_int_eq(mqtt_engine_subscribe(kit.engine, subscription, NULL, &kit.error),
				 MQUIC_ERR_REFUSED);
		ck_assert_int_eq(
			mqtt_engine_unsubscribe(kit.engine, subscription, NULL, &kit.error),
			MQUIC_OK);
		mquic_subscription_free(subscription);
		kit_reconnect();
		mqtt_engine_lost(kit.engine);
		buf_writer_consume(&kit.wire, SIZE_MAX);
	}
}
END_TEST

START_TEST(what_was_queued_before_connack_is_settled_with_the_reason)
{
	struct mquic_event *event;
	struct mqtt_connect connect;
	uint16_t two;
	uint16_t big;
	uint16_t sub;

	kit_connect();
	two = kit_publish("two", 2);
	ck_assert_int_eq(kit_try_publish("t", "kept", 0, true), MQUIC_OK);
	big = kit_publish("much too large a payload", 1);
	sub = kit_subscribe("#", 0);
	(void)kit_publish("fine", 0);
	kit_sends_connect(&connect);
	mqtt_properties_set_number(&kit.properties, MQTT_MAXIMUM_QOS, 1);
	mqtt_properties_set_number(&kit.properties, MQTT_RETAIN_AVAILABLE, 0);
	mqtt_properties_set_number(&kit.properties, MQTT_MAXIMUM_PACKET_SIZE, 25);
	mqtt_properties_set_number(&kit.properties, MQTT_WILDCARDS_AVAILABLE, 0);
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, false), MQUIC_OK);
	kit_connected(false);
	kit_delivered(two, MQTT_QOS_NOT_SUPPORTED);
	kit_delivered(0, MQTT_RETAIN_NOT_SUPPORTED);
	kit_delivered(big, MQTT_PACKET_TOO_LARGE);
	event = kit_event(MQUIC_EVENT_SUBSCRIBED);
	ck_assert_uint_eq(mquic_event_packet_id(event), sub);
	ck_assert_uint_eq(mquic_event_reason(event, 0), MQTT_WILDCARDS_NOT_SUPPORTED);
	mquic_event_free(event);
	kit_sends_publish("fine", 0, 0, false);
	kit_sends_nothing();
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
}
END_TEST

/* ---- What we take ---- */

START_TEST(largest_packet_of_ours_ends_the_connection_when_exceeded)
{
	ck_assert_int_eq(mqtt_settings_set_maximum_packet_size(kit.settings, 1024, &kit.error),
			 MQUIC_OK);
	kit_up();
	ck_assert_int_eq(kit_feed("30 fd 07"), MQUIC_OK);
	kit_reconnect();
	ck_assert_int_eq(kit_connack(0, false), MQUIC_OK);
	kit_connected(false);
	ck_assert_int_eq(kit_feed("30 fe 07"), MQUIC_ERR_TOO_LARGE);
	kit_over(MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE, "set the maximum packet size");
	buf_writer_consume(&kit.wire, SIZE_MAX);
}
END_TEST

START_TEST(packets_without_message_have_a_limit_of_their_own)
{
	kit_up();
	ck_assert_int_eq(kit_feed("90 ff ff 7f"), MQUIC_ERR_TOO_LARGE);
	kit_over(MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE, "other packets 1048576");
	kit_sends_disconnect(MQTT_PACKET_TOO_LARGE);
	mqtt_engine_lost(kit.engine);
	/* A server of 3.1.1 could not be told what we take. */
	kit.settings->version = 4;
	kit_up();
	ck_assert_int_eq(kit_feed("30 ff ff ff 7f"), MQUIC_ERR_TOO_LARGE);
	kit_over(MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE, "16777216");
	kit_sends_nothing();
}
END_TEST

/* ---- Properties that come more than once ---- */

/* A message with two user properties and a subscription identifier. */
static void deliver_with_three(const char *payload, uint8_t qos, uint16_t id, bool duplicate)
{
	static const struct mqtt_pair pairs[] = {{"a\0b", 1, 1}, {"\0", 0, 0}};
	static const uint32_t ids[] = {7};

	mqtt_properties_set_pairs(&kit.properties, pairs, COUNT(pairs));
	mqtt_properties_set_ids(&kit.properties, ids, COUNT(ids));
	ck_assert_int_eq(kit_deliver("t", payload, qos, id, duplicate), MQUIC_OK);
}

START_TEST(message_with_too_many_properties_is_refused_alone)
{
	const char *notice;

	ck_assert_int_eq(mqtt_settings_set_maximum_properties(kit.settings, 2, &kit.error),
			 MQUIC_OK);
	kit_up();
	ck_assert_ptr_null(mqtt_engine_take_notice(kit.engine));
	deliver_with_three("zero", 0, 0, false);
	kit_no_event();
	kit_sends_nothing();
	notice = mqtt_engine_take_notice(kit.engine);
	ck_assert_ptr_nonnull(notice);
	ck_assert_ptr_nonnull(strstr(notice, "topic t was refused: it has 3"));
	ck_assert_ptr_null(mqtt_engine_take_notice(kit.engine));
	deliver_with_three("one", 1, 5, false);
	kit_sends_ack(MQTT_PUBACK, 5, MQTT_QUOTA_EXCEEDED);
	deliver_with_three("two", 2, 6, false);
	kit_sends_ack(MQTT_PUBREC, 6, MQTT_QUOTA_EXCEEDED);
	deliver_with_three("two", 2, 6, true);
	kit_sends_ack(MQTT_PUBREC, 6, MQTT_QUOTA_EXCEEDED);
	kit_no_event();
	/* What was refused holds no place, and others pass. */
	ck_assert_int_eq(kit_deliver("t", "fine", 1, 5, false), MQUIC_OK);
	kit_message("t", "fine");
	kit_sends_ack(MQTT_PUBACK, 5, 0);
}
END_TEST

START_TEST(refusals_keep_the_order_of_acknowledgements)
{
	ck_assert_int_eq(mqtt_settings_set_maximum_properties(kit.settings, 2, &kit.error),
			 MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_manual_ack(kit.settings, true, &kit.error), MQUIC_OK);
	kit_up();
	ck_assert_int_eq(kit_deliver("t", "first", 1, 1, false), MQUIC_OK);
	kit_message("t", "first");
	deliver_with_three("second", 1, 2, false);
	kit_sends_nothing();
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 2, 0, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 1, 0, &kit.error), MQUIC_OK);
	kit_sends_ack(MQTT_PUBACK, 1, 0);
	kit_sends_ack(MQTT_PUBACK, 2, MQTT_QUOTA_EXCEEDED);
}
END_TEST

START_TEST(user_properties_of_answers_are_cut_to_the_maximum)
{
	struct mquic_event *event;
	const char *name;
	size_t i;
	uint16_t id;

	ck_assert_int_eq(mqtt_settings_set_maximum_properties(kit.settings, 2, &kit.error),
			 MQUIC_OK);
	kit_up();
	id = kit_publish("m", 1);
	(void)id;
	ck_assert_int_eq(
		kit_feed("40 19 0001 00 15 260001'a'0000 260001'b'0000 260001'c'0000 1f0000"),
		MQUIC_OK);
	event = kit_event(MQUIC_EVENT_DELIVERED);
	for (i = 0; mquic_event_user_property(event, i, &name, NULL, NULL, NULL); i++)
		ck_assert_int_eq(name[0], 'a' + (int)i);
	ck_assert_uint_eq(i, 2);
	mquic_event_free(event);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&window_of_the_server_is_never_exceeded,
		&window_for_qos_2_is_small_in_3_1_1,
		&window_of_ours_ends_the_connection_when_exceeded,
		&window_of_ours_is_freed_by_settling,
		&largest_packet_of_the_server_is_respected,
		&nothing_larger_than_the_server_takes_is_sent,
		&goodbye_and_ping_must_fit_as_well,
		&acknowledging_by_hand_must_fit_as_well,
		&qos_and_retain_of_the_server_are_respected,
		&subscriptions_the_server_lacks_are_refused,
		&what_was_queued_before_connack_is_settled_with_the_reason,
		&largest_packet_of_ours_ends_the_connection_when_exceeded,
		&packets_without_message_have_a_limit_of_their_own,
		&message_with_too_many_properties_is_refused_alone,
		&refusals_keep_the_order_of_acknowledgements,
		&user_properties_of_answers_are_cut_to_the_maximum,
		&disconnect_waits_for_the_window_to_let_the_queue_out,
	};

	return unit_run("mqtt-engine-limits", kit_open, kit_close, tests, COUNT(tests));
}
