/* SPDX-License-Identifier: MIT */
/* The engine and its limits: windows, sizes, aliases, buffers, time. */
#include "engine-kit.h"

#include <string.h>

/* Connects; `properties` of CONNACK have been set in kit.properties. */
static void up_with(enum mqtt_property id, uint32_t value)
{
	mqtt_properties_set_number(&kit.properties, id, value);
	kit_up();
}

/* ---- Receive maximum ---- */

START_TEST(window_of_the_server_is_never_exceeded)
{
	uint16_t ids[6];
	size_t i;

	up_with(MQTT_RECEIVE_MAXIMUM, 2);
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

	kit.options->version = 4;
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
	ck_assert_int_eq(mqtt_options_set_receive_maximum(kit.options, 2, &kit.error), MQUIC_OK);
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

	ck_assert_int_eq(mqtt_options_set_receive_maximum(kit.options, 1, &kit.error), MQUIC_OK);
	kit_up();
	for (id = 1; id < 100; id++) {
		ck_assert_int_eq(kit_deliver("t", "1", 1, id, false), MQUIC_OK);
		ck_assert_int_eq(kit_deliver("t", "2", 2, id, false), MQUIC_OK);
		ck_assert_int_eq(kit_ack(MQTT_PUBREL, id, 0), MQUIC_OK);
	}
}
END_TEST

/* ---- What the server takes ---- */

START_TEST(largest_packet_of_the_server_is_respected)
{
	/* "30", length, topic 2 + 1, properties 1, payload */
	up_with(MQTT_MAXIMUM_PACKET_SIZE, 10);
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
			up_with(MQTT_MAXIMUM_PACKET_SIZE, maximum);
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

	up_with(MQTT_MAXIMUM_PACKET_SIZE, 1);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
	kit_sends_nothing();
	mqtt_engine_lost(kit.engine);
	up_with(MQTT_MAXIMUM_PACKET_SIZE, 1);
	mqtt_engine_tick(kit.engine, kit.now_ms + 60000);
	kit_over(MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE, "PINGREQ");
	kit_sends_nothing();
	mqtt_engine_lost(kit.engine);
	up_with(MQTT_MAXIMUM_PACKET_SIZE, 2);
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
	ck_assert_int_eq(mqtt_options_set_manual_ack(kit.options, true, &kit.error), MQUIC_OK);
	up_with(MQTT_MAXIMUM_PACKET_SIZE, 4);
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
		up_with(cases[i].property, 0);
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
	ck_assert_int_eq(mqtt_options_set_maximum_packet_size(kit.options, 1024, &kit.error),
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
	kit.options->version = 4;
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

	ck_assert_int_eq(mqtt_options_set_maximum_properties(kit.options, 2, &kit.error), MQUIC_OK);
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
	ck_assert_int_eq(mqtt_options_set_maximum_properties(kit.options, 2, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_options_set_manual_ack(kit.options, true, &kit.error), MQUIC_OK);
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

	ck_assert_int_eq(mqtt_options_set_maximum_properties(kit.options, 2, &kit.error), MQUIC_OK);
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

/* ---- Topic aliases ---- */

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
	ck_assert_int_eq(mqtt_options_set_topic_aliases(kit.options, 10, &kit.error), MQUIC_OK);
	up_with(MQTT_TOPIC_ALIAS_MAXIMUM, 2);
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
	ck_assert_int_eq(mqtt_options_set_topic_aliases(kit.options, 10, &kit.error), MQUIC_OK);
	up_with(MQTT_TOPIC_ALIAS_MAXIMUM, 1);
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
	ck_assert_int_eq(mqtt_options_set_topic_aliases(kit.options, 10, &kit.error), MQUIC_OK);
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS_MAXIMUM, 10);
	up_with(MQTT_MAXIMUM_PACKET_SIZE, 12);
	ck_assert_int_eq(kit_try_publish("topic", "12", 0, false), MQUIC_OK);
	sends_aliased("topic", 0);
	ck_assert_int_eq(kit_try_publish("tops", "", 0, false), MQUIC_OK);
	sends_aliased("tops", 1);
}
END_TEST

START_TEST(aliases_of_the_server_are_resolved)
{
	ck_assert_int_eq(mqtt_options_set_topic_alias_maximum(kit.options, 2, &kit.error),
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
	ck_assert_int_eq(mqtt_options_set_topic_alias_maximum(kit.options, 2, &kit.error),
			 MQUIC_OK);
	kit_up();
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS, 3);
	ck_assert_int_eq(kit_deliver("t", "1", 0, 0, false), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_TOPIC_ALIAS_INVALID, "PUBLISH");
}
END_TEST

/* ---- Buffers ---- */

START_TEST(publishing_stops_at_the_buffer_and_goes_on_after_writable)
{
	static char payload[10001];
	enum mquic_status status;
	size_t taken = 0;
	size_t id;

	memset(payload, 'p', 10000);
	kit_up();
	while ((status = kit_try_publish("t", payload, 1, false)) == MQUIC_OK)
		ck_assert_uint_lt(++taken, 100);
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	ck_assert_uint_ge(taken, 4);
	for (id = 1; id <= taken; id++)
		kit_sends_publish(payload, 1, (uint16_t)id, false);
	kit_no_event();
	for (id = 1; id <= taken; id++) {
		struct mquic_event *event;

		ck_assert_int_eq(kit_ack(MQTT_PUBACK, (uint16_t)id, 0), MQUIC_OK);
		kit_delivered((uint16_t)id, 0);
		event = mqtt_engine_next_event(kit.engine);
		if (event == NULL)
			continue;
		ck_assert_int_eq(mquic_event_type(event), MQUIC_EVENT_WRITABLE);
		mquic_event_free(event);
		ck_assert_int_eq(kit_try_publish("t", payload, 1, false), MQUIC_OK);
		return;
	}
	ck_abort_msg("no WRITABLE");
}
END_TEST

START_TEST(one_message_may_be_larger_than_the_buffer)
{
	static char payload[KIT_BUFFER * 3];

	memset(payload, 'p', sizeof(payload) - 1);
	kit_up();
	ck_assert_int_eq(kit_try_publish("t", payload, 0, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("t", "x", 0, false), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_CONNECTED);
}
END_TEST

START_TEST(writable_follows_when_output_has_left)
{
	const uint8_t *data;
	size_t len;
	enum mquic_status status;
	struct mquic_event *event;

	kit_up();
	while ((status = kit_try_publish("t", "some payload for the wire", 0, false)) == MQUIC_OK)
		;
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	kit_no_event();
	mqtt_lane_output(kit.lane, &data, &len);
	ck_assert_uint_le(len, 66000);
	while (len > 0) {
		mqtt_engine_output_consume(kit.engine, kit.lane, len < 1000 ? len : 1000,
					   kit.now_ms);
		mqtt_lane_output(kit.lane, &data, &len);
	}
	event = kit_event(MQUIC_EVENT_WRITABLE);
	mquic_event_free(event);
	kit_no_event();
}
END_TEST

START_TEST(packet_identifiers_can_run_out)
{
	struct mquic_event *event;
	size_t i;

	kit_close();
	kit_open_with(SIZE_MAX);
	kit_up();
	for (i = 0; i < 65535; i++)
		ck_assert_int_eq(kit_try_publish("t", "", 1, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("t", "", 1, false), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(kit_try_publish("t", "", 0, false), MQUIC_OK);
	kit_sends_publish("", 1, 1, false);
	kit_no_event();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, 1, 0), MQUIC_OK);
	kit_delivered(1, 0);
	event = kit_event(MQUIC_EVENT_WRITABLE);
	mquic_event_free(event);
	ck_assert_int_eq(kit_try_publish("t", "", 1, false), MQUIC_OK);
}
END_TEST

START_TEST(input_is_not_wanted_while_answers_pile_up)
{
	const uint8_t *data;
	size_t len;
	uint16_t id = 1;

	kit_up();
	while (mqtt_lane_wants_input(kit.lane)) {
		ck_assert_int_eq(kit_deliver("t", "x", 1, id, false), MQUIC_OK);
		kit_message("t", "x");
		id = id == 65535 ? 1 : (uint16_t)(id + 1);
	}
	mqtt_lane_output(kit.lane, &data, &len);
	ck_assert_uint_ge(len, 262144);
	ck_assert_uint_lt(len, 262160);
	mqtt_engine_output_consume(kit.engine, kit.lane, 1000, kit.now_ms);
	ck_assert(mqtt_lane_wants_input(kit.lane));
}
END_TEST

/* ---- Keep-alive ---- */

static void ping_is_sent(void)
{
	struct mqtt_packet packet;

	kit_sends(MQTT_PINGREQ, &packet);
	kit_sends_nothing();
}

START_TEST(keep_alive_pings_when_idle_and_lives_on_an_answer)
{
	int round;

	kit_up();
	for (round = 0; round < 3; round++) {
		ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 60000);
		mqtt_engine_tick(kit.engine, kit.now_ms + 59999);
		kit_sends_nothing();
		kit.now_ms += 60000;
		mqtt_engine_tick(kit.engine, kit.now_ms);
		ping_is_sent();
		ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 30000);
		kit.now_ms += 1000;
		ck_assert_int_eq(kit_feed("d0 00"), MQUIC_OK);
		kit.now_ms -= 1000;
		ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 60000);
	}
	kit_no_event();
}
END_TEST

START_TEST(keep_alive_failure_ends_the_session)
{
	kit_up();
	kit.now_ms += 60000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	mqtt_engine_tick(kit.engine, kit.now_ms + 29999);
	kit_no_event();
	mqtt_engine_tick(kit.engine, kit.now_ms + 30000);
	kit_over(MQUIC_ERR_TIMEOUT, MQTT_KEEP_ALIVE_TIMEOUT, "PINGREQ");
	kit_sends_nothing();
}
END_TEST

START_TEST(keep_alive_takes_any_traffic_as_a_sign_of_life)
{
	kit_up();
	kit.now_ms += 60000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	kit.now_ms += 20000;
	ck_assert_int_eq(kit_feed("30"), MQUIC_OK);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 40000);
	kit.now_ms += 40000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	ck_assert_int_eq(mqtt_engine_receive(kit.engine, kit.lane, NULL, 0, kit.now_ms), MQUIC_OK);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 60000);
}
END_TEST

START_TEST(keep_alive_pings_a_silent_server_though_we_talk)
{
	int i;

	kit_up();
	for (i = 0; i < 6; i++) {
		kit.now_ms += 10000;
		(void)kit_publish("x", 0);
		kit_sends_publish("x", 0, 0, false);
	}
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms);
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
}
END_TEST

START_TEST(keep_alive_of_the_server_replaces_ours)
{
	up_with(MQTT_SERVER_KEEP_ALIVE, 2);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 2000);
	kit.now_ms += 2000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 5000);
	mqtt_engine_lost(kit.engine);
	ck_assert_uint_eq(mqtt_engine_keep_alive_s(kit.engine), 60);
}
END_TEST

START_TEST(keep_alive_can_be_off)
{
	ck_assert_int_eq(mqtt_options_set_keep_alive_s(kit.options, 0, &kit.error), MQUIC_OK);
	kit_up();
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), UINT64_MAX);
	mqtt_engine_tick(kit.engine, kit.now_ms + 1000000000);
	kit_sends_nothing();
}
END_TEST

START_TEST(disconnect_waits_for_the_window_to_let_the_queue_out)
{
	uint16_t one;
	uint16_t two;

	up_with(MQTT_RECEIVE_MAXIMUM, 1);
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
		&aliases_of_ours_go_to_the_first_topics_the_server_allows,
		&aliases_of_ours_start_anew_on_a_new_connection,
		&aliases_of_ours_never_make_a_packet_too_large,
		&aliases_of_the_server_are_resolved,
		&aliases_of_the_server_are_held_to_the_maximum,
		&publishing_stops_at_the_buffer_and_goes_on_after_writable,
		&one_message_may_be_larger_than_the_buffer,
		&writable_follows_when_output_has_left,
		&packet_identifiers_can_run_out,
		&input_is_not_wanted_while_answers_pile_up,
		&keep_alive_pings_when_idle_and_lives_on_an_answer,
		&keep_alive_failure_ends_the_session,
		&keep_alive_takes_any_traffic_as_a_sign_of_life,
		&keep_alive_pings_a_silent_server_though_we_talk,
		&keep_alive_of_the_server_replaces_ours,
		&keep_alive_can_be_off,
		&disconnect_waits_for_the_window_to_let_the_queue_out,
	};

	return unit_run("mqtt-engine-limits", kit_open, kit_close, tests, COUNT(tests));
}
