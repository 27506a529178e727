/* SPDX-License-Identifier: MIT */
/*
 * Clients of the server come over simulated QUIC, and a door of the test's own hands them to a
 * broker that is played: the other end of a pair of sockets for each. Time is the simulator's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mqtt/connect.h"
#include "pair.h"
#include "server/clients.h"

#define CLIENTS 20

static const uint8_t connack[] = {0x20, 3, 0, 0, 0};
static const uint8_t disconnect[] = {0xe0, 0};

/* ---- The door and the broker behind it ---------------------------------------------- */

static struct {
	bool announces;
	const char *username;
	unsigned int busy; /* so often before it dials */
	bool closed;
	unsigned int announced;
	unsigned int forgotten;
	int ends[CLIENTS]; /* the broker's, in order */
	unsigned int count;
	char last_line[300];
} keeper;

static bool announce(void *unused, const struct mquic_relay *relay, struct door_pass *pass,
		     struct door_refusal *refusal)
{
	(void)unused;
	ck_assert_int_eq(mquic_relay_protocol(relay), 5);
	*refusal = (struct door_refusal){77, "not today"};
	pass->guest = &keeper;
	pass->username = keeper.username;
	keeper.announced++;
	return keeper.announces;
}

static enum door_dial dial(void *unused, const struct door_pass *pass, int *fd,
			   struct door_refusal *refusal)
{
	int ends[2];

	(void)unused;
	(void)pass;
	*refusal = (struct door_refusal){MQUIC_CLOSE_OVERLOADED, "nobody is at home"};
	if (keeper.closed)
		return DOOR_CLOSED;
	if (keeper.busy > 0) {
		keeper.busy--;
		return DOOR_BUSY;
	}
	ck_assert_uint_lt(keeper.count, CLIENTS);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
			 0);
	*fd = ends[0];
	keeper.ends[keeper.count++] = ends[1];
	return DOOR_CONNECTED;
}

static void gone(void *unused, const struct door_pass *pass)
{
	(void)unused;
	ck_assert_ptr_eq(pass->guest, &keeper);
	keeper.forgotten++;
}

static void say(void *unused, enum mquic_log_level level, const char *line)
{
	(void)unused;
	(void)level;
	snprintf(keeper.last_line, sizeof(keeper.last_line), "%s", line);
}

static const struct door door = {
	.level = MQUIC_LOG_DEBUG,
	.announce = announce,
	.dial = dial,
	.gone = gone,
	.say = say,
};

/* Reads what is there, at most `size` bytes; the end adds nothing. */
static size_t broker_reads(unsigned int number, void *buffer, size_t size)
{
	size_t total = 0;
	ssize_t got = 1;

	while (total < size && got > 0) {
		got = recv(keeper.ends[number], (uint8_t *)buffer + total, size - total, 0);
		if (got > 0)
			total += (size_t)got;
	}
	return total;
}

static bool broker_sees_the_end(unsigned int number)
{
	uint8_t byte;

	return recv(keeper.ends[number], &byte, 1, 0) == 0;
}

static void broker_writes(unsigned int number, const void *data, size_t len)
{
	ck_assert_int_eq(write(keeper.ends[number], data, len), (ssize_t)len);
}

static void broker_hangs_up(unsigned int number)
{
	close(keeper.ends[number]);
	keeper.ends[number] = -1;
}

/* ---- The server --------------------------------------------------------------------- */

static struct clients clients;
static struct client_settings settings;

static void on_event(struct pair *unused, struct sim_host *host, struct mquic_event *event)
{
	struct mquic_relay *relay = mquic_event_relay(event);
	size_t i;

	(void)unused;
	if (host != pair.server)
		return;
	for (i = 0; i < pair.accepted_count; i++)
		client_accept(&clients, &settings, pair.accepted[i]);
	pair.accepted_count = 0; /* they are the clients' */
	if (relay != NULL && mquic_relay_get_userdata(relay) != NULL)
		client_event(mquic_relay_get_userdata(relay), mquic_event_type(event));
}

/* As one of the worker does. */
static void turn(void)
{
	struct epoll_event ready[CLIENTS];
	int count = epoll_wait(clients.epoll_fd, ready, CLIENTS, 0);
	int i;

	clients.now_ms = sim_now(pair.sim) / SIM_MS;
	for (i = 0; i < count; i++)
		client_ready(ready[i].data.ptr, ready[i].events);
	clients_dial(&clients);
	clients_limit_memory(&clients, true);
}

static void pass(unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < ms; i += 5) {
		sim_run(pair.sim, 5 * SIM_MS);
		turn();
	}
	sim_settle(pair.sim);
}

static void set_up(void)
{
	pair_open();
	pair.on_event = on_event;
	memset(&keeper, 0, sizeof(keeper));
	keeper.announces = true;
	memset(&clients, 0, sizeof(clients));
	clients.door = &door;
	clients.limits = (struct client_limits){
		.memory = 64 << 20,
		.memory_reached = "too much memory",
	};
	settings = (struct client_settings){
		.connect_timeout_ms = 2000,
		.connect_max = 1000,
	};
	clients.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	clients_init(&clients);
	pair_listen();
}

static void tear_down(void)
{
	unsigned int i;

	clients_free(&clients);
	ck_assert_uint_eq(keeper.forgotten, keeper.announced);
	close(clients.epoll_fd);
	for (i = 0; i < keeper.count; i++)
		if (keeper.ends[i] >= 0)
			close(keeper.ends[i]);
	pair_close();
}

/* ---- The clients -------------------------------------------------------------------- */

static void say_to(struct mquic_stream *stream, const void *data, size_t len)
{
	size_t sent;

	ck_assert_int_eq(mquic_stream_send(stream, data, len, &sent), MQUIC_OK);
	ck_assert_uint_eq(sent, len);
}

/* CONNECT of that user; returns how long it is. */
static size_t write_connect(const char *username, uint8_t *out, size_t size)
{
	struct mqtt_connect connect = {
		.version = MQTT_5,
		.clean_start = true,
		.client_id = {(const uint8_t *)"phone", 5},
		.username = {(const uint8_t *)username, strlen(username)},
	};
	struct buf_writer writer;
	struct bytes bytes;

	mqtt_properties_init(&connect.properties);
	mqtt_properties_init(&connect.will_properties);
	buf_writer_init(&writer, SIZE_MAX);
	mqtt_connect_write(&writer, &connect);
	bytes = buf_writer_content(&writer);
	ck_assert_uint_le(bytes.len, size);
	memcpy(out, bytes.data, bytes.len);
	buf_writer_clear(&writer);
	return bytes.len;
}

/* The pair's client opens its stream and sends CONNECT. */
static struct mquic_stream *come(void)
{
	struct mquic_stream *stream;
	uint8_t connect[100];
	size_t len = write_connect("ann", connect, sizeof(connect));

	pair_dial();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	say_to(stream, connect, len);
	pass(200);
	return stream;
}

static struct mquic_stream *come_in(void)
{
	struct mquic_stream *stream = come();
	uint8_t buffer[200];

	ck_assert_uint_eq(keeper.count, 1);
	ck_assert_uint_gt(broker_reads(0, buffer, sizeof(buffer)), 0);
	broker_writes(0, connack, sizeof(connack));
	pass(50);
	return stream;
}

static size_t client_reads(struct mquic_stream *stream, void *buffer, size_t size)
{
	size_t total = 0;
	size_t len = 1;

	while (total < size && len > 0 &&
	       mquic_stream_recv(stream, (uint8_t *)buffer + total, size - total, &len) == MQUIC_OK)
		total += len;
	return total;
}

static bool nobody_is_left(void *unused)
{
	(void)unused;
	return queue_is_empty(&clients.all);
}

static void await(bool (*done)(void *unused), unsigned int seconds)
{
	uint64_t until = sim_now(pair.sim) + seconds * SIM_SECOND;

	while (!done(NULL) && sim_now(pair.sim) < until)
		pass(5);
	ck_assert(done(NULL));
}

static void expect_nobody(void)
{
	await(nobody_is_left, 120);
	ck_assert_uint_eq(keeper.forgotten, keeper.announced);
}

/* ---- Bytes -------------------------------------------------------------------------- */

START_TEST(bytes_go_both_ways)
{
	struct mquic_stream *stream;
	uint8_t expected[100];
	uint8_t buffer[200];
	size_t len = write_connect("somebody else", expected, sizeof(expected));

	keeper.username = "somebody else";
	stream = come();
	ck_assert_uint_eq(keeper.count, 1);
	ck_assert_uint_eq(broker_reads(0, buffer, sizeof(buffer)), len);
	ck_assert_mem_eq(buffer, expected, len);
	broker_writes(0, connack, sizeof(connack));
	pass(50);
	ck_assert_uint_eq(client_reads(stream, buffer, sizeof(buffer)), sizeof(connack));
	ck_assert_mem_eq(buffer, connack, sizeof(connack));
	say_to(stream, "hello", 5);
	pass(50);
	ck_assert_uint_eq(broker_reads(0, buffer, sizeof(buffer)), 5);
	ck_assert_mem_eq(buffer, "hello", 5);
	mquic_stream_free(stream);
}
END_TEST

static uint8_t *pattern(size_t len)
{
	uint8_t *bytes = malloc(len);
	size_t i;

	ck_assert_ptr_nonnull(bytes);
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 251);
	return bytes;
}

/* What is not read by the broker waits at the client, and comes whole. */
START_TEST(a_slow_broker_holds_the_client_back)
{
	enum {
		LEN = 2000000
	};
	struct sim_link line = {.delay_ns = 5 * SIM_MS, .loss = 20};
	struct mquic_stream *stream = come_in();
	uint8_t *sent = pattern(LEN);
	uint8_t *got = malloc(LEN);
	size_t given = 0, taken = 0, len;
	unsigned int i;

	pair_set_link(&line);
	for (i = 0; i < 100; i++) {
		if (mquic_stream_send(stream, sent + given, LEN - given, &len) == MQUIC_OK)
			given += len;
		pass(20);
	}
	ck_assert_uint_ge(mquic_stream_bytes_pending(stream), 500000);
	for (i = 0; i < 2000 && taken < LEN; i++) {
		if (given < LEN &&
		    mquic_stream_send(stream, sent + given, LEN - given, &len) == MQUIC_OK)
			given += len;
		taken += broker_reads(0, got + taken, LEN - taken);
		pass(20);
	}
	ck_assert_uint_eq(taken, LEN);
	ck_assert_mem_eq(got, sent, LEN);
	free(sent);
	free(got);
	mquic_stream_free(stream);
}
END_TEST

/* What the client does not read waits in the broker's own socket, in the end. */
START_TEST(a_slow_client_holds_the_broker_back)
{
	enum {
		LEN = 4000000
	};
	struct mquic_stream *stream = come_in();
	uint8_t *sent = pattern(LEN);
	uint8_t *got = malloc(LEN);
	size_t given = 0, taken = 0;
	ssize_t written;
	unsigned int i;

	ck_assert_uint_eq(client_reads(stream, got, LEN), sizeof(connack));
	for (i = 0; i < 4000 && taken < LEN; i++) {
		written = send(keeper.ends[0], sent + given, LEN - given, 0);
		given += written > 0 ? (size_t)written : 0;
		if (i == 200)
			ck_assert_uint_lt(given, LEN / 2);
		if (i >= 200)
			taken += client_reads(stream, got + taken, LEN - taken);
		pass(10);
	}
	ck_assert_uint_eq(taken, LEN);
	ck_assert_mem_eq(got, sent, LEN);
	free(sent);
	free(got);
	mquic_stream_free(stream);
}
END_TEST

/* ---- Ends --------------------------------------------------------------------------- */

START_TEST(a_broker_that_closes_is_heard_out)
{
	struct mquic_stream *stream = come_in();
	uint8_t buffer[200];

	broker_writes(0, "good bye", 8);
	broker_hangs_up(0);
	await(pair_client_is_over, 10);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
	ck_assert_uint_eq(client_reads(stream, buffer, sizeof(buffer)), sizeof(connack) + 8);
	expect_nobody();
	ck_assert_str_eq(keeper.last_line, "client 1: FINISHING → OVER");
	mquic_stream_free(stream);
}
END_TEST

START_TEST(a_client_that_says_good_bye_is_heard_out)
{
	struct mquic_stream *stream = come_in();
	uint8_t buffer[10];

	say_to(stream, disconnect, sizeof(disconnect));
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	pass(50);
	ck_assert_uint_eq(broker_reads(0, buffer, sizeof(buffer)), sizeof(disconnect));
	ck_assert(broker_sees_the_end(0));
	ck_assert_uint_eq(pair.client_end.told, 0);
	broker_hangs_up(0);
	await(pair_client_is_over, 10);
	expect_nobody();
	mquic_stream_free(stream);
}
END_TEST

START_TEST(a_client_that_vanishes_is_noticed_by_both)
{
	struct mquic_stream *stream = come_in();

	pair.client->up.loss = 1000;
	pair.client->down.loss = 1000;
	pass(20000);
	ck_assert(!broker_sees_the_end(0));
	pass(20000);
	ck_assert(broker_sees_the_end(0));
	ck_assert_uint_eq(keeper.forgotten, 0);
	broker_hangs_up(0);
	expect_nobody();
	mquic_stream_free(stream);
}
END_TEST

START_TEST(the_door_refuses_and_the_client_hears_why)
{
	struct mquic_stream *stream;

	keeper.announces = false;
	stream = come();
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 77, "not today");
	ck_assert_uint_eq(keeper.count, 0);
	expect_nobody();
	mquic_stream_free(stream);
}
END_TEST

START_TEST(a_dial_fails_and_the_client_hears_why)
{
	struct mquic_stream *stream;

	keeper.closed = true;
	stream = come();
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 2,
			"nobody is at home");
	expect_nobody();
	mquic_stream_free(stream);
}
END_TEST

START_TEST(a_broker_that_is_always_busy_is_given_up)
{
	struct mquic_stream *stream;

	keeper.busy = UINT32_MAX;
	stream = come();
	ck_assert_uint_eq(pair.client_end.told, 0);
	pass(11000);
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 2,
			"nobody is at home");
	expect_nobody();
	mquic_stream_free(stream);
}
END_TEST

START_TEST(a_client_that_says_nothing_never_meets_the_door)
{
	pair_dial();
	pass(3000);
	ck_assert_uint_eq(pair.client_end.told, 1);
	ck_assert_uint_eq(keeper.announced, 0);
	expect_nobody();
}
END_TEST

/* ---- Many --------------------------------------------------------------------------- */

START_TEST(many_get_their_own_broker_one_after_the_other)
{
	struct mquic_connection *dialed[CLIENTS];
	struct mquic_stream *streams[CLIENTS];
	uint8_t connect[100];
	uint8_t buffer[200];
	size_t len = write_connect("ann", connect, sizeof(connect));
	unsigned int i;

	keeper.busy = 3;
	for (i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(mquic_connection_dial(&dialed[i], pair.client->endpoint,
						       pair.client_settings, PAIR_HOST, PAIR_PORT),
				 MQUIC_OK);
		ck_assert_int_eq(mquic_stream_open(&streams[i], dialed[i]), MQUIC_OK);
		say_to(streams[i], connect, len);
	}
	pass(500);
	ck_assert_uint_eq(keeper.count, CLIENTS);
	for (i = 0; i < CLIENTS; i++) {
		ck_assert_uint_eq(broker_reads(i, buffer, sizeof(buffer)), len);
		broker_writes(i, &i, 1);
	}
	pass(100);
	for (i = 0; i < CLIENTS; i++) {
		ck_assert_uint_eq(client_reads(streams[i], buffer, sizeof(buffer)), 1);
		mquic_stream_free(streams[i]);
		mquic_connection_free(dialed[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-server");
	TCase *group = tcase_create("server");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, bytes_go_both_ways);
	tcase_add_test(group, a_slow_broker_holds_the_client_back);
	tcase_add_test(group, a_slow_client_holds_the_broker_back);
	tcase_add_test(group, a_broker_that_closes_is_heard_out);
	tcase_add_test(group, a_client_that_says_good_bye_is_heard_out);
	tcase_add_test(group, a_client_that_vanishes_is_noticed_by_both);
	tcase_add_test(group, the_door_refuses_and_the_client_hears_why);
	tcase_add_test(group, a_dial_fails_and_the_client_hears_why);
	tcase_add_test(group, a_broker_that_is_always_busy_is_given_up);
	tcase_add_test(group, a_client_that_says_nothing_never_meets_the_door);
	tcase_add_test(group, many_get_their_own_broker_one_after_the_other);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
