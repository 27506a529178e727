/* SPDX-License-Identifier: MIT */
/* Bytes on streams: complete and in order over any line, held back where they must be. */
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

/* ---- Delivery ------------------------------------------------------------------ */

static const struct sim_link lines[] = {
	{.delay_ns = 0},
	{.delay_ns = 20 * SIM_MS, .jitter_ns = 20 * SIM_MS},
	{.delay_ns = 20 * SIM_MS, .loss = 20},
	{.delay_ns = 20 * SIM_MS, .jitter_ns = 30 * SIM_MS, .loss = 50, .duplicate = 100},
	{.delay_ns = 5 * SIM_MS, .rate = 1250000, .queue = 64 * KIB},
	{.delay_ns = 5 * SIM_MS, .rate = 1250000, .queue = 64 * KIB, .mark = 20},
	{.delay_ns = 5 * SIM_MS, .mtu = 1280, .bleach = true},
	{.delay_ns = 300 * SIM_MS, .jitter_ns = 5 * SIM_MS, .loss = 10},
};

START_TEST(bytes_arrive_in_order_over_any_line)
{
	uint64_t seed;
	size_t i;

	for (seed = 1; seed <= 4; seed++) {
		pair_reopen(seed);
		pair_set_link(&lines[_i]);
		pair_connect();
		traffic_start(sim_below(pair.sim, 300 * KIB));
		for (i = 0; i < 5; i++)
			(void)traffic_open(sim_below(pair.sim, 200 * KIB));
		wait_for_traffic(120);
		for (i = 0; i < 5; i++) {
			ck_assert_uint_eq(mquic_stream_bytes_sent(traffic_client[i].stream),
					  traffic_client[i].to_send);
			ck_assert_uint_eq(traffic_client[i].broken, MQUIC_OK);
		}
		sim_run(pair.sim, 10 * SIM_SECOND);
		for (i = 0; i < 5; i++) {
			ck_assert_uint_eq(traffic_client[i].closed, 1);
			ck_assert_uint_eq(traffic_client[i].close_code, 0);
			ck_assert_uint_eq(mquic_stream_bytes_pending(traffic_client[i].stream), 0);
		}
		traffic_stop();
	}
}
END_TEST

START_TEST(much_travels_both_ways_at_once)
{
	struct sim_link line = {.delay_ns = 10 * SIM_MS, .loss = 5};

	pair_connect();
	pair_set_link(&line);
	traffic_start(8 * MIB);
	(void)traffic_open(8 * MIB);
	wait_for_traffic(300);
	ck_assert_uint_gt(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_PACKETS_LOST), 0);
	traffic_stop();
}
END_TEST

START_TEST(bbr_and_reno_deliver_too)
{
	static const enum mquic_congestion_control algorithms[] = {MQUIC_CONGESTION_BBR,
								   MQUIC_CONGESTION_RENO};
	struct sim_link line = {.delay_ns = 30 * SIM_MS, .loss = 10};

	mquic_settings_set_congestion_control(pair.client_settings, algorithms[_i]);
	mquic_settings_set_congestion_control(pair.server_settings, algorithms[_i]);
	pair_connect();
	pair_set_link(&line);
	traffic_start(MIB);
	(void)traffic_open(MIB);
	wait_for_traffic(60);
	traffic_stop();
}
END_TEST

START_TEST(streams_take_turns)
{
	struct sim_link line = {.delay_ns = 10 * SIM_MS, .rate = 125000, .queue = 64 * KIB};
	uint64_t least = UINT64_MAX;
	uint64_t most = 0;
	size_t i;

	pair_connect();
	pair_set_link(&line);
	traffic_start(0);
	for (i = 0; i < 10; i++)
		(void)traffic_open(200 * KIB);
	sim_run(pair.sim, 5 * SIM_SECOND);
	for (i = 0; i < 10; i++) {
		if (traffic_server[i].received < least)
			least = traffic_server[i].received;
		if (traffic_server[i].received > most)
			most = traffic_server[i].received;
	}
	ck_assert_uint_gt(least, 30 * KIB);
	ck_assert_uint_lt(most - least, 16 * KIB);
	traffic_stop();
}
END_TEST

START_TEST(pacing_keeps_a_long_fat_line_busy)
{
	struct sim_link line = {.delay_ns = 10 * SIM_MS, .rate = 12500000, .queue = MIB};
	uint64_t start;

	mquic_settings_set_receive_window(pair.server_settings, 4 * MIB);
	mquic_settings_set_send_buffer(pair.client_settings, 4 * MIB);
	pair_connect();
	pair_set_link(&line);
	traffic_start(0);
	start = sim_now(pair.sim);
	(void)traffic_open(20 * MIB);
	wait_for_traffic(60);
	/* 12.5 MB/s would take 1.7 s. */
	ck_assert_uint_lt(sim_now(pair.sim) - start, 3200 * SIM_MS);
	traffic_stop();
}
END_TEST

START_TEST(bbr_gets_through_a_line_that_loses_a_third)
{
	struct sim_link line = {.delay_ns = 30 * SIM_MS, .loss = 386, .rate = 3750000};

	mquic_settings_set_congestion_control(pair.client_settings, MQUIC_CONGESTION_BBR);
	pair_set_link(&line);
	pair_connect();
	traffic_start(1000);
	(void)traffic_open(500000);
	/* CUBIC takes 45. */
	pair_wait(traffic_is_done, 20);
	traffic_stop();
}
END_TEST

START_TEST(congestion_marks_slow_the_sender_without_loss)
{
	struct sim_link line = {.delay_ns = 10 * SIM_MS, .mark = 50};

	pair_connect();
	pair_set_link(&line);
	traffic_start(0);
	(void)traffic_open(4 * MIB);
	wait_for_traffic(60);
	ck_assert_uint_gt(pair.client->up.marked, 0);
	ck_assert_uint_lt(
		mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_CONGESTION_WINDOW),
		500 * KIB);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_PACKETS_LOST), 0);
	traffic_stop();
}
END_TEST

/* ---- Back-pressure --------------------------------------------------------------- */

START_TEST(send_buffer_holds_no_more_than_its_cap)
{
	mquic_settings_set_send_buffer(pair.client_settings, 64 * KIB);
	pair_connect();
	traffic_start(0);
	(void)traffic_open(2 * MIB);
	ck_assert_uint_eq(mquic_stream_bytes_pending(traffic_client[0].stream), 64 * KIB);
	wait_for_traffic(60);
	ck_assert_uint_eq(traffic_client[0].most_pending, 64 * KIB);
	ck_assert_uint_gt(traffic_client[0].writable, 10);
	traffic_stop();
}
END_TEST

START_TEST(reader_that_pauses_holds_the_sender_back)
{
	mquic_settings_set_receive_window(pair.server_settings, 32 * KIB);
	pair_connect();
	traffic_start(0);
	traffic_server[0].paused = true;
	(void)traffic_open(500 * KIB);
	sim_run(pair.sim, 20 * SIM_SECOND);
	ck_assert_uint_eq(traffic_server[0].stream->input.len, 32 * KIB);
	ck_assert_uint_eq(pair.client_end.told, 0);
	traffic_server[0].paused = false;
	traffic_receive(&traffic_server[0]);
	wait_for_traffic(30);
	traffic_stop();
}
END_TEST

static uint64_t memory_of_server(void)
{
	return mquic_connection_statistic(pair.accepted[0], MQUIC_STATISTIC_MEMORY);
}

START_TEST(memory_counts_what_waits_at_both_ends)
{
	uint64_t client_before;
	uint64_t server_before;
	uint64_t dialed;

	mquic_settings_set_receive_window(pair.server_settings, 32 * KIB);
	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	client_before = mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_MEMORY);
	server_before = memory_of_server();
	ck_assert_uint_gt(server_before, 10 * KIB);
	ck_assert_uint_lt(server_before, 60 * KIB);
	traffic_start(0);
	traffic_server[0].paused = true;
	(void)traffic_open(500 * KIB);
	sim_run(pair.sim, 20 * SIM_SECOND);
	dialed = mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_MEMORY);
	ck_assert_uint_ge(dialed, client_before + 468 * KIB);
	ck_assert_uint_lt(dialed, client_before + 600 * KIB);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_STREAMS), 1);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_BYTES_QUEUED),
			  468 * KIB);
	ck_assert_uint_ge(memory_of_server(), server_before + 32 * KIB);
	ck_assert_uint_lt(memory_of_server(), server_before + 64 * KIB);
	traffic_server[0].paused = false;
	traffic_receive(&traffic_server[0]);
	wait_for_traffic(30);
	traffic_stop();
	sim_run(pair.sim, 5 * SIM_SECOND);
	ck_assert_uint_lt(memory_of_server(), server_before + 16 * KIB);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_STREAMS), 0);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_BYTES_QUEUED), 0);
}
END_TEST

START_TEST(memory_counts_what_came_out_of_order)
{
	static const uint8_t zeros[10 * KIB];
	struct mquic_stream *stream;
	uint64_t before;
	size_t sent;

	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	before = memory_of_server();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	pair.client->up.loss = 1000;
	ck_assert_int_eq(mquic_stream_send(stream, zeros, 1, &sent), MQUIC_OK);
	sim_run(pair.sim, SIM_MS);
	pair.client->up.loss = 0;
	ck_assert_int_eq(mquic_stream_send(stream, zeros, sizeof(zeros), &sent), MQUIC_OK);
	sim_run(pair.sim, 8 * SIM_MS);
	ck_assert_uint_ge(memory_of_server(), before + sizeof(zeros));
	mquic_stream_free(stream);
}
END_TEST

START_TEST(a_connection_holds_four_windows_however_many_streams)
{
	uint64_t held = 0;
	size_t i;

	mquic_settings_set_receive_window(pair.server_settings, 32 * KIB);
	pair_connect();
	traffic_start(0);
	for (i = 0; i < 12; i++) {
		traffic_server[i].paused = true;
		(void)traffic_open(100 * KIB);
	}
	sim_run(pair.sim, 20 * SIM_SECOND);
	for (i = 0; i < 12; i++)
		held += traffic_server[i].stream == NULL ? 0 : traffic_server[i].stream->input.len;
	ck_assert_uint_eq(held, 128 * KIB);
	for (i = 0; i < 12; i++) {
		traffic_server[i].paused = false;
		if (traffic_server[i].stream != NULL)
			traffic_receive(&traffic_server[i]);
	}
	wait_for_traffic(60);
	traffic_stop();
}
END_TEST

START_TEST(one_paused_stream_does_not_stop_the_others)
{
	pair_connect();
	traffic_start(0);
	traffic_server[0].paused = true;
	(void)traffic_open(2 * MIB);
	(void)traffic_open(500 * KIB);
	sim_run(pair.sim, 10 * SIM_SECOND);
	ck_assert_uint_eq(traffic_server[1].received, 500 * KIB);
	ck_assert(traffic_server[1].fin_seen);
	traffic_stop();
}
END_TEST

/* ---- Credit of what nobody reads --------------------------------------------------- */

/* Streams given up in different ways, one after the other, must not eat the connection's window. */
START_TEST(credit_comes_back_from_streams_given_up)
{
	size_t i;

	mquic_settings_set_receive_window(pair.server_settings, 16 * KIB);
	pair_connect();
	traffic_start(0);
	for (i = 0; i < 40; i++) {
		traffic_server[i].paused = true;
		(void)traffic_open(64 * KIB);
		sim_run(pair.sim, 100 * SIM_MS);
		switch (i % 4) {
		case 0: /* the reader frees it unread */
			mquic_stream_free(traffic_server[i].stream);
			traffic_server[i].stream = NULL;
			break;
		case 1: /* the reader stops it */
			ck_assert_int_eq(mquic_stream_stop(traffic_server[i].stream, 5), MQUIC_OK);
			break;
		case 2: /* the writer resets it */
			ck_assert_int_eq(mquic_stream_reset(traffic_client[i].stream, 6), MQUIC_OK);
			sim_run(pair.sim, 100 * SIM_MS);
			mquic_stream_free(traffic_server[i].stream);
			traffic_server[i].stream = NULL;
			break;
		default: /* the writer frees it unfinished, the reader later */
			mquic_stream_free(traffic_client[i].stream);
			traffic_client[i].stream = NULL;
			sim_run(pair.sim, 100 * SIM_MS);
			mquic_stream_free(traffic_server[i].stream);
			traffic_server[i].stream = NULL;
			break;
		}
		mquic_stream_free(traffic_client[i].stream);
		traffic_client[i].stream = NULL;
		mquic_stream_free(traffic_server[i].stream);
		traffic_server[i].stream = NULL;
		sim_run(pair.sim, 100 * SIM_MS);
	}
	ck_assert(list_is_empty(&pair.dialed->streams.all));
	ck_assert(list_is_empty(&pair.accepted[0]->streams.all));
	(void)traffic_open(500 * KIB);
	sim_run(pair.sim, 20 * SIM_SECOND);
	ck_assert_uint_eq(traffic_server[40].received, 500 * KIB);
	traffic_stop();
}
END_TEST

/* ---- Limits ------------------------------------------------------------------------ */

START_TEST(stream_beyond_the_limit_waits_until_one_ends)
{
	size_t i;

	mquic_settings_set_max_streams(pair.server_settings, 2);
	pair_connect();
	traffic_start(10);
	for (i = 0; i < 5; i++)
		(void)traffic_open(100);
	ck_assert_int_eq(mquic_stream_id(traffic_client[1].stream), 4);
	ck_assert_int_eq(mquic_stream_id(traffic_client[2].stream), -1);
	sim_run(pair.sim, SIM_SECOND);
	/* The server has read it all, but it still holds the streams. */
	ck_assert(traffic_client[1].fin_seen);
	ck_assert_int_eq(mquic_stream_id(traffic_client[2].stream), -1);
	for (i = 0; i < 2; i++) {
		mquic_stream_free(traffic_server[i].stream);
		traffic_server[i].stream = NULL;
	}
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(mquic_stream_id(traffic_client[2].stream), 8);
	ck_assert_int_eq(mquic_stream_id(traffic_client[3].stream), 12);
	ck_assert_int_eq(mquic_stream_id(traffic_client[4].stream), -1);
	ck_assert(traffic_client[3].fin_seen);
	traffic_stop();
}
END_TEST

static void add_delivery(Suite *suite)
{
	TCase *group = tcase_create("delivery");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 240);
	tcase_add_loop_test(group, bytes_arrive_in_order_over_any_line, 0,
			    sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(group, much_travels_both_ways_at_once);
	tcase_add_loop_test(group, bbr_and_reno_deliver_too, 0, 2);
	tcase_add_test(group, streams_take_turns);
	tcase_add_test(group, pacing_keeps_a_long_fat_line_busy);
	tcase_add_test(group, bbr_gets_through_a_line_that_loses_a_third);
	tcase_add_test(group, congestion_marks_slow_the_sender_without_loss);
	suite_add_tcase(suite, group);
}

static void add_pressure(Suite *suite)
{
	TCase *group = tcase_create("pressure");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 240);
	tcase_add_test(group, send_buffer_holds_no_more_than_its_cap);
	tcase_add_test(group, reader_that_pauses_holds_the_sender_back);
	tcase_add_test(group, memory_counts_what_waits_at_both_ends);
	tcase_add_test(group, memory_counts_what_came_out_of_order);
	tcase_add_test(group, a_connection_holds_four_windows_however_many_streams);
	tcase_add_test(group, one_paused_stream_does_not_stop_the_others);
	tcase_add_test(group, credit_comes_back_from_streams_given_up);
	tcase_add_test(group, stream_beyond_the_limit_waits_until_one_ends);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("sim-streams");

	add_delivery(suite);
	add_pressure(suite);
	return kit_main(suite);
}
