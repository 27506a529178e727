/* SPDX-License-Identifier: MIT */
/* The server side of one MQTT client: what it carries, when it ends, and its steps in the log. */
#include <stdio.h>
#include <string.h>

#include "relay-scene.h"

static bool out_of_memory; /* for what the library makes of nothing but zeroes, events for one */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return out_of_memory && !sim_is_allocating() ? NULL : __real_calloc(count, size);
}

static void set_up(void)
{
	scene_begin();
	scene_dial();
}

/* ---- The pipe ---------------------------------------------------------------------- */

START_TEST(bytes_that_are_not_read_hold_the_client_back)
{
	static uint8_t bytes[1048576];
	static uint8_t buffer[sizeof(bytes) + 256];
	size_t total = sizeof(bytes) + buf_writer_content(&scene.connect).len;
	size_t got;
	int i;

	scene_open_relay();
	scene_say(bytes, sizeof(bytes));
	scene_pass(5000);
	/* One window of the server is full, the rest waits at the client. */
	ck_assert_uint_ge(mquic_stream_bytes_pending(scene.stream), sizeof(bytes) - 262144);
	got = scene_read(buffer, sizeof(buffer));
	for (i = 0; i < 100 && got < total; i++) {
		scene_pass(50);
		got += scene_read(buffer + got, sizeof(buffer) - got);
	}
	ck_assert_uint_eq(got, total);
	scene_pass(100);
	ck_assert_uint_eq(mquic_stream_bytes_pending(scene.stream), 0);
}
END_TEST

/* Writes until the relay takes no more. */
static size_t fill_relay(void)
{
	static const uint8_t bytes[10000];
	enum mquic_status status;
	size_t written;
	size_t total = 0;

	while ((status = mquic_relay_write(scene.relay, bytes, sizeof(bytes), &written)) ==
	       MQUIC_OK)
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
		status = mquic_stream_recv(scene.stream, buffer, sizeof(buffer), &len);
		if (status == MQUIC_ERR_AGAIN)
			scene_pass(20);
		else if (status != MQUIC_OK || len == 0)
			break;
		total += len;
	}
	return total;
}

START_TEST(client_that_does_not_read_holds_the_broker_back)
{
	size_t total;

	scene_open_relay();
	total = fill_relay();
	ck_assert_uint_eq(total, 1048576);
	scene_pass(5000);
	ck_assert_uint_eq(scene.writable, 0);
	ck_assert_uint_eq(scene.end.told, 0);
	ck_assert_uint_eq(read_client(5), total);
	ck_assert_uint_gt(scene.writable, 0);
}
END_TEST

START_TEST(finish_delivers_everything_before_the_close)
{
	struct sim_link line = {.delay_ns = 20 * SIM_MS, .loss = 100};
	size_t total;
	size_t got;

	scene_open_relay();
	pair_set_link(&line);
	total = fill_relay();
	ck_assert_int_eq(mquic_relay_finish(scene.relay, NULL), MQUIC_OK);
	got = read_client(5);
	ck_assert_uint_lt(got, total);
	/* CONNECTION_CLOSE goes only once unless the peer speaks, and must not be what is lost. */
	pair.client->down.loss = 0;
	got += read_client(55);
	ck_assert_uint_eq(got, total);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
	scene_pass(1000);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 0, "");
}
END_TEST

START_TEST(finish_says_why)
{
	char reason[300];

	scene_open_relay();
	memset(reason, 'x', sizeof(reason));
	reason[257] = '\0';
	ck_assert_int_eq(mquic_relay_finish(scene.relay, reason), MQUIC_ERR_INVALID);
	ck_assert(strstr(mquic_relay_error(scene.relay), "256") != NULL);
	strcpy(reason, "the broker is tired");
	ck_assert_int_eq(mquic_relay_finish(scene.relay, reason), MQUIC_OK);
	scene_pass(200);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "the broker is tired");
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 0, "the broker is tired");
}
END_TEST

START_TEST(finish_says_why_behind_the_last_byte)
{
	char reason[] = "the broker is tired";
	size_t total;

	scene_open_relay();
	total = fill_relay();
	ck_assert_int_eq(mquic_relay_finish(scene.relay, reason), MQUIC_OK);
	memset(reason, 'x', sizeof(reason) - 1);
	ck_assert_uint_eq(read_client(60), total);
	scene_pass(200);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "the broker is tired");
}
END_TEST

START_TEST(finish_waits_for_a_slow_line)
{
	struct sim_link line = {.delay_ns = 20 * SIM_MS, .rate = 30000, .queue = 30000};
	size_t total;

	scene_open_relay();
	pair_set_link(&line);
	total = fill_relay();
	ck_assert_int_eq(mquic_relay_finish(scene.relay, NULL), MQUIC_OK);
	ck_assert_uint_eq(read_client(120), total);
}
END_TEST

START_TEST(finish_does_not_wait_for_a_dead_line)
{
	scene_open_relay();
	pair.client->down.loss = 1000;
	(void)fill_relay();
	ck_assert_int_eq(mquic_relay_finish(scene.relay, NULL), MQUIC_OK);
	scene_pass(5100);
	ck_assert_uint_eq(scene.end.told, 1);
}
END_TEST

START_TEST(unread_bytes_come_before_the_end)
{
	uint8_t buffer[1000];
	size_t len;

	scene_open_relay();
	(void)scene_read(buffer, sizeof(buffer));
	scene_say("last words", 10);
	scene_pass(1);
	ck_assert_int_eq(mquic_stream_finish(scene.stream), MQUIC_OK);
	scene_pass(100);
	scene.readable = 0;
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	scene_pass(100);
	ck_assert_uint_eq(scene.end.told, 0);
	ck_assert_uint_eq(scene.readable, 1);
	ck_assert_int_eq(mquic_relay_write(scene.relay, buffer, 1, &len), MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), 10);
	ck_assert_mem_eq(buffer, "last words", 10);
	scene_pass(1);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
}
END_TEST

START_TEST(end_is_told_without_memory_for_what_is_unread)
{
	uint8_t buffer[256];

	scene_open_relay();
	(void)scene_read(buffer, sizeof(buffer));
	scene_say("last words", 10);
	scene_pass(100);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	out_of_memory = true;
	scene_pass(100);
	out_of_memory = false;
	ck_assert_uint_eq(scene.end.told, 1);
	ck_assert_int_eq(scene.end.origin, MQUIC_ORIGIN_PEER);
}
END_TEST

START_TEST(broker_may_refuse_the_rest)
{
	scene_open_relay();
	scene_say("last words", 10);
	ck_assert_int_eq(mquic_stream_finish(scene.stream), MQUIC_OK);
	scene_pass(100);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	scene_pass(100);
	ck_assert_int_eq(mquic_relay_finish(scene.relay, NULL), MQUIC_OK);
	scene_pass(1);
	ck_assert_uint_eq(scene.end.told, 1);
}
END_TEST

START_TEST(end_of_the_stream_is_shown)
{
	uint8_t buffer[256];
	const uint8_t *data;
	size_t len;

	scene_open_relay();
	(void)scene_read(buffer, sizeof(buffer));
	ck_assert_int_eq(mquic_relay_peek(scene.relay, &data, &len), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(mquic_stream_finish(scene.stream), MQUIC_OK);
	scene_pass(100);
	ck_assert_int_eq(mquic_relay_peek(scene.relay, &data, &len), MQUIC_OK);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(scene.end.told, 0);
	ck_assert_int_eq(mquic_relay_finish(scene.relay, NULL), MQUIC_OK);
	scene_pass(100);
	ck_assert_uint_eq(scene.end.told, 1);
}
END_TEST

START_TEST(reset_of_the_stream_ends_the_client)
{
	uint8_t buffer[256];

	scene_open_relay();
	(void)scene_read(buffer, sizeof(buffer));
	ck_assert_int_eq(mquic_stream_reset(scene.stream, 5), MQUIC_OK);
	scene_pass(100);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, "control stream is gone");
	ck_assert_uint_eq(pair.client_end.code, 1);
}
END_TEST

START_TEST(client_that_wants_no_more_ends)
{
	uint8_t buffer[256];

	scene_open_relay();
	(void)scene_read(buffer, sizeof(buffer));
	ck_assert_int_eq(mquic_stream_stop(scene.stream, 5), MQUIC_OK);
	/* At once, although there is nothing to send. */
	scene_pass(6);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, "control stream is gone");
}
END_TEST

START_TEST(client_that_wants_no_more_is_read_to_the_end)
{
	uint8_t buffer[256];

	scene_open_relay();
	(void)scene_read(buffer, sizeof(buffer));
	scene_say("last words", 10);
	ck_assert_int_eq(mquic_stream_finish(scene.stream), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_stop(scene.stream, 5), MQUIC_OK);
	scene_pass(100);
	ck_assert_uint_eq(scene.end.told, 0);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), 10);
	scene_pass(1);
	ck_assert_uint_eq(scene.end.told, 1);
}
END_TEST

START_TEST(lost_client_is_told_after_the_idle_timeout)
{
	uint8_t buffer[256];

	scene_open_relay();
	pair.client->up.loss = 1000;
	scene_pass(31000);
	ck_assert_uint_eq(scene.end.told, 0); /* CONNECT is not read yet */
	(void)scene_read(buffer, sizeof(buffer));
	scene_pass(1);
	pair_expect_end(&scene.end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0, "idle timeout");
}
END_TEST

START_TEST(close_cuts_off_with_code_and_reason)
{
	scene_open_relay();
	ck_assert_int_eq(mquic_relay_close(scene.relay, 2, "overloaded"), MQUIC_OK);
	scene_pass(100);
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 2, "overloaded");
}
END_TEST

START_TEST(freed_relay_cuts_off_with_code_zero)
{
	scene_open_relay();
	mquic_relay_free(scene.relay);
	scene.relay = NULL;
	scene_pass(100);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
	scene_pass(5000);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(relay_outlives_its_endpoint)
{
	const uint8_t *data;
	size_t len;

	scene_open_relay();
	mquic_endpoint_free(pair.server->endpoint);
	pair.server->endpoint = NULL;
	ck_assert_int_eq(mquic_relay_peek(scene.relay, &data, &len), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_relay_write(scene.relay, (const uint8_t *)"x", 1, &len),
			 MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_relay_finish(scene.relay, NULL), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_relay_close(scene.relay, 0, NULL), MQUIC_ERR_CLOSED);
	ck_assert_ptr_null(mquic_relay_connection(scene.relay));
	ck_assert_str_eq(mquic_relay_username(scene.relay, NULL), "ann");
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
	scene_open_relay();
	ck_assert_int_eq(mquic_relay_finish(scene.relay, NULL), MQUIC_OK);
	scene_pass(100);
	ck_assert_str_eq(lines, "relay 1: WAITING → SHOWN\n"
				"relay 1: SHOWN → OPEN\n"
				"relay 1: OPEN → FINISHING\n"
				"relay 1: FINISHING → CLOSED\n");
}
END_TEST

START_TEST(client_that_leaves_is_a_step_without_a_fault)
{
	uint8_t buffer[256];

	scene_open_relay();
	listen_to_steps();
	scene_say("SECRET", 6);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	scene_pass(100);
	(void)scene_read(buffer, sizeof(buffer));
	ck_assert_str_eq(lines, "relay 1: OPEN → LEFT\n"
				"relay 1: LEFT → CLOSED\n");
}
END_TEST

START_TEST(client_that_breaks_a_rule_is_at_fault)
{
	listen_to_steps();
	scene_say("GET / HTTP/1.0\r\n\r\n", 18);
	scene_expect_rejection("no CONNECT");
	ck_assert_str_eq(lines, "relay 1: WAITING → CLOSED (peer: no CONNECT)\n");
}
END_TEST

START_TEST(lost_client_is_at_fault)
{
	scene_show_connect();
	listen_to_steps();
	pair.client->up.loss = 1000;
	scene_pass(31000);
	ck_assert_uint_eq(scene.end.told, 1);
	kit_says(lines, "relay 1: SHOWN → CLOSED (peer: ");
}
END_TEST

static void add_pipe(Suite *suite)
{
	TCase *group = tcase_create("pipe");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, scene_end);
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

static void add_steps(Suite *suite)
{
	TCase *group = tcase_create("steps");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, scene_end);
	tcase_add_test(group, each_step_is_a_line_of_the_log);
	tcase_add_test(group, client_that_leaves_is_a_step_without_a_fault);
	tcase_add_test(group, client_that_breaks_a_rule_is_at_fault);
	tcase_add_test(group, lost_client_is_at_fault);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("sim-relay-pipe");

	add_pipe(suite);
	add_steps(suite);
	return kit_main(suite);
}
