/* SPDX-License-Identifier: MIT */
/* The steps of a connection, as the log tells them, and who erred where one ends badly. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "pair.h"
#include "quic/closing.h"

#define LINES 8

static char lines[LINES][300];
static size_t line_count;

static void keep_step(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)userdata;
	if (strncmp(line, "connection ", strlen("connection ")) != 0)
		return;
	ck_assert_int_eq(level, MQUIC_LOG_DEBUG);
	ck_assert_uint_lt(line_count, LINES);
	(void)snprintf(lines[line_count++], sizeof(lines[0]), "%s", line);
}

static void listen_at(struct sim_host *host, enum mquic_log_level level)
{
	line_count = 0;
	mquic_endpoint_set_log(host->endpoint, keep_step, level, NULL);
}

static void expect_end(const char *start, const char *part)
{
	ck_assert_uint_gt(line_count, 0);
	kit_says(lines[line_count - 1], start);
	ck_assert_ptr_eq(strstr(lines[line_count - 1], start), lines[line_count - 1]);
	kit_says(lines[line_count - 1], part);
}

START_TEST(each_step_is_a_line_with_the_number_of_the_connection)
{
	listen_at(pair.client, MQUIC_LOG_DEBUG);
	pair_connect();
	ck_assert_uint_eq(line_count, 2);
	ck_assert_str_eq(lines[0], "connection 1: NEW → HANDSHAKE");
	ck_assert_str_eq(lines[1], "connection 1: HANDSHAKE → READY");
	(void)mquic_connection_close(pair.dialed, 0, "all is well");
	ck_assert_uint_eq(line_count, 3);
	ck_assert_str_eq(lines[2], "connection 1: READY → ENDED");
}
END_TEST

START_TEST(name_is_a_step_of_its_own)
{
	names_add("broker.lan", 2);
	listen_at(pair.client, MQUIC_LOG_DEBUG);
	pair_dial_name("broker.lan");
	ck_assert_uint_eq(line_count, 1);
	ck_assert_str_eq(lines[0], "connection 1: NEW → RESOLVING");
	sim_settle(pair.sim);
	ck_assert_uint_ge(line_count, 2);
	ck_assert_str_eq(lines[1], "connection 1: RESOLVING → HANDSHAKE");
}
END_TEST

START_TEST(nobody_is_told_below_the_debug_level)
{
	listen_at(pair.client, MQUIC_LOG_INFO);
	pair_connect();
	(void)mquic_connection_close(pair.dialed, 1, NULL);
	ck_assert_uint_eq(line_count, 0);
}
END_TEST

START_TEST(peer_that_falls_silent_erred)
{
	pair_connect();
	listen_at(pair.client, MQUIC_LOG_DEBUG);
	pair.client->up.loss = 1000;
	pair.client->down.loss = 1000;
	pair_wait(pair_client_is_over, 120);
	expect_end("connection 1: READY → ENDED (peer: ", "nothing was heard from 10.0.0.2:14567");
}
END_TEST

START_TEST(system_that_cannot_send_erred)
{
	listen_at(pair.client, MQUIC_LOG_DEBUG);
	pair.client->send_error = ENETUNREACH;
	pair_dial();
	sim_settle(pair.sim);
	expect_end("connection 1: HANDSHAKE → ENDED (system: ", "cannot be reached");
}
END_TEST

START_TEST(mquic_is_what_a_peer_complains_of)
{
	pair_connect();
	listen_at(pair.client, MQUIC_LOG_DEBUG);
	closing_dismiss(pair.accepted[0]->attempt, NGTCP2_PROTOCOL_VIOLATION, "what was that?");
	pair_wait(pair_client_is_over, 1);
	expect_end("connection 1: READY → ENDED (mquic: ", "protocol violation: what was that?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-steps");
	TCase *group = tcase_create("steps");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_add_test(group, each_step_is_a_line_with_the_number_of_the_connection);
	tcase_add_test(group, name_is_a_step_of_its_own);
	tcase_add_test(group, nobody_is_told_below_the_debug_level);
	tcase_add_test(group, peer_that_falls_silent_erred);
	tcase_add_test(group, system_that_cannot_send_erred);
	tcase_add_test(group, mquic_is_what_a_peer_complains_of);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
