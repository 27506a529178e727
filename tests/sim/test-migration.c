/* SPDX-License-Identifier: MIT */
/* Clients that change their address, on purpose and without (RFC 9000 section 9). */
#include <errno.h>
#include <string.h>

#include "traffic.h"
#include "quic/conductor.h"

static size_t wires_of(const struct sim_host *host)
{
	const struct list *node;
	size_t count = 0;

	for (node = host->wires.next; node != &host->wires; node = node->next)
		count++;
	return count;
}

/* The handshake is confirmed, and the server has given identifiers to move with. */
static void connect_and_settle(void)
{
	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	traffic_start(100);
}

static void clean_up(void)
{
	traffic_stop();
	pair_close();
}

static void the_system_tells(void)
{
	conductor_follow_moves(pair.client->quic);
}

static void expect_client_at(const char *address)
{
	sim_run(pair.sim, 50 * SIM_MS);
	ck_assert_str_eq(mquic_connection_local_address(pair.dialed), address);
	ck_assert_str_eq(mquic_connection_peer_address(pair.accepted[0]), address);
	ck_assert_uint_eq(wires_of(pair.client), 1);
	ck_assert_uint_eq(pair.client_end.told, 0);
	ck_assert_uint_eq(pair.server_end.told, 0);
}

/* One byte each way, and how long that took. */
static uint64_t exchange(void)
{
	uint64_t start = sim_now(pair.sim);

	(void)traffic_open(100);
	pair_wait(traffic_is_done, 10);
	return sim_now(pair.sim) - start;
}

START_TEST(client_told_of_its_new_address_moves_in_one_round_trip)
{
	connect_and_settle();
	sim_move(pair.client, 7, false);
	the_system_tells();
	sim_run(pair.sim, 11 * SIM_MS);
	ck_assert_str_eq(mquic_connection_local_address(pair.dialed), "10.0.0.7:40001");
	ck_assert_uint_le(exchange(), 21 * SIM_MS);
	expect_client_at("10.0.0.7:40001");
}
END_TEST

START_TEST(client_that_cannot_send_moves_at_once)
{
	connect_and_settle();
	sim_move(pair.client, 7, false);
	/* What met the closed way is sent again after a probe timeout. */
	ck_assert_uint_le(exchange(), 100 * SIM_MS);
	expect_client_at("10.0.0.7:40001");
}
END_TEST

START_TEST(client_waits_for_a_way_out)
{
	connect_and_settle();
	sim_move(pair.client, 7, false);
	pair.client->open_error = ENETUNREACH;
	the_system_tells();
	sim_run(pair.sim, 3 * SIM_SECOND);
	pair.client->open_error = 0;
	the_system_tells();
	ck_assert_uint_le(exchange(), 100 * SIM_MS);
	expect_client_at("10.0.0.7:40001");
}
END_TEST

START_TEST(better_way_is_taken_when_it_has_answered)
{
	connect_and_settle();
	sim_move(pair.client, 7, true);
	the_system_tells();
	ck_assert_uint_eq(wires_of(pair.client), 2);
	ck_assert_str_eq(mquic_connection_local_address(pair.dialed), "10.0.0.1:40000");
	ck_assert_uint_le(exchange(), 31 * SIM_MS);
	expect_client_at("10.0.0.7:40001");
}
END_TEST

static void lose_what_comes_from_7(void *user, const struct sim_host *from,
				   const struct datagram *datagram)
{
	const struct address seven = sim_address(7, 40001);

	(void)user;
	pair.client->up.loss =
		from == pair.client && address_same_host(&datagram->local, &seven) ? 1000 : 0;
}

START_TEST(way_that_leads_nowhere_is_given_up)
{
	connect_and_settle();
	sim_set_tap(pair.sim, lose_what_comes_from_7, NULL);
	sim_move(pair.client, 7, true);
	the_system_tells();
	ck_assert_uint_le(exchange(), 31 * SIM_MS);
	sim_run(pair.sim, 5 * SIM_SECOND);
	expect_client_at("10.0.0.1:40000");
	ck_assert_uint_le(exchange(), 11 * SIM_MS);
}
END_TEST

START_TEST(nothing_happens_where_the_address_is_the_same)
{
	connect_and_settle();
	the_system_tells();
	sim_run(pair.sim, SIM_SECOND);
	expect_client_at("10.0.0.1:40000");
	ck_assert_uint_le(exchange(), 11 * SIM_MS);
}
END_TEST

START_TEST(application_moves_it)
{
	connect_and_settle();
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	sim_run(pair.sim, 20 * SIM_MS);
	ck_assert_uint_le(exchange(), 21 * SIM_MS);
	expect_client_at("10.0.0.1:40001");
}
END_TEST

static unsigned int looks;

/* A millisecond goes by from each look to the next. */
static uint64_t passing_clock(const struct sim *sim)
{
	return sim_now(sim) + ++looks * SIM_MS;
}

/* Between two turns, with bytes on their way that the pacer has not been told of. */
START_TEST(application_moves_it_while_time_goes_by)
{
	connect_and_settle();
	(void)traffic_open(100);
	sim_settle(pair.sim);
	ck_assert_uint_gt(pair.dialed->attempt->pace.untold, 0);
	pair.client->clock = passing_clock;
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	pair.client->clock = NULL;
	ck_assert_uint_gt(looks, 0);
	pair_wait(traffic_is_done, 10);
	expect_client_at("10.0.0.1:40001");
}
END_TEST

START_TEST(second_thought_replaces_the_first)
{
	connect_and_settle();
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	ck_assert_uint_eq(wires_of(pair.client), 2);
	ck_assert_uint_le(exchange(), 31 * SIM_MS);
	expect_client_at("10.0.0.1:40002");
}
END_TEST

START_TEST(moves_that_are_not_possible_are_refused)
{
	ck_assert_int_eq(mquic_connection_migrate(NULL), MQUIC_ERR_INVALID);
	pair_listen();
	pair_dial();
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_ERR_STATE);
	kit_says(mquic_connection_error(pair.dialed), "handshake is complete");
	pair_wait(pair_is_connected, 10);
	ck_assert_int_eq(mquic_connection_migrate(pair.accepted[0]), MQUIC_ERR_STATE);
	sim_run(pair.sim, SIM_SECOND);
	pair.client->open_error = EMFILE;
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_ERR_SYSTEM);
	kit_says(mquic_connection_error(pair.dialed), strerror(EMFILE));
	pair.client->open_error = 0;
	expect_client_at("10.0.0.1:40000");
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_OK);
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_ERR_CLOSED);
}
END_TEST

START_TEST(moves_in_quick_succession_use_identifiers_up)
{
	enum mquic_status status = MQUIC_OK;
	int i;

	connect_and_settle();
	for (i = 0; i < 10 && status == MQUIC_OK; i++)
		status = mquic_connection_migrate(pair.dialed);
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_le(exchange(), 11 * SIM_MS);
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	ck_assert_uint_le(exchange(), 31 * SIM_MS);
}
END_TEST

/* The server takes fifteen identifiers of a client beside the first (quic/guard.c). */
START_TEST(a_dozen_moves_are_possible_and_then_a_new_connection_is)
{
	unsigned int moves = 0;

	connect_and_settle();
	while (moves < 30 && pair.client_end.told == 0) {
		sim_move(pair.client, 10 + moves, false);
		the_system_tells();
		sim_run(pair.sim, 2 * SIM_SECOND);
		moves++;
	}
	ck_assert_uint_ge(moves, 12);
	pair_expect_end(&pair.client_end, MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT, 9,
			"connection id limit error");
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.ready, 2);
}
END_TEST

START_TEST(wanderer_on_lossy_lines_loses_nothing)
{
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++) {
		struct sim_link line = {.delay_ns = 5 * SIM_MS,
					.loss = 20 * (1 + (unsigned int)seed % 5)};
		unsigned int i;

		pair_reopen(seed);
		/* A client that is not told, and only receives, would never try to send. */
		ck_assert_int_eq(mquic_settings_set_keep_alive_ms(pair.client_settings, 1000),
				 MQUIC_OK);
		connect_and_settle();
		pair_set_link(&line);
		traffic_start(300000);
		(void)traffic_open(300000);
		for (i = 0; i < 3; i++) {
			sim_run(pair.sim, 50 * SIM_MS);
			sim_move(pair.client, 10 + i, seed % 2 == 0);
			if (seed % 3 != 0)
				the_system_tells();
		}
		pair_wait(traffic_is_done, 60);
		ck_assert_uint_eq(pair.client_end.told, 0);
		ck_assert_uint_eq(pair.server_end.told, 0);
		traffic_stop();
	}
}
END_TEST

START_TEST(client_that_may_not_move_ends_at_once)
{
	pair_listen();
	pair_dial();
	pair_wait(pair_is_connected, 10);
	/* Complete, but not confirmed yet (RFC 9000 section 9). */
	sim_move(pair.client, 7, false);
	traffic_start(100);
	(void)traffic_open(100);
	pair_wait(pair_client_is_over, 1);
	pair_expect_end(&pair.client_end, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, EADDRNOTAVAIL,
			"10.0.0.1:40000 is gone");
}
END_TEST

START_TEST(end_in_the_middle_of_a_move_leaves_nothing)
{
	connect_and_settle();
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, SIM_SECOND);
	pair_expect_empty(pair.client);
	ck_assert_uint_eq(wires_of(pair.client), 0);
}
END_TEST

START_TEST(endpoint_may_go_in_the_middle_of_a_move)
{
	connect_and_settle();
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	mquic_endpoint_free(pair.client->endpoint);
	pair.client->endpoint = NULL;
	ck_assert_uint_eq(wires_of(pair.client), 0);
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_ERR_CLOSED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-migration");
	TCase *group = tcase_create("migration");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, clean_up);
	tcase_set_timeout(group, 120);
	tcase_add_test(group, client_told_of_its_new_address_moves_in_one_round_trip);
	tcase_add_test(group, client_that_cannot_send_moves_at_once);
	tcase_add_test(group, client_waits_for_a_way_out);
	tcase_add_test(group, better_way_is_taken_when_it_has_answered);
	tcase_add_test(group, way_that_leads_nowhere_is_given_up);
	tcase_add_test(group, nothing_happens_where_the_address_is_the_same);
	tcase_add_test(group, application_moves_it);
	tcase_add_test(group, application_moves_it_while_time_goes_by);
	tcase_add_test(group, second_thought_replaces_the_first);
	tcase_add_test(group, moves_that_are_not_possible_are_refused);
	tcase_add_test(group, moves_in_quick_succession_use_identifiers_up);
	tcase_add_test(group, a_dozen_moves_are_possible_and_then_a_new_connection_is);
	tcase_add_test(group, wanderer_on_lossy_lines_loses_nothing);
	tcase_add_test(group, client_that_may_not_move_ends_at_once);
	tcase_add_test(group, end_in_the_middle_of_a_move_leaves_nothing);
	tcase_add_test(group, endpoint_may_go_in_the_middle_of_a_move);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
