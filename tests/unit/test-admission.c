/* SPDX-License-Identifier: MIT */
/* Who gets a place, who gives way, and what is counted: the rules of admission.c, without QUIC. */
#include <stdio.h>
#include <string.h>

#include "quic/body.h"
#include "unit.h"

#define CROWD 400

static struct mquic_endpoint *endpoint;
static struct quic_host *quic;
static struct mquic_settings *settings;
static uint64_t now_ns;
static struct mquic_connection crowd[CROWD];
static size_t crowd_count;

static uint64_t read_clock(void *unused)
{
	(void)unused;
	return now_ns;
}

static void set_up(void)
{
	ck_assert_int_eq(mquic_endpoint_new(&endpoint), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	now_ns = 1000 * NGTCP2_SECONDS;
	endpoint_set_clock(endpoint, read_clock, NULL);
	quic = host_get(endpoint);
	ck_assert_ptr_nonnull(quic);
	memset(crowd, 0, sizeof(crowd));
	crowd_count = 0;
	settings->max_handshakes = 16;
	settings->retry = MQUIC_RETRY_NEVER;
}

static void tear_down(void)
{
	size_t i;

	for (i = 0; i < crowd_count; i++)
		if (crowd[i].endpoint != NULL)
			admission_leave(&crowd[i]);
	ck_assert_uint_eq(quic->places.handshakes, 0);
	ck_assert_uint_eq(quic->places.connections, 0);
	ck_assert_uint_eq(quic->places.addresses.count, 0);
	for (i = 0; i < CROWD_LEVELS; i++) {
		ck_assert(list_is_empty(&quic->places.crowds[ADDRESS_UNPROVEN][i]));
		ck_assert(list_is_empty(&quic->places.crowds[ADDRESS_PROVEN][i]));
		ck_assert(list_is_empty(&quic->places.crowds[CROWD_WAITING][i]));
	}
	mquic_settings_free(settings);
	mquic_endpoint_free(endpoint);
}

static struct address host(unsigned int number)
{
	struct address address;
	struct error error;
	char text[32];

	snprintf(text, sizeof(text), "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255,
		 number & 255);
	ck_assert_int_eq(address_parse(&address, text, 4000, &error), MQUIC_OK);
	return address;
}

/* A handshake of this host begins, whatever the limits say. */
static struct mquic_connection *enter(unsigned int number, enum address_proof proof)
{
	struct mquic_connection *connection = &crowd[crowd_count++];
	struct address remote = host(number);

	ck_assert_uint_le(crowd_count, CROWD);
	connection->endpoint = endpoint;
	connection->host = quic;
	connection->settings = settings;
	connection->started_ns = now_ns;
	ck_assert(admission_enter(connection, &remote, proof));
	return connection;
}

static void enter_many(unsigned int number, size_t count, enum address_proof proof)
{
	while (count-- > 0)
		(void)enter(number, proof);
}

/* One from each host. */
static void enter_hosts(unsigned int first, size_t count, enum address_proof proof)
{
	while (count-- > 0)
		(void)enter(first++, proof);
}

/* The handshake is complete, and the client has said something that counts. */
static void complete(struct mquic_connection *connection)
{
	admission_handshake_over(connection);
	connection_set_waiting(connection, false);
}

static struct admission judge(unsigned int number, enum address_proof proof)
{
	struct address remote = host(number);

	return admission_judge(quic, settings, &remote, proof);
}

static void expect_place_of(struct mquic_connection *connection, unsigned int number,
			    enum address_proof proof)
{
	struct admission admission = judge(number, proof);

	ck_assert_ptr_nonnull(admission.objection);
	ck_assert(!admission.retry);
	ck_assert_ptr_eq(admission.gives_way, connection);
}

static void expect_refusal(unsigned int number, enum address_proof proof, const char *why)
{
	struct admission admission = judge(number, proof);

	ck_assert_str_eq(admission.objection, why);
	ck_assert_ptr_null(admission.gives_way);
	ck_assert(!admission.retry);
}

static void expect_retry(unsigned int number)
{
	struct admission admission = judge(number, ADDRESS_UNPROVEN);

	ck_assert(admission.retry);
	ck_assert_ptr_null(admission.gives_way);
}

static void expect_room(unsigned int number, enum address_proof proof)
{
	struct admission admission = judge(number, proof);

	ck_assert_ptr_null(admission.objection);
	ck_assert(!admission.retry);
}

/* ---- The greedy give way ------------------------------------------------------------ */

START_TEST(there_is_room_up_to_the_limit)
{
	enter_many(1, 15, _i);
	expect_room(2, _i);
}
END_TEST

START_TEST(oldest_of_the_greediest_gives_way)
{
	struct mquic_connection *modest = enter(3, _i);
	struct mquic_connection *greedy = enter(1, _i);

	enter_many(1, 14, _i);
	expect_place_of(greedy, 2, _i);
	expect_place_of(greedy, 3, _i);
	admission_handshake_over(modest);
	admission_handshake_over(greedy);
	enter_many(1, 2, _i);
	expect_place_of(greedy + 1, 2, _i);
}
END_TEST

START_TEST(greedy_address_itself_waits_until_its_oldest_is_old)
{
	struct mquic_connection *greedy = enter(1, _i);

	enter_many(1, 15, _i);
	expect_refusal(1, _i, "too many handshakes");
	now_ns += settings->handshake_timeout_ms * NGTCP2_MILLISECONDS / 4;
	expect_place_of(greedy, 1, _i);
}
END_TEST

START_TEST(crowd_of_one_handshake_each_goes_on)
{
	size_t i;

	enter_hosts(1, 16, _i);
	expect_refusal(99, _i, "too many handshakes");
	now_ns += settings->handshake_timeout_ms * NGTCP2_MILLISECONDS / 4;
	/* Who came first is the oldest. */
	for (i = 0; i < 16; i++) {
		expect_place_of(&crowd[i], 99, _i);
		admission_leave(&crowd[i]);
		(void)enter(100 + (unsigned int)i, _i);
	}
	expect_refusal(99, _i, "too many handshakes");
}
END_TEST

START_TEST(old_handshakes_give_way_before_young_ones_of_a_larger_crowd)
{
	settings->max_handshakes = 8;
	enter_hosts(1, 5, _i);
	now_ns += settings->handshake_timeout_ms * NGTCP2_MILLISECONDS / 2;
	enter_many(50, 3, _i);
	expect_place_of(&crowd[0], 99, _i);
}
END_TEST

/* ---- Proven and not ------------------------------------------------------------------- */

START_TEST(proven_newcomer_takes_the_place_of_an_unproven_handshake)
{
	struct mquic_connection *forged;

	enter_many(1, 8, ADDRESS_PROVEN);
	forged = enter(5, ADDRESS_UNPROVEN);
	enter_hosts(6, 7, ADDRESS_UNPROVEN);
	expect_place_of(forged, 2, ADDRESS_PROVEN);
	expect_place_of(forged, 1, ADDRESS_PROVEN);
}
END_TEST

START_TEST(unproven_newcomer_never_takes_the_place_of_a_proven_handshake)
{
	enter_many(1, 16, ADDRESS_PROVEN);
	now_ns += settings->handshake_timeout_ms * NGTCP2_MILLISECONDS;
	expect_refusal(2, ADDRESS_UNPROVEN, "too many handshakes");
}
END_TEST

START_TEST(handshake_that_proves_its_address_is_out_of_reach)
{
	struct mquic_connection *honest = enter(1, ADDRESS_UNPROVEN);
	struct mquic_connection *other = enter(1, ADDRESS_UNPROVEN);

	enter_many(1, 14, ADDRESS_UNPROVEN);
	expect_place_of(honest, 2, ADDRESS_UNPROVEN);
	admission_proven(honest);
	admission_proven(honest);
	ck_assert_uint_eq(quic->places.handshakes, 16);
	expect_place_of(other, 2, ADDRESS_UNPROVEN);
	expect_place_of(other, 2, ADDRESS_PROVEN);
	admission_handshake_over(honest);
	admission_proven(honest); /* too late to matter */
	ck_assert_uint_eq(quic->places.handshakes, 15);
}
END_TEST

START_TEST(retry_is_demanded_from_an_eighth_on_and_instead_of_making_room)
{
	settings->retry = MQUIC_RETRY_ADAPTIVE;
	expect_room(2, ADDRESS_UNPROVEN);
	(void)enter(1, ADDRESS_UNPROVEN);
	expect_room(2, ADDRESS_UNPROVEN);
	(void)enter(1, ADDRESS_UNPROVEN);
	expect_retry(2);
	expect_room(2, ADDRESS_PROVEN);
	enter_many(1, 14, ADDRESS_PROVEN);
	expect_retry(2);
	expect_place_of(&crowd[0], 2, ADDRESS_PROVEN);
}
END_TEST

START_TEST(nobody_is_asked_for_a_proof_that_would_not_help)
{
	settings->retry = MQUIC_RETRY_ADAPTIVE;
	enter_hosts(1, 16, ADDRESS_PROVEN);
	expect_refusal(99, ADDRESS_UNPROVEN, "too many handshakes");
	settings->retry = MQUIC_RETRY_ALWAYS;
	expect_refusal(99, ADDRESS_UNPROVEN, "too many handshakes");
}
END_TEST

/* ---- The other limits ----------------------------------------------------------------- */

START_TEST(handshakes_do_not_hold_the_last_places_for_connections)
{
	struct mquic_connection *greedy;

	settings->max_connections = 10;
	enter_hosts(1, 4, ADDRESS_PROVEN);
	complete(&crowd[0]);
	complete(&crowd[1]);
	complete(&crowd[2]);
	complete(&crowd[3]);
	greedy = enter(50, _i);
	enter_many(50, 5, _i);
	expect_place_of(greedy, 60, _i);
	settings->retry = MQUIC_RETRY_ADAPTIVE;
	expect_retry(60);
}
END_TEST

START_TEST(complete_connections_give_way_to_nobody)
{
	size_t i;

	settings->max_connections = 10;
	enter_many(1, 10, ADDRESS_PROVEN);
	for (i = 0; i < 10; i++)
		complete(&crowd[i]);
	now_ns += 1000 * NGTCP2_SECONDS;
	expect_refusal(2, ADDRESS_PROVEN, "too many connections");
	settings->retry = MQUIC_RETRY_ALWAYS;
	expect_refusal(2, ADDRESS_UNPROVEN, "too many connections");
}
END_TEST

START_TEST(forged_handshakes_do_not_fill_the_share_of_an_address)
{
	settings->max_connections_per_address = 4;
	enter_many(7, 4, ADDRESS_UNPROVEN);
	expect_refusal(7, ADDRESS_UNPROVEN, "too many connections from this address");
	expect_place_of(&crowd[0], 7, ADDRESS_PROVEN);
	settings->retry = MQUIC_RETRY_ADAPTIVE;
	settings->max_handshakes = 1000;
	expect_retry(7);
	expect_room(8, ADDRESS_UNPROVEN);
}
END_TEST

START_TEST(own_handshakes_fill_the_share_of_an_address_until_they_are_old)
{
	settings->max_connections_per_address = 4;
	enter_many(7, 4, ADDRESS_PROVEN);
	expect_refusal(7, ADDRESS_PROVEN, "too many connections from this address");
	complete(&crowd[0]);
	now_ns += settings->handshake_timeout_ms * NGTCP2_MILLISECONDS / 4;
	expect_place_of(&crowd[1], 7, ADDRESS_PROVEN);
	complete(&crowd[1]);
	complete(&crowd[2]);
	complete(&crowd[3]);
	expect_refusal(7, ADDRESS_PROVEN, "too many connections from this address");
}
END_TEST

/* ---- Those that have said nothing ----------------------------------------------------- */

START_TEST(greedy_address_that_says_nothing_gives_way)
{
	size_t i;

	settings->max_connections = 10;
	enter_many(1, 10, ADDRESS_PROVEN);
	for (i = 0; i < 10; i++)
		admission_handshake_over(&crowd[i]);
	ck_assert_uint_eq(quic->places.handshakes, 0);
	expect_place_of(&crowd[0], 2, ADDRESS_PROVEN);
	/* What may be forged takes nobody's place. */
	expect_refusal(2, ADDRESS_UNPROVEN, "too many connections");
	settings->retry = MQUIC_RETRY_ADAPTIVE;
	expect_retry(2);
	connection_set_waiting(&crowd[0], false);
	expect_place_of(&crowd[1], 2, ADDRESS_PROVEN);
	connection_set_waiting(&crowd[0], true); /* behind the others */
	expect_place_of(&crowd[1], 2, ADDRESS_PROVEN);
}
END_TEST

START_TEST(silent_crowd_of_one_each_gives_way_when_it_is_old)
{
	size_t i;

	settings->max_connections = 10;
	enter_hosts(1, 10, ADDRESS_PROVEN);
	for (i = 0; i < 10; i++)
		admission_handshake_over(&crowd[i]);
	expect_refusal(99, ADDRESS_PROVEN, "too many connections");
	now_ns += settings->handshake_timeout_ms * NGTCP2_MILLISECONDS / 4;
	expect_place_of(&crowd[0], 99, ADDRESS_PROVEN);
}
END_TEST

START_TEST(silent_connections_do_not_make_room_for_handshakes)
{
	size_t i;

	enter_many(1, 10, ADDRESS_PROVEN);
	for (i = 0; i < 10; i++)
		admission_handshake_over(&crowd[i]);
	enter_hosts(20, 16, ADDRESS_PROVEN);
	expect_refusal(99, ADDRESS_PROVEN, "too many handshakes");
}
END_TEST

START_TEST(silent_connections_fill_the_share_of_an_address_until_they_are_old)
{
	settings->max_connections_per_address = 2;
	enter_many(7, 2, ADDRESS_PROVEN);
	admission_handshake_over(&crowd[0]);
	complete(&crowd[1]);
	expect_refusal(7, ADDRESS_PROVEN, "too many connections from this address");
	now_ns += settings->handshake_timeout_ms * NGTCP2_MILLISECONDS / 4;
	expect_place_of(&crowd[0], 7, ADDRESS_PROVEN);
}
END_TEST

/* ---- Counting ------------------------------------------------------------------------- */

static void expect_counts(void)
{
	size_t handshakes = 0;
	int proof;
	int level;

	for (proof = 0; proof < CROWD_KINDS; proof++)
		for (level = 0; level < CROWD_LEVELS; level++) {
			struct list *crowds = &quic->places.crowds[proof][level];
			struct list *node;
			struct list *following;

			list_for_each (node, following, crowds) {
				uint32_t count = list_entry(node, struct quic_crowd, link)->count;

				ck_assert_uint_ge(count, 1u << level);
				ck_assert_uint_lt(count, 2u << level);
				if (proof != CROWD_WAITING)
					handshakes += count;
			}
		}
	ck_assert_uint_eq(handshakes, quic->places.handshakes);
}

/* Whatever happens in whatever order, crowds stand where their size belongs. */
START_TEST(counts_stay_right_on_a_random_walk)
{
	uint32_t seed = (uint32_t)_i * 2654435761u + 1;
	int step;

	for (step = 0; step < 3000; step++) {
		struct mquic_connection *connection;

		seed = seed * 1664525u + 1013904223u;
		connection = &crowd[(seed >> 8) % CROWD];
		if (connection->endpoint == NULL) {
			size_t before = crowd_count;

			crowd_count = (size_t)(connection - crowd);
			(void)enter(seed >> 20 & 7, seed >> 24 & 1);
			crowd_count = before;
		} else if ((seed >> 28 & 3) == 0) {
			admission_leave(connection);
			memset(connection, 0, sizeof(*connection));
		} else if ((seed >> 28 & 3) == 1) {
			admission_handshake_over(connection);
		} else if ((seed >> 27 & 1) == 1) {
			connection_set_waiting(connection, seed >> 26 & 1);
		} else {
			admission_proven(connection);
		}
		if (step % 100 == 0)
			expect_counts();
	}
	crowd_count = CROWD; /* tear_down() has the last word: nothing is left */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("admission");
	TCase *group = tcase_create("admission");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_set_timeout(group, 0);
	tcase_add_loop_test(group, there_is_room_up_to_the_limit, 0, ADDRESS_PROOFS);
	tcase_add_loop_test(group, oldest_of_the_greediest_gives_way, 0, ADDRESS_PROOFS);
	tcase_add_loop_test(group, greedy_address_itself_waits_until_its_oldest_is_old, 0,
			    ADDRESS_PROOFS);
	tcase_add_loop_test(group, crowd_of_one_handshake_each_goes_on, 0, ADDRESS_PROOFS);
	tcase_add_loop_test(group, old_handshakes_give_way_before_young_ones_of_a_larger_crowd, 0,
			    ADDRESS_PROOFS);
	tcase_add_test(group, proven_newcomer_takes_the_place_of_an_unproven_handshake);
	tcase_add_test(group, unproven_newcomer_never_takes_the_place_of_a_proven_handshake);
	tcase_add_test(group, handshake_that_proves_its_address_is_out_of_reach);
	tcase_add_test(group, retry_is_demanded_from_an_eighth_on_and_instead_of_making_room);
	tcase_add_test(group, nobody_is_asked_for_a_proof_that_would_not_help);
	tcase_add_loop_test(group, handshakes_do_not_hold_the_last_places_for_connections, 0,
			    ADDRESS_PROOFS);
	tcase_add_test(group, complete_connections_give_way_to_nobody);
	tcase_add_test(group, forged_handshakes_do_not_fill_the_share_of_an_address);
	tcase_add_test(group, own_handshakes_fill_the_share_of_an_address_until_they_are_old);
	tcase_add_test(group, greedy_address_that_says_nothing_gives_way);
	tcase_add_test(group, silent_crowd_of_one_each_gives_way_when_it_is_old);
	tcase_add_test(group, silent_connections_do_not_make_room_for_handshakes);
	tcase_add_test(group, silent_connections_fill_the_share_of_an_address_until_they_are_old);
	tcase_add_loop_test(group, counts_stay_right_on_a_random_walk, 0, 20);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
