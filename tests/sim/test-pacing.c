/* SPDX-License-Identifier: MIT */
/* When packets leave: what fits goes at once, and what does not is spread. */
#include <string.h>

#include "traffic.h"

/* What one host sent, by the instants at which it did. */
struct departures {
	const struct sim_host *of;
	uint64_t last_ns;
	uint64_t bytes;
	/* The most in less than half a round trip. */
	uint64_t window_ns;
	uint64_t window_start_ns;
	uint64_t window_bytes;
	uint64_t most;
};

static struct departures departures;

static void note(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	uint64_t now_ns = sim_now(pair.sim);

	(void)user;
	if (from != departures.of)
		return;
	departures.last_ns = now_ns;
	departures.bytes += datagram->len;
	if (now_ns - departures.window_start_ns >= departures.window_ns) {
		departures.window_start_ns = now_ns;
		departures.window_bytes = 0;
	}
	departures.window_bytes += datagram->len;
	if (departures.window_bytes > departures.most)
		departures.most = departures.window_bytes;
}

static void watch(const struct sim_host *of, uint64_t window_ns)
{
	departures = (struct departures){.of = of, .window_ns = window_ns};
	sim_set_tap(pair.sim, note, NULL);
}

static void connect_far(uint64_t round_trip_ns, enum mquic_congestion_control algorithm)
{
	const struct sim_link line = {.delay_ns = round_trip_ns / 2};

	mquic_settings_set_congestion_control(pair.client_settings, algorithm);
	mquic_settings_set_congestion_control(pair.server_settings, algorithm);
	mquic_settings_set_keep_alive_ms(pair.client_settings, 10000);
	pair_set_link(&line);
	pair_connect();
}

static void send_some(struct mquic_stream *stream, size_t len)
{
	static const uint8_t bytes[65536];
	size_t sent;

	ck_assert_int_eq(mquic_stream_send(stream, bytes, len, &sent), MQUIC_OK);
	ck_assert_uint_eq(sent, len);
	sim_settle(pair.sim);
}

/* Messages one after the other, a millisecond apart, each of which leaves when it was given. */
static void expect_at_once(struct mquic_stream *stream, size_t len, unsigned int count)
{
	for (; count > 0; count--) {
		departures.last_ns = 0;
		send_some(stream, len);
		ck_assert_msg(departures.last_ns > 0, "%u before the end", count);
		sim_run(pair.sim, SIM_MS);
	}
}

static const uint64_t round_trips[] = {4, 15, 30, 60, 120, 300};

static void expect_first_messages_at_once(uint64_t round_trip_ns,
					  enum mquic_congestion_control algorithm)
{
	struct mquic_stream *up;
	struct mquic_stream *down;

	connect_far(round_trip_ns, algorithm);
	ck_assert_int_eq(mquic_stream_open(&up, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_open(&down, pair.accepted[0]), MQUIC_OK);
	watch(pair.server, SIM_SECOND);
	expect_at_once(down, 100, 4);
	watch(pair.client, SIM_SECOND);
	expect_at_once(up, 100, 4);
	sim_run(pair.sim, round_trip_ns);
	expect_at_once(up, 400, 4);
	mquic_stream_free(up);
	mquic_stream_free(down);
}

START_TEST(first_messages_after_the_handshake_leave_at_once)
{
	expect_first_messages_at_once(round_trips[_i] * SIM_MS, MQUIC_CONGESTION_CUBIC);
	pair_reopen(2);
	expect_first_messages_at_once(round_trips[_i] * SIM_MS, MQUIC_CONGESTION_RENO);
	pair_reopen(3);
	expect_first_messages_at_once(round_trips[_i] * SIM_MS, MQUIC_CONGESTION_BBR);
}
END_TEST

/* As of a program that has given its first bytes before there was a connection. */
START_TEST(messages_behind_one_that_waited_leave_at_once)
{
	const struct sim_link line = {.delay_ns = round_trips[_i] * SIM_MS / 2};
	struct mquic_stream *stream;

	pair_set_link(&line);
	pair_listen();
	pair_dial();
	sim_settle(pair.sim);
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	send_some(stream, 30);
	pair_wait(pair_is_connected, 5);
	watch(pair.client, SIM_SECOND);
	expect_at_once(stream, 100, 4);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(flight_after_silence_leaves_at_once)
{
	struct mquic_stream *stream;
	unsigned int i;

	connect_far(round_trips[_i] * SIM_MS, MQUIC_CONGESTION_CUBIC);
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	watch(pair.client, SIM_SECOND);
	for (i = 0; i < 5; i++) {
		sim_run(pair.sim, 2 * SIM_SECOND);
		expect_at_once(stream, 1000, 8);
	}
	mquic_stream_free(stream);
}
END_TEST

START_TEST(silence_saves_up_no_more_than_one_flight)
{
	uint64_t round_trip_ns = 100 * SIM_MS;
	uint64_t window;
	unsigned int i;

	mquic_settings_set_receive_window(pair.server_settings, 16 << 20);
	mquic_settings_set_send_buffer(pair.client_settings, 16 << 20);
	connect_far(round_trip_ns, MQUIC_CONGESTION_CUBIC);
	traffic_start(0);
	/* The window of congestion grows. */
	(void)traffic_open(2000000);
	pair_wait(traffic_is_done, 60);
	for (i = 0; i < 10; i++) {
		(void)traffic_open(1000);
		sim_run(pair.sim, 5 * SIM_SECOND);
	}
	window = mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_CONGESTION_WINDOW);
	ck_assert_uint_gt(window, 300000);
	watch(pair.client, round_trip_ns / 2);
	(void)traffic_open(3000000);
	sim_run(pair.sim, round_trip_ns);
	/* Five quarters of the window in a round trip, a flight of ten packets, and one turn's. */
	ck_assert_uint_le(departures.most, window * 5 / 8 + 10 * 1500 + 65536);
	ck_assert_uint_ge(departures.most, window / 2);
	pair_wait(traffic_is_done, 60);
	traffic_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-pacing");
	TCase *group = tcase_create("pacing");
	int count = (int)(sizeof(round_trips) / sizeof(round_trips[0]));

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_add_loop_test(group, first_messages_after_the_handshake_leave_at_once, 0, count);
	tcase_add_loop_test(group, messages_behind_one_that_waited_leave_at_once, 0, count);
	tcase_add_loop_test(group, flight_after_silence_leaves_at_once, 0, count);
	tcase_add_test(group, silence_saves_up_no_more_than_one_flight);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
