/* SPDX-License-Identifier: MIT */
/* A client that comes back, and what its ticket is good for. */
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pair.h"
#include "tls/tickets.h"

#define HOUR 3600

static time_t ahead; /* of the clock, as GnuTLS reads it for tickets and their keys */

static time_t later(time_t *now)
{
	time_t there = time(NULL) + ahead;

	if (now != NULL)
		*now = there;
	return there;
}

static void open_pair(void)
{
	ahead = 0;
	gnutls_global_set_time_function(later);
	pair_open();
}

static void close_pair(void)
{
	pair_close();
	gnutls_global_set_time_function(time);
}

/* The client goes, and the server forgets it. */
static void part(void)
{
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, SIM_SECOND);
	while (pair.accepted_count > 0)
		mquic_connection_free(pair.accepted[--pair.accepted_count]);
	pair.ready = 0;
	pair.client_end.told = 0;
}

/* It comes, and stays for a second: till its ticket is there. */
static void come(void)
{
	pair_dial();
	pair_wait(pair_is_connected, 10);
	sim_run(pair.sim, SIM_SECOND);
}

static void meet(void)
{
	pair_listen();
	come();
	ck_assert(!mquic_connection_resumed(pair.dialed));
}

static void come_back(void)
{
	part();
	come();
}

/* Both sides say the same, and know each other as after a full handshake. */
static void expect_resumed(bool resumed)
{
	ck_assert_int_eq(mquic_connection_resumed(pair.dialed), resumed);
	ck_assert_int_eq(mquic_connection_resumed(pair.accepted[0]), resumed);
	ck_assert_str_eq(mquic_connection_tls_version(pair.dialed), "TLS1.3");
	ck_assert_str_eq(mquic_connection_alpn(pair.dialed), "mqtt");
	ck_assert_str_eq(mquic_connection_alpn(pair.accepted[0]), "mqtt");
	ck_assert_str_eq(mquic_connection_peer_common_name(pair.dialed), "broker.example");
	ck_assert_ptr_null(mquic_connection_peer_common_name(pair.accepted[0]));
}

static size_t tickets(void)
{
	return pair.client->quic->tickets.count;
}

static struct tls_ticket *newest_ticket(void)
{
	return list_entry(pair.client->quic->tickets.list.prev, struct tls_ticket, link);
}

static uint64_t resumptions(const struct sim_host *host)
{
	return mquic_endpoint_statistic(host->endpoint, MQUIC_TOTAL_HANDSHAKES_RESUMED);
}

/* ---- Resuming --------------------------------------------------------------------- */

START_TEST(client_that_comes_back_resumes)
{
	unsigned int i;

	meet();
	expect_resumed(false);
	for (i = 1; i <= 3; i++) {
		come_back();
		expect_resumed(true);
		ck_assert_uint_eq(resumptions(pair.client), i);
		ck_assert_uint_eq(resumptions(pair.server), i);
		ck_assert_uint_eq(tickets(), 1);
	}
	ck_assert_uint_eq(
		mquic_endpoint_statistic(pair.server->endpoint, MQUIC_TOTAL_HANDSHAKES_DONE), 4);
}
END_TEST

START_TEST(nothing_is_resumed_where_either_side_does_not_want_it)
{
	mquic_settings_set_resumption(_i == 0 ? pair.client_settings : pair.server_settings, false);
	meet();
	ck_assert_uint_eq(tickets(), 0);
	come_back();
	expect_resumed(false);
}
END_TEST

/* TLS is a quarter of a connection's memory. */
START_TEST(tls_is_let_go_when_the_ticket_is_there)
{
	if (_i == 1)
		mquic_settings_set_resumption(pair.server_settings, false);
	meet();
	if (_i == 1) { /* none comes: a while later, at the next occasion */
		ck_assert_ptr_nonnull(pair.dialed->attempt->tls);
		sim_run(pair.sim, 40 * SIM_SECOND);
	}
	ck_assert_ptr_null(pair.dialed->attempt->tls);
	ck_assert_ptr_null(pair.accepted[0]->attempt->tls);
}
END_TEST

START_TEST(ticket_is_used_once)
{
	struct mquic_connection *first;

	meet();
	part();
	pair_dial();
	first = pair.dialed;
	pair.dialed = NULL;
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.ready, 2);
	ck_assert(mquic_connection_resumed(first));
	ck_assert(!mquic_connection_resumed(pair.dialed));
	ck_assert_uint_eq(tickets(), 2);
	mquic_connection_free(first);
}
END_TEST

START_TEST(resuming_works_under_loss)
{
	struct sim_link line = {.delay_ns = 20 * SIM_MS, .loss = 150, .duplicate = 50};
	unsigned int resumed = 0;
	unsigned int i;

	meet();
	pair_set_link(&line);
	for (i = 0; i < 20; i++) {
		come_back();
		if (mquic_connection_resumed(pair.dialed))
			resumed++;
	}
	ck_assert_uint_ge(resumed, 18);
}
END_TEST

static bool drop_tickets(struct sim_host *host, const struct datagram *datagram)
{
	(void)host;
	return (datagram->data[0] & 0x80) == 0;
}

START_TEST(connection_that_ends_before_its_ticket_came_is_followed_by_a_full_one)
{
	pair.client->intercept = drop_tickets;
	pair_listen();
	pair_dial();
	pair_wait(pair_is_connected, 10);
	pair.client->intercept = NULL;
	come_back();
	expect_resumed(false);
}
END_TEST

START_TEST(last_round_trip_is_the_first_expectation)
{
	struct sim_link slow = {.delay_ns = 300 * SIM_MS};
	uint64_t sent;

	mquic_settings_set_redundancy(pair.client_settings, MQUIC_REDUNDANCY_OFF);
	pair_set_link(&slow);
	pair_listen();
	pair_dial();
	pair_wait(pair_is_connected, 10);
	sim_run(pair.sim, 2 * SIM_SECOND);
	/* 300 ms without an answer were too long: the client has said some twice. */
	sent = pair.client->up.packets;
	ck_assert_uint_ge(newest_ticket()->rtt_us, 600000);
	part();
	pair.client->up.packets = 0;
	pair_dial();
	sim_run(pair.sim, 590 * SIM_MS);
	ck_assert_uint_eq(pair.client->up.packets, 1);
	ck_assert_uint_gt(sent, 3);
	sim_run(pair.sim, SIM_SECOND);
	expect_resumed(true);
}
END_TEST

START_TEST(round_trip_of_a_fast_network_leaves_the_server_time)
{
	struct sim_link fast = {.delay_ns = SIM_MS / 10};

	mquic_settings_set_redundancy(pair.client_settings, MQUIC_REDUNDANCY_OFF);
	pair_set_link(&fast);
	meet();
	part();
	pair.server->down.loss = 1000;
	pair_dial();
	sim_run(pair.sim, 55 * SIM_MS);
	ck_assert_uint_eq(pair_first_attempt()->record.failure, 0);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_PACKETS_SENT), 1);
}
END_TEST

/* What is on the line from the first packet till nothing is due, UDP payload both ways. */
static uint64_t bytes_to_come(void)
{
	uint64_t before = pair.client->up.bytes + pair.client->down.bytes;

	pair_dial();
	pair_wait(pair_is_connected, 10);
	sim_run(pair.sim, SIM_SECOND);
	return pair.client->up.bytes + pair.client->down.bytes - before;
}

/*
 * A ticket takes less than a chain. With a small one, as mquic-keygen makes it, both go into the
 * datagrams of 1200 bytes that are demanded anyway (RFC 9000 section 14.1).
 */
START_TEST(coming_back_takes_fewer_bytes)
{
	static const struct kit_spec rsa = {.name = "rsa",
					    .common_name = "broker.example",
					    .dns = {"broker.example"},
					    .issuer = "ca",
					    .rsa_bits = 2048};
	static const char *const parts[] = {"rsa", "ca", NULL};
	uint64_t full;
	uint64_t resumed;

	kit_make(&rsa);
	kit_join("long", parts);
	mquic_settings_set_certificate(pair.server_settings, kit_path("long.crt"),
				       kit_path("long.key"));
	pair_listen();
	full = bytes_to_come();
	part();
	resumed = bytes_to_come();
	expect_resumed(true);
	ck_assert_msg(resumed + 300 < full && resumed < 4100, "%llu bytes, and %llu resumed",
		      (unsigned long long)full, (unsigned long long)resumed);
}
END_TEST

/* ---- File --------------------------------------------------------------------------- */

START_TEST(next_program_resumes_with_the_file_of_the_last)
{
	const char *path = kit_path("tickets");

	mquic_settings_set_ticket_file(pair.client_settings, path);
	meet();
	ck_assert_uint_eq(tickets(), 0);
	part();
	sim_restart(pair.client);
	come();
	expect_resumed(true);
	ck_assert_int_eq(unlink(path), 0);
	come_back(); /* it is there again, and empty */
	expect_resumed(false);
	ck_assert_int_eq(chmod(path, 0644), 0);
	come_back();
	expect_resumed(false);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* ---- What a ticket is bound to ----------------------------------------------------- */

START_TEST(ticket_is_for_one_name)
{
	meet();
	mquic_settings_set_server_name(pair.client_settings, "box.wild.example");
	come_back();
	expect_resumed(false);
	ck_assert_uint_eq(tickets(), 2);
}
END_TEST

START_TEST(ticket_is_for_one_trust)
{
	meet();
	if (_i == 0)
		mquic_settings_set_ca_path(pair.client_settings, kit_path("."));
	else if (_i == 1)
		mquic_settings_set_insecure(pair.client_settings, true);
	else
		mquic_settings_set_certificate(pair.client_settings, kit_path("alice.crt"),
					       kit_path("alice.key"));
	come_back();
	ck_assert(!mquic_connection_resumed(pair.dialed));
	come_back();
	ck_assert(mquic_connection_resumed(pair.dialed));
	if (_i == 1) /* what was not verified then is not now */
		ck_assert_ptr_null(mquic_connection_peer_common_name(pair.dialed));
}
END_TEST

/* A file is what it holds, not what it is called. */
START_TEST(client_that_learns_of_a_revocation_asks_anew)
{
	kit_revoke("mine", "ca", NULL, KIT_DAY);
	mquic_settings_set_crl_file(pair.client_settings, kit_path("mine.crl"));
	meet();
	come_back();
	expect_resumed(true);
	kit_revoke("mine", "ca", "server", KIT_DAY);
	part();
	pair_dial();
	pair_wait(pair_client_is_over, 10);
	kit_says(pair.client_end.text, "revoked");
}
END_TEST

START_TEST(ticket_lasts_no_longer_than_the_certificate)
{
	static const struct kit_spec brief = {.name = "brief",
					      .common_name = "broker.example",
					      .dns = {"broker.example"},
					      .issuer = "ca",
					      .starts = -KIT_DAY,
					      .ends = 600};

	kit_make(&brief);
	mquic_settings_set_certificate(pair.server_settings, kit_path("brief.crt"),
				       kit_path("brief.key"));
	meet();
	ck_assert_uint_le(newest_ticket()->until_s, (uint64_t)time(NULL) + 600);
}
END_TEST

/* ---- Servers ----------------------------------------------------------------------- */

static void restart_server(void)
{
	part();
	sim_restart(pair.server);
	pair_listen();
}

START_TEST(server_that_starts_anew_knows_tickets_by_its_file_alone)
{
	if (_i == 1)
		mquic_settings_set_ticket_key_file(pair.server_settings, kit_path("ticket.key"));
	meet();
	restart_server();
	come();
	expect_resumed(_i == 1);
	come_back();
	expect_resumed(true);
}
END_TEST

/* Workers of one server: a secret, and a file for something else. */
START_TEST(workers_know_the_tickets_of_each_other)
{
	static const uint8_t secret[32] = "all workers have it";

	mquic_settings_set_server_secret(pair.server_settings, secret, sizeof(secret));
	meet();
	restart_server();
	come();
	expect_resumed(true);
}
END_TEST

START_TEST(reload_reads_the_file_again)
{
	mquic_settings_set_ticket_key_file(pair.server_settings, kit_path("turned.key"));
	kit_write("turned.key",
		  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 0600);
	meet();
	ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_OK);
	come_back();
	expect_resumed(true);
	kit_write("turned.key",
		  "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n", 0600);
	come_back();
	expect_resumed(true);
	ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_OK);
	come_back();
	expect_resumed(false);
	come_back();
	expect_resumed(true);
	kit_write("turned.key", "nonsense\n", 0600);
	ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_ERR_TLS);
	kit_says(mquic_endpoint_error(pair.server->endpoint), "ticket key file");
	come_back();
	expect_resumed(true);
}
END_TEST

START_TEST(file_that_cannot_be_made_costs_the_restart_alone)
{
	mquic_settings_set_ticket_key_file(pair.server_settings, kit_path("no/such/directory"));
	meet();
	come_back();
	expect_resumed(true);
}
END_TEST

/* A day is what tickets last, three the keys they are made with. */
START_TEST(ticket_and_its_key_grow_old)
{
	static const struct {
		time_t hours;
		bool resumes;
	} cases[] = {{23, true}, {25, false}, {24 * 8, false}};

	meet();
	ahead = cases[_i].hours * HOUR;
	come_back();
	expect_resumed(cases[_i].resumes);
	come_back(); /* with a ticket of that time */
	expect_resumed(cases[_i].resumes || _i > 0);
}
END_TEST

/* Going on and on is no way to never be looked at again. */
START_TEST(resumed_session_does_not_last_longer)
{
	meet();
	ahead = 20 * HOUR;
	come_back();
	expect_resumed(true);
	ahead = 25 * HOUR;
	come_back();
	expect_resumed(false);
}
END_TEST

static void reload_with(const char *certificate, const char *key)
{
	char *text = kit_read(certificate);

	kit_write("moving.crt", text, 0600);
	free(text);
	text = kit_read(key);
	kit_write("moving.key", text, 0600);
	free(text);
}

START_TEST(ticket_is_bound_to_the_certificate)
{
	static const struct kit_spec next = {.name = "next",
					     .common_name = "broker.example",
					     .dns = {"broker.example"},
					     .issuer = "ca"};

	kit_make(&next);
	reload_with("server.crt", "server.key");
	mquic_settings_set_certificate(pair.server_settings, kit_path("moving.crt"),
				       kit_path("moving.key"));
	meet();
	reload_with("next.crt", "next.key");
	ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_OK);
	come_back();
	expect_resumed(false);
}
END_TEST

/* ---- Clients with certificates ------------------------------------------------------ */

static void show_certificate(void)
{
	mquic_settings_set_certificate(pair.client_settings, kit_path("alice.crt"),
				       kit_path("alice.key"));
}

/* Each time the server sees the certificate, and judges it. */
START_TEST(client_with_certificate_shows_it_each_time)
{
	show_certificate();
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	mquic_settings_set_require_certificate(pair.server_settings, _i == 1);
	meet();
	ck_assert_uint_eq(tickets(), 0);
	come_back();
	ck_assert(!mquic_connection_resumed(pair.dialed));
	ck_assert_str_eq(mquic_connection_peer_common_name(pair.accepted[0]), "alice");
}
END_TEST

START_TEST(client_without_certificate_resumes_where_one_is_asked_for)
{
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	meet();
	come_back();
	expect_resumed(true);
}
END_TEST

START_TEST(revoked_client_does_not_come_back)
{
	show_certificate();
	kit_revoke("ours", "ca", NULL, KIT_DAY);
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	mquic_settings_set_crl_file(pair.server_settings, kit_path("ours.crl"));
	mquic_settings_set_require_certificate(pair.server_settings, true);
	meet();
	ck_assert_str_eq(mquic_connection_peer_common_name(pair.accepted[0]), "alice");
	kit_revoke("ours", "ca", "alice", KIT_DAY);
	ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_OK);
	part();
	pair_dial();
	pair_wait(pair_client_is_over, 10);
	kit_says(pair.client_end.text, "revoked");
	ck_assert_uint_eq(pair.accepted_count, 0);
}
END_TEST

/* With the key file of a server that asks nobody, at the same place. */
START_TEST(ticket_does_not_stand_in_for_a_certificate)
{
	mquic_settings_set_ticket_key_file(pair.server_settings, kit_path("strict.key"));
	meet();
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	mquic_settings_set_require_certificate(pair.server_settings, _i == 1);
	restart_server();
	pair_dial();
	if (_i == 0) {
		pair_wait(pair_is_connected, 10);
		expect_resumed(false);
	} else {
		pair_wait(pair_client_is_over, 10);
		ck_assert_uint_eq(pair.accepted_count, 0);
	}
}
END_TEST

/* ---- Hostile tickets ---------------------------------------------------------------- */

/* Behind the ticket GnuTLS has its secret (33 bytes), time (12), and early data (4). */
#define BEHIND 49

/* The ticket itself, as the server gets it, in what GnuTLS keeps: its length is before it. */
static uint8_t *find_ticket(size_t *len)
{
	struct tls_ticket *ticket = newest_ticket();
	uint8_t *data = ticket->data;
	size_t end = ticket->len - BEHIND;
	size_t at;

	for (at = end - 4; at > 0; at--) {
		*len = end - at - 4;
		if (data[at] == 0 && data[at + 1] == 0 && data[at + 2] == (uint8_t)(*len >> 8) &&
		    data[at + 3] == (uint8_t)*len && *len > 64)
			return data + at + 4;
	}
	ck_abort_msg("there is no ticket in it");
	return NULL;
}

static void dial_with_damage(void)
{
	part();
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.ready, 1);
	ck_assert_uint_eq(pair.client_end.told, 0);
	expect_resumed(false);
}

/* Its key's name, its check sum: a server that cannot read it has the full handshake. */
START_TEST(damaged_ticket_harms_nobody)
{
	size_t len;
	size_t at = 0;

	meet();
	do {
		find_ticket(&len)[at] ^= 0x40;
		dial_with_damage();
		at += 5;
	} while (at < len);
	come_back();
	expect_resumed(true);
}
END_TEST

START_TEST(ticket_of_noise_harms_nobody)
{
	uint8_t *ticket;
	size_t len;
	size_t i;

	meet();
	ticket = find_ticket(&len);
	for (i = 0; i < len; i++)
		ticket[i] = (uint8_t)sim_random(pair.sim);
	dial_with_damage();
}
END_TEST

/* Who offers it has no proof that it is his own (RFC 8446 section 4.2.11.2). */
START_TEST(ticket_without_its_secret_is_refused)
{
	struct tls_ticket *ticket;

	meet();
	ticket = newest_ticket();
	ticket->data[ticket->len - BEHIND + 1] ^= 1;
	part();
	pair_dial();
	pair_wait(pair_client_is_over, 10);
	ck_assert_int_eq(pair.client_end.origin, MQUIC_ORIGIN_TLS);
	ck_assert_uint_eq(pair.accepted_count, 0);
	part();
	come();
	expect_resumed(false);
}
END_TEST

struct recorder {
	uint8_t first[1500];
	size_t len;
};

static void record_first(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct recorder *recorder = user;

	if (from != pair.client || recorder->len > 0)
		return;
	ck_assert_uint_le(datagram->len, sizeof(recorder->first));
	memcpy(recorder->first, datagram->data, datagram->len);
	recorder->len = datagram->len;
}

/* Who saw the first flight has the ticket, and not what belongs to it. */
START_TEST(replayed_first_flight_leads_nowhere)
{
	struct recorder recorder = {.len = 0};
	struct address stranger = sim_address(9, 999);
	struct address server = sim_address(2, PAIR_PORT);
	size_t known;

	meet();
	part();
	sim_set_tap(pair.sim, record_first, &recorder);
	come();
	expect_resumed(true);
	known = pair.accepted_count;
	part();
	while (_i-- > 0) {
		sim_inject(pair.sim, &stranger, &server, recorder.first, recorder.len);
		sim_run(pair.sim, SIM_SECOND);
	}
	sim_run(pair.sim, 20 * SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 0);
	ck_assert_uint_eq(known, 1);
	ck_assert_uint_eq(resumptions(pair.server), 1);
	pair_expect_empty(pair.server);
}
END_TEST

/* Its key is another: the handshake is a full one, with the certificate of that server. */
START_TEST(ticket_of_another_server_is_passed_over)
{
	meet();
	restart_server();
	come();
	expect_resumed(false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-resume");
	TCase *group = tcase_create("resume");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, open_pair, close_pair);
	tcase_set_timeout(group, 120);
	tcase_add_test(group, client_that_comes_back_resumes);
	tcase_add_loop_test(group, nothing_is_resumed_where_either_side_does_not_want_it, 0, 2);
	tcase_add_loop_test(group, tls_is_let_go_when_the_ticket_is_there, 0, 2);
	tcase_add_test(group, ticket_is_used_once);
	tcase_add_test(group, resuming_works_under_loss);
	tcase_add_test(group,
		       connection_that_ends_before_its_ticket_came_is_followed_by_a_full_one);
	tcase_add_test(group, last_round_trip_is_the_first_expectation);
	tcase_add_test(group, round_trip_of_a_fast_network_leaves_the_server_time);
	tcase_add_test(group, coming_back_takes_fewer_bytes);
	tcase_add_test(group, next_program_resumes_with_the_file_of_the_last);
	tcase_add_test(group, ticket_is_for_one_name);
	tcase_add_loop_test(group, ticket_is_for_one_trust, 0, 3);
	tcase_add_test(group, client_that_learns_of_a_revocation_asks_anew);
	tcase_add_test(group, ticket_lasts_no_longer_than_the_certificate);
	tcase_add_loop_test(group, server_that_starts_anew_knows_tickets_by_its_file_alone, 0, 2);
	tcase_add_test(group, workers_know_the_tickets_of_each_other);
	tcase_add_test(group, reload_reads_the_file_again);
	tcase_add_test(group, file_that_cannot_be_made_costs_the_restart_alone);
	tcase_add_loop_test(group, ticket_and_its_key_grow_old, 0, 3);
	tcase_add_test(group, resumed_session_does_not_last_longer);
	tcase_add_test(group, ticket_is_bound_to_the_certificate);
	tcase_add_loop_test(group, client_with_certificate_shows_it_each_time, 0, 2);
	tcase_add_test(group, client_without_certificate_resumes_where_one_is_asked_for);
	tcase_add_test(group, revoked_client_does_not_come_back);
	tcase_add_loop_test(group, ticket_does_not_stand_in_for_a_certificate, 0, 2);
	tcase_add_test(group, damaged_ticket_harms_nobody);
	tcase_add_test(group, ticket_of_noise_harms_nobody);
	tcase_add_test(group, ticket_without_its_secret_is_refused);
	tcase_add_loop_test(group, replayed_first_flight_leads_nowhere, 1, 3);
	tcase_add_test(group, ticket_of_another_server_is_passed_over);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
