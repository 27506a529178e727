/* SPDX-License-Identifier: MIT */
/*
 * A second lane beside the engine's own: what an engine would need for several streams, but for
 * the choice between them (lanes.h), is all by lane.
 */
#include "engine-kit.h"

#include <string.h>

#include "mqtt/body.h"
#include "mqtt/queue.h"

static struct mqtt_lane second;

static void setup(void)
{
	kit_open();
	ck_assert_int_eq(mqtt_settings_set_topic_alias_maximum(kit.settings, 5, &kit.error),
			 MQUIC_OK);
	kit.settings->topic_aliases = 5;
	mqtt_properties_set_number(&kit.properties, MQTT_TOPIC_ALIAS_MAXIMUM, 5);
	kit_up();
	mqtt_lane_init(&second);
	mqtt_lane_start(&second, kit.settings->maximum_packet_size,
			kit.settings->topic_alias_maximum);
	mqtt_alias_out_init(&second.alias_out, 5);
}

static void teardown(void)
{
	mqtt_lane_clear(&second);
	kit_close();
}

/* The test looks at what leaves on this lane from now on. */
static void look_at(struct mqtt_lane *lane)
{
	kit_sends_nothing();
	kit.lane = lane;
}

/* A piece of a packet of the server, on a lane. */
static void feed(struct mqtt_lane *lane, const char *hex)
{
	struct mqtt_lane *looked_at = kit.lane;

	kit.lane = lane;
	ck_assert_int_eq(kit_feed(hex), MQUIC_OK);
	kit.lane = looked_at;
}

/* A message of ours in the queue of a lane, under the next identifier there. */
static void publish_on(struct mqtt_lane *lane, const char *payload, int qos)
{
	struct mquic_message *message;
	struct mqtt_outgoing *outgoing;

	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "a/topic", 7), MQUIC_OK);
	ck_assert_int_eq(
		mquic_message_set_payload(message, (const uint8_t *)payload, strlen(payload)),
		MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, qos), MQUIC_OK);
	message->packet_id = mqtt_inflight_free_id(&lane->inflight);
	outgoing = mqtt_outgoing_for_message(message);
	ck_assert_ptr_nonnull(outgoing);
	ck_assert(mqtt_inflight_enqueue(&lane->inflight, outgoing));
	engine_pump(kit.engine, lane);
}

START_TEST(one_identifier_of_ours_is_out_on_both)
{
	ck_assert_uint_eq(kit_publish("first", 1), 1);
	kit_sends_publish("first", 1, 1, false);
	look_at(&second);
	publish_on(&second, "second", 2);
	kit_sends_publish("second", 2, 1, false);

	/* Each is answered on its own lane, and by what its own QoS wants. */
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, 1, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREL, 1, 0);
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 1);
	look_at(mqtt_engine_control(kit.engine));
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, 1, 0), MQUIC_OK);
	kit_delivered(1, 0);
	ck_assert_uint_eq(second.inflight.messages, 1);
	look_at(&second);
	ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, 1, 0), MQUIC_OK);
	kit_delivered(1, 0);
	ck_assert_uint_eq(second.inflight.messages, 0);
}
END_TEST

START_TEST(one_identifier_of_the_servers_is_out_on_both)
{
	struct mqtt_lane *first = kit.lane;

	ck_assert_int_eq(kit_deliver("t", "one", 2, 7, false), MQUIC_OK);
	kit_message("t", "one");
	kit.lane = &second;
	ck_assert_int_eq(kit_deliver("t", "two", 1, 7, false), MQUIC_OK);
	kit_message("t", "two");

	/* The acknowledgement is on the lane of the message, and there is no other. */
	kit_sends_ack(MQTT_PUBACK, 7, 0);
	look_at(first);
	kit_sends_ack(MQTT_PUBREC, 7, 0);
	kit_sends_nothing();

	/* PUBREL on the wrong lane releases nothing. */
	look_at(&second);
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 7, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBCOMP, 7, MQTT_PACKET_ID_NOT_FOUND);
	look_at(first);
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 7, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBCOMP, 7, 0);
}
END_TEST

START_TEST(torn_packets_come_together_each_on_its_lane)
{
	struct mqtt_lane *first = kit.lane;

	/* Two PUBLISH packets, "one" to a/a and "two" to b/b, in turns. */
	feed(first, "30 09 0003 'a'");
	feed(&second, "30");
	feed(first, "'/a'");
	feed(&second, "09 0003 'b/b' 00 't'");
	kit_no_event();
	/* A whole packet passes the half one of the other lane. */
	feed(&second, "'wo'");
	kit_message("b/b", "two");
	feed(&second, "30 05 0001 'c' 00 '!'");
	kit_message("c", "!");
	feed(first, "00 'one'");
	kit_message("a/a", "one");
	kit_no_event();
}
END_TEST

START_TEST(the_loss_of_one_leaves_half_a_packet_of_the_other)
{
	struct mqtt_lane *first = kit.lane;

	feed(first, "30 09 0003 'a/a'");
	feed(&second, "30 09 0003");
	mqtt_lane_stop(&second);
	feed(first, "00 'one'");
	kit_message("a/a", "one");
	/* And the other begins anew. */
	mqtt_lane_start(&second, 1000, 5);
	feed(&second, "30 09 0003 'b/b' 00 'two'");
	kit_message("b/b", "two");
}
END_TEST

START_TEST(aliases_of_the_server_are_those_of_the_lane)
{
	struct mqtt_lane *first = kit.lane;

	/* Alias 1 is a/a on one lane, b/b on the other. */
	feed(first, "30 0c 0003 'a/a' 03 230001 'one'");
	kit_message("a/a", "one");
	feed(&second, "30 0c 0003 'b/b' 03 230001 'two'");
	kit_message("b/b", "two");
	feed(first, "30 09 0000 03 230001 'one'");
	kit_message("a/a", "one");
	feed(&second, "30 09 0000 03 230001 'two'");
	kit_message("b/b", "two");
	/* What one lane has defined, the other does not know. */
	feed(first, "30 0c 0003 'c/c' 03 230002 'one'");
	kit_message("c/c", "one");
	kit.lane = &second;
	ck_assert_int_eq(kit_feed("30 09 0000 03 230002 'two'"), MQUIC_ERR_PROTOCOL);
}
END_TEST

static size_t topic_len_of_next_publish(void)
{
	struct mqtt_publish publish;
	struct mqtt_packet packet;

	kit_sends(MQTT_PUBLISH, &packet);
	ck_assert_int_eq(mqtt_publish_read(&publish, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_uint_eq(mqtt_properties_number(&publish.properties, MQTT_TOPIC_ALIAS, 0), 1);
	return publish.topic.len;
}

START_TEST(aliases_of_ours_are_defined_on_each_lane)
{
	(void)kit_publish("x", 1);
	ck_assert_uint_eq(topic_len_of_next_publish(), 7);
	(void)kit_publish("x", 1);
	ck_assert_uint_eq(topic_len_of_next_publish(), 0);
	look_at(&second);
	publish_on(&second, "x", 1);
	ck_assert_uint_eq(topic_len_of_next_publish(), 7);
	publish_on(&second, "x", 1);
	ck_assert_uint_eq(topic_len_of_next_publish(), 0);
}
END_TEST

START_TEST(a_full_window_on_one_stops_nothing_on_the_other)
{
	kit.engine->server.receive_maximum = 1;
	(void)kit_publish("one", 1);
	(void)kit_publish("waits", 1);
	kit_sends_publish("one", 1, 1, false);
	look_at(&second);
	publish_on(&second, "two", 1);
	kit_sends_publish("two", 1, 1, false);
	publish_on(&second, "waits, too", 1);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, 1, 0), MQUIC_OK);
	kit_sends_publish("waits, too", 1, 2, false);
	look_at(mqtt_engine_control(kit.engine));
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, 1, 0), MQUIC_OK);
	kit_sends_publish("waits", 1, 2, false);
}
END_TEST

/* Answers that nobody takes close the lane they wait on, and no other. */
START_TEST(input_is_held_back_by_lane)
{
	struct mqtt_lane *first = kit.lane;

	while (mqtt_lane_wants_input(first)) {
		ck_assert_int_eq(kit_deliver("t", "x", 1, 9, false), MQUIC_OK);
		kit_message("t", "x");
	}
	ck_assert(mqtt_lane_wants_input(&second));
	mqtt_lane_consume(first, SIZE_MAX);
	ck_assert(mqtt_lane_wants_input(first));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&one_identifier_of_ours_is_out_on_both,
		&one_identifier_of_the_servers_is_out_on_both,
		&torn_packets_come_together_each_on_its_lane,
		&the_loss_of_one_leaves_half_a_packet_of_the_other,
		&aliases_of_the_server_are_those_of_the_lane,
		&aliases_of_ours_are_defined_on_each_lane,
		&a_full_window_on_one_stops_nothing_on_the_other,
		&input_is_held_back_by_lane,
	};

	return unit_run("mqtt-lane", setup, teardown, tests, COUNT(tests));
}
