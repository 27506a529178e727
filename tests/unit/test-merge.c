/* SPDX-License-Identifier: MIT */
/*
 * Several streams of a client on one session of a broker: whose identifier is whose, and where
 * answers and deliveries go. What happens at the end of a stream is in test-merge-end.c.
 */
#include "merge-kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message of this QoS and identifier, on topic "t". */
static struct bytes message(int qos, uint16_t id)
{
	return kit_publish(
		&(struct kit_message){.qos = qos, .id = id, .topic = "t", .payload = "x"});
}

static struct bytes delivery(int qos, uint16_t id, const char *topic, uint32_t route)
{
	return kit_publish(&(struct kit_message){
		.qos = qos, .id = id, .topic = topic, .payload = "m", .subscription_id = route});
}

/* ---- Identifiers of requests ------------------------------------------------------- */

START_TEST(a_free_identifier_stays_what_it_is)
{
	kit_take(1, message(1, 7));
	kit_expect_up("PUBLISH:q1,7,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 7, 0));
	kit_expect(1, "PUBACK:7");
	kit_expect_silence();
}
END_TEST

START_TEST(one_identifier_on_three_streams_is_three_at_the_broker)
{
	kit_take(0, message(1, 7));
	kit_take(1, message(1, 7));
	kit_take(2, message(1, 7));
	kit_expect_up("PUBLISH:q1,7,t,x PUBLISH:q1,1,t,x PUBLISH:q1,2,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 2, 0));
	kit_expect(2, "PUBACK:7");
	kit_give(kit_ack(MQTT_PUBACK, 7, 0));
	kit_expect(0, "PUBACK:7");
	kit_give(kit_ack(MQTT_PUBACK, 1, 0x10));
	kit_expect(1, _i == MQTT_5 ? "PUBACK:7,10" : "PUBACK:7");
	kit_expect_silence();
}
END_TEST

START_TEST(qos_2_goes_its_way_on_one_stream)
{
	kit_take(0, message(2, 1));
	kit_take(1, message(2, 1));
	kit_expect_up("PUBLISH:q2,1,t,x PUBLISH:q2,2,t,x");
	kit_give(kit_ack(MQTT_PUBREC, 2, 0));
	kit_expect(1, "PUBREC:1");
	kit_take(1, kit_ack(MQTT_PUBREL, 1, 0));
	kit_expect_up("PUBREL:2");
	/* The number is not free before PUBCOMP. */
	kit_take(2, message(1, 2));
	kit_expect_up("PUBLISH:q1,3,t,x");
	kit_give(kit_ack(MQTT_PUBCOMP, 2, 0));
	kit_expect(1, "PUBCOMP:1");
	kit_take(1, message(2, 2));
	kit_expect_up("PUBLISH:q2,2,t,x");
	kit_expect_silence();
}
END_TEST

START_TEST(refused_qos_2_is_over_with_pubrec)
{
	kit_take(1, message(2, 1));
	kit_give(kit_ack(MQTT_PUBREC, 1, 0x87));
	kit_expect(1, "PUBREC:1,87");
	kit_take(2, message(1, 1));
	kit_expect_up("PUBLISH:q2,1,t,x PUBLISH:q1,1,t,x");
}
END_TEST

START_TEST(requests_that_are_out_at_the_start_keep_their_numbers)
{
	kit_connect(_i);
	merge_watch_client(kit_merge, message(1, 1));
	merge_watch_client(kit_merge, message(2, 2));
	merge_watch_client(kit_merge, kit_subscribe(3, "a", 0));
	merge_watch_client(kit_merge, message(1, 4));
	merge_watch_broker(kit_merge, kit_ack(MQTT_PUBACK, 4, 0));
	merge_watch_broker(kit_merge, kit_ack(MQTT_PUBREC, 2, 0));
	kit_open_slot(1);
	kit_take(1, message(1, 1));
	kit_take(1, message(1, 2));
	kit_take(1, message(1, 3));
	kit_take(1, message(1, 4));
	kit_expect_up("PUBLISH:q1,4,t,x PUBLISH:q1,5,t,x PUBLISH:q1,6,t,x PUBLISH:q1,7,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 1, 0));
	kit_give(kit_suback(MQTT_SUBACK, 3, "01"));
	kit_expect(0, "PUBACK:1 SUBACK:3,01");
	kit_take(0, kit_ack(MQTT_PUBREL, 2, 0));
	kit_expect_up("PUBREL:2");
	kit_give(kit_ack(MQTT_PUBCOMP, 2, 0));
	kit_expect(0, "PUBCOMP:2");
	kit_expect_silence();
}
END_TEST

/* A message of QoS 1 with so long a payload. */
static void add_long_message(struct buf_writer *to, uint16_t id, size_t len)
{
	char *payload = malloc(len + 1);

	ck_assert_ptr_nonnull(payload);
	memset(payload, 'p', len);
	payload[len] = '\0';
	buf_write_bytes(to, kit_publish(&(struct kit_message){
				    .qos = 1, .id = id, .topic = "t", .payload = payload}));
	free(payload);
}

static void add_client_packets(struct buf_writer *to)
{
	buf_write_bytes(to, message(1, 1));
	buf_write_bytes(to, kit_plain(MQTT_PINGREQ));
	buf_write_bytes(to, message(2, 2));
	add_long_message(to, 3, 200);
	buf_write_bytes(to, message(0, 0));
	add_long_message(to, 4, 20000);
	buf_write_bytes(to, kit_ack(MQTT_PUBACK, 8, 0));
	buf_write_bytes(to, message(2, 5));
	buf_write_bytes(to, kit_subscribe(6, "a", 0));
}

static void add_broker_packets(struct buf_writer *to)
{
	buf_write_bytes(to, kit_ack(MQTT_PUBACK, 1, 0));
	buf_write_bytes(to, message(1, 4)); /* a delivery is not the client's */
	buf_write_bytes(to, kit_ack(MQTT_PUBREC, 2, 0));
	buf_write_bytes(to, kit_plain(MQTT_PINGRESP));
	buf_write_bytes(to, kit_ack(MQTT_PUBACK, 3, 0x10)); /* of 5.0 a byte longer */
	buf_write_bytes(to, kit_ack(MQTT_PUBREC, 5, 0));
	buf_write_bytes(to, kit_ack(MQTT_PUBCOMP, 5, 0));
}

static void watch_in_pieces(void (*watch)(struct merge *, struct bytes), struct bytes bytes,
			    size_t piece)
{
	size_t at;

	for (at = 0; at < bytes.len; at += piece)
		watch(kit_merge,
		      bytes_of(bytes.data + at, bytes.len - at < piece ? bytes.len - at : piece));
}

START_TEST(what_has_passed_by_is_known_however_it_was_cut)
{
	static const size_t pieces[] = {1, 2, 3, 4, 5, 7, 11, 100, 1000, SIZE_MAX / 2};
	struct buf_writer client;
	struct buf_writer broker;
	size_t i;
	uint16_t id;

	for (i = 0; i < COUNT(pieces); i++) {
		kit_connect(_i);
		buf_writer_init(&client, SIZE_MAX);
		buf_writer_init(&broker, SIZE_MAX);
		add_client_packets(&client);
		add_broker_packets(&broker);
		watch_in_pieces(merge_watch_client, buf_writer_content(&client), pieces[i]);
		watch_in_pieces(merge_watch_broker, buf_writer_content(&broker), pieces[i]);
		kit_open_slot(1);
		for (id = 1; id <= 6; id++)
			kit_take(1, message(1, id));
		/* 2, 4 and 6 are out. */
		kit_expect_up("PUBLISH:q1,1,t,x PUBLISH:q1,3,t,x PUBLISH:q1,5,t,x "
			      "PUBLISH:q1,7,t,x PUBLISH:q1,8,t,x PUBLISH:q1,9,t,x");
		kit_close();
		buf_writer_clear(&client);
		buf_writer_clear(&broker);
	}
}
END_TEST

START_TEST(what_is_no_longer_out_takes_no_room)
{
	size_t memory;
	uint16_t i;

	kit_connect(_i);
	memory = merge_memory(kit_merge);
	for (i = 1; i <= 1000; i++)
		merge_watch_client(kit_merge, message(1, i));
	ck_assert_uint_gt(merge_memory(kit_merge), memory);
	/* In another order; all but the last are free again. */
	for (i = 0; i < 999; i++)
		merge_watch_broker(kit_merge,
				   kit_ack(MQTT_PUBACK, (uint16_t)(i * 617u % 1000 + 1), 0));
	kit_open_slot(1);
	kit_take(1, message(1, 383));
	kit_take(1, message(1, 384));
	kit_take(1, message(1, 385));
	kit_expect_up("PUBLISH:q1,383,t,x PUBLISH:q1,1,t,x PUBLISH:q1,385,t,x");
	kit_close();

	kit_connect(_i);
	for (i = 1; i <= 1000; i++)
		merge_watch_client(kit_merge, message(1, i));
	for (i = 0; i < 1000; i++)
		merge_watch_broker(kit_merge,
				   kit_ack(MQTT_PUBACK, (uint16_t)(i * 617u % 1000 + 1), 0));
	ck_assert_uint_eq(merge_memory(kit_merge), memory);
}
END_TEST

START_TEST(release_of_an_earlier_connection_is_passed_on)
{
	kit_take(1, kit_ack(MQTT_PUBREL, 9, 0));
	kit_expect_up("PUBREL:9");
	kit_give(kit_ack(MQTT_PUBCOMP, 9, 0));
	kit_expect(1, "PUBCOMP:9");
	/* Unless the number means something else to the broker. */
	kit_take(2, message(2, 9));
	kit_expect_up("PUBLISH:q2,9,t,x");
	kit_take(1, kit_ack(MQTT_PUBREL, 9, 0));
	kit_expect_up("");
	kit_expect(1, "PUBCOMP:9");
}
END_TEST

START_TEST(requests_of_each_stream_are_answered_there)
{
	kit_take(1, kit_subscribe(5, "a/# b", 0));
	kit_take(2, kit_subscribe(5, "c", 0));
	kit_take(0, kit_unsubscribe(5, "nothing"));
	kit_expect_up(_i == MQTT_5 ? "SUBSCRIBE:5,a/#,b/ours SUBSCRIBE:1,c/ours "
				     "UNSUBSCRIBE:2,nothing"
				   : "SUBSCRIBE:5,a/#,b SUBSCRIBE:1,c UNSUBSCRIBE:2,nothing");
	kit_give(kit_suback(MQTT_UNSUBACK, 2, _i == MQTT_5 ? "11" : ""));
	kit_give(kit_suback(MQTT_SUBACK, 1, "02"));
	kit_give(kit_suback(MQTT_SUBACK, 5, "00 80"));
	kit_expect(0, _i == MQTT_5 ? "UNSUBACK:5,11" : "UNSUBACK:5");
	kit_expect(1, "SUBACK:5,00,80");
	kit_expect(2, "SUBACK:5,02");
	kit_expect_silence();
}
END_TEST

START_TEST(pings_are_answered_where_they_come_from)
{
	int i;

	kit_take(2, kit_plain(MQTT_PINGREQ));
	kit_take(0, kit_plain(MQTT_PINGREQ));
	kit_expect_up("PINGREQ PINGREQ");
	kit_give(kit_plain(MQTT_PINGRESP));
	kit_expect(2, "PINGRESP");
	kit_give(kit_plain(MQTT_PINGRESP));
	kit_expect(0, "PINGRESP");
	kit_expect_silence();
	/* The broker has heard enough of them: its answers are not waited for. */
	for (i = 0; i < 16; i++)
		kit_take(1, kit_plain(MQTT_PINGREQ));
	kit_expect(1, "");
	kit_take(1, kit_plain(MQTT_PINGREQ));
	kit_expect(1, "PINGRESP");
}
END_TEST

/* ---- Deliveries -------------------------------------------------------------------- */

START_TEST(delivery_goes_to_the_stream_that_subscribed)
{
	uint32_t route;

	kit_is_subscribed(1, 1, "a/#", 0);
	route = kit_route;
	kit_is_subscribed(2, 1, "b", 0);
	kit_give(delivery(0, 0, "a/x", route));
	kit_expect(1, "PUBLISH:q0,0,a/x,m");
	kit_give(delivery(1, 1, "b", kit_route));
	kit_expect(2, "PUBLISH:q1,1,b,m");
	kit_give(delivery(0, 0, "c", 0));
	kit_expect(0, "PUBLISH:q0,0,c,m");
	kit_expect_silence();
}
END_TEST

START_TEST(delivery_is_acknowledged_by_its_stream_alone)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(delivery(1, 8, "a", kit_route));
	kit_expect(1, "PUBLISH:q1,8,a,m");
	kit_take(2, kit_ack(MQTT_PUBACK, 8, 0));
	kit_take(0, kit_ack(MQTT_PUBACK, 8, 0));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0)); /* of another QoS */
	kit_expect_up("");
	kit_take(1, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("PUBACK:8");
	/* One of before this connection is the control stream's. */
	kit_take(1, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("");
	kit_take(0, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("PUBACK:8");
}
END_TEST

START_TEST(qos_2_delivery_goes_its_way_on_one_stream)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(delivery(2, 8, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0));
	kit_expect_up("PUBREC:8");
	kit_give(kit_ack(MQTT_PUBREL, 8, 0));
	kit_expect(1, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_take(1, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("PUBCOMP:8");
	kit_expect_silence();
}
END_TEST

/* One filter, two streams: one subscription at the broker. */
static void subscribe_both(void)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_is_subscribed(2, 1, "a", 0);
}

START_TEST(same_filter_on_two_streams_is_delivered_twice)
{
	subscribe_both();
	kit_give(delivery(1, 8, "a", kit_route));
	kit_expect(1, "PUBLISH:q1,8,a,m");
	kit_expect(2, "PUBLISH:q1,8,a,m");
	kit_take(2, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up(""); /* not before the other */
	kit_take(1, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("PUBACK:8");
	kit_expect_silence();
}
END_TEST

START_TEST(qos_2_for_two_streams_is_complete_when_both_are)
{
	subscribe_both();
	kit_give(delivery(2, 8, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0));
	kit_expect_up("");
	kit_take(2, kit_ack(MQTT_PUBREC, 8, 0));
	kit_expect_up("PUBREC:8");
	kit_give(kit_ack(MQTT_PUBREL, 8, 0));
	kit_expect(1, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_expect(2, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_take(2, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("");
	kit_take(1, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("PUBCOMP:8");
	kit_expect_silence();
}
END_TEST

START_TEST(one_that_refuses_does_not_speak_for_the_other)
{
	subscribe_both();
	kit_give(delivery(2, 8, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0));
	kit_take(2, kit_ack(MQTT_PUBREC, 8, 0x83));
	kit_expect_up("PUBREC:8");
	kit_give(kit_ack(MQTT_PUBREL, 8, 0));
	kit_expect(1, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_expect(2, "PUBLISH:q2,8,a,m");
	kit_take(1, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("PUBCOMP:8");
	/* If all refuse, the broker hears it. */
	kit_give(delivery(2, 9, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 9, 0x83));
	kit_take(2, kit_ack(MQTT_PUBREC, 9, 0x83));
	kit_expect_up("PUBREC:9,83");
}
END_TEST

/* MQTT 5.0: the broker sends a copy for each subscription. */
START_TEST(overlapping_subscriptions_of_5_are_told_by_identifier)
{
	uint32_t wide;

	kit_is_subscribed(1, 1, "a/#", 0);
	wide = kit_route;
	kit_is_subscribed(2, 1, "a/b", 0);
	ck_assert_uint_ne(wide, kit_route);
	kit_give(delivery(0, 0, "a/b", wide));
	kit_give(delivery(0, 0, "a/b", kit_route));
	kit_expect(1, "PUBLISH:q0,0,a/b,m");
	kit_expect(2, "PUBLISH:q0,0,a/b,m");
	kit_expect_silence();
}
END_TEST

/* 3.1.1: Mosquitto sends one. */
START_TEST(overlapping_subscriptions_of_3_1_1_share_one_copy)
{
	kit_is_subscribed(1, 1, "a/#", 0);
	kit_is_subscribed(2, 1, "+/b", 0);
	kit_is_subscribed(0, 1, "#", 0);
	kit_give(delivery(1, 3, "a/b", 0));
	kit_expect(0, "PUBLISH:q1,3,a/b,m");
	kit_expect(1, "PUBLISH:q1,3,a/b,m");
	kit_expect(2, "PUBLISH:q1,3,a/b,m");
	kit_give(delivery(1, 4, "c", 0));
	kit_expect(0, "PUBLISH:q1,4,c,m");
	kit_expect_silence();
}
END_TEST

START_TEST(subscriptions_of_before_the_start_count)
{
	kit_connect(_i);
	merge_watch_client(kit_merge, kit_subscribe(1, "a kept", 3));
	merge_watch_broker(kit_merge, kit_suback(MQTT_SUBACK, 1, "00 00"));
	merge_watch_client(kit_merge, kit_subscribe(2, "refused given/up", 0));
	merge_watch_broker(kit_merge, kit_suback(MQTT_SUBACK, 2, "80 00"));
	merge_watch_client(kit_merge, kit_unsubscribe(3, "given/up"));
	merge_watch_broker(kit_merge, kit_suback(MQTT_UNSUBACK, 3, _i == MQTT_5 ? "00" : ""));
	kit_open_slot(1);
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(delivery(0, 0, "a", kit_route));
	kit_expect(0, _i == MQTT_5 ? "PUBLISH:q0,0,a,m/3" : "PUBLISH:q0,0,a,m");
	kit_expect(1, "PUBLISH:q0,0,a,m");
	kit_is_subscribed(1, 2, "refused", 0);
	kit_give(delivery(0, 0, "refused", kit_route));
	kit_expect(1, "PUBLISH:q0,0,refused,m");
	kit_is_subscribed(1, 2, "given/up", 0);
	kit_give(delivery(0, 0, "given/up", kit_route));
	kit_expect(1, "PUBLISH:q0,0,given/up,m");
	kit_expect_silence();
}
END_TEST

START_TEST(the_clients_own_identifiers_come_back)
{
	uint32_t first;

	kit_is_subscribed(1, 1, "a", 77);
	first = kit_route;
	kit_is_subscribed(2, 1, "a", 88);
	kit_is_subscribed(0, 1, "c", 99);
	kit_give(delivery(0, 0, "c", kit_route));
	kit_expect(0, "PUBLISH:q0,0,c,m/99");
	kit_is_subscribed(2, 1, "a", 78);
	kit_give(delivery(0, 0, "a", kit_route));
	kit_expect(1, "PUBLISH:q0,0,a,m/77");
	kit_expect(2, "PUBLISH:q0,0,a,m/78");
	/* What comes under a number that is nobody's any more is not for the others either. */
	kit_give(delivery(1, 5, "a", first));
	kit_expect_up("PUBACK:5");
	kit_expect_silence();
}
END_TEST

START_TEST(identifiers_of_an_earlier_connection_are_taken_out)
{
	kit_give(delivery(1, 5, "old", MERGE_SUBSCRIPTION_ID + 5000));
	kit_expect(0, "PUBLISH:q1,5,old,m");
	kit_take(0, kit_ack(MQTT_PUBACK, 5, 0));
	kit_expect_up("PUBACK:5");
}
END_TEST

START_TEST(without_identifiers_filters_are_compared)
{
	kit_no_subscription_ids = true;
	kit_connect(MQTT_5);
	kit_open_slot(1);
	kit_take(1, kit_subscribe(1, "a", 0));
	kit_expect_up("SUBSCRIBE:1,a");
	kit_give(kit_suback(MQTT_SUBACK, 1, "00"));
	kit_give(delivery(0, 0, "a", 0));
	kit_expect(1, "SUBACK:1,00 PUBLISH:q0,0,a,m");
}
END_TEST

START_TEST(shared_subscriptions_have_their_stream)
{
	kit_is_subscribed(1, 1, "$share/g/a/+", 0);
	kit_is_subscribed(2, 1, "b", 0);
	if (_i != MQTT_5)
		kit_route = 0;
	kit_give(delivery(0, 0, "b", kit_route));
	kit_expect(2, "PUBLISH:q0,0,b,m");
	if (_i == MQTT_5)
		return;
	kit_give(delivery(0, 0, "a/1", 0));
	kit_expect(1, "PUBLISH:q0,0,a/1,m");
	/* 3.1.1: who shares may get it or not, who has subscribed alone must. */
	kit_is_subscribed(2, 1, "a/2", 0);
	kit_give(delivery(0, 0, "a/2", 0));
	kit_expect(2, "PUBLISH:q0,0,a/2,m");
	kit_expect_silence();
}
END_TEST

static struct bytes retained(uint16_t id, uint32_t route)
{
	return kit_publish(&(struct kit_message){.qos = 1,
						 .id = id,
						 .topic = "a",
						 .payload = "r",
						 .subscription_id = route,
						 .retain = true});
}

START_TEST(retained_message_answers_one_subscribe)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(retained(1, kit_route));
	kit_expect(1, "PUBLISH:Rq1,1,a,r");
	/* Mosquitto sends it before SUBACK; two of them wait, and the first is answered first. */
	kit_take(2, kit_subscribe(4, "a", 0));
	kit_take(0, kit_subscribe(5, "+", 0));
	kit_expect_up(_i == MQTT_5 ? "SUBSCRIBE:4,a/ours SUBSCRIBE:5,+/ours"
				   : "SUBSCRIBE:4,a SUBSCRIBE:5,+");
	if (_i == MQTT_5) {
		kit_give(retained(3, kit_route));
		kit_expect(0, "PUBLISH:Rq1,3,a,r");
		kit_give(kit_suback(MQTT_SUBACK, 4, "00"));
		kit_expect(2, "SUBACK:4,00");
		kit_give(retained(4, MERGE_SUBSCRIPTION_ID + MERGE_ROUTES -
					     1)); /* the stream of the same filter has it */
		kit_expect(2, "PUBLISH:Rq1,4,a,r");
	} else {
		kit_give(retained(2, 0));
		kit_expect(2, "PUBLISH:Rq1,2,a,r");
		kit_give(kit_suback(MQTT_SUBACK, 4, "00"));
		kit_expect(2, "SUBACK:4,00");
		kit_give(retained(3, 0));
		kit_expect(0, "PUBLISH:Rq1,3,a,r");
		kit_give(kit_suback(MQTT_SUBACK, 5, "00"));
		kit_expect(0, "SUBACK:5,00");
		kit_give(retained(4, 0));
		kit_expect(0, "PUBLISH:Rq1,4,a,r");
	}
	kit_expect_silence();
}
END_TEST

/* ---- UNSUBSCRIBE --------------------------------------------------------------------- */

START_TEST(any_stream_may_unsubscribe)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_take(0, kit_unsubscribe(9, "a"));
	kit_expect_up("UNSUBSCRIBE:9,a");
	kit_give(kit_suback(MQTT_UNSUBACK, 9, _i == MQTT_5 ? "00" : ""));
	kit_expect(0, _i == MQTT_5 ? "UNSUBACK:9,00" : "UNSUBACK:9");
	if (_i != MQTT_5) {
		kit_give(delivery(0, 0, "a", 0));
		kit_expect(0, "PUBLISH:q0,0,a,m");
	}
	kit_expect_silence();
}
END_TEST

START_TEST(what_another_stream_holds_the_broker_keeps)
{
	subscribe_both();
	kit_take(1, kit_unsubscribe(9, "a"));
	kit_expect_up("");
	kit_expect(1, _i == MQTT_5 ? "UNSUBACK:9,00" : "UNSUBACK:9");
	kit_give(delivery(0, 0, "a", kit_route));
	kit_expect(2, "PUBLISH:q0,0,a,m");
	kit_take(2, kit_unsubscribe(9, "a"));
	kit_expect_up("UNSUBSCRIBE:9,a");
	kit_give(kit_suback(MQTT_UNSUBACK, 9, _i == MQTT_5 ? "00" : ""));
	kit_expect(2, _i == MQTT_5 ? "UNSUBACK:9,00" : "UNSUBACK:9");
	kit_expect_silence();
}
END_TEST

START_TEST(codes_stand_for_their_filters_though_some_are_kept)
{
	subscribe_both();
	kit_take(1, kit_unsubscribe(9, "nothing a never"));
	kit_expect_up("UNSUBSCRIBE:9,nothing,never");
	kit_give(kit_suback(MQTT_UNSUBACK, 9, _i == MQTT_5 ? "11 87" : ""));
	kit_expect(1, _i == MQTT_5 ? "UNSUBACK:9,11,00,87" : "UNSUBACK:9");
	kit_expect_silence();
}
END_TEST

/* The broker has one subscription for both: a stream must not lower what another was granted. */
START_TEST(filter_of_two_streams_has_the_highest_qos_of_both)
{
	const char *ours = _i == MQTT_5 ? "/ours" : "";
	char expected[100];

	kit_take(1, kit_subscribe(1, "a@2 b", 0));
	snprintf(expected, sizeof(expected), "SUBSCRIBE:1,a@2,b%s", ours);
	kit_expect_up(expected);
	kit_give(kit_suback(MQTT_SUBACK, 1, "02 00"));
	kit_expect(1, "SUBACK:1,02,00");
	kit_take(2, kit_subscribe(1, "c a b@1", 0));
	snprintf(expected, sizeof(expected), "SUBSCRIBE:1,c,a@2,b@1%s", ours);
	kit_expect_up(expected);
	kit_give(kit_suback(MQTT_SUBACK, 1, "00 02 01"));
	kit_expect(2, "SUBACK:1,00,00,01"); /* what it asked for */
	kit_take(1, kit_unsubscribe(2, "a"));
	kit_expect(1, _i == MQTT_5 ? "UNSUBACK:2,00" : "UNSUBACK:2");
	kit_take(2, kit_subscribe(1, "a", 0));
	snprintf(expected, sizeof(expected), "SUBSCRIBE:1,a%s", ours);
	kit_expect_up(expected);
	kit_give(kit_suback(MQTT_SUBACK, 1, "80"));
	kit_expect(2, "SUBACK:1,80");
}
END_TEST

START_TEST(subscription_the_broker_refuses_is_nobodys)
{
	kit_take(1, kit_subscribe(1, "a b", 0));
	kit_expect_up(_i == MQTT_5 ? "SUBSCRIBE:1,a,b/ours" : "SUBSCRIBE:1,a,b");
	kit_give(kit_suback(MQTT_SUBACK, 1, "87 01"));
	kit_expect(1, "SUBACK:1,87,01");
	/* Another stream's is all there is. */
	kit_take(1, kit_unsubscribe(2, "b"));
	kit_take(2, kit_unsubscribe(2, "a"));
	kit_expect_up("UNSUBSCRIBE:2,b UNSUBSCRIBE:1,a");
}
END_TEST

START_TEST(more_filters_than_are_looked_after_are_refused)
{
	char filters[20000] = "";
	int i;

	for (i = 0; i < 512; i++)
		(void)snprintf(filters + strlen(filters), sizeof(filters) - strlen(filters), "f%d ",
			       i);
	kit_take(1, kit_subscribe(1, filters, 0));
	merge_consume_up(kit_merge, SIZE_MAX);
	kit_take(1, kit_subscribe(2, "one/more and/more", 0));
	kit_expect_up("");
	kit_expect(1, _i == MQTT_5 ? "SUBACK:2,97,97" : "SUBACK:2,80,80");
}
END_TEST

/* ---- Topic aliases --------------------------------------------------------------------- */

static struct bytes aliased(const char *topic, uint16_t alias)
{
	return kit_publish(&(struct kit_message){
		.qos = 1, .id = 3, .topic = topic, .payload = "x", .alias = alias});
}

START_TEST(aliases_of_a_client_are_its_streams_own)
{
	kit_take(1, aliased("one", 4));
	kit_take(2, aliased("two", 4));
	kit_take(0, aliased("control", 4));
	kit_take(1, aliased("", 4));
	kit_take(2, aliased("", 4));
	kit_take(0, aliased("", 4));
	kit_expect_up("PUBLISH:q1,3,one,x PUBLISH:q1,1,two,x PUBLISH:q1,2,control,x=4 "
		      "PUBLISH:q1,3,one,x PUBLISH:q1,1,two,x PUBLISH:q1,2,,x=4");
}
END_TEST

START_TEST(aliases_of_the_broker_are_for_the_control_stream)
{
	uint32_t route;

	kit_is_subscribed(1, 1, "a", 0);
	route = kit_route;
	kit_give(kit_publish(&(struct kit_message){
		.topic = "a", .payload = "1", .subscription_id = route, .alias = 2}));
	kit_give(kit_publish(&(struct kit_message){
		.topic = "", .payload = "2", .subscription_id = route, .alias = 2}));
	kit_expect(1, "PUBLISH:q0,0,a,1 PUBLISH:q0,0,a,2");
	kit_give(kit_publish(&(struct kit_message){.topic = "", .payload = "3", .alias = 2}));
	kit_expect(0, "PUBLISH:q0,0,a,3=2"); /* it may not have heard of it */
}
END_TEST

/* ---- Receive maximum -------------------------------------------------------------------- */

START_TEST(receive_maximum_is_that_of_all_streams)
{
	kit_receive_maximum = 2;
	kit_connect(MQTT_5);
	kit_open_slot(1);
	kit_open_slot(2);
	kit_take(0, message(2, 1));
	kit_take(1, message(2, 1));
	kit_expect_up("PUBLISH:q2,1,t,x PUBLISH:q2,2,t,x");
	kit_take(2, message(1, 1));
	kit_take(2, message(0, 0)); /* behind it: the stream's order */
	kit_take(1, message(1, 2));
	kit_take(0, message(0, 0));
	kit_expect_up("PUBLISH:q0,0,t,x");
	/* What others wait for passes. */
	kit_give(kit_ack(MQTT_PUBREC, 2, 0));
	kit_take(1, kit_ack(MQTT_PUBREL, 1, 0));
	kit_expect_up("PUBREL:2");
	kit_give(kit_ack(MQTT_PUBCOMP, 2, 0));
	kit_expect(1, "PUBREC:1 PUBCOMP:1");
	kit_expect_up("PUBLISH:q1,2,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 2, 0));
	kit_expect(1, "PUBACK:2");
	kit_expect_up("PUBLISH:q1,3,t,x PUBLISH:q0,0,t,x");
}
END_TEST

/* Where the administrator has lifted the limit, as many are out as there are numbers. */
START_TEST(all_numbers_may_be_out)
{
	size_t slot;
	uint32_t n;

	kit_receive_maximum = UINT16_MAX;
	kit_connect(MQTT_5);
	for (slot = 1; slot < MERGE_SLOTS; slot++)
		kit_open_slot(slot);
	for (n = 0; n < UINT16_MAX; n++) {
		kit_take(n % MERGE_SLOTS, message(1, (uint16_t)(n / MERGE_SLOTS + 1)));
		merge_consume_up(kit_merge, SIZE_MAX);
	}
	/* A message waits, what is no message ends its stream, and the others go on. */
	kit_take(1, message(1, 60000));
	kit_take(2, kit_subscribe(60000, "a", 0));
	ck_assert_int_eq(merge_fault(kit_merge, 2), MQTT_PACKET_ID_IN_USE);
	kit_expect_silence();
	kit_give(kit_ack(MQTT_PUBACK, 1, 0));
	kit_expect(0, "PUBACK:1");
	kit_expect_up("PUBLISH:q1,1,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 1, 0));
	kit_expect(1, "PUBACK:60000");
}
END_TEST

/* It says nothing of a maximum, but Mosquitto has one. */
START_TEST(twenty_messages_of_3_1_1_are_out_at_most)
{
	uint16_t id;

	for (id = 1; id <= 20; id++)
		kit_take(id % 3, message(2, id));
	merge_consume_up(kit_merge, SIZE_MAX);
	kit_take(1, message(1, 21));
	kit_expect_up("");
	kit_give(kit_ack(MQTT_PUBREC, 3, 0));
	kit_take(0, kit_ack(MQTT_PUBREL, 3, 0));
	kit_give(kit_ack(MQTT_PUBCOMP, 3, 0));
	kit_expect_up("PUBREL:3 PUBLISH:q1,21,t,x");
}
END_TEST

/* ---- The start, within packets -------------------------------------------------------------- */

START_TEST(start_within_a_packet_waits_for_its_end)
{
	char hello[400];
	struct bytes bytes;
	size_t cut;

	memset(hello, 'h', sizeof(hello) - 1);
	hello[sizeof(hello) - 1] = '\0';
	for (cut = 1; cut < 300; cut++) {
		kit_connect(_i);
		bytes = kit_publish(&(struct kit_message){
			.qos = 1, .id = 6, .topic = "topic", .payload = hello});
		merge_watch_client(kit_merge, bytes_of(bytes.data, cut));
		kit_open_slot(1);
		{
			struct bytes rest = bytes_of(bytes.data + cut, bytes.len - cut);
			size_t up = rest.len;

			/* The data stream must wait, and nothing is lost or said twice. */
			kit_take_not(1, bytes);
			kit_take(0, rest);
			ck_assert_uint_eq(merge_up(kit_merge).len, up);
			ck_assert_mem_eq(merge_up(kit_merge).data, rest.data, up);
			merge_consume_up(kit_merge, up);
		}
		kit_take(1, message(1, 6));
		kit_expect_up("PUBLISH:q1,1,t,x");
		kit_close();
	}
}
END_TEST

START_TEST(start_within_a_packet_of_the_broker_waits_for_its_end)
{
	struct bytes bytes;
	size_t cut;

	for (cut = 1; cut < 8; cut++) {
		kit_connect(_i);
		bytes = message(1, 6);
		merge_watch_broker(kit_merge, bytes_of(bytes.data, cut));
		kit_open_slot(1);
		kit_give(bytes_of(bytes.data + cut, bytes.len - cut));
		ck_assert_uint_eq(merge_output(kit_merge, 0).len, bytes.len - cut);
		merge_consume_output(kit_merge, 0, SIZE_MAX);
		kit_give(kit_plain(MQTT_PINGRESP));
		kit_expect(0, "PINGRESP");
		kit_close();
	}
}
END_TEST

START_TEST(packets_in_single_bytes_are_put_together)
{
	struct bytes bytes = message(1, 7);
	size_t i;

	for (i = 0; i < bytes.len; i++)
		kit_take(1, bytes_of(bytes.data + i, 1));
	kit_expect_up("PUBLISH:q1,7,t,x");
	bytes = kit_ack(MQTT_PUBACK, 7, 0);
	for (i = 0; i < bytes.len; i++)
		kit_give(bytes_of(bytes.data + i, 1));
	kit_expect(1, "PUBACK:7");
}
END_TEST

START_TEST(a_connection_that_is_refused_is_never_accepted)
{
	kit_merge = merge_new(_i);
	merge_watch_broker(kit_merge,
			   bytes_of(_i == MQTT_5 ? "\x20\x03\x00\x87\x00" : "\x20\x02\x00\x05",
				    _i == MQTT_5 ? 5 : 4));
	ck_assert(!merge_is_accepted(kit_merge));
}
END_TEST

/* ------------------------------------------------------------------------------------------ */

int main(void)
{
	/* `_i` is the version. */
	static const TTest *const *const both[] = {
		&a_free_identifier_stays_what_it_is,
		&one_identifier_on_three_streams_is_three_at_the_broker,
		&qos_2_goes_its_way_on_one_stream,
		&release_of_an_earlier_connection_is_passed_on,
		&requests_of_each_stream_are_answered_there,
		&pings_are_answered_where_they_come_from,
		&delivery_goes_to_the_stream_that_subscribed,
		&delivery_is_acknowledged_by_its_stream_alone,
		&qos_2_delivery_goes_its_way_on_one_stream,
		&same_filter_on_two_streams_is_delivered_twice,
		&qos_2_for_two_streams_is_complete_when_both_are,
		&shared_subscriptions_have_their_stream,
		&retained_message_answers_one_subscribe,
		&any_stream_may_unsubscribe,
		&what_another_stream_holds_the_broker_keeps,
		&codes_stand_for_their_filters_though_some_are_kept,
		&filter_of_two_streams_has_the_highest_qos_of_both,
		&subscription_the_broker_refuses_is_nobodys,
		&more_filters_than_are_looked_after_are_refused,
		&packets_in_single_bytes_are_put_together,
	};
	static const TTest *const *const three[] = {
		&overlapping_subscriptions_of_3_1_1_share_one_copy,
		&twenty_messages_of_3_1_1_are_out_at_most,
	};
	static const TTest *const *const five[] = {
		&refused_qos_2_is_over_with_pubrec,
		&one_that_refuses_does_not_speak_for_the_other,
		&overlapping_subscriptions_of_5_are_told_by_identifier,
		&the_clients_own_identifiers_come_back,
		&identifiers_of_an_earlier_connection_are_taken_out,
		&aliases_of_a_client_are_its_streams_own,
		&aliases_of_the_broker_are_for_the_control_stream,
	};
	static const TTest *const *const alone[] = {
		&requests_that_are_out_at_the_start_keep_their_numbers,
		&what_has_passed_by_is_known_however_it_was_cut,
		&what_is_no_longer_out_takes_no_room,
		&subscriptions_of_before_the_start_count,
		&without_identifiers_filters_are_compared,
		&receive_maximum_is_that_of_all_streams,
		&all_numbers_may_be_out,
		&start_within_a_packet_waits_for_its_end,
		&start_within_a_packet_of_the_broker_waits_for_its_end,
		&a_connection_that_is_refused_is_never_accepted,
	};
	const struct kit_case cases[] = {
		{"3.1.1", kit_two_of_3, MQTT_3_1_1, both, COUNT(both)},
		{"5.0", kit_two_of_5, MQTT_5, both, COUNT(both)},
		{"3.1.1 alone", kit_two_of_3, MQTT_3_1_1, three, COUNT(three)},
		{"5.0 alone", kit_two_of_5, MQTT_5, five, COUNT(five)},
		{"starting with 3.1.1", NULL, MQTT_3_1_1, alone, COUNT(alone)},
		{"starting with 5.0", NULL, MQTT_5, alone, COUNT(alone)},
	};

	return kit_run("merge", cases, COUNT(cases));
}
