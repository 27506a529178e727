/* SPDX-License-Identifier: MIT */
/* How connections come to be, over good and bad lines, and why they do not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pair.h"
#include "quic/demux.h"
#include "quic/udp.h"

#define SEEDS 12

static void expect_facts(const struct mquic_connection *connection)
{
	ck_assert_str_eq(mquic_connection_tls_version(connection), "TLS1.3");
	ck_assert_str_eq(mquic_connection_cipher(connection), "AES-128-GCM");
	ck_assert_str_eq(mquic_connection_alpn(connection), "mqtt");
	ck_assert_uint_gt(mquic_connection_statistic(connection, MQUIC_STATISTIC_HANDSHAKE_US), 0);
}

START_TEST(both_sides_know_the_facts_of_the_handshake)
{
	pair_connect();
	ck_assert_uint_eq(pair.ready, 1);
	ck_assert_uint_eq(pair.accepted_count, 1);
	expect_facts(pair.dialed);
	expect_facts(pair.accepted[0]);
	ck_assert_str_eq(mquic_connection_peer_address(pair.dialed), "10.0.0.2:14567");
	ck_assert_str_eq(mquic_connection_local_address(pair.dialed), "10.0.0.1:40000");
	ck_assert_str_eq(mquic_connection_peer_address(pair.accepted[0]), "10.0.0.1:40000");
	ck_assert_str_eq(mquic_connection_local_address(pair.accepted[0]), "10.0.0.2:14567");
	ck_assert_str_eq(mquic_connection_peer_common_name(pair.dialed), "broker.example");
	ck_assert_ptr_null(mquic_connection_peer_common_name(pair.accepted[0]));
	/* One round trip for the client: nothing is sent twice and nobody waits for a timer. */
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  10000);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_MIN_RTT_US),
			  10000);
}
END_TEST

START_TEST(client_shows_its_certificate)
{
	mquic_settings_set_certificate(pair.client_settings, kit_path("alice.crt"),
				       kit_path("alice.key"));
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	mquic_settings_set_require_certificate(pair.server_settings, true);
	pair_connect();
	ck_assert_str_eq(mquic_connection_peer_common_name(pair.accepted[0]), "alice");
}
END_TEST

START_TEST(handshake_survives_loss)
{
	static const unsigned int losses[] = {0, 100, 300};
	static const unsigned int most_seconds[] = {1, 5, 10};
	struct sim_link line = {.delay_ns = 20 * SIM_MS,
				.jitter_ns = 10 * SIM_MS,
				.loss = losses[_i],
				.duplicate = 50};
	unsigned int complete = 0;
	uint64_t seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		pair_reopen(seed);
		pair_set_link(&line);
		pair_listen();
		pair_dial();
		if (!sim_until(pair.sim, pair_is_connected, NULL, most_seconds[_i] * SIM_SECOND))
			continue;
		complete++;
		ck_assert_uint_eq(pair.accepted_count, 1);
		expect_facts(pair.dialed);
		expect_facts(pair.accepted[0]);
	}
	/* At 30 % loss in each direction a handshake may take longer than its limit. */
	ck_assert_uint_ge(complete, losses[_i] < 300 ? SEEDS : SEEDS - 3);
}
END_TEST

START_TEST(handshake_survives_small_packets_only)
{
	struct sim_link line = {.delay_ns = 5 * SIM_MS, .mtu = 1200};

	pair_set_link(&line);
	pair_connect();
}
END_TEST

START_TEST(retry_costs_one_round_trip)
{
	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	pair_connect();
	expect_facts(pair.dialed);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  20000);
}
END_TEST

START_TEST(retry_works_under_loss)
{
	struct sim_link line = {.delay_ns = 20 * SIM_MS, .loss = 150};
	uint64_t seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		pair_reopen(seed);
		pair_set_link(&line);
		mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
		pair_connect();
	}
}
END_TEST

/* Keeps the first datagram of the client. */
struct captured {
	uint8_t data[2000];
	size_t len;
};

static void capture_first(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct captured *captured = user;

	if (from != pair.client || captured->len > 0)
		return;
	captured->len = datagram->len;
	memcpy(captured->data, datagram->data, datagram->len);
}

static void count_reply(struct sim_host *probe, const struct datagram *datagram)
{
	struct captured *reply = probe->user;

	ck_assert_uint_le(datagram->len, sizeof(reply->data));
	reply->len = datagram->len;
	memcpy(reply->data, datagram->data, datagram->len);
}

/* Has the client make an Initial packet that nobody answers. */
static void capture_initial(struct captured *initial)
{
	initial->len = 0;
	sim_set_tap(pair.sim, capture_first, initial);
	pair.client->up.loss = 1000;
	pair_dial();
	sim_settle(pair.sim);
	sim_set_tap(pair.sim, NULL, NULL);
	ck_assert_uint_ge(initial->len, 1200);
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
}

static struct sim_host *probe_of(struct captured *reply)
{
	struct sim_host *probe = sim_probe_new(pair.sim, 9, 999);

	reply->len = 0;
	probe->user = reply;
	probe->on_datagram = count_reply;
	return probe;
}

static void inject(const struct captured *packet)
{
	struct address from = sim_address(9, 999);
	struct address to = sim_address(2, PAIR_PORT);

	sim_inject(pair.sim, &from, &to, packet->data, packet->len);
	sim_run(pair.sim, 100 * SIM_MS);
}

START_TEST(unknown_version_is_negotiated)
{
	struct captured initial;
	struct captured reply;

	pair_listen();
	capture_initial(&initial);
	(void)probe_of(&reply);
	initial.data[1] = 0x1a;
	inject(&initial);
	/* RFC 9000 section 17.2.1: version 0, our identifiers swapped, what we speak. */
	ck_assert_uint_gt(reply.len, 7);
	ck_assert_uint_lt(reply.len, initial.len);
	ck_assert(reply.data[0] & 0x80);
	ck_assert_mem_eq(reply.data + 1, "\0\0\0\0", 4);
	ck_assert_mem_eq(reply.data + reply.len - 8, "\0\0\0\1\x6b\x33\x43\xcf", 8);
}
END_TEST

START_TEST(small_packet_of_unknown_version_gets_no_answer)
{
	struct captured initial;
	struct captured reply;

	pair_listen();
	capture_initial(&initial);
	(void)probe_of(&reply);
	initial.data[1] = 0x1a;
	initial.len = 1199;
	inject(&initial);
	ck_assert_uint_eq(reply.len, 0);
}
END_TEST

START_TEST(client_is_told_that_no_version_fits)
{
	uint8_t packet[64] = {0x80, 0, 0, 0, 0};
	struct captured initial;
	struct address from = sim_address(2, PAIR_PORT);
	struct address to;
	size_t len = 5;
	size_t dcid_len;
	size_t scid_len;

	initial.len = 0;
	sim_set_tap(pair.sim, capture_first, &initial);
	pair_dial();
	sim_settle(pair.sim);
	dcid_len = initial.data[5];
	scid_len = initial.data[6 + dcid_len];
	packet[len++] = (uint8_t)scid_len;
	memcpy(packet + len, initial.data + 7 + dcid_len, scid_len);
	len += scid_len;
	packet[len++] = (uint8_t)dcid_len;
	memcpy(packet + len, initial.data + 6, dcid_len);
	len += dcid_len;
	memcpy(packet + len, "\xfa\xce\xb0\x0c", 4);
	to = sim_seen_from_outside(pair.client);
	sim_inject(pair.sim, &from, &to, packet, len + 4);
	pair_wait(pair_client_is_over, 1);
	pair_expect_end(&pair.client_end, MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT, 0,
			"no QUIC version");
}
END_TEST

START_TEST(silence_ends_with_the_handshake_timeout)
{
	uint64_t start = sim_now(pair.sim);

	pair.client->up.loss = 1000;
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 3000);
	pair_listen();
	pair_dial();
	pair_wait(pair_client_is_over, 20);
	ck_assert_uint_eq((sim_now(pair.sim) - start) / SIM_MS, 3000);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
			"no answer from UDP 10.0.0.2:14567 within 3000 ms");
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, 60 * SIM_SECOND);
	pair_expect_empty(pair.client);
}
END_TEST

START_TEST(server_forgets_a_client_that_falls_silent)
{
	mquic_settings_set_handshake_timeout_ms(pair.server_settings, 2000);
	pair_listen();
	pair_dial();
	sim_run(pair.sim, 7 * SIM_MS); /* the first packet has arrived, the answer has not */
	ck_assert_uint_eq(pair.server->quic->places.handshakes, 1);
	ck_assert_uint_eq(pair.server->quic->places.connections, 1);
	pair.client->up.loss = 1000;
	sim_run(pair.sim, 3 * SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 0);
	pair_expect_empty(pair.server);
}
END_TEST

/* RFC 9000 section 8.1: three times what came from an address that is not proven. */
struct tally {
	uint64_t to_server;
	uint64_t to_client;
};

static void weigh(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct tally *tally = user;

	if (from == pair.client)
		tally->to_server += datagram->len;
	else
		tally->to_client += datagram->len;
}

START_TEST(unproven_address_gets_at_most_three_times_what_it_sent)
{
	struct captured initial;
	struct captured reply;
	struct tally tally = {0, 0};

	pair_listen();
	capture_initial(&initial);
	(void)probe_of(&reply);
	sim_set_tap(pair.sim, weigh, &tally);
	inject(&initial);
	ck_assert_uint_gt(tally.to_client, 0);
	sim_run(pair.sim, 60 * SIM_SECOND);
	ck_assert_uint_le(tally.to_client, 3 * initial.len);
	pair_expect_empty(pair.server);
}
END_TEST

/* ---- Refusals ----------------------------------------------------------------- */

static void expect_refusal(const char *why)
{
	uint64_t start = sim_now(pair.sim);

	memset(&pair.client_end, 0, sizeof(pair.client_end));
	pair.dialed = NULL;
	pair_dial();
	pair_wait(pair_client_is_over, 10);
	pair_expect_end(&pair.client_end, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_TRANSPORT,
			NGTCP2_CONNECTION_REFUSED, why);
	ck_assert_uint_le(sim_now(pair.sim) - start, 11 * SIM_MS); /* told, not timed out */
}

START_TEST(server_refuses_one_connection_too_many)
{
	struct mquic_connection *first;

	mquic_settings_set_max_connections(pair.server_settings, 1);
	pair_connect();
	first = pair.dialed;
	expect_refusal("too many connections");
	/* One goes, another may come. */
	mquic_connection_free(first);
	sim_run(pair.sim, SIM_SECOND);
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 2);
}
END_TEST

START_TEST(server_refuses_too_many_from_one_address)
{
	struct mquic_connection *first;
	struct mquic_connection *other;
	struct sim_host *stranger = sim_host_new(pair.sim, 3);

	mquic_settings_set_max_connections_per_address(pair.server_settings, 1);
	pair_connect();
	first = pair.dialed;
	expect_refusal("too many connections from this address");
	ck_assert_int_eq(mquic_connection_dial(&other, stranger->endpoint, pair.client_settings,
					       PAIR_HOST, PAIR_PORT),
			 MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 2);
	mquic_connection_free(first);
	mquic_connection_free(other);
}
END_TEST

static char refusals[8][200];
static size_t refusal_count;

static void keep_refusal(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)userdata;
	if (strstr(line, "refused") == NULL)
		return;
	ck_assert_int_eq(level, MQUIC_LOG_INFO);
	ck_assert_uint_lt(refusal_count, 8);
	(void)snprintf(refusals[refusal_count++], sizeof(refusals[0]), "%s", line);
}

static void refuse_one_more(void)
{
	expect_refusal("too many connections from this address");
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
}

static bool says(const char *line, const char *part)
{
	return strstr(line, part) != NULL;
}

START_TEST(limits_that_keep_clients_out_are_told_and_not_too_often)
{
	static const char setting[] = "this address (max_connections_per_address)";
	struct mquic_connection *first;
	size_t i;

	refusal_count = 0;
	mquic_settings_set_max_connections_per_address(pair.server_settings, 1);
	mquic_endpoint_set_log(pair.server->endpoint, keep_refusal, MQUIC_LOG_INFO, NULL);
	pair_connect();
	first = pair.dialed;
	for (i = 0; i < 5; i++)
		refuse_one_more();
	/* There are two a second, and these five may have been in two. */
	ck_assert_uint_le(refusal_count, 4);
	ck_assert(refusal_count > 0 && says(refusals[0], setting));
	sim_run(pair.sim, 2 * SIM_SECOND);
	refusal_count = 0;
	refuse_one_more();
	ck_assert_uint_eq(refusal_count, 1);
	ck_assert(says(refusals[0], setting) && says(refusals[0], "others since the last"));
	sim_run(pair.sim, 2 * SIM_SECOND);
	refuse_one_more();
	ck_assert_uint_eq(refusal_count, 2);
	ck_assert(says(refusals[1], setting) && !says(refusals[1], "others"));
	mquic_connection_free(first);
}
END_TEST

START_TEST(server_refuses_too_many_handshakes)
{
	struct captured initial;
	struct captured reply;

	mquic_settings_set_max_handshakes(pair.server_settings, 1);
	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_NEVER);
	pair_listen();
	capture_initial(&initial);
	(void)probe_of(&reply);
	inject(&initial);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, 1);
	pair.client->up.loss = 0;
	memset(&pair.client_end, 0, sizeof(pair.client_end));
	expect_refusal("too many handshakes");
}
END_TEST

START_TEST(many_handshakes_in_flight_turn_retry_on)
{
	struct captured initial;
	struct captured reply;
	size_t i;

	mquic_settings_set_max_handshakes(pair.server_settings, 16);
	mquic_settings_set_initial_rtt_ms(pair.server_settings, 2000); /* none is sent again */
	pair_listen();
	(void)probe_of(&reply);
	for (i = 0; i < 3; i++) {
		capture_initial(&initial);
		inject(&initial);
	}
	/* Two are taken as they are; the third must come again with a token. */
	ck_assert_uint_eq(pair.server->quic->places.handshakes, 2);
	ck_assert_uint_eq(reply.data[0] & 0xf0, 0xf0);
	pair.client->up.loss = 0;
	pair_dial();
	pair_wait(pair_is_connected, 1);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  20000);
}
END_TEST

START_TEST(small_limit_of_handshakes_asks_nobody_for_retry_who_comes_alone)
{
	mquic_settings_set_max_handshakes(pair.server_settings, 4);
	pair_connect();
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  10000 /* one round trip */);
}
END_TEST

START_TEST(wrong_certificate_is_refused_in_words)
{
	mquic_settings_set_ca_file(pair.client_settings, kit_path("other.crt"));
	pair_listen();
	pair_dial();
	pair_wait(pair_client_is_over, 5);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TLS);
	ck_assert_int_eq(pair.client_end.origin, MQUIC_ORIGIN_TLS);
	sim_run(pair.sim, 30 * SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 0);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(server_tells_a_client_without_certificate)
{
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	mquic_settings_set_require_certificate(pair.server_settings, true);
	pair_listen();
	pair_dial();
	pair_wait(pair_client_is_over, 5);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TLS);
	kit_says(pair.client_end.text, "certificate");
	ck_assert_uint_eq(pair.accepted_count, 0);
}
END_TEST

/* ---- The system's word ------------------------------------------------------------ */

START_TEST(unreachable_server_ends_the_attempt_at_once)
{
	pair.client->send_error = ECONNREFUSED;
	pair_listen();
	pair_dial();
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM, ECONNREFUSED,
			"nothing listens on UDP 10.0.0.2:14567");
}
END_TEST

/* A name with a second address; the first keeps silent. */
static void dial_two_addresses(unsigned int second)
{
	struct quic_candidates *candidates;

	pair_dial();
	candidates = pair.dialed->candidates;
	candidates->answer.found.list[1] = sim_address(second, PAIR_PORT);
	candidates->answer.found.count = 2;
	timer_set(endpoint_timers(pair.client->endpoint), &candidates->timer,
		  sim_now(pair.sim) + 500 * SIM_MS);
}

START_TEST(next_address_is_tried_when_the_first_keeps_silent)
{
	struct sim_host *other = sim_host_new(pair.sim, 7);

	other->on_event = pair.server->on_event;
	ck_assert_int_eq(sim_listen(other, pair.server_settings, PAIR_PORT), MQUIC_OK);
	dial_two_addresses(7);
	pair_wait(pair_is_connected, 2);
	ck_assert_str_eq(mquic_connection_peer_address(pair.dialed), "10.0.0.7:14567");
}
END_TEST

START_TEST(next_address_is_tried_when_the_first_refuses)
{
	pair_listen();
	pair.client->send_error = ECONNREFUSED;
	dial_two_addresses(2);
	sim_settle(pair.sim);
	ck_assert_uint_eq(pair.client_end.told, 1); /* both do */
	pair_expect_end(&pair.client_end, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM, ECONNREFUSED,
			"nothing listens");
}
END_TEST

START_TEST(slow_first_address_is_kept_when_no_other_can_be_opened)
{
	pair_listen();
	pair.client->up.loss = 1000;
	dial_two_addresses(7);
	pair.client->open_error = ENETUNREACH;
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
	pair.client->up.loss = 0;
	pair_wait(pair_is_connected, 5);
	ck_assert_str_eq(mquic_connection_peer_address(pair.dialed), "10.0.0.2:14567");
}
END_TEST

START_TEST(name_that_tls_refuses_is_named)
{
	ck_assert_int_eq(mquic_settings_set_server_name(pair.client_settings, "\xff\xfe"),
			 MQUIC_OK);
	ck_assert_int_ne(mquic_connection_dial(&pair.dialed, pair.client->endpoint,
					       pair.client_settings, PAIR_HOST, PAIR_PORT),
			 MQUIC_OK);
	kit_says(mquic_endpoint_error(pair.client->endpoint), "name of a server");
	ck_assert_ptr_null(pair.dialed);
	pair_expect_empty(pair.client);
}
END_TEST

START_TEST(unreachable_server_does_not_end_a_connection)
{
	pair_connect();
	pair.client->send_error = ENETUNREACH;
	sim_run(pair.sim, 2 * SIM_SECOND);
	demux_reader.failed(pair.client->quic, pair.dialed->attempt->wire, ECONNREFUSED);
	sim_run(pair.sim, 2 * SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-handshake");
	TCase *group = tcase_create("handshake");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 120);
	tcase_add_test(group, both_sides_know_the_facts_of_the_handshake);
	tcase_add_test(group, client_shows_its_certificate);
	tcase_add_loop_test(group, handshake_survives_loss, 0, 3);
	tcase_add_test(group, handshake_survives_small_packets_only);
	tcase_add_test(group, retry_costs_one_round_trip);
	tcase_add_test(group, retry_works_under_loss);
	tcase_add_test(group, unknown_version_is_negotiated);
	tcase_add_test(group, small_packet_of_unknown_version_gets_no_answer);
	tcase_add_test(group, client_is_told_that_no_version_fits);
	tcase_add_test(group, silence_ends_with_the_handshake_timeout);
	tcase_add_test(group, server_forgets_a_client_that_falls_silent);
	tcase_add_test(group, unproven_address_gets_at_most_three_times_what_it_sent);
	tcase_add_test(group, server_refuses_one_connection_too_many);
	tcase_add_test(group, server_refuses_too_many_from_one_address);
	tcase_add_test(group, limits_that_keep_clients_out_are_told_and_not_too_often);
	tcase_add_test(group, server_refuses_too_many_handshakes);
	tcase_add_test(group, many_handshakes_in_flight_turn_retry_on);
	tcase_add_test(group, small_limit_of_handshakes_asks_nobody_for_retry_who_comes_alone);
	tcase_add_test(group, wrong_certificate_is_refused_in_words);
	tcase_add_test(group, server_tells_a_client_without_certificate);
	tcase_add_test(group, unreachable_server_ends_the_attempt_at_once);
	tcase_add_test(group, next_address_is_tried_when_the_first_keeps_silent);
	tcase_add_test(group, next_address_is_tried_when_the_first_refuses);
	tcase_add_test(group, slow_first_address_is_kept_when_no_other_can_be_opened);
	tcase_add_test(group, name_that_tls_refuses_is_named);
	tcase_add_test(group, unreachable_server_does_not_end_a_connection);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
