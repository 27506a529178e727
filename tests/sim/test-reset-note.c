/* SPDX-License-Identifier: MIT */
/* A server that is gone, and its successor, which ends connections that it never had. */
#include <errno.h>
#include <string.h>

#include "traffic.h"

static uint8_t note[MQUIC_RESET_NOTE_MAX];
static size_t note_len;

static void setup(void)
{
	static const uint8_t secret[32] = "both servers have it";

	pair_open();
	traffic_start(1000);
	ck_assert_int_eq(
		mquic_settings_set_server_secret(pair.server_settings, secret, sizeof(secret)),
		MQUIC_OK);
}

static void teardown(void)
{
	traffic_stop();
	pair_close();
}

static void talk(void)
{
	(void)traffic_open(10000);
	pair_wait(traffic_is_done, 10);
}

static void take_note(void)
{
	note_len = mquic_connection_reset_note(pair.accepted[0], note, sizeof(note));
	ck_assert_uint_gt(note_len, 0);
}

/* The next one listens at the same address. */
static void die(void)
{
	pair.server->send_error = ENETDOWN; /* nobody says goodbye */
	traffic_stop();
	while (pair.accepted_count > 0)
		mquic_connection_free(pair.accepted[--pair.accepted_count]);
	sim_restart(pair.server);
	pair.server->send_error = 0;
	pair_listen();
}

static enum mquic_status send_note(void)
{
	return mquic_endpoint_send_reset(pair.server->endpoint, note, note_len);
}

static void expect_end_at_once(void)
{
	uint64_t before_ns = sim_now(pair.sim);

	ck_assert_int_eq(send_note(), MQUIC_OK);
	pair_wait(pair_client_is_over, 1);
	ck_assert_uint_lt(sim_now(pair.sim) - before_ns, 100 * SIM_MS);
	ck_assert_uint_eq(pair.client_end.told, 1);
	ck_assert_ptr_nonnull(strstr(pair.client_end.text, "stateless reset"));
}

START_TEST(idle_client_notices_at_once)
{
	pair_connect();
	sim_run(pair.sim, 5 * SIM_SECOND); /* until it has nothing to say */
	take_note();
	die();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
	expect_end_at_once();
}
END_TEST

/* NAT gives it another port, or it moves and takes another identifier: the next note has that. */
START_TEST(client_that_has_moved_notices_too)
{
	uint8_t before[sizeof(note)];

	pair_connect();
	talk();
	take_note();
	memcpy(before, note, sizeof(note));
	if (_i == 0) {
		sim_rebind(pair.client);
	} else {
		sim_move(pair.client, 7, true);
		ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
		sim_run(pair.sim, 2 * SIM_SECOND);
	}
	talk();
	sim_run(pair.sim, 2 * SIM_SECOND);
	take_note();
	ck_assert(memcmp(before, note, note_len) != 0);
	die();
	expect_end_at_once();
}
END_TEST

START_TEST(there_is_no_note_of_what_is_none)
{
	uint8_t small[MQUIC_RESET_NOTE_MAX];
	size_t len;

	pair_connect();
	take_note();
	ck_assert_uint_eq(mquic_connection_reset_note(NULL, note, sizeof(note)), 0);
	ck_assert_uint_eq(mquic_connection_reset_note(pair.accepted[0], NULL, sizeof(note)), 0);
	ck_assert_uint_eq(mquic_connection_reset_note(pair.dialed, note, sizeof(note)), 0);
	for (len = 0; len < note_len; len++)
		ck_assert_uint_eq(mquic_connection_reset_note(pair.accepted[0], small, len), 0);
}
END_TEST

START_TEST(connection_that_lives_is_left_alone)
{
	pair_connect();
	take_note();
	ck_assert_int_eq(send_note(), MQUIC_ERR_INVALID);
	kit_says(mquic_endpoint_error(pair.server->endpoint), "a connection that lives");
	talk();
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

/* The connection may be there, at the one that the identifier names. */
START_TEST(another_worker_sends_no_reset)
{
	ck_assert_int_eq(mquic_settings_set_workers(pair.server_settings, 2), MQUIC_OK);
	pair_connect();
	take_note();
	ck_assert_int_eq(mquic_settings_set_worker(pair.server_settings, 1), MQUIC_OK);
	die();
	ck_assert_int_eq(send_note(), MQUIC_ERR_INVALID);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

START_TEST(who_does_not_listen_there_sends_none)
{
	struct sim_host *stranger = sim_host_new(pair.sim, 3);
	struct mquic_endpoint *fresh;

	pair_connect();
	take_note();
	ck_assert_int_eq(mquic_endpoint_new(&fresh), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_send_reset(fresh, note, note_len), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_endpoint_send_reset(NULL, note, note_len), MQUIC_ERR_INVALID);
	mquic_endpoint_free(fresh);
	ck_assert_int_eq(sim_listen(stranger, pair.server_settings, PAIR_PORT + 1), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_send_reset(stranger->endpoint, note, note_len),
			 MQUIC_ERR_INVALID);
}
END_TEST

struct sent {
	unsigned int count;
	size_t longest;
};

static void count_sent(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct sent *sent = user;

	sent->count += from == pair.server;
	if (datagram->len > sent->longest)
		sent->longest = datagram->len;
}

/* Whatever is in a note: one small datagram at the most, and nothing breaks. */
START_TEST(garbage_sends_one_small_datagram_at_most)
{
	uint8_t good[sizeof(note)];
	struct sent sent = {0, 0};
	unsigned int i, taken = 0;

	pair_connect();
	take_note();
	memcpy(good, note, sizeof(note));
	die();
	sim_set_tap(pair.sim, count_sent, &sent);
	for (i = 0; i < 4000; i++) {
		size_t at = sim_below(pair.sim, note_len);

		memcpy(note, good, sizeof(note));
		note[at] = (uint8_t)sim_random(pair.sim);
		if (i % 4 == 0)
			note[sim_below(pair.sim, note_len)] = (uint8_t)sim_random(pair.sim);
		taken += send_note() == MQUIC_OK;
		ck_assert_uint_eq(sent.count, taken);
	}
	ck_assert_uint_gt(taken, 100);
	ck_assert_uint_lt(taken, 4000);
	ck_assert_uint_lt(sent.longest, 50);
	for (i = 0; i < sizeof(note); i++)
		if (i != note_len)
			ck_assert_int_eq(mquic_endpoint_send_reset(pair.server->endpoint, good, i),
					 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_endpoint_send_reset(pair.server->endpoint, NULL, note_len),
			 MQUIC_ERR_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-reset-note");
	TCase *group = tcase_create("reset-note");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, setup, teardown);
	tcase_add_test(group, idle_client_notices_at_once);
	tcase_add_loop_test(group, client_that_has_moved_notices_too, 0, 2);
	tcase_add_test(group, there_is_no_note_of_what_is_none);
	tcase_add_test(group, connection_that_lives_is_left_alone);
	tcase_add_test(group, another_worker_sends_no_reset);
	tcase_add_test(group, who_does_not_listen_there_sends_none);
	tcase_add_test(group, garbage_sends_one_small_datagram_at_most);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
