/* SPDX-License-Identifier: MIT */
/* Handshakes whose flights go twice, in case the first is lost. */
#include "pair.h"

#define ONE_WAY_NS (30 * SIM_MS)
#define DELAY_NS   (20 * SIM_MS)

/* What a host gets, and which of it never arrives. */
struct arrivals {
	unsigned int number; /* so far */
	unsigned int doomed; /* the one that is lost, from 1; 0: none */
	bool deaf;           /* all that follow the first are lost, too */
	uint64_t bytes;      /* handed to the host's line, lost ones included */
};

static struct arrivals at_client;
static struct arrivals at_server;

static bool swallow(struct arrivals *arrivals)
{
	arrivals->number++;
	return arrivals->number == arrivals->doomed || (arrivals->deaf && arrivals->number > 1);
}

static bool before_client(struct sim_host *host, const struct datagram *datagram)
{
	(void)host;
	(void)datagram;
	return swallow(&at_client);
}

static bool before_server(struct sim_host *host, const struct datagram *datagram)
{
	(void)host;
	(void)datagram;
	return swallow(&at_server);
}

static void note(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct arrivals *arrivals = from == pair.client ? &at_server : &at_client;

	(void)user;
	arrivals->bytes += datagram->len;
}

static void reset(uint64_t seed, uint64_t one_way_ns)
{
	const struct sim_link line = {.delay_ns = one_way_ns};

	pair_reopen(seed);
	pair_set_link(&line);
	at_client = at_server = (struct arrivals){0};
	pair.client->intercept = before_client;
	pair.server->intercept = before_server;
	sim_set_tap(pair.sim, note, NULL);
}

static uint64_t copies_of(const struct sim_host *host)
{
	return mquic_endpoint_statistic(host->endpoint, MQUIC_TOTAL_COPIES_SENT);
}

/* How long it took both ends to know of each other. */
static uint64_t connect_in(void)
{
	uint64_t start_ns = sim_now(pair.sim);

	pair_connect();
	return sim_now(pair.sim) - start_ns;
}

START_TEST(a_lost_datagram_costs_the_pause_and_no_timeout)
{
	unsigned int which;
	uint64_t whole_ns;

	reset(1, ONE_WAY_NS);
	whole_ns = connect_in();
	for (which = 1; which <= 4; which++) {
		reset(which, ONE_WAY_NS);
		at_server.doomed = which;
		ck_assert_uint_le(connect_in(), whole_ns + DELAY_NS + SIM_MS);
		reset(which, ONE_WAY_NS);
		at_client.doomed = which;
		ck_assert_uint_le(connect_in(), whole_ns + DELAY_NS + SIM_MS);
	}
}
END_TEST

/* One probe timeout is 100 ms, three times the initial round trip, or more. */
START_TEST(without_it_a_loss_costs_more)
{
	reset(1, ONE_WAY_NS);
	mquic_settings_set_redundancy(pair.client_settings, MQUIC_REDUNDANCY_OFF);
	mquic_settings_set_redundancy(pair.server_settings, MQUIC_REDUNDANCY_OFF);
	at_server.doomed = 1;
	ck_assert_uint_gt(connect_in(), 4 * ONE_WAY_NS + 150 * SIM_MS);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(copies_of(pair.client), 0);
	ck_assert_uint_eq(copies_of(pair.server), 0);
}
END_TEST

START_TEST(nothing_goes_twice_where_answers_are_quick)
{
	reset(1, 5 * SIM_MS);
	(void)connect_in();
	sim_run(pair.sim, 5 * SIM_SECOND);
	ck_assert_uint_eq(copies_of(pair.client), 0);
	ck_assert_uint_eq(copies_of(pair.server), 0);
}
END_TEST

/* Two flights of each side, and nothing later. */
START_TEST(copies_are_few_and_end_with_the_handshake)
{
	uint64_t of_client;
	uint64_t of_server;

	reset(1, ONE_WAY_NS);
	(void)connect_in();
	sim_run(pair.sim, SIM_SECOND);
	of_client = copies_of(pair.client);
	of_server = copies_of(pair.server);
	ck_assert_uint_ge(of_client, 2);
	ck_assert_uint_le(of_client, 4);
	ck_assert_uint_ge(of_server, 2);
	ck_assert_uint_le(of_server, 6);
	mquic_connection_close(pair.dialed, 7, "enough");
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(copies_of(pair.client), of_client);
	ck_assert_uint_eq(copies_of(pair.server), of_server);
}
END_TEST

static uint64_t memory_of_a_handshake(enum mquic_redundancy redundancy)
{
	reset(1, ONE_WAY_NS);
	mquic_settings_set_redundancy(pair.client_settings, redundancy);
	pair_listen();
	pair_dial();
	sim_settle(pair.sim);
	return mquic_endpoint_statistic(pair.client->endpoint, MQUIC_TOTAL_MEMORY);
}

START_TEST(what_waits_is_counted_as_memory)
{
	uint64_t without = memory_of_a_handshake(MQUIC_REDUNDANCY_OFF);

	ck_assert_uint_ge(memory_of_a_handshake(MQUIC_REDUNDANCY_HANDSHAKE), without + 1200);
}
END_TEST

/* A client that hears nothing: what goes to its address is never too much. */
static void stay_unproven(enum mquic_redundancy redundancy)
{
	int i;

	reset(1, ONE_WAY_NS);
	at_client.doomed = 1;
	at_client.deaf = true;
	mquic_settings_set_redundancy(pair.client_settings, redundancy);
	pair_listen();
	pair_dial();
	for (i = 0; i < 100; i++) {
		sim_run(pair.sim, 50 * SIM_MS);
		ck_assert_uint_le(at_client.bytes, 3 * at_server.bytes);
	}
}

START_TEST(a_forged_address_gets_no_more_than_three_times_what_it_sent)
{
	stay_unproven(MQUIC_REDUNDANCY_OFF);
	ck_assert_uint_eq(copies_of(pair.server), 0);
	stay_unproven(MQUIC_REDUNDANCY_HANDSHAKE);
	ck_assert_uint_gt(copies_of(pair.server), 0);
}
END_TEST

START_TEST(a_server_with_retry_proves_addresses_as_ever)
{
	reset(1, ONE_WAY_NS);
	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	at_client.doomed = 2;
	ck_assert_uint_le(connect_in(), 6 * ONE_WAY_NS + DELAY_NS + SIM_MS);
}
END_TEST

/* What handshakes take on a line that loses, in all. */
static uint64_t connect_often(enum mquic_redundancy redundancy)
{
	const struct sim_link line = {.delay_ns = ONE_WAY_NS, .loss = 100};
	uint64_t sum_ns = 0;
	uint64_t seed;

	for (seed = 1; seed <= 100; seed++) {
		uint64_t start_ns;

		reset(seed, ONE_WAY_NS);
		pair_set_link(&line);
		mquic_settings_set_redundancy(pair.client_settings, redundancy);
		mquic_settings_set_redundancy(pair.server_settings, redundancy);
		start_ns = sim_now(pair.sim);
		pair_connect();
		sum_ns += sim_now(pair.sim) - start_ns;
	}
	return sum_ns;
}

START_TEST(handshakes_over_a_line_that_loses_are_quicker)
{
	uint64_t once_ns = connect_often(MQUIC_REDUNDANCY_OFF);
	uint64_t twice_ns = connect_often(MQUIC_REDUNDANCY_HANDSHAKE);

	ck_assert_msg(twice_ns * 3 < once_ns * 2, "%llu ms in place of %llu",
		      (unsigned long long)(twice_ns / SIM_MS / 100),
		      (unsigned long long)(once_ns / SIM_MS / 100));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-copies");
	TCase *group = tcase_create("copies");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_add_test(group, a_lost_datagram_costs_the_pause_and_no_timeout);
	tcase_add_test(group, without_it_a_loss_costs_more);
	tcase_add_test(group, nothing_goes_twice_where_answers_are_quick);
	tcase_add_test(group, copies_are_few_and_end_with_the_handshake);
	tcase_add_test(group, what_waits_is_counted_as_memory);
	tcase_add_test(group, a_forged_address_gets_no_more_than_three_times_what_it_sent);
	tcase_add_test(group, a_server_with_retry_proves_addresses_as_ever);
	tcase_add_test(group, handshakes_over_a_line_that_loses_are_quicker);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
