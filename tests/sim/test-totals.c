/* SPDX-License-Identifier: MIT */
/* What mquic_endpoint_statistic() tells, held against what the simulation has seen. */
#include <errno.h>
#include <string.h>

#include "quic/conductor.h"
#include "traffic.h"

#define TOTAL(name) MQUIC_TOTAL_##name

/* The first and last of those that say why, and who erred. */
#define FIRST_REASON  TOTAL(FAILED_TIMEOUT)
#define LAST_REASON   TOTAL(FAILED_OTHER)
#define FIRST_CULPRIT TOTAL(FAILED_BY_CALLER)
#define LAST_CULPRIT  TOTAL(FAILED_BY_MQUIC)

static uint64_t total(const struct sim_host *host, int which)
{
	return mquic_endpoint_statistic(host->endpoint, (enum mquic_total)which);
}

static uint64_t sum(const struct sim_host *host, int first, int last)
{
	uint64_t all = 0;

	while (first <= last)
		all += total(host, first++);
	return all;
}

/* Each handshake is under way, done, or failed for one reason and by one's fault. */
static void expect_sums(const struct sim_host *host)
{
	uint64_t failed = total(host, TOTAL(HANDSHAKES_FAILED));

	ck_assert_uint_eq(sum(host, FIRST_REASON, LAST_REASON), failed);
	ck_assert_uint_eq(sum(host, FIRST_CULPRIT, LAST_CULPRIT), failed);
	ck_assert_uint_le(total(host, TOTAL(HANDSHAKES_DONE)) + failed,
			  total(host, TOTAL(HANDSHAKES_BEGUN)));
}

static void expect(const struct sim_host *host, int which, uint64_t count)
{
	uint64_t told = total(host, which);

	ck_assert_msg(told == count, "of %d: %llu, not %llu", which, (unsigned long long)told,
		      (unsigned long long)count);
	expect_sums(host);
}

/* One handshake of the host has failed, for this reason and by this one's fault. */
static void expect_failure(const struct sim_host *host, int reason, int culprit)
{
	expect(host, TOTAL(HANDSHAKES_FAILED), 1);
	expect(host, reason, 1);
	expect(host, culprit, 1);
	expect(host, TOTAL(HANDSHAKES_DONE), 0);
	expect(host, TOTAL(CONNECTIONS), 0);
}

/* What a host was seen to send. */
struct seen {
	const struct sim_host *host;
	uint64_t datagrams;
	uint64_t bytes;
	uint8_t last[2000];
	size_t last_len;
};

static void see(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct seen *seen = user;

	if (from != seen->host)
		return;
	seen->datagrams++;
	seen->bytes += datagram->len;
	ck_assert_uint_le(datagram->len, sizeof(seen->last));
	memcpy(seen->last, datagram->data, datagram->len);
	seen->last_len = datagram->len;
}

static void watch(struct seen *seen, const struct sim_host *host)
{
	memset(seen, 0, sizeof(*seen));
	seen->host = host;
	sim_set_tap(pair.sim, see, seen);
}

/* To the server, as if from a stranger. */
static void inject(const uint8_t *data, size_t len)
{
	struct address from = sim_address(9, 999);
	struct address to = sim_address(2, PAIR_PORT);

	sim_inject(pair.sim, &from, &to, data, len);
	sim_settle(pair.sim);
}

/* ---- What goes over the line ------------------------------------------------------ */

START_TEST(endpoint_without_connections_has_counted_nothing)
{
	struct mquic_endpoint *endpoint;
	int which;

	ck_assert_int_eq(mquic_endpoint_new(&endpoint), MQUIC_OK);
	for (which = -1; which <= TOTAL(COPIES_SENT) + 1; which++) {
		ck_assert_uint_eq(total(pair.client, which), 0);
		ck_assert_uint_eq(mquic_endpoint_statistic(endpoint, (enum mquic_total)which), 0);
	}
	ck_assert_uint_eq(mquic_endpoint_statistic(NULL, TOTAL(CONNECTIONS)), 0);
	mquic_endpoint_free(endpoint);
}
END_TEST

START_TEST(datagrams_and_bytes_are_those_of_the_line)
{
	struct seen seen;

	watch(&seen, pair.client);
	pair_connect();
	traffic_start(300000);
	(void)traffic_open(200000);
	pair_wait(traffic_is_done, 10);
	mquic_connection_close(pair.dialed, 0, NULL);
	sim_run(pair.sim, SIM_SECOND);
	expect(pair.client, TOTAL(DATAGRAMS_SENT), seen.datagrams);
	expect(pair.client, TOTAL(BYTES_SENT), seen.bytes);
	expect(pair.server, TOTAL(DATAGRAMS_RECEIVED), seen.datagrams);
	expect(pair.server, TOTAL(BYTES_RECEIVED), seen.bytes);
	/* The close that was said again was no more of the connection's. */
	ck_assert_uint_le(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_BYTES_SENT),
			  seen.bytes);
	expect(pair.server, TOTAL(DATAGRAMS_SENT), pair.client->down.packets);
	expect(pair.server, TOTAL(BYTES_SENT), pair.client->down.bytes);
	expect(pair.client, TOTAL(DATAGRAMS_RECEIVED), pair.client->down.packets);
	ck_assert_uint_gt(seen.bytes, 200000);
	ck_assert_uint_gt(pair.client->down.bytes, 300000);
	traffic_stop();
}
END_TEST

START_TEST(lost_packets_are_kept_when_connections_go)
{
	struct sim_link line = {.delay_ns = 10 * SIM_MS, .loss = 30};
	uint64_t lost;

	pair_connect();
	pair_set_link(&line);
	traffic_start(300000);
	(void)traffic_open(300000);
	(void)traffic_open(1000);
	pair_wait(traffic_is_done, 60);
	traffic_client[1].endless = true;
	lost = mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_PACKETS_LOST);
	ck_assert_uint_gt(lost, 0);
	expect(pair.client, TOTAL(PACKETS_LOST), lost);
	traffic_stop();
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	expect(pair.client, TOTAL(PACKETS_LOST), lost);
	lost = mquic_connection_statistic(pair.accepted[0], MQUIC_STATISTIC_PACKETS_LOST);
	ck_assert_uint_gt(lost, 0);
	expect(pair.server, TOTAL(PACKETS_LOST), lost);
}
END_TEST

/* A stream that is open at the end has lost packets, too. */
START_TEST(losses_of_an_open_stream_are_kept)
{
	struct sim_link line = {.delay_ns = 10 * SIM_MS, .loss = 50};
	uint64_t lost;

	pair_connect();
	pair_set_link(&line);
	traffic_start(0);
	(void)traffic_open(10000000);
	sim_run(pair.sim, 2 * SIM_SECOND);
	lost = mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_PACKETS_LOST);
	ck_assert_uint_gt(lost, 0);
	mquic_connection_close(pair.dialed, 0, NULL);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_PACKETS_LOST),
			  lost);
	expect(pair.client, TOTAL(PACKETS_LOST), lost);
	traffic_stop();
}
END_TEST

/* ---- Handshakes --------------------------------------------------------------------- */

START_TEST(handshakes_begin_and_are_done)
{
	pair_listen();
	pair_dial();
	expect(pair.client, TOTAL(HANDSHAKES_BEGUN), 1);
	expect(pair.client, TOTAL(HANDSHAKES_DONE), 0);
	expect(pair.client, TOTAL(CONNECTIONS), 1);
	pair_wait(pair_is_connected, 1);
	expect(pair.client, TOTAL(HANDSHAKES_DONE), 1);
	expect(pair.server, TOTAL(HANDSHAKES_BEGUN), 1);
	expect(pair.server, TOTAL(HANDSHAKES_DONE), 1);
	expect(pair.server, TOTAL(CONNECTIONS), 1);
	mquic_connection_close(pair.dialed, 7, "enough");
	sim_run(pair.sim, SIM_SECOND);
	expect(pair.client, TOTAL(CONNECTIONS), 0);
	expect(pair.server, TOTAL(CONNECTIONS), 0);
	expect(pair.client, TOTAL(HANDSHAKES_FAILED), 0);
	expect(pair.server, TOTAL(HANDSHAKES_FAILED), 0);
}
END_TEST

START_TEST(memory_is_that_of_all_connections)
{
	struct mquic_connection *first;

	pair_connect();
	first = pair.dialed;
	expect(pair.server, TOTAL(MEMORY),
	       mquic_connection_statistic(pair.accepted[0], MQUIC_STATISTIC_MEMORY));
	pair.dialed = NULL;
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 2);
	expect(pair.server, TOTAL(MEMORY),
	       mquic_connection_statistic(pair.accepted[0], MQUIC_STATISTIC_MEMORY) +
		       mquic_connection_statistic(pair.accepted[1], MQUIC_STATISTIC_MEMORY));
	mquic_connection_free(pair.accepted[1]);
	mquic_connection_free(pair.accepted[0]);
	pair.accepted_count = 0;
	expect(pair.server, TOTAL(MEMORY), 0);
	mquic_connection_free(first);
}
END_TEST

/* ---- Handshakes that fail ------------------------------------------------------------ */

static void fail_to_connect(void)
{
	pair_listen();
	pair_dial();
	pair_wait(pair_client_is_over, 30);
	sim_run(pair.sim, 30 * SIM_SECOND);
}

START_TEST(servers_certificate_is_not_accepted)
{
	mquic_settings_set_ca_file(pair.client_settings, kit_path("other.crt"));
	fail_to_connect();
	expect_failure(pair.client, TOTAL(FAILED_CERTIFICATE), TOTAL(FAILED_BY_PEER));
	expect_failure(pair.server, TOTAL(FAILED_CERTIFICATE), TOTAL(FAILED_BY_PEER));
}
END_TEST

START_TEST(client_without_certificate_is_not_accepted)
{
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	mquic_settings_set_require_certificate(pair.server_settings, true);
	fail_to_connect();
	expect_failure(pair.server, TOTAL(FAILED_CERTIFICATE), TOTAL(FAILED_BY_PEER));
	/* It was through with its part when it heard of that. */
	expect(pair.client, TOTAL(HANDSHAKES_DONE), 1);
}
END_TEST

START_TEST(nobody_speaks_the_protocol)
{
	mquic_settings_set_alpn(pair.client_settings, "h3");
	fail_to_connect();
	expect_failure(pair.client, TOTAL(FAILED_ALPN), TOTAL(FAILED_BY_PEER));
	expect_failure(pair.server, TOTAL(FAILED_ALPN), TOTAL(FAILED_BY_PEER));
}
END_TEST

START_TEST(nobody_answers)
{
	pair.client->up.loss = 1000;
	fail_to_connect();
	expect_failure(pair.client, TOTAL(FAILED_TIMEOUT), TOTAL(FAILED_BY_PEER));
	expect(pair.server, TOTAL(HANDSHAKES_BEGUN), 0);
}
END_TEST

START_TEST(client_falls_silent)
{
	pair_listen();
	pair_dial();
	sim_run(pair.sim, 7 * SIM_MS);
	expect(pair.server, TOTAL(HANDSHAKES_BEGUN), 1);
	pair.client->up.loss = 1000;
	sim_run(pair.sim, 30 * SIM_SECOND);
	expect_failure(pair.server, TOTAL(FAILED_TIMEOUT), TOTAL(FAILED_BY_PEER));
}
END_TEST

START_TEST(nothing_listens_there)
{
	pair.client->send_error = ECONNREFUSED;
	fail_to_connect();
	expect_failure(pair.client, TOTAL(FAILED_UNREACHABLE), TOTAL(FAILED_BY_SYSTEM));
}
END_TEST

/* A list of versions in answer to a first packet (RFC 9000 section 17.2.1). */
static size_t make_list(uint8_t *packet, const uint8_t *initial)
{
	const uint8_t *dcid = initial + 5;
	const uint8_t *scid = dcid + 1 + dcid[0];
	size_t len = 5;

	memcpy(packet, "\x80\0\0\0", len);
	memcpy(packet + len, scid, 1 + (size_t)scid[0]);
	len += 1 + (size_t)scid[0];
	memcpy(packet + len, dcid, 1 + (size_t)dcid[0]);
	len += 1 + (size_t)dcid[0];
	memcpy(packet + len, "\xfa\xce\xb0\x0c", 4);
	return len + 4;
}

START_TEST(server_speaks_other_versions)
{
	struct address from = sim_address(2, PAIR_PORT);
	struct address to;
	uint8_t packet[64];
	struct seen seen;

	watch(&seen, pair.client);
	pair_dial();
	sim_settle(pair.sim);
	to = sim_seen_from_outside(pair.client);
	sim_inject(pair.sim, &from, &to, packet, make_list(packet, seen.last));
	pair_wait(pair_client_is_over, 1);
	expect_failure(pair.client, TOTAL(FAILED_VERSION), TOTAL(FAILED_BY_PEER));
}
END_TEST

START_TEST(program_loses_patience)
{
	pair_listen();
	pair_dial();
	sim_run(pair.sim, 7 * SIM_MS);
	mquic_connection_close(pair.dialed, 3, "enough");
	sim_run(pair.sim, 30 * SIM_SECOND);
	expect_failure(pair.client, TOTAL(FAILED_ABANDONED), TOTAL(FAILED_BY_CALLER));
	expect_failure(pair.server, TOTAL(FAILED_CLOSED), TOTAL(FAILED_BY_PEER));
}
END_TEST

START_TEST(server_is_full)
{
	struct mquic_connection *first;

	mquic_settings_set_max_connections(pair.server_settings, 1);
	pair_connect();
	first = pair.dialed;
	pair.dialed = NULL;
	pair_dial();
	pair_wait(pair_client_is_over, 10);
	expect(pair.client, TOTAL(FAILED_REFUSED), 1);
	expect(pair.client, TOTAL(FAILED_BY_PEER), 1);
	expect(pair.client, TOTAL(HANDSHAKES_DONE), 1);
	/* It never was a handshake of the server's. */
	expect(pair.server, TOTAL(REFUSALS_SENT), 1);
	expect(pair.server, TOTAL(HANDSHAKES_BEGUN), 1);
	expect(pair.server, TOTAL(HANDSHAKES_FAILED), 0);
	mquic_connection_free(first);
}
END_TEST

START_TEST(handshake_gives_way_to_another)
{
	pair_listen();
	pair_dial();
	sim_run(pair.sim, 7 * SIM_MS);
	pair.client->up.loss = 1000; /* what it says to the answer would begin another one */
	conductor_give_way(
		list_entry(pair.server->quic->connections.next, struct mquic_connection, link),
		"too many handshakes");
	sim_run(pair.sim, SIM_SECOND);
	expect_failure(pair.server, TOTAL(FAILED_REFUSED), TOTAL(FAILED_BY_PEER));
}
END_TEST

/* ---- Answers without a connection, and none ------------------------------------------- */

START_TEST(retry_is_counted_and_so_is_a_token_that_is_none)
{
	struct seen seen;

	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	pair_listen();
	watch(&seen, pair.client);
	pair_dial();
	sim_run(pair.sim, 11 * SIM_MS); /* Retry is here, and was answered */
	ck_assert_uint_ge(seen.last_len, 1200);
	expect(pair.server, TOTAL(RETRIES_SENT), 1);
	expect(pair.server, TOTAL(HANDSHAKES_BEGUN), 0);
	inject(seen.last, seen.last_len); /* with the token of another address */
	expect(pair.server, TOTAL(TOKENS_REFUSED), 1);
	expect(pair.server, TOTAL(REFUSALS_SENT), 0);
	pair_wait(pair_is_connected, 1);
	expect(pair.server, TOTAL(RETRIES_SENT), 1);
	expect(pair.server, TOTAL(HANDSHAKES_BEGUN), 1);
}
END_TEST

START_TEST(list_of_versions_is_counted)
{
	struct seen seen;

	pair_listen();
	watch(&seen, pair.client);
	pair.client->up.loss = 1000;
	pair_dial();
	sim_settle(pair.sim);
	seen.last[1] = 0x1a;
	inject(seen.last, seen.last_len);
	expect(pair.server, TOTAL(VERSION_NEGOTIATIONS_SENT), 1);
	expect(pair.server, TOTAL(DROPPED_INVALID), 0);
	inject(seen.last, 1199);
	expect(pair.server, TOTAL(VERSION_NEGOTIATIONS_SENT), 1);
	expect(pair.server, TOTAL(DROPPED_INVALID), 1);
}
END_TEST

START_TEST(what_nobody_understands_is_dropped)
{
	static const uint8_t packet[100] = {0x40};
	struct seen seen;
	int i;

	pair_listen();
	watch(&seen, pair.client);
	pair.client->up.loss = 1000;
	pair_dial();
	sim_settle(pair.sim);
	inject(seen.last, 1199); /* too short for a first one (RFC 9000 section 14.1) */
	inject(packet, 1);
	expect(pair.server, TOTAL(DROPPED_INVALID), 2);
	for (i = 0; i < 600; i++)
		inject(packet, sizeof(packet));
	expect(pair.server, TOTAL(DROPPED_UNKNOWN), 600);
	expect(pair.server, TOTAL(RESETS_SENT), 500); /* no more in a second */
	expect(pair.server, TOTAL(DATAGRAMS_RECEIVED), 602);
	expect(pair.server, TOTAL(DATAGRAMS_SENT), 500);
	expect(pair.server, TOTAL(HANDSHAKES_BEGUN), 0);
}
END_TEST

START_TEST(reset_is_counted_by_both)
{
	struct mquic_stream *stream;
	size_t sent;

	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	pair.server->send_error = ENETDOWN; /* nobody says goodbye */
	mquic_connection_free(pair.accepted[0]);
	pair.accepted_count = 0;
	sim_restart(pair.server);
	pair_listen();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &sent), MQUIC_OK);
	pair_wait(pair_client_is_over, 20);
	expect(pair.server, TOTAL(RESETS_SENT), 1);
	expect(pair.server, TOTAL(DROPPED_UNKNOWN), 1);
	expect(pair.client, TOTAL(RESETS_RECEIVED), 1);
	expect(pair.client, TOTAL(HANDSHAKES_DONE), 1);
	expect(pair.client, TOTAL(HANDSHAKES_FAILED), 0);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(what_comes_late_is_dropped)
{
	struct mquic_stream *stream;
	size_t sent;

	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	pair.server->send_error = ENETDOWN; /* the client does not hear of the end */
	mquic_connection_close(pair.accepted[0], 0, NULL);
	pair.client->down.loss = 1000;
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &sent), MQUIC_OK);
	sim_run(pair.sim, 7 * SIM_MS);
	expect(pair.server, TOTAL(DROPPED_LATE), 1);
	expect(pair.server, TOTAL(DROPPED_UNKNOWN), 0);
	mquic_stream_free(stream);
}
END_TEST

/* ---- Moves ------------------------------------------------------------------------- */

START_TEST(move_is_counted_once_by_both)
{
	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	expect(pair.client, TOTAL(MIGRATIONS), 0);
	expect(pair.server, TOTAL(MIGRATIONS), 0);
	/* The old address stays or not. */
	sim_move(pair.client, 7, _i == 0);
	conductor_follow_moves(pair.client->quic);
	sim_run(pair.sim, 5 * SIM_SECOND);
	expect(pair.client, TOTAL(MIGRATIONS), 1);
	expect(pair.server, TOTAL(MIGRATIONS), 1);
}
END_TEST

/* The client of a router that has forgotten it knows nothing of that. */
START_TEST(new_binding_is_counted_by_the_server)
{
	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	traffic_start(100);
	sim_rebind(pair.client);
	(void)traffic_open(100);
	pair_wait(traffic_is_done, 5);
	sim_run(pair.sim, SIM_SECOND);
	expect(pair.server, TOTAL(MIGRATIONS), 1);
	expect(pair.client, TOTAL(MIGRATIONS), 0);
	traffic_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-totals");
	TCase *group = tcase_create("totals");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 120);
	tcase_add_test(group, endpoint_without_connections_has_counted_nothing);
	tcase_add_test(group, datagrams_and_bytes_are_those_of_the_line);
	tcase_add_test(group, lost_packets_are_kept_when_connections_go);
	tcase_add_test(group, losses_of_an_open_stream_are_kept);
	tcase_add_test(group, handshakes_begin_and_are_done);
	tcase_add_test(group, memory_is_that_of_all_connections);
	tcase_add_test(group, servers_certificate_is_not_accepted);
	tcase_add_test(group, client_without_certificate_is_not_accepted);
	tcase_add_test(group, nobody_speaks_the_protocol);
	tcase_add_test(group, nobody_answers);
	tcase_add_test(group, client_falls_silent);
	tcase_add_test(group, nothing_listens_there);
	tcase_add_test(group, server_speaks_other_versions);
	tcase_add_test(group, program_loses_patience);
	tcase_add_test(group, server_is_full);
	tcase_add_test(group, handshake_gives_way_to_another);
	tcase_add_test(group, retry_is_counted_and_so_is_a_token_that_is_none);
	tcase_add_test(group, list_of_versions_is_counted);
	tcase_add_test(group, what_nobody_understands_is_dropped);
	tcase_add_test(group, reset_is_counted_by_both);
	tcase_add_test(group, what_comes_late_is_dropped);
	tcase_add_loop_test(group, move_is_counted_once_by_both, 0, 2);
	tcase_add_test(group, new_binding_is_counted_by_the_server);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
