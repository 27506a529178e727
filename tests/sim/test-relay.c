/* SPDX-License-Identifier: MIT */
/* The server side of one MQTT client: what it takes, shows, refuses, carries, and when it ends. */
#include <stdio.h>
#include <string.h>

#include "mqtt/connect.h"
#include "traffic.h"

#define CONNECT_TIMEOUT_MS 2000
#define CONNECT_MAX        1024

static struct mquic_relay *relay;
static struct mquic_stream *stream; /* of the client */
static unsigned int shown;
static unsigned int readable;
static unsigned int writable;
static struct pair_end end;
static struct buf_writer connect_packet;

static bool out_of_memory; /* for what the library makes of nothing but zeroes, events for one */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return out_of_memory && !sim_is_allocating() ? NULL : __real_calloc(count, size);
}

static void on_event(struct pair *unused, struct sim_host *host, struct mquic_event *event)
{
	(void)unused;
	if (host == pair.server && mquic_event_type(event) == MQUIC_EVENT_ACCEPTABLE) {
		ck_assert_int_eq(
			mquic_relay_new(&relay, pair.accepted[0], CONNECT_TIMEOUT_MS, CONNECT_MAX),
			MQUIC_OK);
		pair.accepted_count = 0; /* it is the relay's */
		return;
	}
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_RELAY_CONNECT:
		shown++;
		break;
	case MQUIC_EVENT_RELAY_READABLE:
		readable++;
		break;
	case MQUIC_EVENT_RELAY_WRITABLE:
		writable++;
		break;
	case MQUIC_EVENT_RELAY_CLOSED:
		end.told++;
		end.status = mquic_event_status(event);
		end.origin = mquic_event_origin(event);
		end.code = mquic_event_code(event);
		strncpy(end.text, mquic_event_text(event), sizeof(end.text) - 1);
		break;
	default:
		break;
	}
}

static void make_connect(size_t client_id_len)
{
	static char id[2000];
	struct mqtt_connect connect = {
		.version = MQTT_5,
		.keep_alive_s = 77,
		.clean_start = true,
		.client_id = {(const uint8_t *)id, client_id_len},
		.username = {(const uint8_t *)"ann", 3},
	};

	memset(id, 'i', sizeof(id));
	mqtt_properties_init(&connect.properties);
	mqtt_properties_init(&connect.will_properties);
	buf_writer_init(&connect_packet, SIZE_MAX);
	mqtt_connect_write(&connect_packet, &connect);
	ck_assert(!connect_packet.failed);
}

static void set_up(void)
{
	pair_open();
	relay = NULL;
	stream = NULL;
	shown = readable = writable = 0;
	memset(&end, 0, sizeof(end));
	pair.on_event = on_event;
	pair_listen();
	pair_dial();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	make_connect(5);
}

static void tear_down(void)
{
	mquic_relay_free(relay);
	mquic_stream_free(stream);
	buf_writer_clear(&connect_packet);
	pair_close();
}

static void say(const void *data, size_t len)
{
	size_t sent;

	ck_assert_int_eq(mquic_stream_send(stream, data, len, &sent), MQUIC_OK);
	ck_assert_uint_eq(sent, len);
}

static void pass(unsigned int ms)
{
	sim_run(pair.sim, ms * SIM_MS);
}

static void show_connect(void)
{
	struct bytes bytes = buf_writer_content(&connect_packet);

	say(bytes.data, bytes.len);
	pass(200);
	ck_assert_uint_eq(shown, 1);
}

static void open_relay(void)
{
	show_connect();
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_OK);
	pass(10);
}

/* Reads what is there, at most `size` bytes, and returns how much. */
static size_t read_relay(uint8_t *buffer, size_t size)
{
	const uint8_t *data;
	size_t len;
	size_t got = 0;

	while (got < size && mquic_relay_peek(relay, &data, &len) == MQUIC_OK && len > 0) {
		if (len > size - got)
			len = size - got;
		memcpy(buffer + got, data, len);
		got += len;
		ck_assert_int_eq(mquic_relay_consume(relay, len), MQUIC_OK);
	}
	return got;
}

static void expect_rejection(const char *part)
{
	pass(200);
	ck_assert_uint_eq(shown, 0);
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, part);
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 1, part);
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_ERR_CLOSED);
}

/* ---- CONNECT --------------------------------------------------------------------- */

START_TEST(connect_is_shown_and_carried_unchanged)
{
	struct bytes bytes = buf_writer_content(&connect_packet);
	uint8_t buffer[256];
	size_t len;

	say(bytes.data, bytes.len);
	say("more", 4);
	pass(200);
	ck_assert_uint_eq(shown, 1);
	ck_assert_int_eq(mquic_relay_protocol(relay), 5);
	ck_assert_uint_eq(mquic_relay_keep_alive_s(relay), 77);
	ck_assert(mquic_relay_clean_start(relay));
	ck_assert_str_eq(mquic_relay_client_id(relay, &len), "iiiii");
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq(mquic_relay_username(relay, NULL), "ann");
	ck_assert_uint_eq(read_relay(buffer, sizeof(buffer)), 0);
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_ERR_STATE);
	ck_assert_uint_eq(read_relay(buffer, sizeof(buffer)), bytes.len + 4);
	ck_assert_mem_eq(buffer, bytes.data, bytes.len);
	ck_assert_mem_eq(buffer + bytes.len, "more", 4);
}
END_TEST

START_TEST(connect_in_single_bytes_is_put_together)
{
	struct bytes bytes = buf_writer_content(&connect_packet);
	uint8_t buffer[256];
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		ck_assert_uint_eq(shown, 0);
		say(bytes.data + i, 1);
		pass(30);
	}
	ck_assert_uint_eq(shown, 1);
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_OK);
	ck_assert_uint_eq(read_relay(buffer, sizeof(buffer)), bytes.len);
	ck_assert_mem_eq(buffer, bytes.data, bytes.len);
}
END_TEST

START_TEST(user_name_is_replaced_and_nothing_else)
{
	struct mqtt_connect connect;
	uint8_t buffer[256];
	size_t len;

	show_connect();
	ck_assert_uint_eq(mquic_relay_connect_size(relay), buf_writer_content(&connect_packet).len);
	ck_assert_int_eq(mquic_relay_set_username(relay, NULL, 0), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_set_username(relay, "\xff", 1), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_set_username(relay, "once", MQUIC_NUL_TERMINATED), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_set_username(relay, "token and name", 5), MQUIC_OK);
	ck_assert_str_eq(mquic_relay_username(relay, NULL), "ann"); /* as the client sent it */
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_set_username(relay, "x", 1), MQUIC_ERR_STATE);
	len = read_relay(buffer, sizeof(buffer));
	ck_assert_int_eq(mqtt_connect_parse(&connect, buffer, len), MQTT_SUCCESS);
	ck_assert_uint_eq(connect.username.len, 5);
	ck_assert_mem_eq(connect.username.data, "token", 5);
	ck_assert_uint_eq(connect.keep_alive_s, 77);
	ck_assert_uint_eq(connect.client_id.len, 5);
}
END_TEST

START_TEST(late_connect_closes_the_client)
{
	say("\x10", 1);
	pass(CONNECT_TIMEOUT_MS + 100);
	expect_rejection("no CONNECT in time");
}
END_TEST

START_TEST(client_without_a_stream_is_closed)
{
	pass(CONNECT_TIMEOUT_MS + 100);
	expect_rejection("no CONNECT in time");
}
END_TEST

START_TEST(something_else_than_connect_closes_the_client)
{
	say("\xc0\x00", 2);
	expect_rejection("no CONNECT");
}
END_TEST

/* Sends CONNECT with one byte changed: nothing is known of it, but the broker gets it as it is. */
static void carry_unknown(size_t at, uint8_t value)
{
	struct bytes bytes = buf_writer_content(&connect_packet);
	uint8_t packet[256];
	uint8_t buffer[256];

	memcpy(packet, bytes.data, bytes.len);
	packet[at] = value;
	say(packet, bytes.len);
	pass(200);
	ck_assert_uint_eq(shown, 1);
	ck_assert_int_eq(mquic_relay_protocol(relay), 0);
	ck_assert_str_eq(mquic_relay_client_id(relay, NULL), "");
	ck_assert_ptr_null(mquic_relay_username(relay, NULL));
	ck_assert_uint_eq(mquic_relay_connect_size(relay), bytes.len);
	ck_assert_int_eq(mquic_relay_set_username(relay, "x", 1), MQUIC_ERR_PROTOCOL);
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_OK);
	ck_assert_uint_eq(read_relay(buffer, sizeof(buffer)), bytes.len);
	ck_assert_mem_eq(buffer, packet, bytes.len);
	ck_assert_uint_eq(mquic_relay_connect_size(relay), 0);
}

START_TEST(malformed_connect_is_for_the_broker_to_answer)
{
	carry_unknown(9, buf_writer_content(&connect_packet).data[9] | 1); /* 3.1.2.3: reserved */
}
END_TEST

START_TEST(connect_of_an_unknown_version_is_for_the_broker_to_answer)
{
	carry_unknown(8, 6);
}
END_TEST

START_TEST(connect_with_flags_in_its_header_is_for_the_broker_to_answer)
{
	carry_unknown(0, 0x14);
}
END_TEST

START_TEST(connect_beyond_the_limit_closes_the_client_at_its_header)
{
	buf_writer_clear(&connect_packet);
	make_connect(CONNECT_MAX);
	say(buf_writer_content(&connect_packet).data, 5);
	expect_rejection("too large");
}
END_TEST

START_TEST(connect_just_within_the_limit_is_shown)
{
	buf_writer_clear(&connect_packet);
	make_connect(CONNECT_MAX - 24);
	ck_assert_uint_le(buf_writer_content(&connect_packet).len, CONNECT_MAX);
	show_connect();
}
END_TEST

START_TEST(stream_that_ends_before_connect_closes_the_client)
{
	say("\x10", 1);
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	expect_rejection("ended before CONNECT");
}
END_TEST

/* RESET_STREAM, STOP_SENDING, both. */
static void abandon(int how)
{
	if (how != 1)
		ck_assert_int_eq(mquic_stream_reset(stream, 5), MQUIC_OK);
	if (how != 0)
		ck_assert_int_eq(mquic_stream_stop(stream, 5), MQUIC_OK);
}

START_TEST(stream_given_up_within_connect_frees_the_place_at_once)
{
	const char *const why[] = {"reset before CONNECT", "stream is gone", "before CONNECT"};

	say(buf_writer_content(&connect_packet).data, 7);
	pass(100);
	abandon(_i);
	pass(6);
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, why[_i]);
	ck_assert_uint_eq(pair.server->quic->places.connections, 0);
}
END_TEST

START_TEST(stream_given_up_before_the_relay_is_open_is_noticed_at_once)
{
	show_connect();
	abandon(_i);
	pass(6);
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, "control stream is gone");
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_ERR_CLOSED);
}
END_TEST

START_TEST(control_stream_is_stream_0_whatever_comes_first)
{
	struct mquic_stream *second;
	uint8_t buffer[256];
	size_t len;

	pass(100);
	ck_assert_int_eq(mquic_stream_open(&second, pair.dialed), MQUIC_OK);
	pair.client->up.loss = 1000;
	say(buf_writer_content(&connect_packet).data, buf_writer_content(&connect_packet).len);
	pass(1);
	pair.client->up.loss = 0;
	ck_assert_int_eq(mquic_stream_send(second, (const uint8_t *)"\x30\x03\0\1t", 5, &len),
			 MQUIC_OK);
	pass(12);
	/* It waits, as long as its place is not that of the other. */
	ck_assert_int_eq(mquic_stream_recv(second, buffer, 1, &len), MQUIC_ERR_AGAIN);
	ck_assert_uint_eq(end.told, 0);
	ck_assert_uint_eq(shown, 0);
	pass(1000);
	ck_assert_uint_eq(shown, 1);
	ck_assert_int_eq(mquic_relay_open(relay), MQUIC_OK);
	ck_assert_uint_eq(read_relay(buffer, sizeof(buffer)),
			  buf_writer_content(&connect_packet).len);
	mquic_stream_free(second);
}
END_TEST

START_TEST(client_that_leaves_before_connect_is_told)
{
	say("\x10", 1);
	pass(100);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 7, "bye"), MQUIC_OK);
	pass(100);
	pair_expect_end(&end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 7, "bye");
}
END_TEST

START_TEST(relay_wants_sensible_limits)
{
	struct mquic_relay *none = NULL;

	pass(100);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 99, 1024), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 600001, 1024), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 1000, 63), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 1000, 1048577), MQUIC_ERR_INVALID);
	(void)mquic_connection_close(pair.dialed, 0, NULL);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 1000, 1024), MQUIC_ERR_CLOSED);
	ck_assert_ptr_null(none);
}
END_TEST

/* ---- The pipe ---------------------------------------------------------------------- */

START_TEST(bytes_that_are_not_read_hold_the_client_back)
{
	static uint8_t bytes[1048576];
	static uint8_t buffer[sizeof(bytes) + 256];
	size_t total = sizeof(bytes) + buf_writer_content(&connect_packet).len;
	size_t got;
	int i;

	open_relay();
	say(bytes, sizeof(bytes));
	pass(5000);
	/* One window of the server is full, the rest waits at the client. */
	ck_assert_uint_ge(mquic_stream_bytes_pending(stream), sizeof(bytes) - 262144);
	got = read_relay(buffer, sizeof(buffer));
	for (i = 0; i < 100 && got < total; i++) {
		pass(50);
		got += read_relay(buffer + got, sizeof(buffer) - got);
	}
	ck_assert_uint_eq(got, total);
	pass(100);
	ck_assert_uint_eq(mquic_stream_bytes_pending(stream), 0);
}
END_TEST

/* Writes until the relay takes no more. */
static size_t fill_relay(void)
{
	static const uint8_t bytes[10000];
	enum mquic_status status;
	size_t written;
	size_t total = 0;

	while ((status = mquic_relay_write(relay, bytes, sizeof(bytes), &written)) == MQUIC_OK)
		total += written;
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	return total;
}

/* Reads at the client until the end of the stream or connection. */
static size_t read_client(unsigned int seconds)
{
	static uint8_t buffer[65536];
	uint64_t until = sim_now(pair.sim) + seconds * SIM_SECOND;
	size_t total = 0;
	size_t len;
	enum mquic_status status;

	while (sim_now(pair.sim) < until) {
		status = mquic_stream_recv(stream, buffer, sizeof(buffer), &len);
		if (status == MQUIC_ERR_AGAIN)
			pass(20);
		else if (status != MQUIC_OK || len == 0)
			break;
		total += len;
	}
	return total;
}

START_TEST(client_that_does_not_read_holds_the_broker_back)
{
	size_t total;

	open_relay();
	total = fill_relay();
	ck_assert_uint_eq(total, 1048576);
	pass(5000);
	ck_assert_uint_eq(writable, 0);
	ck_assert_uint_eq(end.told, 0);
	ck_assert_uint_eq(read_client(5), total);
	ck_assert_uint_gt(writable, 0);
}
END_TEST

START_TEST(finish_delivers_everything_before_the_close)
{
	struct sim_link line = {.delay_ns = 20 * SIM_MS, .loss = 100};
	size_t total;
	size_t got;

	open_relay();
	pair_set_link(&line);
	total = fill_relay();
	ck_assert_int_eq(mquic_relay_finish(relay, NULL), MQUIC_OK);
	got = read_client(5);
	ck_assert_uint_lt(got, total);
	/* CONNECTION_CLOSE goes only once unless the peer speaks, and must not be what is lost. */
	pair.client->down.loss = 0;
	got += read_client(55);
	ck_assert_uint_eq(got, total);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
	pass(1000);
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 0, "");
}
END_TEST

START_TEST(finish_says_why)
{
	char reason[300];

	open_relay();
	memset(reason, 'x', sizeof(reason));
	reason[257] = '\0';
	ck_assert_int_eq(mquic_relay_finish(relay, reason), MQUIC_ERR_INVALID);
	ck_assert(strstr(mquic_relay_error(relay), "256") != NULL);
	strcpy(reason, "the broker is tired");
	ck_assert_int_eq(mquic_relay_finish(relay, reason), MQUIC_OK);
	pass(200);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "the broker is tired");
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 0, "the broker is tired");
}
END_TEST

START_TEST(finish_says_why_behind_the_last_byte)
{
	char reason[] = "the broker is tired";
	size_t total;

	open_relay();
	total = fill_relay();
	ck_assert_int_eq(mquic_relay_finish(relay, reason), MQUIC_OK);
	memset(reason, 'x', sizeof(reason) - 1);
	ck_assert_uint_eq(read_client(60), total);
	pass(200);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "the broker is tired");
}
END_TEST

START_TEST(finish_waits_for_a_slow_line)
{
	struct sim_link line = {.delay_ns = 20 * SIM_MS, .rate = 30000, .queue = 30000};
	size_t total;

	open_relay();
	pair_set_link(&line);
	total = fill_relay();
	ck_assert_int_eq(mquic_relay_finish(relay, NULL), MQUIC_OK);
	ck_assert_uint_eq(read_client(120), total);
}
END_TEST

START_TEST(finish_does_not_wait_for_a_dead_line)
{
	open_relay();
	pair.client->down.loss = 1000;
	(void)fill_relay();
	ck_assert_int_eq(mquic_relay_finish(relay, NULL), MQUIC_OK);
	pass(5100);
	ck_assert_uint_eq(end.told, 1);
}
END_TEST

START_TEST(unread_bytes_come_before_the_end)
{
	uint8_t buffer[1000];
	size_t len;

	open_relay();
	(void)read_relay(buffer, sizeof(buffer));
	say("last words", 10);
	pass(1);
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	pass(100);
	readable = 0;
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	pass(100);
	ck_assert_uint_eq(end.told, 0);
	ck_assert_uint_eq(readable, 1);
	ck_assert_int_eq(mquic_relay_write(relay, buffer, 1, &len), MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(read_relay(buffer, sizeof(buffer)), 10);
	ck_assert_mem_eq(buffer, "last words", 10);
	pass(1);
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
}
END_TEST

START_TEST(end_is_told_without_memory_for_what_is_unread)
{
	uint8_t buffer[256];

	open_relay();
	(void)read_relay(buffer, sizeof(buffer));
	say("last words", 10);
	pass(100);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	out_of_memory = true;
	pass(100);
	out_of_memory = false;
	ck_assert_uint_eq(end.told, 1);
	ck_assert_int_eq(end.origin, MQUIC_ORIGIN_PEER);
}
END_TEST

START_TEST(broker_may_refuse_the_rest)
{
	open_relay();
	say("last words", 10);
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	pass(100);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	pass(100);
	ck_assert_int_eq(mquic_relay_finish(relay, NULL), MQUIC_OK);
	pass(1);
	ck_assert_uint_eq(end.told, 1);
}
END_TEST

START_TEST(end_of_the_stream_is_shown)
{
	uint8_t buffer[256];
	const uint8_t *data;
	size_t len;

	open_relay();
	(void)read_relay(buffer, sizeof(buffer));
	ck_assert_int_eq(mquic_relay_peek(relay, &data, &len), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	pass(100);
	ck_assert_int_eq(mquic_relay_peek(relay, &data, &len), MQUIC_OK);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(end.told, 0);
	ck_assert_int_eq(mquic_relay_finish(relay, NULL), MQUIC_OK);
	pass(100);
	ck_assert_uint_eq(end.told, 1);
}
END_TEST

START_TEST(reset_of_the_stream_ends_the_client)
{
	uint8_t buffer[256];

	open_relay();
	(void)read_relay(buffer, sizeof(buffer));
	ck_assert_int_eq(mquic_stream_reset(stream, 5), MQUIC_OK);
	pass(100);
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, "control stream is gone");
	ck_assert_uint_eq(pair.client_end.code, 1);
}
END_TEST

START_TEST(client_that_wants_no_more_ends)
{
	uint8_t buffer[256];

	open_relay();
	(void)read_relay(buffer, sizeof(buffer));
	ck_assert_int_eq(mquic_stream_stop(stream, 5), MQUIC_OK);
	/* At once, although there is nothing to send. */
	pass(6);
	pair_expect_end(&end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, "control stream is gone");
}
END_TEST

START_TEST(client_that_wants_no_more_is_read_to_the_end)
{
	uint8_t buffer[256];

	open_relay();
	(void)read_relay(buffer, sizeof(buffer));
	say("last words", 10);
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_stop(stream, 5), MQUIC_OK);
	pass(100);
	ck_assert_uint_eq(end.told, 0);
	ck_assert_uint_eq(read_relay(buffer, sizeof(buffer)), 10);
	pass(1);
	ck_assert_uint_eq(end.told, 1);
}
END_TEST

START_TEST(lost_client_is_told_after_the_idle_timeout)
{
	uint8_t buffer[256];

	open_relay();
	pair.client->up.loss = 1000;
	pass(31000);
	ck_assert_uint_eq(end.told, 0); /* CONNECT is not read yet */
	(void)read_relay(buffer, sizeof(buffer));
	pass(1);
	pair_expect_end(&end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0, "idle timeout");
}
END_TEST

START_TEST(close_cuts_off_with_code_and_reason)
{
	open_relay();
	ck_assert_int_eq(mquic_relay_close(relay, 2, "overloaded"), MQUIC_OK);
	pass(100);
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 2, "overloaded");
}
END_TEST

START_TEST(freed_relay_cuts_off_with_code_zero)
{
	open_relay();
	mquic_relay_free(relay);
	relay = NULL;
	pass(100);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
	pass(5000);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(relay_outlives_its_endpoint)
{
	const uint8_t *data;
	size_t len;

	open_relay();
	mquic_endpoint_free(pair.server->endpoint);
	pair.server->endpoint = NULL;
	ck_assert_int_eq(mquic_relay_peek(relay, &data, &len), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_relay_write(relay, (const uint8_t *)"x", 1, &len), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_relay_finish(relay, NULL), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_relay_close(relay, 0, NULL), MQUIC_ERR_CLOSED);
	ck_assert_ptr_null(mquic_relay_connection(relay));
	ck_assert_str_eq(mquic_relay_username(relay, NULL), "ann");
}
END_TEST

/* ---- Its steps in the log ------------------------------------------------------------- */

static char lines[4096];

static void note(void *unused, enum mquic_log_level level, const char *line)
{
	size_t len = strlen(lines);

	(void)unused;
	if (strncmp(line, "relay ", 6) != 0)
		return;
	ck_assert_int_eq(level, MQUIC_LOG_DEBUG);
	(void)snprintf(lines + len, sizeof(lines) - len, "%s\n", line);
}

static void listen_to_steps(void)
{
	lines[0] = '\0';
	mquic_endpoint_set_log(pair.server->endpoint, note, MQUIC_LOG_DEBUG, NULL);
}

START_TEST(each_step_is_a_line_of_the_log)
{
	listen_to_steps();
	open_relay();
	ck_assert_int_eq(mquic_relay_finish(relay, NULL), MQUIC_OK);
	pass(100);
	ck_assert_str_eq(lines, "relay 1: WAITING → SHOWN\n"
				"relay 1: SHOWN → OPEN\n"
				"relay 1: OPEN → FINISHING\n"
				"relay 1: FINISHING → CLOSED\n");
}
END_TEST

START_TEST(client_that_leaves_is_a_step_without_a_fault)
{
	uint8_t buffer[256];

	open_relay();
	listen_to_steps();
	say("SECRET", 6);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	pass(100);
	(void)read_relay(buffer, sizeof(buffer));
	ck_assert_str_eq(lines, "relay 1: OPEN → LEFT\n"
				"relay 1: LEFT → CLOSED\n");
}
END_TEST

START_TEST(client_that_breaks_a_rule_is_at_fault)
{
	listen_to_steps();
	say("GET / HTTP/1.0\r\n\r\n", 18);
	expect_rejection("no CONNECT");
	ck_assert_str_eq(lines, "relay 1: WAITING → CLOSED (peer: no CONNECT)\n");
}
END_TEST

START_TEST(lost_client_is_at_fault)
{
	show_connect();
	listen_to_steps();
	pair.client->up.loss = 1000;
	pass(31000);
	ck_assert_uint_eq(end.told, 1);
	kit_says(lines, "relay 1: SHOWN → CLOSED (peer: ");
}
END_TEST

static void add_steps(Suite *suite)
{
	TCase *group = tcase_create("steps");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, each_step_is_a_line_of_the_log);
	tcase_add_test(group, client_that_leaves_is_a_step_without_a_fault);
	tcase_add_test(group, client_that_breaks_a_rule_is_at_fault);
	tcase_add_test(group, lost_client_is_at_fault);
	suite_add_tcase(suite, group);
}

static void add_connect(Suite *suite)
{
	TCase *group = tcase_create("connect");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, connect_is_shown_and_carried_unchanged);
	tcase_add_test(group, connect_in_single_bytes_is_put_together);
	tcase_add_test(group, user_name_is_replaced_and_nothing_else);
	tcase_add_test(group, late_connect_closes_the_client);
	tcase_add_test(group, client_without_a_stream_is_closed);
	tcase_add_test(group, something_else_than_connect_closes_the_client);
	tcase_add_test(group, malformed_connect_is_for_the_broker_to_answer);
	tcase_add_test(group, connect_of_an_unknown_version_is_for_the_broker_to_answer);
	tcase_add_test(group, connect_with_flags_in_its_header_is_for_the_broker_to_answer);
	tcase_add_test(group, connect_beyond_the_limit_closes_the_client_at_its_header);
	tcase_add_test(group, connect_just_within_the_limit_is_shown);
	tcase_add_test(group, stream_that_ends_before_connect_closes_the_client);
	tcase_add_loop_test(group, stream_given_up_within_connect_frees_the_place_at_once, 0, 3);
	tcase_add_loop_test(group, stream_given_up_before_the_relay_is_open_is_noticed_at_once, 0,
			    3);
	tcase_add_test(group, control_stream_is_stream_0_whatever_comes_first);
	tcase_add_test(group, client_that_leaves_before_connect_is_told);
	tcase_add_test(group, relay_wants_sensible_limits);
	suite_add_tcase(suite, group);
}

static void add_pipe(Suite *suite)
{
	TCase *group = tcase_create("pipe");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_set_timeout(group, 120);
	tcase_add_test(group, bytes_that_are_not_read_hold_the_client_back);
	tcase_add_test(group, client_that_does_not_read_holds_the_broker_back);
	tcase_add_test(group, finish_delivers_everything_before_the_close);
	tcase_add_test(group, finish_says_why);
	tcase_add_test(group, finish_says_why_behind_the_last_byte);
	tcase_add_test(group, finish_waits_for_a_slow_line);
	tcase_add_test(group, finish_does_not_wait_for_a_dead_line);
	tcase_add_test(group, unread_bytes_come_before_the_end);
	tcase_add_test(group, end_is_told_without_memory_for_what_is_unread);
	tcase_add_test(group, broker_may_refuse_the_rest);
	tcase_add_test(group, end_of_the_stream_is_shown);
	tcase_add_test(group, reset_of_the_stream_ends_the_client);
	tcase_add_test(group, client_that_wants_no_more_ends);
	tcase_add_test(group, client_that_wants_no_more_is_read_to_the_end);
	tcase_add_test(group, lost_client_is_told_after_the_idle_timeout);
	tcase_add_test(group, close_cuts_off_with_code_and_reason);
	tcase_add_test(group, freed_relay_cuts_off_with_code_zero);
	tcase_add_test(group, relay_outlives_its_endpoint);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("sim-relay");

	add_connect(suite);
	add_pipe(suite);
	add_steps(suite);
	return kit_main(suite);
}
