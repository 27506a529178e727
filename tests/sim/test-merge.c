/* SPDX-License-Identifier: MIT */
/*
 * Several streams of one client, as its relay shows them: one byte pipe. What is said on them is
 * in tests/unit/test-merge.c; here they come, go, do not read, and the client leaves.
 */
#include <string.h>

#include "mqtt/merge.h"
#include "mqtt/publish.h"
#include "quic/body.h"
#include "relay-scene.h"

#define STREAMS 18

static struct mquic_stream *streams[STREAMS]; /* of the client */

static const uint8_t connack[] = {0x20, 2, 0, 0};
static const uint8_t subscribe[] = {0x82, 6, 0, 1, 0, 1, 'a', 1};
static const uint8_t suback[] = {0x90, 3, 0, 1, 1};

static void say(size_t i, const void *data, size_t len)
{
	size_t sent;

	ck_assert_int_eq(mquic_stream_send(streams[i], data, len, &sent), MQUIC_OK);
	ck_assert_uint_eq(sent, len);
}

static void open_stream(size_t i)
{
	ck_assert_int_eq(mquic_stream_open(&streams[i], pair.dialed), MQUIC_OK);
}

static void say_connect(void)
{
	struct mqtt_connect connect = {
		.version = MQTT_3_1_1, .clean_start = true, .client_id = bytes_of("me", 2)};
	struct buf_writer packet;

	mqtt_properties_init(&connect.properties);
	mqtt_properties_init(&connect.will_properties);
	buf_writer_init(&packet, SIZE_MAX);
	mqtt_connect_write(&packet, &connect);
	say(0, buf_writer_content(&packet).data, packet.len);
	buf_writer_clear(&packet);
}

static void expect_up(const void *bytes, size_t len)
{
	static uint8_t buffer[100000];

	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), len);
	ck_assert_mem_eq(buffer, bytes, len);
}

static void broker_says(const void *bytes, size_t len)
{
	size_t written;

	ck_assert_int_eq(mquic_relay_write(scene.relay, bytes, len, &written), MQUIC_OK);
	ck_assert_uint_eq(written, len);
}

/* Bytes that a stream of the client has got and no others. */
static void expect(size_t i, const void *bytes, size_t len)
{
	static uint8_t buffer[100000];
	size_t got = 0;

	if (len == 0) {
		ck_assert_int_eq(mquic_stream_recv(streams[i], buffer, sizeof(buffer), &got),
				 MQUIC_ERR_AGAIN);
		return;
	}
	ck_assert_int_eq(mquic_stream_recv(streams[i], buffer, sizeof(buffer), &got), MQUIC_OK);
	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(buffer, bytes, len);
}

#define SAY(i, text)      say(i, text, sizeof(text) - 1)
#define EXPECT_UP(text)   expect_up(text, sizeof(text) - 1)
#define BROKER_SAYS(text) broker_says(text, sizeof(text) - 1)
#define EXPECT(i, text)   expect(i, text, sizeof(text) - 1)

/* QoS 1, topic t, payload x. */
#define PUBLISH_1(id) "\x32\x06\x00\x01t\x00" id "x"
#define PUBACK(id)    "\x40\x02\x00" id

static void set_up(void)
{
	scene_begin();
	scene.opens = true;
	memset(streams, 0, sizeof(streams));
	mquic_settings_set_max_streams(pair.server_settings, STREAMS);
	pair_listen();
	pair_dial();
	open_stream(0);
}

static void tear_down(void)
{
	size_t i;

	for (i = 0; i < STREAMS; i++)
		mquic_stream_free(streams[i]);
	scene_end();
}

/* A client that the broker has taken, with nothing left to read. */
static void connect_client(void)
{
	uint8_t buffer[256];

	say_connect();
	scene_pass(200);
	(void)scene_read(buffer, sizeof(buffer));
	broker_says(connack, sizeof(connack));
	scene_pass(50);
	expect(0, connack, sizeof(connack));
}

/* One more stream, that has subscribed to "a". */
static void open_subscriber(size_t i)
{
	open_stream(i);
	say(i, subscribe, sizeof(subscribe));
	scene_pass(50);
	expect_up(subscribe, sizeof(subscribe));
	broker_says(suback, sizeof(suback));
	scene_pass(50);
	expect(i, suback, sizeof(suback));
}

/* ---- Streams that come ------------------------------------------------------------- */

START_TEST(what_comes_before_connack_waits_for_it)
{
	uint8_t buffer[256];

	open_stream(1);
	SAY(1, PUBLISH_1("\x01"));
	say_connect();
	scene_pass(200);
	(void)scene_read(buffer, sizeof(buffer));
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), 0);
	broker_says(connack, sizeof(connack));
	EXPECT_UP(PUBLISH_1("\x01"));
	BROKER_SAYS(PUBACK("\x01"));
	scene_pass(50);
	expect(0, connack, sizeof(connack));
	EXPECT(1, PUBACK("\x01"));
}
END_TEST

START_TEST(streams_come_first_and_connect_later)
{
	uint8_t buffer[256];

	open_stream(1);
	SAY(1, PUBLISH_1("\x01"));
	scene_pass(200);
	ck_assert_uint_eq(scene.end.told, 0);
	say_connect();
	scene_pass(200);
	(void)scene_read(buffer, sizeof(buffer));
	broker_says(connack, sizeof(connack));
	EXPECT_UP(PUBLISH_1("\x01"));
}
END_TEST

START_TEST(answers_come_where_the_question_was)
{
	connect_client();
	SAY(0, PUBLISH_1("\x01"));
	scene_pass(50);
	EXPECT_UP(PUBLISH_1("\x01"));
	open_stream(1);
	SAY(1, PUBLISH_1("\x01"));
	scene_pass(50);
	EXPECT_UP(PUBLISH_1("\x02"));
	BROKER_SAYS(PUBACK("\x02") PUBACK("\x01"));
	scene_pass(50);
	EXPECT(0, PUBACK("\x01"));
	EXPECT(1, PUBACK("\x01"));
}
END_TEST

START_TEST(a_stream_comes_within_a_packet)
{
	connect_client();
	SAY(0, "\x32\x06\x00");
	scene_pass(50);
	EXPECT_UP("\x32\x06\x00");
	open_stream(1);
	SAY(1, PUBLISH_1("\x01"));
	scene_pass(50);
	EXPECT_UP("");
	SAY(0, "\x01t\x00\x01x");
	scene_pass(50);
	EXPECT_UP("\x01t\x00\x01x" PUBLISH_1("\x02"));
}
END_TEST

START_TEST(more_streams_than_there_are_places_are_refused)
{
	size_t i;
	uint8_t byte;
	size_t len;

	connect_client();
	for (i = 1; i < STREAMS; i++) {
		open_stream(i);
		SAY(i, "\xc0\x00");
	}
	scene_pass(200);
	for (i = 1; i < MERGE_SLOTS; i++)
		ck_assert_int_eq(mquic_stream_recv(streams[i], &byte, 1, &len), MQUIC_ERR_AGAIN);
	for (; i < STREAMS; i++)
		ck_assert_int_eq(mquic_stream_recv(streams[i], &byte, 1, &len), MQUIC_ERR_CLOSED);
	/* A place that is free is taken. */
	ck_assert_int_eq(mquic_stream_reset(streams[3], 0), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_stop(streams[3], 0), MQUIC_OK);
	scene_pass(50);
	(void)scene_read(&byte, 1);
	scene_pass(50);
	mquic_stream_free(streams[16]);
	open_stream(16);
	SAY(16, "\xc0\x00");
	scene_pass(50);
	ck_assert_int_eq(mquic_stream_recv(streams[16], &byte, 1, &len), MQUIC_ERR_AGAIN);
	ck_assert_uint_eq(scene.end.told, 0);
}
END_TEST

/* ---- Codes, as they are handed to ngtcp2 ----------------------------------------------- */

static uint64_t reset_code;
static uint64_t stop_code;

int __real_ngtcp2_conn_shutdown_stream_write(ngtcp2_conn *conn, uint32_t flags, int64_t id,
					     uint64_t code);
int __wrap_ngtcp2_conn_shutdown_stream_write(ngtcp2_conn *conn, uint32_t flags, int64_t id,
					     uint64_t code);
int __real_ngtcp2_conn_shutdown_stream_read(ngtcp2_conn *conn, uint32_t flags, int64_t id,
					    uint64_t code);
int __wrap_ngtcp2_conn_shutdown_stream_read(ngtcp2_conn *conn, uint32_t flags, int64_t id,
					    uint64_t code);

int __wrap_ngtcp2_conn_shutdown_stream_write(ngtcp2_conn *conn, uint32_t flags, int64_t id,
					     uint64_t code)
{
	reset_code = code;
	return __real_ngtcp2_conn_shutdown_stream_write(conn, flags, id, code);
}

int __wrap_ngtcp2_conn_shutdown_stream_read(ngtcp2_conn *conn, uint32_t flags, int64_t id,
					    uint64_t code)
{
	stop_code = code;
	return __real_ngtcp2_conn_shutdown_stream_read(conn, flags, id, code);
}

/* ---- Streams that go ----------------------------------------------------------------- */

static const uint8_t unsubscribe[] = {0xa2, 5, 0, 2, 0, 1, 'a'};

/* The stream is gone both ways, and its subscription; the others are not. */
static void expect_loss_of(size_t i, uint16_t id)
{
	uint8_t expected[sizeof(unsubscribe)];
	uint8_t byte;
	size_t len;

	memcpy(expected, unsubscribe, sizeof(expected));
	expected[3] = (uint8_t)id;
	expect_up(expected, sizeof(expected));
	scene_pass(50);
	ck_assert_int_eq(mquic_stream_recv(streams[i], &byte, 1, &len), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_stream_send(streams[i], &byte, 1, &len), MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(scene.end.told, 0);
	SAY(0, "\xc0\x00");
	scene_pass(50);
	EXPECT_UP("\xc0\x00");
}

START_TEST(a_stream_that_is_reset_is_gone_alone)
{
	connect_client();
	open_subscriber(1);
	ck_assert_int_eq(mquic_stream_reset(streams[1], 5), MQUIC_OK);
	reset_code = 0; /* of ours */
	scene_pass(50);
	ck_assert_uint_eq(scene.end.told, 0);
	{
		uint8_t buffer[100];

		ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), sizeof(unsubscribe));
		scene_pass(50);
		ck_assert_int_eq(mquic_stream_recv(streams[1], buffer, 1, &(size_t){0}),
				 MQUIC_ERR_CLOSED);
	}
	ck_assert_uint_eq(reset_code, 5);
	SAY(0, "\xc0\x00");
	scene_pass(50);
	EXPECT_UP("\xc0\x00");
}
END_TEST

START_TEST(a_stream_that_is_stopped_is_gone_alone)
{
	connect_client();
	open_subscriber(1);
	ck_assert_int_eq(mquic_stream_stop(streams[1], 5), MQUIC_OK);
	stop_code = 0; /* of ours; RESET_STREAM is ngtcp2's answer, with this code */
	scene_pass(50);
	{
		uint8_t byte = 0;
		uint8_t buffer[100];

		ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), sizeof(unsubscribe));
		scene_pass(50);
		ck_assert_int_eq(mquic_stream_send(streams[1], &byte, 1, &(size_t){0}),
				 MQUIC_ERR_CLOSED);
	}
	ck_assert_uint_eq(stop_code, 5);
	ck_assert_uint_eq(scene.end.told, 0);
}
END_TEST

START_TEST(a_stream_that_speaks_no_mqtt_is_gone_alone)
{
	connect_client();
	open_subscriber(1);
	SAY(1, "\x00\x00");
	scene_pass(50);
	expect_loss_of(1, 1);
	ck_assert_uint_eq(reset_code, MQTT_MALFORMED_PACKET);
	ck_assert_uint_eq(stop_code, MQTT_MALFORMED_PACKET);
	open_stream(2);
	SAY(2, PUBLISH_1("\x05"));
	scene_pass(50);
	EXPECT_UP(PUBLISH_1("\x05"));
}
END_TEST

START_TEST(a_stream_that_ends_gets_its_answers_and_then_fin_alone)
{
	uint8_t buffer[100];
	size_t len;

	connect_client();
	open_stream(1);
	SAY(1, PUBLISH_1("\x01"));
	ck_assert_int_eq(mquic_stream_finish(streams[1]), MQUIC_OK);
	scene_pass(50);
	EXPECT_UP(PUBLISH_1("\x01"));
	scene_pass(100);
	BROKER_SAYS(PUBACK("\x01"));
	scene_pass(12); /* one way: FIN is behind the acknowledgement */
	EXPECT(1, PUBACK("\x01"));
	scene_pass(100);
	ck_assert_int_eq(mquic_stream_recv(streams[1], buffer, sizeof(buffer), &len), MQUIC_OK);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(scene.end.told, 0);
}
END_TEST

START_TEST(loss_of_the_control_stream_is_the_end_of_all)
{
	connect_client();
	open_subscriber(1);
	ck_assert_int_eq(mquic_stream_reset(streams[0], 5), MQUIC_OK);
	scene_pass(50);
	EXPECT_UP("");
	scene_pass(50);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, "control stream is gone");
}
END_TEST

/* ---- Streams that do not read --------------------------------------------------------- */

/* QoS 0 on topic a, of 10000 bytes. */
static struct bytes bulk(void)
{
	static uint8_t packet[10000] = {0x30, 0x8d, 0x4e, 0, 1, 'a'};

	return bytes_of(packet, sizeof(packet));
}

START_TEST(a_stream_that_does_not_read_stops_nobody)
{
	unsigned int i;

	connect_client();
	open_subscriber(1);
	for (i = 0; i < 400; i++) {
		broker_says(bulk().data, bulk().len);
		if (i % 10 == 0)
			scene_pass(10);
	}
	scene_pass(500);
	/* A window at the client, a send buffer and a little more here. */
	ck_assert_uint_le(mquic_connection_statistic(mquic_relay_connection(scene.relay),
						     MQUIC_STATISTIC_MEMORY),
			  2000000);
	SAY(0, "\xc0\x00");
	scene_pass(50);
	EXPECT_UP("\xc0\x00");
	BROKER_SAYS("\xd0\x00");
	scene_pass(50);
	EXPECT(0, "\xd0\x00");
	ck_assert_uint_eq(scene.end.told, 0);
}
END_TEST

/* Deliveries of QoS 1 on this topic, that many from this identifier on. */
static void broker_publishes(char topic, uint8_t first, uint8_t count)
{
	uint8_t publish[] = {0x32, 6, 0, 1, (uint8_t)topic, 0, 0, 'x'};
	uint8_t i;

	for (i = 0; i < count; i++) {
		publish[6] = first + i;
		broker_says(publish, sizeof(publish));
	}
}

START_TEST(a_stream_that_acknowledges_nothing_is_given_up)
{
	uint8_t buffer[200];

	connect_client();
	open_subscriber(1);
	broker_publishes('a', 1, 10);
	scene_pass(9900);
	EXPECT_UP("");
	scene_pass(11000);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), sizeof(unsubscribe) + 10 * 4);
	scene_pass(50);
	ck_assert_int_eq(mquic_stream_send(streams[1], buffer, 1, &(size_t){0}), MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(scene.end.told, 0);
}
END_TEST

START_TEST(each_stream_has_ten_seconds_to_acknowledge)
{
	uint8_t buffer[200];

	connect_client();
	open_subscriber(1);
	open_stream(2);
	SAY(2, "\x82\x06\x00\x01\x00\x01"
	       "b\x01");
	scene_pass(50);
	EXPECT_UP("\x82\x06\x00\x01\x00\x01"
		  "b\x01");
	broker_says(suback, sizeof(suback));
	broker_publishes('a', 1, 10);
	scene_pass(9000);
	broker_publishes('b', 11, 10);
	scene_pass(1500);
	/* The first is given up, the second is not yet. */
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), sizeof(unsubscribe) + 10 * 4);
	ck_assert_int_eq(mquic_stream_send(streams[1], buffer, 1, &(size_t){0}), MQUIC_ERR_CLOSED);
	SAY(2, PUBLISH_1("\x09"));
	scene_pass(50);
	EXPECT_UP(PUBLISH_1("\x09"));
	scene_pass(22000);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), sizeof(unsubscribe) + 10 * 4);
	ck_assert_uint_eq(scene.end.told, 0);
}
END_TEST

START_TEST(a_stream_that_acknowledges_slowly_is_not)
{
	uint8_t i;

	connect_client();
	open_subscriber(1);
	broker_publishes('a', 1, 12);
	for (i = 1; i <= 12; i++) {
		uint8_t puback[] = {0x40, 2, 0, i};

		scene_pass(9000);
		say(1, puback, sizeof(puback));
		scene_pass(50);
		expect_up(puback, sizeof(puback));
	}
	scene_pass(20000);
	ck_assert_uint_eq(scene.end.told, 0);
	say(1, PUBLISH_1("\x09"), 8);
	scene_pass(50);
	EXPECT_UP(PUBLISH_1("\x09"));
}
END_TEST

START_TEST(a_control_stream_that_does_not_read_holds_the_broker_back)
{
	static const uint8_t publish[30006] = {0x32, 0xb2, 0xea, 0x01, 0, 1, 'c', 0, 1};
	enum mquic_status status = MQUIC_OK;
	static uint8_t buffer[65536];
	size_t written;
	unsigned int i;

	connect_client();
	open_stream(1);
	SAY(1, "\xc0\x00");
	scene_pass(50);
	EXPECT_UP("\xc0\x00");
	for (i = 0; i < 1000 && status == MQUIC_OK; i++)
		status = mquic_relay_write(scene.relay, publish, sizeof(publish), &written);
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	ck_assert_uint_le(i, 100);
	ck_assert_uint_eq(scene.writable, 0);
	for (i = 0; i < 2000 && scene.writable == 0; i++) {
		(void)mquic_stream_recv(streams[0], buffer, sizeof(buffer), &written);
		scene_pass(5);
	}
	ck_assert_uint_eq(scene.writable, 1);
	ck_assert_int_eq(mquic_relay_write(scene.relay, publish, sizeof(publish), &written),
			 MQUIC_OK);
}
END_TEST

/* ---- A broker that takes little at a time --------------------------------------------- */

/* 200 packets of a kilobyte on a topic, QoS 0. */
static void say_much(size_t i, char topic)
{
	static uint8_t bytes[200 * 1003];
	size_t at;

	for (at = 0; at < sizeof(bytes); at += 1003)
		memcpy(bytes + at, (const uint8_t[]){0x30, 0xe8, 0x07, 0, 1, (uint8_t)topic}, 6);
	say(i, bytes, sizeof(bytes));
}

/* How many of the packets on this topic are among them. */
static size_t count_topic(const uint8_t *bytes, size_t len, char topic)
{
	size_t count = 0;
	size_t at;

	for (at = 0; at + 5 < len; at += (size_t)2 + (bytes[at + 1] < 0x80 ? 0 : 1001))
		count += bytes[at] == 0x30 && bytes[at + 5] == (uint8_t)topic;
	return count;
}

START_TEST(streams_take_turns)
{
	static uint8_t buffer[700000];
	size_t got;
	size_t i;

	connect_client();
	for (i = 1; i <= 2; i++)
		open_stream(i);
	for (i = 0; i <= 2; i++)
		say_much(i, (char)('a' + i));
	scene_pass(2000);
	got = scene_read(buffer, 250 * 1003);
	ck_assert_uint_eq(got, 250 * 1003);
	for (i = 0; i <= 2; i++)
		ck_assert_uint_ge(count_topic(buffer, got, (char)('a' + i)), 60);
}
END_TEST

START_TEST(disconnect_is_behind_what_is_on_data_streams)
{
	static uint8_t buffer[700000];
	size_t got;
	size_t i;

	connect_client();
	for (i = 1; i <= 2; i++)
		open_stream(i);
	scene_pass(50);
	SAY(0, "\xc0\x00\xe0\x00");
	for (i = 1; i <= 2; i++)
		say_much(i, (char)('a' + i));
	scene_pass(2000);
	got = scene_read(buffer, sizeof(buffer));
	ck_assert_uint_eq(got, 400 * 1003 + 4);
	ck_assert_mem_eq(buffer + got - 2, "\xe0\x00", 2);
	ck_assert_uint_eq(count_topic(buffer, got, 'b') + count_topic(buffer, got, 'c'), 400);
}
END_TEST

/* ---- The end ------------------------------------------------------------------------------ */

START_TEST(what_is_unread_on_any_stream_comes_before_the_end)
{
	connect_client();
	open_stream(1);
	open_stream(2);
	SAY(1, PUBLISH_1("\x01"));
	SAY(2, PUBLISH_1("\x02"));
	SAY(0, "\xe0\x00");
	scene_pass(50);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	scene_pass(50);
	ck_assert_uint_eq(scene.end.told, 0);
	EXPECT_UP(PUBLISH_1("\x01") PUBLISH_1("\x02") "\xe0\x00");
	scene_pass(10);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
}
END_TEST

START_TEST(finish_delivers_what_is_queued_on_any_stream)
{
	uint8_t buffer[20000];
	size_t got = 0;
	size_t len;
	int i;

	connect_client();
	open_subscriber(1);
	for (i = 0; i < 60; i++)
		broker_says(bulk().data, bulk().len);
	ck_assert_int_eq(mquic_relay_finish(scene.relay, "enough"), MQUIC_OK);
	for (i = 0; i < 400 && pair.client_end.told == 0; i++) {
		while (mquic_stream_recv(streams[1], buffer, sizeof(buffer), &len) == MQUIC_OK &&
		       len > 0)
			got += len;
		scene_pass(10);
	}
	ck_assert_uint_eq(got, 60 * 10000);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "enough");
}
END_TEST

START_TEST(relay_is_freed_with_streams_open)
{
	connect_client();
	open_subscriber(1);
	open_stream(2);
	SAY(2, "\x30");
	scene_pass(50);
	mquic_relay_free(scene.relay);
	scene.relay = NULL;
	scene_pass(100);
	ck_assert_uint_eq(pair.client_end.told, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-merge");
	TCase *group = tcase_create("merge");
	SRunner *runner;
	int failed;

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, what_comes_before_connack_waits_for_it);
	tcase_add_test(group, streams_come_first_and_connect_later);
	tcase_add_test(group, answers_come_where_the_question_was);
	tcase_add_test(group, a_stream_comes_within_a_packet);
	tcase_add_test(group, more_streams_than_there_are_places_are_refused);
	tcase_add_test(group, a_stream_that_is_reset_is_gone_alone);
	tcase_add_test(group, a_stream_that_is_stopped_is_gone_alone);
	tcase_add_test(group, a_stream_that_speaks_no_mqtt_is_gone_alone);
	tcase_add_test(group, a_stream_that_ends_gets_its_answers_and_then_fin_alone);
	tcase_add_test(group, loss_of_the_control_stream_is_the_end_of_all);
	tcase_add_test(group, a_stream_that_does_not_read_stops_nobody);
	tcase_add_test(group, a_stream_that_acknowledges_nothing_is_given_up);
	tcase_add_test(group, each_stream_has_ten_seconds_to_acknowledge);
	tcase_add_test(group, a_stream_that_acknowledges_slowly_is_not);
	tcase_add_test(group, a_control_stream_that_does_not_read_holds_the_broker_back);
	tcase_add_test(group, streams_take_turns);
	tcase_add_test(group, disconnect_is_behind_what_is_on_data_streams);
	tcase_add_test(group, what_is_unread_on_any_stream_comes_before_the_end);
	tcase_add_test(group, finish_delivers_what_is_queued_on_any_stream);
	tcase_add_test(group, relay_is_freed_with_streams_open);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
