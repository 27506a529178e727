/* SPDX-License-Identifier: MIT */
/*
 * Several streams of a client on one session of a broker: what a stream that ends, errs or does
 * not read leaves behind, and that the others go on.
 */
#include "merge-kit.h"

#include <string.h>

/* ---- What is wrong with a stream is its own end ------------------------------------ */

static void expect_fault(struct bytes bytes, enum mqtt_reason reason)
{
	merge_take(kit_merge, 1, &bytes);
	ck_assert_int_eq(merge_fault(kit_merge, 1), reason);
	merge_close(kit_merge, 1);
	kit_open_slot(1);
	ck_assert_int_eq(merge_fault(kit_merge, 1), MQTT_SUCCESS);
	kit_expect_silence();
	/* The others have noticed nothing. */
	kit_take(2, kit_message(1, 1));
	kit_expect_up("PUBLISH:q1,1,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 1, 0));
	kit_expect(2, "PUBACK:1");
}

#define HEX(text) bytes_of(text, sizeof(text) - 1)

START_TEST(malformed_packets_are_the_end_of_their_stream)
{
	expect_fault(HEX("\x00\x00"), MQTT_MALFORMED_PACKET);
	expect_fault(HEX("\x30\xff\xff\xff\xff"), MQTT_MALFORMED_PACKET);
	expect_fault(HEX("\x36\x02\x00\x00"), MQTT_MALFORMED_PACKET); /* QoS 3 */
	expect_fault(HEX("\x30\x02\x00\x05"), MQTT_MALFORMED_PACKET);
	expect_fault(HEX("\x40\x02\x00\x00"), MQTT_PROTOCOL_ERROR);
	expect_fault(HEX("\x62\x01\x00"), MQTT_MALFORMED_PACKET);
	expect_fault(HEX("\x60\x02\x00\x01"), MQTT_MALFORMED_PACKET);
	expect_fault(HEX("\x80\x02\x00\x01"), MQTT_MALFORMED_PACKET);
	expect_fault(HEX("\xc1\x00"), MQTT_MALFORMED_PACKET);
	expect_fault(HEX("\xc0\x01\x00"), MQTT_MALFORMED_PACKET);
}
END_TEST

START_TEST(packets_of_the_control_stream_are_not_for_others)
{
	static const char *const packets[] = {
		"\x10", "\x20", "\x90", "\xb0", "\xd0", "\xe0", "\xf0",
	};
	size_t i;

	for (i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		char bytes[2] = {packets[i][0], 0};

		expect_fault(bytes_of(bytes, 2), MQTT_PROTOCOL_ERROR);
	}
}
END_TEST

START_TEST(packets_of_the_control_stream_go_to_the_broker_whatever_they_are)
{
	const struct bytes packets[] = {
		HEX("\xe0\x00"),         HEX("\x10\x00"),         HEX("\x36\x02\x00\x00"),
		HEX("\x40\x02\x00\x00"), HEX("\x80\x02\x00\x01"), HEX("\xc1\x00"),
		HEX("\xf0\x00"),
	};
	size_t i;

	for (i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		kit_take(0, packets[i]);
		ck_assert_uint_eq(merge_up(kit_merge).len, packets[i].len);
		ck_assert_mem_eq(merge_up(kit_merge).data, packets[i].data, packets[i].len);
		merge_consume_up(kit_merge, packets[i].len);
	}
	ck_assert_int_eq(merge_fault(kit_merge, 0), MQTT_SUCCESS);
}
END_TEST

/* The broker ends it; until then nothing may be put between what it must see. */
START_TEST(no_mqtt_on_the_control_stream_is_for_the_broker_to_see)
{
	kit_take(0, HEX("\x30\xff"));
	kit_take(0, HEX("\xff\xff\xff\x00rest"));
	kit_take_not(1, kit_message(1, 1));
	kit_take(0, HEX("and more"));
	ck_assert_uint_eq(merge_up(kit_merge).len, 18);
	ck_assert_mem_eq(merge_up(kit_merge).data, "\x30\xff\xff\xff\xff\x00restand more", 18);
}
END_TEST

START_TEST(packets_beyond_the_limit_are_the_end_of_their_stream)
{
	expect_fault(HEX("\x30\x80\x80\x80\x01"), MQTT_PACKET_TOO_LARGE);
	kit_take(0, HEX("\x30\x80\x80\x80\x01"));
	ck_assert_uint_eq(merge_up(kit_merge).len, 0); /* to come */
}
END_TEST

START_TEST(topics_the_broker_would_end_the_client_for_end_the_stream)
{
	char topic[300];

	memset(topic, '/', sizeof(topic) - 1);
	topic[sizeof(topic) - 1] = '\0';
	expect_fault(kit_publish(&(struct kit_message){.topic = topic, .payload = ""}),
		     MQTT_TOPIC_NAME_INVALID);
	expect_fault(kit_subscribe(1, topic, 0), MQTT_TOPIC_FILTER_INVALID);
	expect_fault(kit_unsubscribe(1, topic), MQTT_TOPIC_FILTER_INVALID);
	expect_fault(kit_publish(&(struct kit_message){.topic = "a/#", .payload = ""}),
		     MQTT_TOPIC_NAME_INVALID);
}
END_TEST

START_TEST(aliases_beyond_the_limit_end_the_stream)
{
	expect_fault(kit_publish(&(struct kit_message){.topic = "t", .payload = "", .alias = 11}),
		     MQTT_TOPIC_ALIAS_INVALID);
	expect_fault(kit_publish(&(struct kit_message){.topic = "", .payload = "", .alias = 1}),
		     MQTT_PROTOCOL_ERROR);
}
END_TEST

START_TEST(one_number_for_a_message_and_a_request_ends_the_stream)
{
	kit_take(1, kit_message(1, 5));
	kit_expect_up("PUBLISH:q1,5,t,x");
	expect_fault(kit_subscribe(5, "a", 0), MQTT_PACKET_ID_IN_USE);
	kit_give(kit_ack(MQTT_PUBACK, 5, 0)); /* for nobody */
	kit_expect_silence();
	kit_take(1, kit_subscribe(5, "a", 0));
	kit_take(1, kit_message(1, 5));
	ck_assert_int_eq(merge_fault(kit_merge, 1), MQTT_PACKET_ID_IN_USE);
}
END_TEST

/* ---- The end of a stream ------------------------------------------------------------ */

static const char *unsuback(void)
{
	return kit_route != 0 ? "00" : "";
}

START_TEST(subscriptions_end_with_their_stream)
{
	kit_is_subscribed(1, 1, "mine", 0);
	kit_is_subscribed(1, 2, "ours", 0);
	kit_is_subscribed(2, 1, "ours", 0);
	kit_is_subscribed(2, 2, "yours", 0);
	merge_close(kit_merge, 1);
	kit_expect_up("UNSUBSCRIBE:1,mine");
	/* What is under way for it is for nobody. */
	if (kit_route == 0)
		kit_give(kit_delivery(1, 5, "mine", kit_route));
	kit_expect_up(kit_route == 0 ? "PUBACK:5" : "");
	kit_give(kit_suback(MQTT_UNSUBACK, 1, unsuback()));
	kit_expect_silence();
}
END_TEST

START_TEST(a_slot_begins_anew)
{
	kit_is_subscribed(1, 1, "mine", 0);
	kit_take(1, kit_message(1, 9));
	merge_close(kit_merge, 1);
	kit_open_slot(1);
	kit_expect_up("PUBLISH:q1,9,t,x UNSUBSCRIBE:1,mine");
	kit_take(1, kit_message(1, 9));
	kit_expect_up("PUBLISH:q1,2,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 9, 0)); /* for the one that is gone */
	kit_give(kit_suback(MQTT_UNSUBACK, 1, unsuback()));
	kit_expect(1, "");
	kit_give(kit_ack(MQTT_PUBACK, 2, 0));
	kit_expect(1, "PUBACK:9");
	kit_expect_silence();
}
END_TEST

START_TEST(what_a_stream_has_not_acknowledged_is_acknowledged_for_it)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(kit_delivery(1, 5, "a", kit_route));
	kit_give(kit_delivery(2, 6, "a", kit_route));
	kit_give(kit_delivery(2, 7, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 7, 0));
	kit_give(kit_delivery(2, 8, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0));
	kit_give(kit_ack(MQTT_PUBREL, 8, 0));
	kit_expect_up("PUBREC:7 PUBREC:8");
	merge_close(kit_merge, 1);
	{
		struct bytes up = merge_up(kit_merge);

		/* UNSUBSCRIBE, then PUBACK 5, PUBREC 6 and PUBCOMP 8 in some order. */
		ck_assert_uint_eq(up.data[0], MQTT_UNSUBSCRIBE << 4 | 2);
		ck_assert_uint_eq(up.len, 2U + up.data[1] + 3 * 4);
		merge_consume_up(kit_merge, up.len);
	}
	kit_give(kit_ack(MQTT_PUBREL, 6, 0));
	kit_give(kit_ack(MQTT_PUBREL, 7, 0));
	kit_expect_up("PUBCOMP:6 PUBCOMP:7");
	kit_open_slot(1);
	kit_expect(1, "");
}
END_TEST

START_TEST(one_of_two_receivers_goes)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_is_subscribed(2, 1, "a", 0);
	kit_give(kit_delivery(1, 5, "a", kit_route));
	kit_give(kit_delivery(1, 6, "a", kit_route));
	kit_take(2, kit_ack(MQTT_PUBACK, 5, 0));
	kit_expect_up("");
	merge_close(kit_merge, 1);
	kit_expect_up("PUBACK:5");
	kit_take(2, kit_ack(MQTT_PUBACK, 6, 0));
	kit_expect_up("PUBACK:6");
	kit_give(kit_delivery(0, 0, "a", kit_route));
	kit_expect(2, "PUBLISH:q1,5,a,m PUBLISH:q1,6,a,m PUBLISH:q0,0,a,m");
}
END_TEST

/* As with EMQX: a message that has come whole is delivered, whatever becomes of its stream. */
START_TEST(qos_2_of_a_stream_that_is_gone_is_released)
{
	kit_take(1, kit_message(2, 1));
	kit_take(1, kit_message(2, 2));
	kit_give(kit_ack(MQTT_PUBREC, 1, 0));
	kit_expect_up("PUBLISH:q2,1,t,x PUBLISH:q2,2,t,x");
	merge_close(kit_merge, 1);
	kit_expect_up("PUBREL:1");
	kit_give(kit_ack(MQTT_PUBREC, 2, 0));
	kit_expect_up("PUBREL:2");
	kit_give(kit_ack(MQTT_PUBCOMP, 1, 0));
	kit_give(kit_ack(MQTT_PUBCOMP, 2, 0));
	kit_expect_silence();
	kit_take(2, kit_message(1, 1));
	kit_expect_up("PUBLISH:q1,1,t,x"); /* the number is free again */
}
END_TEST

START_TEST(half_a_packet_dies_with_its_stream)
{
	struct bytes bytes = kit_message(1, 1);

	kit_take(1, bytes_of(bytes.data, bytes.len - 1));
	merge_close(kit_merge, 1);
	kit_expect_silence();
}
END_TEST

START_TEST(finished_stream_still_gets_its_answers)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_take(1, kit_message(1, 1));
	kit_take(1, kit_message(2, 2));
	kit_expect_up("PUBLISH:q1,1,t,x PUBLISH:q2,2,t,x");
	merge_finish(kit_merge, 1);
	kit_expect_up("UNSUBSCRIBE:3,a");
	kit_give(kit_suback(MQTT_UNSUBACK, 3, unsuback()));
	ck_assert(!merge_is_finished(kit_merge, 1));
	kit_give(kit_ack(MQTT_PUBACK, 1, 0));
	kit_give(kit_ack(MQTT_PUBREC, 2, 0));
	kit_expect_up("PUBREL:2"); /* it can send none */
	kit_give(kit_ack(MQTT_PUBCOMP, 2, 0));
	ck_assert(!merge_is_finished(kit_merge, 1));
	kit_expect(1, "PUBACK:1 PUBREC:2 PUBCOMP:2");
	ck_assert(merge_is_finished(kit_merge, 1));
	merge_close(kit_merge, 1);
	kit_expect_silence();
}
END_TEST

START_TEST(finished_stream_gets_its_pong)
{
	kit_take(1, kit_plain(MQTT_PINGREQ));
	kit_expect_up("PINGREQ");
	merge_finish(kit_merge, 1);
	ck_assert(!merge_is_finished(kit_merge, 1));
	kit_give(kit_plain(MQTT_PINGRESP));
	kit_expect(1, "PINGRESP");
	ck_assert(merge_is_finished(kit_merge, 1));
}
END_TEST

START_TEST(pong_for_a_stream_that_is_gone_is_nobodys)
{
	kit_take(1, kit_plain(MQTT_PINGREQ));
	kit_take(2, kit_plain(MQTT_PINGREQ));
	kit_expect_up("PINGREQ PINGREQ");
	merge_close(kit_merge, 1);
	kit_open_slot(1);
	kit_give(kit_plain(MQTT_PINGRESP));
	kit_give(kit_plain(MQTT_PINGRESP));
	kit_expect(2, "PINGRESP");
	kit_expect_silence();
}
END_TEST

/* ---- A stream that does not read ------------------------------------------------------ */

static struct bytes large(int qos, uint16_t id, const char *topic)
{
	static char payload[30001];

	memset(payload, 'p', sizeof(payload) - 1);
	return kit_publish(&(struct kit_message){.qos = qos,
						 .id = id,
						 .topic = topic,
						 .payload = payload,
						 .subscription_id = kit_route});
}

START_TEST(messages_of_qos_0_are_dropped_for_a_stream_that_does_not_read)
{
	size_t len;
	int i;

	kit_is_subscribed(1, 1, "a", 0);
	for (i = 0; i < 10; i++)
		kit_give(large(0, 0, "a"));
	len = merge_output(kit_merge, 1).len;
	ck_assert_uint_eq(merge_dropped(kit_merge, 1), 7);
	ck_assert_uint_le(len, MERGE_OUTPUT_SOFT + 30100);
	ck_assert_int_eq(merge_fault(kit_merge, 1), MQTT_SUCCESS);
	/* It reads again: whole packets, in order, and new ones. */
	merge_consume_output(kit_merge, 1, len);
	kit_give(kit_delivery(0, 0, "a", kit_route));
	kit_expect(1, "PUBLISH:q0,0,a,m");
}
END_TEST

START_TEST(messages_of_qos_1_are_kept_up_to_a_bound_then_the_stream_goes)
{
	uint16_t id = 0;

	kit_is_subscribed(1, 1, "a", 0);
	while (merge_fault(kit_merge, 1) == MQTT_SUCCESS && id < 100)
		kit_give(large(1, ++id, "a"));
	ck_assert_int_eq(merge_fault(kit_merge, 1), MQTT_QUOTA_EXCEEDED);
	ck_assert_uint_eq(id, MERGE_OUTPUT_HARD / 30000 + 1);
	ck_assert_uint_le(merge_output(kit_merge, 1).len, MERGE_OUTPUT_HARD);
	ck_assert_uint_eq(merge_dropped(kit_merge, 1), 0);
	merge_consume_up(kit_merge, SIZE_MAX);
}
END_TEST

/* A megabyte and more goes to a stream that reads; copies for all must not fill memory. */
START_TEST(messages_beyond_the_bound_go_to_a_few_streams_at_a_time)
{
	static char payload[6 * 1048576 + 1];
	struct kit_message huge = {.qos = _i == MQTT_5, .id = 7, .topic = "a", .payload = payload};
	size_t got = 0;
	size_t slot;

	memset(payload, 'p', sizeof(payload) - 1);
	for (slot = 3; slot < 7; slot++)
		kit_open_slot(slot);
	for (slot = 1; slot < 7; slot++)
		kit_is_subscribed(slot, 1, "a", 0);
	huge.subscription_id = kit_route;
	if (huge.qos == 0)
		huge.id = 0;
	kit_give(kit_publish(&huge));
	for (slot = 1; slot < 7; slot++) {
		enum mqtt_reason reason = merge_fault(kit_merge, slot);

		got += merge_output(kit_merge, slot).len > 0;
		ck_assert_int_eq(reason,
				 slot > 2 && huge.qos > 0 ? MQTT_QUOTA_EXCEEDED : MQTT_SUCCESS);
		ck_assert_uint_eq(merge_dropped(kit_merge, slot), slot > 2 && huge.qos == 0);
	}
	ck_assert_uint_eq(got, 2);
	ck_assert_uint_lt(merge_memory(kit_merge), 3 * sizeof(payload));
}
END_TEST

START_TEST(control_stream_that_does_not_read_holds_the_broker_back)
{
	uint16_t id = 0;

	while (!merge_is_full(kit_merge) && id < 100)
		kit_give(large(1, ++id, "c"));
	ck_assert_uint_eq(id, MERGE_OUTPUT_HARD / 30000 + 1);
	ck_assert_int_eq(merge_fault(kit_merge, 0), MQTT_SUCCESS);
	/* Nor is more of it read, for what it asks would be answered. */
	kit_take_not(0, kit_plain(MQTT_PINGREQ));
	kit_take(1, kit_message(0, 0));
	kit_expect_up("PUBLISH:q0,0,t,x");
	merge_consume_output(kit_merge, 0, SIZE_MAX);
	kit_take(0, kit_plain(MQTT_PINGREQ));
}
END_TEST

START_TEST(what_a_stream_owes_is_counted)
{
	uint64_t acknowledged;

	kit_is_subscribed(1, 1, "a", 0);
	kit_give(kit_delivery(1, 5, "a", kit_route));
	kit_give(kit_delivery(2, 6, "a", kit_route));
	ck_assert_uint_eq(merge_unacknowledged(kit_merge, 1, &acknowledged), 2);
	ck_assert_uint_eq(acknowledged, 0);
	kit_take(1, kit_ack(MQTT_PUBACK, 5, 0));
	kit_take(1, kit_ack(MQTT_PUBREC, 6, 0));
	ck_assert_uint_eq(merge_unacknowledged(kit_merge, 1, &acknowledged), 0);
	ck_assert_uint_eq(acknowledged, 2);
}
END_TEST

/* The broker takes nothing: streams wait. */
START_TEST(a_broker_that_does_not_read_holds_the_streams_back)
{
	int i;

	for (i = 0; i < 3; i++)
		kit_take(1, large(0, 0, "t"));
	kit_take_not(1, large(0, 0, "t"));
	kit_take_not(0, kit_message(0, 0));
	merge_consume_up(kit_merge, SIZE_MAX);
	kit_take(1, large(0, 0, "t"));
}
END_TEST

START_TEST(requests_without_answers_hold_the_streams_back)
{
	uint16_t id;

	for (id = 1; id <= 64; id++)
		kit_take(1, kit_unsubscribe(id, "a"));
	kit_take_not(1, kit_unsubscribe(id, "a"));
	kit_give(kit_suback(MQTT_UNSUBACK, 1, _i == MQTT_5 ? "11" : ""));
	kit_take(1, kit_unsubscribe(id, "a"));
}
END_TEST

/* A second SUBACK of what was asked twice is nobody's, but must not leave its place taken. */
START_TEST(requests_repeated_with_their_number_take_no_place)
{
	int i;

	for (i = 0; i < 100; i++) {
		kit_take(1, kit_subscribe(7, "a", 0));
		kit_take(1, kit_subscribe(7, "a", 0));
		merge_consume_up(kit_merge, SIZE_MAX);
		kit_give(kit_suback(MQTT_SUBACK, 7, "00"));
		kit_give(kit_suback(MQTT_SUBACK, 7, "00"));
		kit_expect(1, "SUBACK:7,00");
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------ */

int main(void)
{
	/* `_i` is the version. */
	static const TTest *const *const both[] = {
		&malformed_packets_are_the_end_of_their_stream,
		&packets_of_the_control_stream_are_not_for_others,
		&packets_of_the_control_stream_go_to_the_broker_whatever_they_are,
		&no_mqtt_on_the_control_stream_is_for_the_broker_to_see,
		&packets_beyond_the_limit_are_the_end_of_their_stream,
		&topics_the_broker_would_end_the_client_for_end_the_stream,
		&one_number_for_a_message_and_a_request_ends_the_stream,
		&subscriptions_end_with_their_stream,
		&a_slot_begins_anew,
		&what_a_stream_has_not_acknowledged_is_acknowledged_for_it,
		&one_of_two_receivers_goes,
		&qos_2_of_a_stream_that_is_gone_is_released,
		&half_a_packet_dies_with_its_stream,
		&finished_stream_still_gets_its_answers,
		&finished_stream_gets_its_pong,
		&pong_for_a_stream_that_is_gone_is_nobodys,
		&messages_of_qos_0_are_dropped_for_a_stream_that_does_not_read,
		&messages_of_qos_1_are_kept_up_to_a_bound_then_the_stream_goes,
		&messages_beyond_the_bound_go_to_a_few_streams_at_a_time,
		&control_stream_that_does_not_read_holds_the_broker_back,
		&what_a_stream_owes_is_counted,
		&a_broker_that_does_not_read_holds_the_streams_back,
		&requests_without_answers_hold_the_streams_back,
		&requests_repeated_with_their_number_take_no_place,
	};
	static const TTest *const *const five[] = {
		&aliases_beyond_the_limit_end_the_stream,
	};
	const struct kit_case cases[] = {
		{"3.1.1", kit_two_of_3, MQTT_3_1_1, both, COUNT(both)},
		{"5.0", kit_two_of_5, MQTT_5, both, COUNT(both)},
		{"5.0 alone", kit_two_of_5, MQTT_5, five, COUNT(five)},
	};

	return kit_run("merge-end", cases, COUNT(cases));
}
