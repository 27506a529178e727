/* SPDX-License-Identifier: MIT */
/* Clients whose address changes, or seems to. */
#include <string.h>

#include "traffic.h"

START_TEST(client_behind_a_new_binding_goes_on)
{
	enum mquic_congestion_control algorithm = (enum mquic_congestion_control)_i;
	uint64_t seed;

	for (seed = 121; seed <= 180; seed++) {
		struct sim_link line = {.delay_ns = 5 * SIM_MS,
					.loss = 20 * (1 + (unsigned int)seed % 5)};
		int i;

		pair_reopen(seed);
		/* A client that only receives says nothing from its new binding by itself. */
		ck_assert_int_eq(mquic_settings_set_keep_alive_ms(pair.client_settings, 1000),
				 MQUIC_OK);
		mquic_settings_set_congestion_control(pair.client_settings, algorithm);
		mquic_settings_set_congestion_control(pair.server_settings, algorithm);
		pair_connect();
		pair_set_link(&line);
		traffic_start(300000);
		(void)traffic_open(300000);
		for (i = 0; i < 3; i++) {
			sim_run(pair.sim, 50 * SIM_MS);
			sim_rebind(pair.client);
		}
		pair_wait(traffic_is_done, 30);
		traffic_stop();
		sim_run(pair.sim, 5 * SIM_SECOND);
		ck_assert_str_eq(mquic_connection_peer_address(pair.accepted[0]),
				 "192.0.2.1:40003");
		ck_assert_uint_eq(pair.client_end.told, 0);
		ck_assert_uint_eq(pair.server_end.told, 0);
	}
}
END_TEST

static bool has_all_arrived(void *unused)
{
	(void)unused;
	return traffic_server[0].received == traffic_client[0].sent &&
	       traffic_client[0].received == traffic_server[0].sent;
}

/* Little at a time, so that a packet without data may well be the last that is on its way. */
static void send_little(struct traffic_end *end)
{
	if (end->stream == NULL)
		return;
	end->to_send += 64;
	traffic_send(end);
}

/*
 * ngtcp2 sets no timer for PATH_RESPONSE: where two of them fill the congestion window and are lost,
 * it waits for an acknowledgement that nobody owes it.
 */
START_TEST(trickle_survives_new_bindings)
{
	uint64_t seed;
	int i;

	for (seed = 1; seed <= 60; seed++) {
		struct sim_link line = {.delay_ns = 2 * SIM_MS,
					.loss = 20 * (1 + (unsigned int)seed % 5)};

		pair_reopen(seed);
		mquic_settings_set_keep_alive_ms(pair.client_settings, 1000);
		pair_connect();
		pair_set_link(&line);
		traffic_start(0);
		traffic_client[0].endless = true;
		traffic_server[0].endless = true;
		(void)traffic_open(64);
		for (i = 0; i < 1000; i++) {
			sim_run(pair.sim, 5 * SIM_MS);
			send_little(&traffic_client[0]);
			send_little(&traffic_server[0]);
			if (i % 100 == 50)
				sim_rebind(pair.client);
		}
		ck_assert_msg(sim_until(pair.sim, has_all_arrived, NULL, 10 * SIM_SECOND),
			      "seed %llu: it stands still", (unsigned long long)seed);
		traffic_stop();
	}
}
END_TEST

START_TEST(new_binding_costs_one_round_trip)
{
	uint64_t start;

	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	sim_rebind(pair.client);
	traffic_start(100);
	start = sim_now(pair.sim);
	(void)traffic_open(100);
	pair_wait(traffic_is_done, 5);
	ck_assert_uint_le(sim_now(pair.sim) - start, 11 * SIM_MS);
	traffic_stop();
}
END_TEST

/* What the stranger on the path does: a packet of the client comes from elsewhere, and first. */
struct thief {
	struct address to;
	bool done;
};

static void steal(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	const struct address stranger = sim_address(66, 6666);
	struct thief *thief = user;

	if (thief->done || from != pair.client)
		return;
	thief->done = true;
	sim_inject(pair.sim, &stranger, &thief->to, datagram->data, datagram->len);
}

START_TEST(stranger_who_is_faster_than_the_client_stops_nothing)
{
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++) {
		struct thief thief = {.to = sim_address(2, PAIR_PORT)};
		struct sim_link line = {.delay_ns = 5 * SIM_MS, .loss = 20 * (seed % 5)};

		pair_reopen(seed);
		ck_assert_int_eq(mquic_settings_set_keep_alive_ms(pair.client_settings, 1000),
				 MQUIC_OK);
		pair_connect();
		pair_set_link(&line);
		traffic_start(1000000);
		(void)traffic_open(1000);
		sim_run(pair.sim, (20 + seed) * SIM_MS);
		sim_set_tap(pair.sim, steal, &thief);
		sim_run(pair.sim, SIM_SECOND);
		ck_assert(thief.done);
		pair_wait(traffic_is_done, 10);
		ck_assert_str_eq(mquic_connection_peer_address(pair.accepted[0]), "10.0.0.1:40000");
		traffic_stop();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-rebinding");
	TCase *group = tcase_create("rebinding");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_add_loop_test(group, client_behind_a_new_binding_goes_on, MQUIC_CONGESTION_CUBIC,
			    MQUIC_CONGESTION_BBR + 1);
	tcase_add_test(group, trickle_survives_new_bindings);
	tcase_add_test(group, new_binding_costs_one_round_trip);
	tcase_add_test(group, stranger_who_is_faster_than_the_client_stops_nothing);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
