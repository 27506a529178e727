/* SPDX-License-Identifier: MIT */
/* The addresses of a name race (RFC 8305): what is tried when, who wins, and whose end is told. */
#include <errno.h>
#include <string.h>

#include "names.h"
#include "pair.h"
#include "quic/demux.h"
#include "quic/udp.h"

#define HOST     "broker.lan"
#define GOOD     2 /* the pair's server */
#define OTHER    7
#define SILENT   9 /* nobody is there */
#define DELAY    (250 * SIM_MS)
#define RTT      (10 * SIM_MS)
#define OVER_RTT (3 * RTT) /* no handshake takes longer */

static struct sim_host *other;
static uint64_t begun_ns;

static void set_up(void)
{
	pair_open();
	other = sim_host_new(pair.sim, OTHER);
	other->on_event = pair.server->on_event;
}

static void other_listens(void)
{
	ck_assert_int_eq(sim_listen(other, pair.server_settings, PAIR_PORT), MQUIC_OK);
}

/* A server whose certificate is for somebody else. */
static void listen_wrongly(struct sim_host *host)
{
	struct mquic_settings *settings;

	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_certificate(settings, kit_path("alice.crt"),
							kit_path("alice.key")),
			 MQUIC_OK);
	ck_assert_int_eq(sim_listen(host, settings, PAIR_PORT), MQUIC_OK);
	mquic_settings_free(settings);
}

static void dial(unsigned int first, unsigned int second)
{
	names_add(HOST, first);
	names_add(HOST, second);
	begun_ns = sim_now(pair.sim);
	pair_dial_name(HOST);
}

static uint64_t passed_ns(void)
{
	return sim_now(pair.sim) - begun_ns;
}

/* Long before the time limit of a handshake. */
static void expect_nobody_at(const struct sim_host *host)
{
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(host->quic->places.handshakes, 0);
	ck_assert_uint_eq(host->quic->places.connections, 0);
}

static void expect_nothing_left(void)
{
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, 60 * SIM_SECOND);
	pair_expect_empty(pair.client);
}

/* ---- Who wins ---------------------------------------------------------------------------- */

START_TEST(silent_first_address_costs_a_quarter_of_a_second)
{
	pair_listen();
	dial(SILENT, GOOD);
	sim_run(pair.sim, DELAY - SIM_MS);
	ck_assert_uint_eq(pair_attempts(), 1);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.2:14567");
	ck_assert_uint_lt(passed_ns(), DELAY + OVER_RTT);
	ck_assert_uint_ge(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  DELAY / 1000);
	expect_nothing_left();
}
END_TEST

START_TEST(second_address_is_left_alone_if_the_first_answers)
{
	pair_listen();
	other_listens();
	dial(GOOD, OTHER);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.2:14567");
	ck_assert_uint_lt(passed_ns(), OVER_RTT);
	sim_run(pair.sim, 5 * SIM_SECOND);
	ck_assert_uint_eq(other->down.packets, 0);
	ck_assert_ptr_null(pair.dialed->candidates);
}
END_TEST

START_TEST(of_two_that_answer_one_connection_stays)
{
	static const struct sim_link slow = {.delay_ns = 200 * SIM_MS};

	pair_set_link(&slow); /* the first answers after the second was begun */
	pair_listen();
	other_listens();
	dial(GOOD, OTHER);
	sim_run(pair.sim, 300 * SIM_MS);
	ck_assert_uint_eq(pair_attempts(), 2);
	pair_wait(pair_is_connected, 2);
	pair_expect_winner("10.0.0.2:14567");
	ck_assert_uint_gt(other->down.packets, 0);
	expect_nobody_at(other);
	sim_run(pair.sim, 5 * SIM_SECOND);
	ck_assert_uint_eq(pair.ready, 1);
	ck_assert_uint_eq(pair.accepted_count, 1);
	ck_assert_uint_eq(pair.server->quic->places.connections, 1);
	ck_assert_uint_eq(pair.client_end.told + pair.server_end.told, 0);
}
END_TEST

START_TEST(second_address_may_win_although_the_first_answers)
{
	pair_listen();
	other_listens();
	pair.server->down.delay_ns = 400 * SIM_MS;
	dial(GOOD, OTHER);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.7:14567");
	expect_nobody_at(pair.server);
	ck_assert_uint_eq(pair.accepted_count, 1);
}
END_TEST

START_TEST(server_that_has_answered_gets_a_little_more_time)
{
	other_listens();
	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	pair_listen();
	pair.server->down.delay_ns = 190 * SIM_MS; /* Retry comes in time, the rest does not */
	dial(GOOD, OTHER);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.2:14567");
	ck_assert_uint_gt(passed_ns(), DELAY);
	ck_assert_uint_eq(other->down.packets, 0);
}
END_TEST

START_TEST(server_that_answers_and_then_no_more_is_not_waited_for)
{
	static const struct sim_link lost = {.loss = 1000};

	other_listens();
	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	pair_listen();
	dial(GOOD, OTHER);
	sim_run(pair.sim, RTT + SIM_MS); /* Retry has come */
	pair.server->up = lost;
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.7:14567");
	ck_assert_uint_lt(passed_ns(), 2 * DELAY + OVER_RTT);
}
END_TEST

START_TEST(first_address_that_fails_at_once_costs_no_time)
{
	pair_listen();
	dial(SILENT, GOOD);
	sim_settle(pair.sim);
	demux_reader.failed(pair.client->quic, pair_first_attempt()->wire, ECONNREFUSED);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.2:14567");
	ck_assert_uint_lt(passed_ns(), OVER_RTT);
}
END_TEST

START_TEST(bytes_that_wait_go_to_who_wins)
{
	struct mquic_stream *stream;
	struct mquic_stream *accepted;
	const uint8_t *data;
	size_t len;

	pair_listen();
	dial(SILENT, GOOD);
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &len), MQUIC_OK);
	pair_wait(pair_is_connected, 1);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_int_eq(mquic_connection_accept_stream(pair.accepted[0], &accepted), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_peek(accepted, &data, &len), MQUIC_OK);
	ck_assert_uint_eq(len, 5);
	ck_assert_mem_eq(data, "hello", 5);
	mquic_stream_free(accepted);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(all_addresses_are_tried_and_the_last_may_win)
{
	unsigned int i;

	pair_listen();
	for (i = 0; i < ADDRESS_CANDIDATES - 2; i++)
		names_add(HOST, SILENT + i);
	dial(SILENT + i, GOOD);
	sim_run(pair.sim, (ADDRESS_CANDIDATES - 1) * DELAY - SIM_MS);
	ck_assert_uint_eq(pair_attempts(), ADDRESS_CANDIDATES - 1);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.2:14567");
	expect_nothing_left();
}
END_TEST

START_TEST(address_has_its_own_time_to_be_silent)
{
	unsigned int i;

	/* The last one begins when the first has been silent for longer than that. */
	ck_assert_int_eq(mquic_settings_set_idle_timeout_ms(pair.client_settings, 1000), MQUIC_OK);
	pair_listen();
	for (i = 0; i < ADDRESS_CANDIDATES - 2; i++)
		names_add(HOST, SILENT + i);
	dial(SILENT + i, GOOD);
	pair_wait(pair_is_connected, 3);
	pair_expect_winner("10.0.0.2:14567");
}
END_TEST

/* ---- Whose end is told ------------------------------------------------------------------- */

START_TEST(of_all_that_fail_the_most_telling_end_is_told_once)
{
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 2000);
	dial(SILENT, GOOD);
	sim_run(pair.sim, DELAY);
	ck_assert_uint_eq(pair_attempts(), 2);
	demux_reader.failed(pair.client->quic, pair.dialed->attempt->wire, ECONNREFUSED);
	sim_settle(pair.sim);
	/* The silent one may still answer. */
	ck_assert_uint_eq(pair.client_end.told, 0);
	pair_wait(pair_client_is_over, 3);
	ck_assert_uint_le(passed_ns(), 2000 * SIM_MS);
	sim_run(pair.sim, SIM_SECOND);
	pair_expect_end(&pair.client_end, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM, ECONNREFUSED,
			"nothing listens on UDP 10.0.0.2:14567");
	expect_nothing_left();
}
END_TEST

START_TEST(of_equal_ends_that_of_the_preferred_address_is_told)
{
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 2000);
	dial(SILENT, GOOD);
	pair_wait(pair_client_is_over, 3);
	ck_assert_uint_le(passed_ns(), 2000 * SIM_MS);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
			"no answer from UDP 10.0.0.9:14567");
	expect_nothing_left();
}
END_TEST

static void expect_certificate_refused(void)
{
	ck_assert_uint_eq(pair.client_end.told, 1);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TLS);
	ck_assert_int_eq(pair.client_end.origin, MQUIC_ORIGIN_TLS);
	kit_says(pair.client_end.text, "certificate");
}

START_TEST(refused_certificate_is_told_at_once_although_another_keeps_silent)
{
	listen_wrongly(pair.server);
	dial(SILENT, GOOD);
	pair_wait(pair_client_is_over, 20);
	expect_certificate_refused();
	ck_assert_uint_lt(passed_ns(), DELAY + OVER_RTT);
	expect_nobody_at(pair.server);
	expect_nothing_left();
	ck_assert_uint_eq(pair.client_end.told, 1);
}
END_TEST

START_TEST(refused_certificate_speaks_for_the_name)
{
	listen_wrongly(pair.server);
	other_listens();
	dial(GOOD, OTHER);
	pair_wait(pair_client_is_over, 20);
	expect_certificate_refused();
	ck_assert_uint_lt(passed_ns(), OVER_RTT);
	ck_assert_uint_eq(other->down.packets, 0);
	expect_nothing_left();
}
END_TEST

/* The other wants its client's address proven, and so has been heard when the certificate comes. */
static void let_other_be_heard(void)
{
	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	listen_wrongly(pair.server);
	other_listens();
	pair.server->down.delay_ns = 5 * SIM_MS;
	dial(OTHER, GOOD);
	sim_settle(pair.sim);
	pair.dialed->candidates->impatient = true;
	connection_schedule(pair.dialed);
	sim_settle(pair.sim);
	ck_assert_uint_eq(pair_attempts(), 2);
}

START_TEST(server_that_has_answered_may_still_win_after_a_refused_certificate)
{
	let_other_be_heard();
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.7:14567");
	expect_nobody_at(pair.server);
}
END_TEST

START_TEST(refused_certificate_is_not_hidden_by_who_times_out_later)
{
	static const struct sim_link lost = {.loss = 1000};

	let_other_be_heard();
	sim_run(pair.sim, 11 * SIM_MS); /* Retry was on its way back */
	other->up = lost;
	pair_wait(pair_client_is_over, 20);
	expect_certificate_refused();
	expect_nothing_left();
}
END_TEST

START_TEST(server_that_refuses_speaks_for_the_name)
{
	mquic_settings_set_max_connections(pair.server_settings, 1);
	pair_connect();
	other_listens();
	names_add(HOST, GOOD);
	names_add(HOST, OTHER);
	{
		struct mquic_connection *second;

		ck_assert_int_eq(mquic_connection_dial(&second, pair.client->endpoint,
						       pair.client_settings, HOST, PAIR_PORT),
				 MQUIC_OK);
		sim_run(pair.sim, SIM_SECOND);
		mquic_connection_free(second);
	}
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_REFUSED);
	ck_assert_int_eq(pair.client_end.origin, MQUIC_ORIGIN_TRANSPORT);
	ck_assert_uint_eq(other->down.packets, 0);
}
END_TEST

/* ---- Ends amid the race ------------------------------------------------------------------- */

static void let_both_run(void)
{
	static const struct sim_link slow = {.delay_ns = 200 * SIM_MS};

	pair_set_link(&slow);
	pair_listen();
	other_listens();
	dial(GOOD, OTHER);
	sim_run(pair.sim, 380 * SIM_MS);
	ck_assert_uint_eq(pair_attempts(), 2);
}

START_TEST(closing_amid_the_race_ends_all)
{
	let_both_run();
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 5, "never mind"), MQUIC_OK);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 5, "never mind");
	expect_nobody_at(pair.server);
	expect_nobody_at(other);
	expect_nothing_left();
}
END_TEST

START_TEST(own_close_is_told_even_if_one_has_failed_before)
{
	let_both_run();
	demux_reader.failed(pair.client->quic, pair_first_attempt()->wire, ECONNREFUSED);
	sim_settle(pair.sim);
	ck_assert_uint_eq(pair_attempts(), 1);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 5, "never mind"), MQUIC_OK);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 5, "never mind");
}
END_TEST

START_TEST(freeing_amid_the_race_leaves_nothing)
{
	let_both_run();
	expect_nothing_left();
	expect_nobody_at(pair.server);
	expect_nobody_at(other);
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

START_TEST(endpoint_may_go_amid_the_race)
{
	let_both_run();
	sim_restart(pair.client);
	ck_assert(connection_is_over(pair.dialed));
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-race");
	TCase *group = tcase_create("race");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, pair_close);
	tcase_add_test(group, silent_first_address_costs_a_quarter_of_a_second);
	tcase_add_test(group, second_address_is_left_alone_if_the_first_answers);
	tcase_add_test(group, of_two_that_answer_one_connection_stays);
	tcase_add_test(group, second_address_may_win_although_the_first_answers);
	tcase_add_test(group, server_that_has_answered_gets_a_little_more_time);
	tcase_add_test(group, server_that_answers_and_then_no_more_is_not_waited_for);
	tcase_add_test(group, first_address_that_fails_at_once_costs_no_time);
	tcase_add_test(group, bytes_that_wait_go_to_who_wins);
	tcase_add_test(group, all_addresses_are_tried_and_the_last_may_win);
	tcase_add_test(group, address_has_its_own_time_to_be_silent);
	tcase_add_test(group, of_all_that_fail_the_most_telling_end_is_told_once);
	tcase_add_test(group, of_equal_ends_that_of_the_preferred_address_is_told);
	tcase_add_test(group, refused_certificate_is_told_at_once_although_another_keeps_silent);
	tcase_add_test(group, refused_certificate_speaks_for_the_name);
	tcase_add_test(group, server_that_has_answered_may_still_win_after_a_refused_certificate);
	tcase_add_test(group, refused_certificate_is_not_hidden_by_who_times_out_later);
	tcase_add_test(group, server_that_refuses_speaks_for_the_name);
	tcase_add_test(group, closing_amid_the_race_ends_all);
	tcase_add_test(group, own_close_is_told_even_if_one_has_failed_before);
	tcase_add_test(group, freeing_amid_the_race_leaves_nothing);
	tcase_add_test(group, endpoint_may_go_amid_the_race);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
