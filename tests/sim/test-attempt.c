/* SPDX-License-Identifier: MIT */
/* Several attempts of one connection at a time: which carries it, and where the others go. */
#include <errno.h>
#include <string.h>

#include "pair.h"
#include "quic/demux.h"
#include "quic/udp.h"

#define OTHER 7

static struct sim_host *other;

/* A second server, at another address of the same name. */
static void open_two(void)
{
	pair_open();
	other = sim_host_new(pair.sim, OTHER);
	other->on_event = pair.server->on_event;
	ck_assert_int_eq(sim_listen(other, pair.server_settings, PAIR_PORT), MQUIC_OK);
}

/* Dials both addresses at once. */
static void dial_both(void)
{
	struct address second = sim_address(OTHER, PAIR_PORT);

	pair_dial();
	ck_assert_int_eq(attempt_dial(pair.dialed, &second, 0), MQUIC_OK);
}

/* The system reports that this attempt's server cannot be reached. */
static void refuse(const struct attempt *attempt)
{
	demux_reader.failed(pair.client->quic, attempt->wire, ECONNREFUSED);
	sim_settle(pair.sim);
}

START_TEST(first_to_complete_carries_the_connection)
{
	dial_both(); /* nobody listens at the first */
	ck_assert_uint_eq(pair_attempts(), 2);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.7:14567");
}
END_TEST

START_TEST(slower_one_is_told_that_it_is_not_needed)
{
	pair_listen();
	other->down.delay_ns = 30 * SIM_MS;
	dial_both();
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.2:14567");
	/* Long before the time limit of a handshake. */
	sim_run(pair.sim, 200 * SIM_MS);
	ck_assert_uint_eq(other->quic->places.handshakes, 0);
	ck_assert_uint_eq(other->quic->places.connections, 0);
}
END_TEST

START_TEST(bytes_that_wait_go_to_the_one_that_carries)
{
	const uint8_t *data;
	struct mquic_stream *stream;
	struct mquic_stream *accepted;
	size_t len;

	dial_both();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &len), MQUIC_OK);
	pair_wait(pair_is_connected, 1);
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_int_eq(mquic_connection_accept_stream(pair.accepted[0], &accepted), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_peek(accepted, &data, &len), MQUIC_OK);
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(memcmp(data, "hello", 5), 0);
	mquic_stream_free(accepted);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(one_that_fails_leaves_it_to_the_other)
{
	dial_both();
	refuse(pair_first_attempt());
	ck_assert_uint_eq(pair_attempts(), 1);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.7:14567");
}
END_TEST

START_TEST(later_one_may_fail_as_well)
{
	pair_listen();
	dial_both();
	refuse(pair.dialed->attempt);
	ck_assert_uint_eq(pair_attempts(), 1);
	pair_wait(pair_is_connected, 1);
	pair_expect_winner("10.0.0.2:14567");
}
END_TEST

START_TEST(first_of_equal_ends_is_told)
{
	dial_both();
	refuse(pair_first_attempt());
	ck_assert_uint_eq(pair.client_end.told, 0);
	refuse(pair_first_attempt());
	pair_expect_end(&pair.client_end, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM, ECONNREFUSED,
			"nothing listens on UDP 10.0.0.2:14567");
}
END_TEST

START_TEST(closing_ends_all)
{
	pair_listen();
	dial_both();
	sim_run(pair.sim, 15 * SIM_MS);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 5, "never mind"), MQUIC_OK);
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, SIM_SECOND);
	pair_expect_empty(pair.client);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, 0);
	ck_assert_uint_eq(other->quic->places.handshakes, 0);
}
END_TEST

START_TEST(endpoint_may_go_while_both_are_under_way)
{
	dial_both();
	sim_run(pair.sim, 5 * SIM_MS);
	sim_restart(pair.client);
	ck_assert(connection_is_over(pair.dialed));
	ck_assert_uint_eq(pair_attempts(), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-attempt");
	TCase *group = tcase_create("attempt");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, open_two, pair_close);
	tcase_add_test(group, first_to_complete_carries_the_connection);
	tcase_add_test(group, slower_one_is_told_that_it_is_not_needed);
	tcase_add_test(group, bytes_that_wait_go_to_the_one_that_carries);
	tcase_add_test(group, one_that_fails_leaves_it_to_the_other);
	tcase_add_test(group, later_one_may_fail_as_well);
	tcase_add_test(group, first_of_equal_ends_is_told);
	tcase_add_test(group, closing_ends_all);
	tcase_add_test(group, endpoint_may_go_while_both_are_under_way);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
