/* SPDX-License-Identifier: MIT */
/* How streams begin and end: opened early, finished, reset, stopped, and what they say of it. */
#include <stdio.h>
#include <string.h>

#include "quic/stream.h"
#include "traffic.h"

#define KIB 1024U
#define MIB (1024 * KIB)

static void wait_for_traffic(unsigned int seconds)
{
	pair_wait(traffic_is_done, seconds);
}

START_TEST(streams_of_before_the_handshake_carry_their_bytes)
{
	pair_listen();
	pair_dial();
	traffic_start(1000);
	(void)traffic_open(100 * KIB);
	(void)traffic_open(0);
	ck_assert_int_eq(mquic_stream_id(traffic_client[0].stream), -1);
	wait_for_traffic(5);
	ck_assert_int_eq(mquic_stream_id(traffic_client[0].stream), 0);
	traffic_stop();
}
END_TEST

START_TEST(stream_freed_after_finish_still_delivers)
{
	pair_listen();
	pair_dial();
	traffic_start(0);
	(void)traffic_open(50 * KIB); /* before the handshake */
	mquic_stream_free(traffic_client[0].stream);
	traffic_client[0].stream = NULL;
	pair_wait(pair_is_connected, 5);
	(void)traffic_open(50 * KIB); /* and after it */
	mquic_stream_free(traffic_client[1].stream);
	traffic_client[1].stream = NULL;
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(traffic_server[0].received, 50 * KIB);
	ck_assert_uint_eq(traffic_server[1].received, 50 * KIB);
	ck_assert(traffic_server[0].fin_seen);
	ck_assert(traffic_server[1].fin_seen);
	traffic_stop();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert(list_is_empty(&pair.dialed->streams.all));
	ck_assert(list_is_empty(&pair.accepted[0]->streams.all));
}
END_TEST

/* ---- Reset and stop ------------------------------------------------------------------ */

START_TEST(reset_reaches_the_reader_with_its_code)
{
	uint8_t byte = 'x';
	size_t sent;

	pair_connect();
	traffic_start(0);
	(void)traffic_open(10 * MIB);
	sim_run(pair.sim, 50 * SIM_MS);
	ck_assert_int_eq(mquic_stream_reset(traffic_client[0].stream, 0x1234), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_reset(traffic_client[0].stream, 1), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(traffic_client[0].stream, &byte, 1, &sent),
			 MQUIC_ERR_STATE);
	ck_assert_int_eq(mquic_stream_finish(traffic_client[0].stream), MQUIC_ERR_STATE);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(traffic_server[0].broken, MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(traffic_server[0].closed, 1);
	ck_assert_uint_eq(traffic_server[0].close_code, 0x1234);
	ck_assert_uint_eq(traffic_client[0].closed, 1);
	ck_assert_uint_eq(mquic_stream_bytes_pending(traffic_client[0].stream), 0);
	traffic_stop();
}
END_TEST

START_TEST(stop_reaches_the_writer_with_its_code)
{
	uint8_t byte = 'x';
	size_t sent;

	pair_connect();
	traffic_start(0);
	(void)traffic_open(10 * MIB);
	sim_run(pair.sim, 50 * SIM_MS);
	traffic_client[0].writable = 0;
	ck_assert_int_eq(mquic_stream_stop(traffic_server[0].stream, 0x99), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_gt(traffic_client[0].writable, 0);
	ck_assert_int_eq(mquic_stream_send(traffic_client[0].stream, &byte, 1, &sent),
			 MQUIC_ERR_CLOSED);
	ck_assert_ptr_nonnull(strstr(mquic_stream_error(traffic_client[0].stream), "STOP_SENDING"));
	ck_assert_uint_eq(traffic_client[0].closed, 1);
	ck_assert_uint_eq(traffic_client[0].close_code, 0x99);
	traffic_stop();
}
END_TEST

/* By the client, by the server. */
START_TEST(stop_of_an_idle_stream_is_told_at_once)
{
	struct traffic_end *stopped = _i == 0 ? &traffic_server[0] : &traffic_client[0];
	struct traffic_end *other = _i == 0 ? &traffic_client[0] : &traffic_server[0];
	size_t sent;

	pair_connect();
	traffic_start(100);
	traffic_client[0].endless = true;
	(void)traffic_open(100);
	traffic_server[0].endless = true;
	sim_run(pair.sim, SIM_SECOND);
	stopped->writable = 0;
	ck_assert_int_eq(mquic_stream_send(stopped->stream, NULL, 0, &sent), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_stop(other->stream, 7), MQUIC_OK);
	sim_run(pair.sim, 6 * SIM_MS);
	ck_assert_uint_eq(stopped->writable, 1);
	ck_assert_uint_eq(stream_code(stopped->stream), 7);
	ck_assert_int_eq(mquic_stream_send(stopped->stream, NULL, 0, &sent), MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(pair.client_end.told, 0);
	traffic_stop();
}
END_TEST

/* In one packet, or all but one would have the code of another. */
START_TEST(streams_that_are_stopped_together_have_each_its_code)
{
	size_t i;

	pair_connect();
	traffic_start(100);
	for (i = 0; i < 10; i++) {
		(void)traffic_open(100);
		traffic_client[i].endless = true;
		traffic_server[i].endless = true;
	}
	sim_run(pair.sim, SIM_SECOND);
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(mquic_stream_stop(traffic_client[i].stream, 100 + i), MQUIC_OK);
	sim_run(pair.sim, 6 * SIM_MS);
	for (i = 0; i < 10; i++)
		ck_assert_uint_eq(stream_code(traffic_server[i].stream), 100 + i);
	traffic_stop();
}
END_TEST

static bool told_writable;

static void note_writable(struct pair *unused, struct sim_host *host, struct mquic_event *event)
{
	(void)unused;
	told_writable |=
		host == pair.server && mquic_event_type(event) == MQUIC_EVENT_STREAM_WRITABLE;
}

START_TEST(stop_from_before_a_stream_was_accepted_is_told_then)
{
	struct mquic_stream *stream;
	struct mquic_stream *accepted;
	size_t sent;

	pair.on_event = note_writable;
	pair_connect();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"x", 1, &sent), MQUIC_OK);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_int_eq(mquic_stream_stop(stream, 7), MQUIC_OK);
	sim_run(pair.sim, 100 * SIM_MS);
	told_writable = false;
	ck_assert_int_eq(mquic_connection_accept_stream(pair.accepted[0], &accepted), MQUIC_OK);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert(told_writable);
	ck_assert_int_eq(mquic_stream_send(accepted, NULL, 0, &sent), MQUIC_ERR_CLOSED);
	mquic_stream_free(stream);
	mquic_stream_free(accepted);
}
END_TEST

/* The window is full, so there is nothing that ngtcp2 could be offered. */
START_TEST(stop_of_a_stream_without_credit_is_told_at_once)
{
	size_t sent;

	pair_connect();
	traffic_start(0);
	(void)traffic_open(10 * MIB);
	sim_settle(pair.sim);
	sim_run(pair.sim, 30 * SIM_MS);
	traffic_server[0].paused = true;
	sim_run(pair.sim, 5 * SIM_SECOND);
	traffic_client[0].writable = 0;
	ck_assert_int_eq(mquic_stream_stop(traffic_server[0].stream, 7), MQUIC_OK);
	sim_run(pair.sim, 6 * SIM_MS);
	ck_assert_uint_eq(traffic_client[0].writable, 1);
	ck_assert_int_eq(mquic_stream_send(traffic_client[0].stream, NULL, 0, &sent),
			 MQUIC_ERR_CLOSED);
	traffic_stop();
}
END_TEST

START_TEST(reset_of_before_the_handshake_keeps_its_code)
{
	pair_listen();
	pair_dial();
	traffic_start(100);
	traffic_client[0].endless = true;
	(void)traffic_open(100);
	ck_assert_int_eq(mquic_stream_reset(traffic_client[0].stream, 71), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(traffic_server[0].broken, MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(traffic_server[0].stream->code, 71);
	ck_assert(traffic_client[0].fin_seen); /* the other direction goes on */
	traffic_stop();
}
END_TEST

START_TEST(stop_of_before_the_handshake_keeps_its_code)
{
	uint8_t byte;
	size_t len;

	pair_listen();
	pair_dial();
	traffic_start(10 * MIB);
	(void)traffic_open(100);
	ck_assert_int_eq(mquic_stream_stop(traffic_client[0].stream, 72), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_recv(traffic_client[0].stream, &byte, 1, &len),
			 MQUIC_ERR_CLOSED);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(traffic_server[0].received, 100);
	ck_assert_int_eq(mquic_stream_send(traffic_server[0].stream, &byte, 1, &len),
			 MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(traffic_server[0].stream->code, 72);
	traffic_stop();
}
END_TEST

/* ---- Steps in the log --------------------------------------------------------------- */

static char steps[8][128];
static size_t step_count;

static void keep_steps(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)userdata;
	if (level != MQUIC_LOG_DEBUG || strstr(line, ": stream ") == NULL)
		return;
	ck_assert_uint_lt(step_count, 8);
	(void)snprintf(steps[step_count++], sizeof(steps[0]), "%s", line);
}

static void expect_steps(const char *const *expected, size_t count)
{
	size_t i;

	for (i = 0; i < count && i < step_count; i++)
		ck_assert_str_eq(steps[i], expected[i]);
	ck_assert_uint_eq(step_count, count);
}

START_TEST(stream_logs_each_of_its_steps)
{
	static const char *const expected[] = {
		"connection 1: stream 0: WAITING → OPEN",
		"connection 1: stream 0: SEND → FINISHING",
		"connection 1: stream 0: FINISHING → DATA_SENT",
		"connection 1: stream 0: RECV → DATA_RECVD",
		"connection 1: stream 0: OPEN → CLOSED",
		"connection 1: stream 0: CLOSED → TOLD",
		"connection 1: stream 0: DATA_RECVD → DATA_READ", /* by the program, last */
	};

	step_count = 0;
	pair_connect();
	traffic_start(100);
	mquic_endpoint_set_log(pair.client->endpoint, keep_steps, MQUIC_LOG_DEBUG, NULL);
	(void)traffic_open(100);
	wait_for_traffic(10);
	sim_run(pair.sim, SIM_SECOND);
	expect_steps(expected, sizeof(expected) / sizeof(expected[0]));
	traffic_stop();
}
END_TEST

START_TEST(stream_logs_who_gives_up)
{
	static const char *const expected[] = {
		"connection 1: stream 0: WAITING → OPEN",
		"connection 1: stream 0: SEND → STOPPED",
		"connection 1: stream 0: RECV → RESET_RECVD",
		"connection 1: stream 0: OPEN → CLOSED",
		"connection 1: stream 0: CLOSED → TOLD",
	};

	step_count = 0;
	pair_connect();
	traffic_start(100);
	traffic_server[0].endless = true;
	traffic_client[0].endless = true;
	mquic_endpoint_set_log(pair.client->endpoint, keep_steps, MQUIC_LOG_DEBUG, NULL);
	(void)traffic_open(100);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(mquic_stream_stop(traffic_server[0].stream, 1), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(mquic_stream_reset(traffic_server[0].stream, 1), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	expect_steps(expected, sizeof(expected) / sizeof(expected[0]));
	traffic_stop();
}
END_TEST

START_TEST(bytes_before_a_reset_can_still_be_read)
{
	const uint8_t text[] = "last words";
	uint8_t buffer[32];
	size_t len;

	pair_connect();
	traffic_start(0);
	traffic_server[0].paused = true;
	traffic_client[0].endless = true;
	(void)traffic_open(0);
	ck_assert_int_eq(mquic_stream_send(traffic_client[0].stream, text, sizeof(text), &len),
			 MQUIC_OK);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_int_eq(mquic_stream_reset(traffic_client[0].stream, 3), MQUIC_OK);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_int_eq(mquic_stream_recv(traffic_server[0].stream, buffer, sizeof(buffer), &len),
			 MQUIC_OK);
	ck_assert_uint_eq(len, sizeof(text));
	ck_assert_mem_eq(buffer, text, sizeof(text));
	ck_assert_int_eq(mquic_stream_recv(traffic_server[0].stream, buffer, sizeof(buffer), &len),
			 MQUIC_ERR_CLOSED);
	traffic_stop();
}
END_TEST

START_TEST(server_opens_streams_too)
{
	struct mquic_stream *stream;
	struct mquic_stream *taken;
	const uint8_t *data;
	size_t len;

	pair_connect();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.accepted[0]), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_id(stream), 1);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &len), MQUIC_OK);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_int_eq(mquic_connection_accept_stream(pair.dialed, &taken), MQUIC_OK);
	ck_assert_int_eq(mquic_connection_accept_stream(pair.dialed, &taken), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(mquic_stream_id(taken), 1);
	ck_assert_int_eq(mquic_stream_peek(taken, &data, &len), MQUIC_OK);
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(mquic_stream_consume(taken, 6), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_stream_consume(taken, 5), MQUIC_OK);
	mquic_stream_free(stream);
	mquic_stream_free(taken);
}
END_TEST

/* ---- What is said of a failure -------------------------------------------------------- */

static void expect_failure(enum mquic_status got, enum mquic_status wanted,
			   struct mquic_stream *stream, const char *words)
{
	ck_assert_int_eq(got, wanted);
	ck_assert_msg(strstr(mquic_stream_error(stream), words) != NULL, "\"%s\" lacks \"%s\"",
		      mquic_stream_error(stream), words);
}

START_TEST(stream_says_why_bytes_are_not_taken)
{
	struct mquic_stream *stream;
	const uint8_t byte = 'x';
	size_t len;

	pair_connect();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_str_eq(mquic_stream_error(stream), "");
	expect_failure(mquic_stream_send(stream, NULL, 1, &len), MQUIC_ERR_INVALID, stream,
		       "needs bytes");
	expect_failure(mquic_stream_reset(stream, UINT64_MAX), MQUIC_ERR_INVALID, stream, "2^62");
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	expect_failure(mquic_stream_send(stream, &byte, 1, &len), MQUIC_ERR_STATE, stream,
		       "finished");
	ck_assert_int_eq(mquic_stream_reset(stream, 1), MQUIC_OK);
	expect_failure(mquic_stream_send(stream, &byte, 1, &len), MQUIC_ERR_STATE, stream, "reset");
	expect_failure(mquic_stream_finish(stream), MQUIC_ERR_STATE, stream, "reset");
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	expect_failure(mquic_stream_finish(stream), MQUIC_ERR_CLOSED, stream, "connection");
	mquic_stream_free(stream);
}
END_TEST

START_TEST(stream_says_why_nothing_can_be_read)
{
	struct mquic_stream *stream;
	const uint8_t *data;
	uint8_t byte;
	size_t len;

	pair_connect();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	expect_failure(mquic_stream_recv(stream, &byte, 0, &len), MQUIC_ERR_INVALID, stream,
		       "a buffer with room");
	expect_failure(mquic_stream_peek(stream, NULL, &len), MQUIC_ERR_INVALID, stream, "place");
	expect_failure(mquic_stream_consume(stream, 1), MQUIC_ERR_INVALID, stream, "peek");
	expect_failure(mquic_stream_peek(stream, &data, &len), MQUIC_ERR_AGAIN, stream, "yet");
	ck_assert_int_eq(mquic_stream_stop(stream, 3), MQUIC_OK);
	expect_failure(mquic_stream_peek(stream, &data, &len), MQUIC_ERR_CLOSED, stream,
		       "by this side");
	mquic_stream_free(stream);
}
END_TEST

START_TEST(stream_says_what_the_peer_did)
{
	uint8_t byte;
	size_t len;

	pair_connect();
	traffic_start(0);
	(void)traffic_open(10 * MIB);
	sim_run(pair.sim, 50 * SIM_MS);
	ck_assert_int_eq(mquic_stream_reset(traffic_client[0].stream, 7), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	expect_failure(mquic_stream_recv(traffic_server[0].stream, &byte, 1, &len),
		       MQUIC_ERR_CLOSED, traffic_server[0].stream, "RESET_STREAM");
	traffic_stop();
}
END_TEST

/* ---- What freeing leaves ------------------------------------------------------------- */

START_TEST(stream_outlives_its_connection)
{
	struct mquic_stream *stream;
	size_t len;

	pair_connect();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &len), MQUIC_OK);
	mquic_connection_free(pair.dialed); /* with bytes that wait to be sent */
	pair.dialed = NULL;
	ck_assert_ptr_null(mquic_stream_connection(stream));
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"x", 1, &len),
			 MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_stream_reset(stream, 0), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_stream_stop(stream, 0), MQUIC_ERR_CLOSED);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(unread_bytes_outlive_connection_and_endpoint)
{
	struct mquic_stream *stream;
	struct mquic_stream *taken;
	uint8_t buffer[8];
	size_t len;

	pair_connect();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &len), MQUIC_OK);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_int_eq(mquic_connection_accept_stream(pair.accepted[0], &taken), MQUIC_OK);
	mquic_endpoint_free(pair.server->endpoint);
	pair.server->endpoint = NULL;
	ck_assert_int_eq(mquic_connection_close(pair.accepted[0], 1, NULL), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_stream_recv(taken, buffer, 2, &len), MQUIC_OK);
	mquic_connection_free(pair.accepted[0]);
	pair.accepted_count = 0;
	ck_assert_int_eq(mquic_stream_recv(taken, buffer + 2, 6, &len), MQUIC_OK);
	ck_assert_mem_eq(buffer, "hello", 5);
	ck_assert_int_eq(mquic_stream_recv(taken, buffer, 1, &len), MQUIC_ERR_CLOSED);
	mquic_stream_free(taken);
	mquic_stream_free(stream);
}
END_TEST

static void add_life(Suite *suite)
{
	TCase *group = tcase_create("life");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_add_test(group, streams_of_before_the_handshake_carry_their_bytes);
	tcase_add_test(group, stream_freed_after_finish_still_delivers);
	tcase_add_test(group, reset_reaches_the_reader_with_its_code);
	tcase_add_test(group, stop_reaches_the_writer_with_its_code);
	tcase_add_loop_test(group, stop_of_an_idle_stream_is_told_at_once, 0, 2);
	tcase_add_test(group, streams_that_are_stopped_together_have_each_its_code);
	tcase_add_test(group, stop_from_before_a_stream_was_accepted_is_told_then);
	tcase_add_test(group, stop_of_a_stream_without_credit_is_told_at_once);
	tcase_add_test(group, reset_of_before_the_handshake_keeps_its_code);
	tcase_add_test(group, stop_of_before_the_handshake_keeps_its_code);
	tcase_add_test(group, stream_logs_each_of_its_steps);
	tcase_add_test(group, stream_logs_who_gives_up);
	tcase_add_test(group, bytes_before_a_reset_can_still_be_read);
	tcase_add_test(group, server_opens_streams_too);
	tcase_add_test(group, stream_says_why_bytes_are_not_taken);
	tcase_add_test(group, stream_says_why_nothing_can_be_read);
	tcase_add_test(group, stream_says_what_the_peer_did);
	tcase_add_test(group, stream_outlives_its_connection);
	tcase_add_test(group, unread_bytes_outlive_connection_and_endpoint);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("sim-stream-life");

	add_life(suite);
	return kit_main(suite);
}
