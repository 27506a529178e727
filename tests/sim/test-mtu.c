/* SPDX-License-Identifier: MIT */
/* Paths whose MTU is small from the start, or gets small under a live connection. */
#include <errno.h>
#include <stdio.h>

#include "quic/demux.h"
#include "quic/udp.h"
#include "traffic.h"

#define SMALL 1200

/* Packets of the hosts, as they leave. */
struct sizes {
	size_t client_largest;
	size_t server_largest;
	unsigned int large; /* of either, more than SMALL */
};

static struct sizes sizes;

static void measure(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	size_t *largest = from == pair.client ? &sizes.client_largest : &sizes.server_largest;

	(void)user;
	if (datagram->len > *largest)
		*largest = datagram->len;
	if (datagram->len > SMALL)
		sizes.large++;
}

static void measure_from_now(void)
{
	sizes = (struct sizes){0};
	sim_set_tap(pair.sim, measure, NULL);
}

/* Who sends a message now and then asks nothing of a path (RFC 9000 section 14.3 lets it). */
START_TEST(no_probe_goes_before_there_is_bulk)
{
	int i;

	pair_connect();
	measure_from_now();
	for (i = 0; i < 20; i++) {
		traffic_start(1000);
		(void)traffic_open(1000);
		pair_wait(traffic_is_done, 5);
		traffic_stop();
		sim_run(pair.sim, SIM_SECOND);
	}
	ck_assert_uint_eq(sizes.large, 0);
	ck_assert_uint_le(sizes.client_largest, SMALL);
	traffic_start(0);
	(void)traffic_open(20000);
	pair_wait(traffic_is_done, 5);
	traffic_stop();
	ck_assert_uint_gt(sizes.client_largest, SMALL);
	/* The server has had nothing to send. */
	ck_assert_uint_le(sizes.server_largest, SMALL);
}
END_TEST

static void set_mtu(size_t mtu, bool tells)
{
	pair.client->up.mtu = mtu;
	pair.client->down.mtu = mtu;
	pair.server->up.mtu = mtu;
	pair.client->up.tells = tells;
	pair.server->up.tells = tells;
}

/* Connected, and both sides know that large packets get through. */
static void connect_wide(enum mquic_congestion_control algorithm)
{
	mquic_settings_set_congestion_control(pair.client_settings, algorithm);
	mquic_settings_set_congestion_control(pair.server_settings, algorithm);
	mquic_settings_set_max_streams(pair.server_settings, TRAFFIC_ENDS);
	pair_connect();
	/* What is worth the probes, both ways. */
	traffic_start(10000);
	(void)traffic_open(10000);
	pair_wait(traffic_is_done, 20);
	traffic_stop();
	sim_run(pair.sim, 2 * SIM_SECOND);
	ck_assert_uint_gt(ngtcp2_conn_get_path_max_tx_udp_payload_size(pair.dialed->attempt->conn),
			  SMALL);
	ck_assert_uint_gt(
		ngtcp2_conn_get_path_max_tx_udp_payload_size(pair.accepted[0]->attempt->conn),
		SMALL);
}

/* Everything so far arrived, within the seconds. */
static void expect_done(unsigned int seconds)
{
	pair_wait(traffic_is_done, seconds);
	ck_assert_uint_eq(pair.client_end.told, 0);
	ck_assert_uint_eq(pair.server_end.told, 0);
}

static const uint64_t amounts[][2] = {
	{1300, 0}, {0, 1300}, {1000000, 0}, {0, 1000000}, {1000000, 1000000},
};

/* Lines of every kind; the path gets small in the middle of it. */
static void shrink_amid(uint64_t seed, enum mquic_congestion_control algorithm,
			const uint64_t amount[2])
{
	struct sim_link line = {.delay_ns = (1 + seed % 40) * SIM_MS,
				.loss = seed % 3 == 0 ? 10 : 0};

	pair_reopen(seed);
	pair_set_link(&line);
	connect_wide(algorithm);
	traffic_start(amount[1]);
	(void)traffic_open(amount[0]);
	sim_run(pair.sim, seed * SIM_MS / 2);
	set_mtu(SMALL + 10 * (seed % 7), false);
	(void)traffic_open(amount[0]);
	expect_done(40);
	traffic_stop();
}

START_TEST(transfers_survive_a_path_that_gets_small)
{
	uint64_t seed;
	size_t i;

	for (i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		for (seed = 1; seed <= 8; seed++)
			shrink_amid(seed, (enum mquic_congestion_control)_i, amounts[i]);
}
END_TEST

START_TEST(stall_is_short_on_a_short_path)
{
	connect_wide(MQUIC_CONGESTION_CUBIC);
	set_mtu(SMALL, false);
	traffic_start(100000);
	(void)traffic_open(100000);
	expect_done(2);
	traffic_stop();
}
END_TEST

START_TEST(small_ones_that_get_through_hide_nothing)
{
	int i;

	connect_wide(MQUIC_CONGESTION_CUBIC);
	set_mtu(SMALL, false);
	traffic_start(10);
	(void)traffic_open(20000);
	for (i = 0; i < 40; i++) {
		(void)traffic_open(50);
		sim_run(pair.sim, 30 * SIM_MS);
	}
	expect_done(1);
	traffic_stop();
}
END_TEST

START_TEST(refused_packet_is_small_the_next_time)
{
	uint64_t start;

	connect_wide(MQUIC_CONGESTION_CUBIC);
	set_mtu(SMALL, true);
	traffic_start(100000);
	start = sim_now(pair.sim);
	(void)traffic_open(100000);
	expect_done(1);
	/* No patience is needed where the system itself says so. */
	ck_assert_uint_lt(sim_now(pair.sim) - start, 300 * SIM_MS);
	traffic_stop();
}
END_TEST

START_TEST(refused_probe_makes_nothing_small)
{
	set_mtu(1410, true);
	pair_connect();
	sim_run(pair.sim, 2 * SIM_SECOND);
	measure_from_now();
	traffic_start(100000);
	(void)traffic_open(100000);
	expect_done(1);
	ck_assert_uint_eq(sizes.client_largest, 1406);
	ck_assert_uint_eq(sizes.server_largest, 1406);
	traffic_stop();
}
END_TEST

/* A router, or who poses as one, tells that the path takes no more than `mtu`. */
static void tell_client(size_t mtu)
{
	pair.client->up.known = mtu;
	demux_reader.failed(pair.client->quic, pair.dialed->attempt->wire, EMSGSIZE);
}

START_TEST(router_may_make_packets_small)
{
	connect_wide(MQUIC_CONGESTION_CUBIC);
	tell_client(1300);
	measure_from_now();
	traffic_start(0);
	(void)traffic_open(100000);
	expect_done(1);
	ck_assert_uint_eq(sizes.client_largest, SMALL);
	traffic_stop();
}
END_TEST

START_TEST(router_ends_nothing)
{
	pair_listen();
	pair_dial();
	tell_client(500);
	pair_wait(pair_is_connected, 1);
	sim_run(pair.sim, 2 * SIM_SECOND);
	tell_client(500);
	traffic_start(100000);
	(void)traffic_open(100000);
	expect_done(5);
	traffic_stop();
}
END_TEST

/* Both sides have found the path small. */
static void make_small_for_a_while(void)
{
	mquic_settings_set_keep_alive_ms(pair.client_settings, 10000);
	connect_wide(MQUIC_CONGESTION_CUBIC);
	set_mtu(SMALL, false);
	traffic_start(100000);
	(void)traffic_open(100000);
	expect_done(5);
}

START_TEST(large_packets_are_tried_again)
{
	make_small_for_a_while();
	set_mtu(0, false);
	measure_from_now();
	(void)traffic_open(100000);
	expect_done(5);
	ck_assert_uint_eq(sizes.large, 0);
	sim_run(pair.sim, 40 * SIM_SECOND);
	(void)traffic_open(1000);
	expect_done(5);
	(void)traffic_open(100000);
	expect_done(5);
	ck_assert_uint_gt(sizes.large, 50);
	traffic_stop();
}
END_TEST

START_TEST(large_packets_are_tried_ever_less_often)
{
	int i;

	make_small_for_a_while();
	measure_from_now();
	/* An hour with something to send each minute, both ways. */
	for (i = 0; i < 60; i++) {
		uint64_t start;

		sim_run(pair.sim, 60 * SIM_SECOND);
		start = sim_now(pair.sim);
		(void)traffic_open(20000);
		expect_done(1);
		/* A lost one costs little more than the loss of any other. */
		ck_assert_uint_lt(sim_now(pair.sim) - start, 200 * SIM_MS);
	}
	/* In the minutes 1, 2, 4, 8, 16, 26, 36, 46 and 56. */
	ck_assert_uint_eq(sizes.large, 2 * 9);
	traffic_stop();
}
END_TEST

START_TEST(another_path_is_measured_anew)
{
	make_small_for_a_while();
	sim_move(pair.client, 7, true);
	set_mtu(0, false);
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	sim_run(pair.sim, 2 * SIM_SECOND);
	measure_from_now();
	(void)traffic_open(100000);
	expect_done(5);
	ck_assert_uint_gt(sizes.client_largest, SMALL);
	ck_assert_uint_gt(sizes.server_largest, SMALL);
	traffic_stop();
}
END_TEST

START_TEST(outage_leaves_small_packets_at_most)
{
	connect_wide(MQUIC_CONGESTION_CUBIC);
	traffic_start(500000);
	(void)traffic_open(500000);
	sim_run(pair.sim, 20 * SIM_MS);
	set_mtu(1, false);
	sim_run(pair.sim, 3 * SIM_SECOND);
	set_mtu(0, false);
	expect_done(15);
	traffic_stop();
}
END_TEST

START_TEST(path_too_narrow_for_quic_is_told_at_once)
{
	set_mtu(1100, true);
	pair_listen();
	pair_dial();
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, EMSGSIZE,
			"carries only 1100 bytes in a datagram, and QUIC needs 1200: the MTU");
}
END_TEST

static char last_line[300];

static void keep_line(void *userdata, enum mquic_log_level level, const char *text)
{
	(void)level;
	(void)userdata;
	(void)snprintf(last_line, sizeof(last_line), "%s", text);
}

START_TEST(way_back_too_narrow_for_quic_is_told_to_the_server)
{
	pair.server->up.mtu = 1100;
	pair.server->up.tells = true;
	mquic_settings_set_handshake_timeout_ms(pair.server_settings, 2000);
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 3000);
	pair_listen();
	mquic_endpoint_set_log(pair.server->endpoint, keep_line, MQUIC_LOG_INFO, NULL);
	pair_dial();
	pair_wait(pair_client_is_over, 5);
	kit_says(pair.client_end.text, "no answer");
	kit_says(last_line, "handshake failed: the path to UDP 10.0.0.1:40000 does not carry the "
			    "datagrams of 1200 bytes");
}
END_TEST

START_TEST(router_explains_a_handshake_that_nobody_answers)
{
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 3000);
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	tell_client(1100);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
	pair_wait(pair_client_is_over, 5);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_SYSTEM, EMSGSIZE,
			"carries only 1100 bytes");
}
END_TEST

START_TEST(connection_whose_path_gets_too_narrow_says_so)
{
	mquic_settings_set_idle_timeout_ms(pair.client_settings, 5000);
	mquic_settings_set_keep_alive_ms(pair.client_settings, 1000);
	connect_wide(MQUIC_CONGESTION_CUBIC);
	set_mtu(20, true);
	pair_wait(pair_client_is_over, 10);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_SYSTEM, EMSGSIZE,
			"carries only 20 bytes");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-mtu");
	TCase *group = tcase_create("mtu");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_add_loop_test(group, transfers_survive_a_path_that_gets_small, MQUIC_CONGESTION_CUBIC,
			    MQUIC_CONGESTION_BBR + 1);
	tcase_add_test(group, no_probe_goes_before_there_is_bulk);
	tcase_add_test(group, stall_is_short_on_a_short_path);
	tcase_add_test(group, small_ones_that_get_through_hide_nothing);
	tcase_add_test(group, refused_packet_is_small_the_next_time);
	tcase_add_test(group, refused_probe_makes_nothing_small);
	tcase_add_test(group, router_may_make_packets_small);
	tcase_add_test(group, router_ends_nothing);
	tcase_add_test(group, large_packets_are_tried_again);
	tcase_add_test(group, large_packets_are_tried_ever_less_often);
	tcase_add_test(group, another_path_is_measured_anew);
	tcase_add_test(group, outage_leaves_small_packets_at_most);
	tcase_add_test(group, path_too_narrow_for_quic_is_told_at_once);
	tcase_add_test(group, way_back_too_narrow_for_quic_is_told_to_the_server);
	tcase_add_test(group, router_explains_a_handshake_that_nobody_answers);
	tcase_add_test(group, connection_whose_path_gets_too_narrow_says_so);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
