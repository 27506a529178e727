/* SPDX-License-Identifier: MIT */
/*
 * The engine across connections: what is sent again, what is not, and that a QoS 2 message arrives
 * exactly once wherever the connection breaks.
 */
#include "engine-kit.h"

#include <stdio.h>
#include <string.h>

static void keep_session(void)
{
	ck_assert_int_eq(mqtt_settings_set_client_id(kit.settings, "id", 2, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_clean_start(kit.settings, false, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_expiry_s(kit.settings, 3600, &kit.error), MQUIC_OK);
}

static void up(void)
{
	keep_session();
	kit_connect();
	kit_accept(false);
	kit_connected(false);
}

/* A new connection to a server that has kept the session, or lost it. */
static void again(bool session_present)
{
	kit_reconnect();
	kit_accept(session_present);
	kit_connected(session_present);
}

/* ---- What is sent again ---- */

START_TEST(qos1_publish_survives_reconnect)
{
	uint16_t id;

	up();
	id = kit_publish("one", 1);
	kit_sends_publish("one", 1, id, false);
	again(true);
	kit_sends_publish("one", 1, id, true);
	again(true);
	kit_sends_publish("one", 1, id, true);
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, id, 0), MQUIC_OK);
	kit_delivered(id, 0);
	again(true);
	kit_sends_nothing();
}
END_TEST

START_TEST(qos2_publish_survives_reconnect)
{
	uint16_t id;

	up();
	id = kit_publish("two", 2);
	kit_sends_publish("two", 2, id, false);
	again(true);
	kit_sends_publish("two", 2, id, true);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, id, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREL, id, 0);
	again(true);
	kit_sends_ack(MQTT_PUBREL, id, 0);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, id, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREL, id, 0);
	again(true);
	kit_sends_ack(MQTT_PUBREL, id, 0);
	ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, id, 0), MQUIC_OK);
	kit_delivered(id, 0);
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
	again(true);
	kit_sends_nothing();
	kit_no_event();
}
END_TEST

START_TEST(resending_keeps_the_order_and_what_was_queued_follows)
{
	uint16_t ids[4];

	up();
	ids[0] = kit_publish("a", 1);
	ids[1] = kit_publish("b", 2);
	ids[2] = kit_publish("c", 1);
	kit_sends_publish("a", 1, ids[0], false);
	kit_sends_publish("b", 2, ids[1], false);
	kit_sends_publish("c", 1, ids[2], false);
	kit_reconnect();
	ids[3] = kit_publish("d", 1);
	(void)kit_publish("e", 0);
	kit_accept(true);
	kit_connected(true);
	kit_sends_publish("a", 1, ids[0], true);
	kit_sends_publish("b", 2, ids[1], true);
	kit_sends_publish("c", 1, ids[2], true);
	kit_sends_publish("d", 1, ids[3], false);
	kit_sends_publish("e", 0, 0, false);
}
END_TEST

START_TEST(resending_respects_the_window_with_releases_in_it)
{
	uint16_t ids[3];

	up();
	ids[0] = kit_publish("a", 2);
	ids[1] = kit_publish("b", 1);
	ids[2] = kit_publish("c", 1);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, ids[0], 0), MQUIC_OK);
	kit_reconnect();
	mqtt_properties_set_number(&kit.properties, MQTT_RECEIVE_MAXIMUM, 2);
	kit_accept(true);
	kit_connected(true);
	kit_sends_ack(MQTT_PUBREL, ids[0], 0);
	kit_sends_publish("b", 1, ids[1], true);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, ids[0], 0), MQUIC_OK);
	kit_delivered(ids[0], 0);
	kit_sends_publish("c", 1, ids[2], true);
}
END_TEST

START_TEST(identifiers_in_flight_are_not_given_again)
{
	uint16_t id;
	uint16_t other;
	size_t i;

	up();
	id = kit_publish("keeps its identifier", 1);
	for (i = 0; i < 70000; i++) {
		other = kit_publish("x", 1);
		ck_assert_uint_ne(other, id);
		ck_assert_int_eq(kit_ack(MQTT_PUBACK, other, 0), MQUIC_OK);
		kit_delivered(other, 0);
		if (i % 1000 == 0)
			again(true);
	}
}
END_TEST

/* ---- The server has lost the session ---- */

START_TEST(lost_session_gets_unsettled_messages_as_new_ones)
{
	uint16_t one;
	uint16_t two;

	up();
	one = kit_publish("one", 1);
	two = kit_publish("two", 2);
	kit_sends_publish("one", 1, one, false);
	kit_sends_publish("two", 2, two, false);
	again(false);
	kit_sends_publish("one", 1, one, false);
	kit_sends_publish("two", 2, two, false);
	kit_no_event();
}
END_TEST

START_TEST(lost_session_settles_what_the_server_had_taken)
{
	uint16_t id;

	up();
	id = kit_publish("two", 2);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, id, 0), MQUIC_OK);
	again(false);
	kit_delivered(id, MQTT_PACKET_ID_NOT_FOUND);
	kit_sends_nothing();
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
	ck_assert_uint_ne(kit_publish("next", 2), 0);
}
END_TEST

START_TEST(lost_session_makes_incoming_identifiers_new)
{
	up();
	ck_assert_int_eq(kit_deliver("t", "first", 2, 5, false), MQUIC_OK);
	kit_message("t", "first");
	again(false);
	ck_assert_int_eq(kit_deliver("t", "other", 2, 5, false), MQUIC_OK);
	kit_message("t", "other");
	kit_sends_ack(MQTT_PUBREC, 5, 0);
}
END_TEST

START_TEST(clean_start_sends_unsettled_messages_anew)
{
	uint16_t id;

	kit_connect();
	kit_accept(false);
	kit_connected(false);
	id = kit_publish("one", 1);
	kit_sends_publish("one", 1, id, false);
	again(false);
	kit_sends_publish("one", 1, id, false);
}
END_TEST

/* ---- What does not survive ---- */

START_TEST(subscriptions_without_answer_are_forgotten)
{
	uint16_t id;

	up();
	id = kit_subscribe("a", 1);
	kit_reconnect();
	ck_assert_uint_ne(kit_subscribe("b", 1), id);
	mqtt_engine_lost(kit.engine);
	kit_connect();
	buf_writer_consume(&kit.wire, SIZE_MAX);
	kit_accept(true);
	kit_connected(true);
	kit_sends_nothing();
	kit_no_event();
}
END_TEST

START_TEST(half_a_packet_does_not_survive)
{
	up();
	ck_assert_int_eq(kit_feed("30 10 0001"), MQUIC_OK);
	again(true);
	ck_assert_int_eq(kit_feed("30 04 0001't' 00"), MQUIC_OK);
	kit_message("t", "");
	kit_no_event();
}
END_TEST

START_TEST(queued_messages_survive_a_connection_that_never_came_up)
{
	uint16_t id;

	keep_session();
	kit_connect();
	id = kit_publish("one", 1);
	(void)kit_publish("zero", 0);
	again(false);
	kit_sends_publish("one", 1, id, false);
	kit_sends_publish("zero", 0, 0, false);
}
END_TEST

START_TEST(assigned_client_id_is_used_to_find_the_session_again)
{
	struct mqtt_connect connect;

	ck_assert_int_eq(mqtt_settings_set_clean_start(kit.settings, false, &kit.error), MQUIC_OK);
	kit_connect();
	kit_sends_connect(&connect);
	mqtt_properties_set_text(&kit.properties, MQTT_ASSIGNED_CLIENT_ID, bytes_of("made-up", 7));
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, false), MQUIC_OK);
	kit_connected(false);
	kit_reconnect();
	kit_sends_connect(&connect);
	ck_assert(bytes_equal(connect.client_id, bytes_of("made-up", 7)));
	mqtt_engine_lost(kit.engine);
	ck_assert_int_eq(mqtt_settings_set_clean_start(kit.settings, true, &kit.error), MQUIC_OK);
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_uint_eq(connect.client_id.len, 0);
}
END_TEST

/* ---- Between the end and its telling ---- */

START_TEST(calls_before_the_end_is_told_are_as_good_as_before_the_end)
{
	struct mqtt_connect connect;
	uint16_t one;
	uint16_t two;

	keep_session();
	kit_connect();
	ck_assert_int_eq(kit_feed("20 03 00 00 00 e0 01 8b"), MQUIC_ERR_CLOSED);
	kit_connected(false);
	one = kit_publish("one", 1);
	(void)kit_subscribe("a", 1);
	mquic_event_free(kit_event(MQUIC_EVENT_DISCONNECTED));
	mqtt_engine_lost(kit.engine);
	two = kit_publish("two", 2);
	(void)kit_publish("zero", 0);
	(void)kit_subscribe("b", 1);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 7, 0, &kit.error), MQUIC_OK);
	mqtt_engine_told(kit.engine);
	ck_assert_int_eq(kit_try_publish("t", "late", 1, false), MQUIC_ERR_STATE);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 7, 0, &kit.error), MQUIC_ERR_STATE);
	buf_writer_consume(&kit.wire, SIZE_MAX);
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, true), MQUIC_OK);
	kit_connected(true);
	kit_sends_publish("one", 1, one, false);
	kit_sends_publish("two", 2, two, false);
	kit_sends_publish("zero", 0, 0, false);
	kit_sends_nothing();
}
END_TEST

START_TEST(who_has_said_goodbye_knows_that_it_is_over)
{
	up();
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("t", "late", 1, false), MQUIC_ERR_STATE);
	mqtt_engine_lost(kit.engine);
	ck_assert_int_eq(kit_try_publish("t", "late", 1, false), MQUIC_ERR_STATE);
}
END_TEST

START_TEST(acknowledging_what_was_received_before_the_end_is_not_forgotten)
{
	ck_assert_int_eq(mqtt_settings_set_manual_ack(kit.settings, true, &kit.error), MQUIC_OK);
	up();
	ck_assert_int_eq(kit_deliver("t", "one", 1, 4, false), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "two", 2, 5, false), MQUIC_OK);
	kit_message("t", "one");
	kit_message("t", "two");
	mqtt_engine_lost(kit.engine);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 4, 0, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 5, 0, &kit.error), MQUIC_OK);
	again(true);
	/* QoS 1 comes anew, QoS 2 does not, and is answered. */
	ck_assert_int_eq(kit_deliver("t", "one", 1, 4, true), MQUIC_OK);
	kit_message("t", "one");
	ck_assert_int_eq(kit_deliver("t", "two", 2, 5, true), MQUIC_OK);
	kit_no_event();
	kit_sends_ack(MQTT_PUBREC, 5, 0);
}
END_TEST

/* ---- Incoming ---- */

START_TEST(incoming_qos2_is_delivered_once_wherever_it_breaks)
{
	up();
	ck_assert_int_eq(kit_deliver("t", "two", 2, 5, false), MQUIC_OK);
	kit_message("t", "two");
	again(true); /* PUBREC was lost */
	ck_assert_int_eq(kit_deliver("t", "two", 2, 5, true), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREC, 5, 0);
	again(true); /* PUBREL was lost */
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 5, 0), MQUIC_OK);
	again(true); /* PUBCOMP was lost */
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 5, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBCOMP, 5, MQTT_PACKET_ID_NOT_FOUND);
	kit_no_event();
}
END_TEST

START_TEST(manual_acknowledgement_of_qos2_reaches_over_a_break)
{
	ck_assert_int_eq(mqtt_settings_set_manual_ack(kit.settings, true, &kit.error), MQUIC_OK);
	up();
	ck_assert_int_eq(kit_deliver("t", "one", 1, 4, false), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "two", 2, 5, false), MQUIC_OK);
	kit_message("t", "one");
	kit_message("t", "two");
	again(true);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 4, 0, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(kit_deliver("t", "two", 2, 5, true), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "one", 1, 4, true), MQUIC_OK);
	kit_message("t", "one");
	kit_no_event();
	kit_sends_nothing();
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 5, 0, &kit.error), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREC, 5, 0);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 4, 0, &kit.error), MQUIC_OK);
	kit_sends_ack(MQTT_PUBACK, 4, 0);
}
END_TEST

START_TEST(kept_identifiers_do_not_count_against_the_new_window)
{
	ck_assert_int_eq(mqtt_settings_set_receive_maximum(kit.settings, 1, &kit.error), MQUIC_OK);
	up();
	ck_assert_int_eq(kit_deliver("t", "old", 2, 5, false), MQUIC_OK);
	kit_message("t", "old");
	again(true);
	ck_assert_int_eq(kit_deliver("t", "new", 2, 6, false), MQUIC_OK);
	kit_message("t", "new");
}
END_TEST

START_TEST(writable_comes_on_the_next_connection_if_it_was_promised)
{
	static char payload[50001];
	struct mquic_event *event;

	memset(payload, 'p', 50000);
	up();
	while (kit_try_publish("t", payload, 0, false) == MQUIC_OK)
		;
	mqtt_engine_lost(kit.engine);
	kit_connect();
	kit_accept(true);
	kit_connected(true);
	event = kit_event(MQUIC_EVENT_WRITABLE);
	mquic_event_free(event);
}
END_TEST

/* ---- Every message exactly once, over a network that breaks at random ---- */

#define MESSAGES 200

/* A server that takes QoS 2 as section 4.3.3 says, and keeps the session. */
static struct {
	struct mqtt_framing framing;
	bool known[65536];
	uint8_t received[MESSAGES]; /* times each message was handed on */
	struct buf_writer reply;
} server;

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static void server_reply(enum mqtt_type type, uint16_t id)
{
	struct mqtt_ack ack = {.type = type, .packet_id = id};

	mqtt_properties_init(&ack.properties);
	mqtt_ack_write(&server.reply, &ack, MQTT_5);
}

static void server_publish(const struct mqtt_packet *packet)
{
	struct mqtt_publish publish;
	unsigned int number;

	ck_assert_int_eq(mqtt_publish_read(&publish, packet, MQTT_5), MQTT_SUCCESS);
	memcpy(&number, publish.payload.data, sizeof(number));
	if (!server.known[publish.packet_id])
		server.received[number]++;
	server.known[publish.packet_id] = true;
	server_reply(MQTT_PUBREC, publish.packet_id);
}

static void server_release(const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;

	ck_assert_int_eq(mqtt_ack_read(&ack, packet, MQTT_5), MQTT_SUCCESS);
	server.known[ack.packet_id] = false;
	server_reply(MQTT_PUBCOMP, ack.packet_id);
}

static void server_connack(void)
{
	static bool before;
	struct mqtt_connack connack = {.session_present = before};

	before = true;
	mqtt_properties_init(&connack.properties);
	mqtt_properties_set_number(&connack.properties, MQTT_RECEIVE_MAXIMUM, 7);
	mqtt_connack_write(&server.reply, &connack, MQTT_5);
}

static void server_handle(struct bytes bytes)
{
	struct mqtt_packet packet;

	while (mqtt_framing_next(&server.framing, &bytes, &packet) == MQTT_FRAMING_PACKET) {
		if (packet.type == MQTT_CONNECT)
			server_connack();
		else if (packet.type == MQTT_PUBLISH)
			server_publish(&packet);
		else if (packet.type == MQTT_PUBREL)
			server_release(&packet);
	}
}

/* Carries bytes both ways until nothing moves, or the network breaks: then some may be lost. */
static bool carry(void)
{
	for (;;) {
		const uint8_t *data;
		struct bytes reply;
		size_t len;

		if (random_below(20) == 0)
			return false;
		mqtt_lane_output(kit.lane, &data, &len);
		reply = buf_writer_content(&server.reply);
		if (len == 0 && reply.len == 0)
			return true;
		if (len > 0) {
			len = 1 + random_below((uint32_t)len);
			server_handle(bytes_of(data, len));
			mqtt_engine_output_consume(kit.engine, kit.lane, len, kit.now_ms);
		}
		reply = buf_writer_content(&server.reply);
		if (reply.len > 0) {
			len = 1 + random_below((uint32_t)reply.len);
			ck_assert_int_eq(mqtt_engine_receive(kit.engine, kit.lane, reply.data, len,
							     kit.now_ms),
					 MQUIC_OK);
			buf_writer_consume(&server.reply, len);
		}
	}
}

static size_t count_delivered(void)
{
	struct mquic_event *event;
	size_t delivered = 0;

	while ((event = mqtt_engine_next_event(kit.engine)) != NULL) {
		if (mquic_event_type(event) == MQUIC_EVENT_DELIVERED) {
			ck_assert_uint_eq(mquic_event_reason(event, 0), 0);
			delivered++;
		}
		mquic_event_free(event);
	}
	return delivered;
}

static void publish_number(unsigned int number)
{
	struct mquic_message *message;

	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, 2), MQUIC_OK);
	ck_assert_int_eq(
		mquic_message_set_payload(message, (const uint8_t *)&number, sizeof(number)),
		MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_publish(kit.engine, message, NULL, &kit.error), MQUIC_OK);
	mquic_message_free(message);
}

START_TEST(qos2_arrives_exactly_once_over_a_network_that_breaks)
{
	unsigned int sent = 0;
	size_t delivered = 0;
	int breaks = 0;
	size_t i;

	memset(&server, 0, sizeof(server));
	buf_writer_init(&server.reply, SIZE_MAX);
	mqtt_framing_init(&server.framing, MQTT_PACKET_MAX);
	keep_session();
	kit_connect();
	while (delivered < MESSAGES) {
		if (sent < MESSAGES && random_below(2) == 0)
			publish_number(sent++);
		if (!carry()) {
			ck_assert_int_lt(++breaks, 10000);
			mqtt_engine_lost(kit.engine);
			buf_writer_clear(&server.reply);
			mqtt_framing_clear(&server.framing);
			kit_connect();
		}
		delivered += count_delivered();
	}
	ck_assert_int_gt(breaks, 10);
	ck_assert_uint_eq(delivered, MESSAGES);
	for (i = 0; i < MESSAGES; i++)
		ck_assert_msg(server.received[i] == 1, "message %zu came %u times", i,
			      server.received[i]);
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
	buf_writer_clear(&server.reply);
	mqtt_framing_clear(&server.framing);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&qos1_publish_survives_reconnect,
		&qos2_publish_survives_reconnect,
		&resending_keeps_the_order_and_what_was_queued_follows,
		&resending_respects_the_window_with_releases_in_it,
		&identifiers_in_flight_are_not_given_again,
		&lost_session_gets_unsettled_messages_as_new_ones,
		&lost_session_settles_what_the_server_had_taken,
		&lost_session_makes_incoming_identifiers_new,
		&clean_start_sends_unsettled_messages_anew,
		&subscriptions_without_answer_are_forgotten,
		&half_a_packet_does_not_survive,
		&queued_messages_survive_a_connection_that_never_came_up,
		&assigned_client_id_is_used_to_find_the_session_again,
		&calls_before_the_end_is_told_are_as_good_as_before_the_end,
		&who_has_said_goodbye_knows_that_it_is_over,
		&acknowledging_what_was_received_before_the_end_is_not_forgotten,
		&incoming_qos2_is_delivered_once_wherever_it_breaks,
		&manual_acknowledgement_of_qos2_reaches_over_a_break,
		&kept_identifiers_do_not_count_against_the_new_window,
		&writable_comes_on_the_next_connection_if_it_was_promised,
		&qos2_arrives_exactly_once_over_a_network_that_breaks,
	};

	return unit_run("mqtt-engine-resume", kit_open, kit_close, tests, COUNT(tests));
}
