/* SPDX-License-Identifier: MIT */
/*
 * Several streams of a client on one session of a broker: whose identifier is whose, how many are
 * out, and what has passed by before there were several. Where deliveries go is in
 * test-merge-deliver.c, subscriptions are in test-merge-subscribe.c, ends in test-merge-end.c.
 */
#include "merge-kit.h"

#include <stdlib.h>
#include <string.h>

/* ---- Identifiers of requests ------------------------------------------------------- */

START_TEST(a_free_identifier_stays_what_it_is)
{
	kit_take(1, kit_message(1, 7));
	kit_expect_up("PUBLISH:q1,7,t,x");
	kit_give(kit_ack(MQTT_PUBACK, 7, 0));
	kit_expect(1, "PUBACK:7");
	kit_expect_silence();
}
END_TEST

START_TEST(one_identifier_on_three_streams_is_three_at_the_broker)
{
	kit_take(0, kit_message(1, 7));
	kit_take(1, kit_message(1, 7));
	kit_take(2, kit_message(1, 7));
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
	kit_take(0, kit_message(2, 1));
	kit_take(1, kit_message(2, 1));
	kit_expect_up("PUBLISH:q2,1,t,x PUBLISH:q2,2,t,x");
	kit_give(kit_ack(MQTT_PUBREC, 2, 0));
	kit_expect(1, "PUBREC:1");
	kit_take(1, kit_ack(MQTT_PUBREL, 1, 0));
	kit_expect_up("PUBREL:2");
	/* The number is not free before PUBCOMP. */
	kit_take(2, kit_message(1, 2));
	kit_expect_up("PUBLISH:q1,3,t,x");
	kit_give(kit_ack(MQTT_PUBCOMP, 2, 0));
	kit_expect(1, "PUBCOMP:1");
	kit_take(1, kit_message(2, 2));
	kit_expect_up("PUBLISH:q2,2,t,x");
	kit_expect_silence();
}
END_TEST

START_TEST(refused_qos_2_is_over_with_pubrec)
{
	kit_take(1, kit_message(2, 1));
	kit_give(kit_ack(MQTT_PUBREC, 1, 0x87));
	kit_expect(1, "PUBREC:1,87");
	kit_take(2, kit_message(1, 1));
	kit_expect_up("PUBLISH:q2,1,t,x PUBLISH:q1,1,t,x");
}
END_TEST

START_TEST(requests_that_are_out_at_the_start_keep_their_numbers)
{
	kit_connect(_i);
	merge_watch_client(kit_merge, kit_message(1, 1));
	merge_watch_client(kit_merge, kit_message(2, 2));
	merge_watch_client(kit_merge, kit_subscribe(3, "a", 0));
	merge_watch_client(kit_merge, kit_message(1, 4));
	merge_watch_broker(kit_merge, kit_ack(MQTT_PUBACK, 4, 0));
	merge_watch_broker(kit_merge, kit_ack(MQTT_PUBREC, 2, 0));
	kit_open_slot(1);
	kit_take(1, kit_message(1, 1));
	kit_take(1, kit_message(1, 2));
	kit_take(1, kit_message(1, 3));
	kit_take(1, kit_message(1, 4));
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
	buf_write_bytes(to, kit_message(1, 1));
	buf_write_bytes(to, kit_plain(MQTT_PINGREQ));
	buf_write_bytes(to, kit_message(2, 2));
	add_long_message(to, 3, 200);
	buf_write_bytes(to, kit_message(0, 0));
	add_long_message(to, 4, 20000);
	buf_write_bytes(to, kit_ack(MQTT_PUBACK, 8, 0));
	buf_write_bytes(to, kit_message(2, 5));
	buf_write_bytes(to, kit_subscribe(6, "a", 0));
}

static void add_broker_packets(struct buf_writer *to)
{
	buf_write_bytes(to, kit_ack(MQTT_PUBACK, 1, 0));
	buf_write_bytes(to, kit_message(1, 4)); /* a delivery is not the client's */
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
			kit_take(1, kit_message(1, id));
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
		merge_watch_client(kit_merge, kit_message(1, i));
	ck_assert_uint_gt(merge_memory(kit_merge), memory);
	/* In another order; all but the last are free again. */
	for (i = 0; i < 999; i++)
		merge_watch_broker(kit_merge,
				   kit_ack(MQTT_PUBACK, (uint16_t)(i * 617u % 1000 + 1), 0));
	kit_open_slot(1);
	kit_take(1, kit_message(1, 383));
	kit_take(1, kit_message(1, 384));
	kit_take(1, kit_message(1, 385));
	kit_expect_up("PUBLISH:q1,383,t,x PUBLISH:q1,1,t,x PUBLISH:q1,385,t,x");
	kit_close();

	kit_connect(_i);
	for (i = 1; i <= 1000; i++)
		merge_watch_client(kit_merge, kit_message(1, i));
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
	kit_take(2, kit_message(2, 9));
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

/* ---- Receive maximum -------------------------------------------------------------------- */

START_TEST(receive_maximum_is_that_of_all_streams)
{
	kit_receive_maximum = 2;
	kit_connect(MQTT_5);
	kit_open_slot(1);
	kit_open_slot(2);
	kit_take(0, kit_message(2, 1));
	kit_take(1, kit_message(2, 1));
	kit_expect_up("PUBLISH:q2,1,t,x PUBLISH:q2,2,t,x");
	kit_take(2, kit_message(1, 1));
	kit_take(2, kit_message(0, 0)); /* behind it: the stream's order */
	kit_take(1, kit_message(1, 2));
	kit_take(0, kit_message(0, 0));
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
		kit_take(n % MERGE_SLOTS, kit_message(1, (uint16_t)(n / MERGE_SLOTS + 1)));
		merge_consume_up(kit_merge, SIZE_MAX);
	}
	/* A message waits, what is no message ends its stream, and the others go on. */
	kit_take(1, kit_message(1, 60000));
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
		kit_take(id % 3, kit_message(2, id));
	merge_consume_up(kit_merge, SIZE_MAX);
	kit_take(1, kit_message(1, 21));
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
		kit_take(1, kit_message(1, 6));
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
		bytes = kit_message(1, 6);
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
	struct bytes bytes = kit_message(1, 7);
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
		&packets_in_single_bytes_are_put_together,
	};
	static const TTest *const *const three[] = {
		&twenty_messages_of_3_1_1_are_out_at_most,
	};
	static const TTest *const *const five[] = {
		&refused_qos_2_is_over_with_pubrec,
	};
	static const TTest *const *const alone[] = {
		&requests_that_are_out_at_the_start_keep_their_numbers,
		&what_has_passed_by_is_known_however_it_was_cut,
		&what_is_no_longer_out_takes_no_room,
		&receive_maximum_is_that_of_all_streams,
		&start_within_a_packet_waits_for_its_end,
		&start_within_a_packet_of_the_broker_waits_for_its_end,
		&a_connection_that_is_refused_is_never_accepted,
	};
	static const TTest *const *const numbers[] = {
		&all_numbers_may_be_out,
	};
	const struct kit_case cases[] = {
		{"3.1.1", kit_two_of_3, MQTT_3_1_1, both, COUNT(both)},
		{"5.0", kit_two_of_5, MQTT_5, both, COUNT(both)},
		{"3.1.1 alone", kit_two_of_3, MQTT_3_1_1, three, COUNT(three)},
		{"5.0 alone", kit_two_of_5, MQTT_5, five, COUNT(five)},
		{"starting with 3.1.1", NULL, MQTT_3_1_1, alone, COUNT(alone)},
		{"starting with 5.0", NULL, MQTT_5, alone, COUNT(alone)},
		{"5.0 without limits", NULL, MQTT_5, numbers, COUNT(numbers)},
	};

	return kit_run("merge", cases, COUNT(cases));
}
