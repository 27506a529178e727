/* SPDX-License-Identifier: MIT */
/* Several workers on one address: what names them in packets, and packets at the wrong one. */
#include <string.h>

#include "quic/listener.h"
#include "quic/steer.h"
#include "quic/token.h"
#include "traffic.h"

#define WORKERS 3

/* The octet that names the worker, at the offsets that mquic.h promises. */
static unsigned int named_by(const struct datagram *datagram)
{
	bool is_long = (datagram->data[0] & 0x80) != 0;

	ck_assert_uint_gt(datagram->len, 7);
	return datagram->data[is_long ? 7 : 2];
}

/* ---- Identifiers --------------------------------------------------------------------- */

/* What the client's packets have named, to be compared with the worker's number. */
struct named {
	uint8_t first_data[1500]; /* it goes to an identifier of the client's choice, ... */
	unsigned int of_first;    /* ... and so does what repeats it */
	unsigned int of_worker;
	unsigned int of_others;
};

static bool goes_where_the_first_went(const struct named *named, const struct datagram *datagram)
{
	size_t len = 6 + (size_t)named->first_data[5];

	return (datagram->data[0] & 0x80) != 0 && datagram->len > len &&
	       memcmp(datagram->data + 5, named->first_data + 5, len - 5) == 0;
}

static void look(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct named *named = user;

	if (from != pair.client)
		return;
	if (named->of_first == 0)
		memcpy(named->first_data, datagram->data, datagram->len);
	if (goes_where_the_first_went(named, datagram))
		named->of_first++;
	else if (named_by(datagram) == pair.server_settings->worker)
		named->of_worker++;
	else
		named->of_others++;
}

static void set_up(void)
{
	pair_open();
	traffic_start(10000);
}

static void tear_down(void)
{
	traffic_stop();
	pair_close();
}

static void talk(void)
{
	(void)traffic_open(10000);
	pair_wait(traffic_is_done, 10);
}

static void be_worker(unsigned int worker, unsigned int workers)
{
	ck_assert_int_eq(mquic_settings_set_worker(pair.server_settings, worker), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_workers(pair.server_settings, workers), MQUIC_OK);
}

static void expect_all_names_the_worker(const struct named *named, unsigned int from_first)
{
	ck_assert_uint_eq(named->of_first, from_first);
	ck_assert_uint_gt(named->of_worker, 5);
	ck_assert_uint_eq(named->of_others, 0);
}

/* The first one goes to an identifier that the client has chosen, all others name the worker. */
START_TEST(client_names_the_worker_as_soon_as_it_knows_it)
{
	struct named named = {0};

	be_worker((unsigned int)_i, WORKERS);
	sim_set_tap(pair.sim, look, &named);
	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	/* Onto an identifier that came in a NEW_CONNECTION_ID frame. */
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	sim_rebind(pair.client);
	talk();
	expect_all_names_the_worker(&named, 1);
}
END_TEST

START_TEST(client_comes_back_from_retry_to_the_worker_that_sent_it)
{
	struct named named = {0};

	be_worker((unsigned int)_i, WORKERS);
	ck_assert_int_eq(mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS),
			 MQUIC_OK);
	sim_set_tap(pair.sim, look, &named);
	pair_connect();
	talk();
	expect_all_names_the_worker(&named, 1);
}
END_TEST

START_TEST(lost_first_packet_goes_the_same_way_again)
{
	struct named named = {0};

	be_worker(1, WORKERS);
	sim_set_tap(pair.sim, look, &named);
	pair.client->up.loss = 1000;
	pair_listen();
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_gt(named.of_first, 1);
	ck_assert_uint_eq(named.of_first, pair.client->up.packets);
}
END_TEST

static bool is_random(const uint8_t *octets, size_t count)
{
	size_t i;

	for (i = 1; i < count; i++)
		if (octets[i] != octets[0])
			return true;
	return false;
}

/* One worker has nothing to say of itself; several leave all but their number to chance. */
START_TEST(identifiers_say_no_more_than_they_must)
{
	uint8_t octets[QUIC_CID_LEN][100];
	uint8_t high = 0;
	size_t i;
	size_t at;

	be_worker((unsigned int)_i, (unsigned int)_i + 1);
	for (i = 0; i < 100; i++) {
		ngtcp2_cid cid;

		steer_choose(&cid, pair.server_settings);
		ck_assert_uint_eq(cid.datalen, QUIC_CID_LEN);
		for (at = 0; at < QUIC_CID_LEN; at++)
			octets[at][i] = cid.data[at];
		high |= cid.data[0] & 0xe0;
	}
	for (at = 0; at < QUIC_CID_LEN; at++)
		ck_assert_msg(is_random(octets[at], 100) == (_i == 0 || at != 1), "octet %zu", at);
	ck_assert_int_eq(high != 0, _i == 0);
	ck_assert_uint_eq(_i == 0 ? 0 : octets[1][0], (unsigned int)_i);
}
END_TEST

START_TEST(worker_that_is_none_of_them_does_not_listen)
{
	be_worker(3, WORKERS);
	ck_assert_int_eq(sim_listen(pair.server, pair.server_settings, PAIR_PORT),
			 MQUIC_ERR_INVALID);
	kit_says(mquic_endpoint_error(pair.server->endpoint), "no worker 3 among 3");
}
END_TEST

/* ---- At the wrong worker -------------------------------------------------------------- */

struct answers {
	struct sim_host *from;
	unsigned int count;
};

static void count_answers(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct answers *answers = user;

	(void)datagram;
	answers->count += from == answers->from;
}

static unsigned int warnings;

static void warn(void *unused, enum mquic_log_level level, const char *line)
{
	(void)unused;
	(void)level;
	warnings += strstr(line, "another worker") != NULL;
}

/* A packet of 1-RTT to this identifier, as far as anybody without the keys can tell. */
static void give(const struct sim_host *worker, const uint8_t *identifier)
{
	struct address from = sim_address(1, 40000);
	struct address to = sim_address(worker->number, PAIR_PORT);
	uint8_t packet[60] = {0x40};

	memcpy(packet + 1, identifier, QUIC_CID_LEN);
	sim_inject(pair.sim, &from, &to, packet, sizeof(packet));
	sim_settle(pair.sim);
}

START_TEST(packet_for_another_worker_is_dropped_without_a_reset)
{
	struct answers answers = {.from = pair.server};
	uint8_t identifier[QUIC_CID_LEN] = "abcdefgh";
	unsigned int i;

	warnings = 0;
	mquic_endpoint_set_log(pair.server->endpoint, warn, MQUIC_LOG_WARNING, NULL);
	be_worker(1, WORKERS);
	pair_listen();
	sim_set_tap(pair.sim, count_answers, &answers);
	for (i = 0; i < 256; i++) {
		identifier[1] = (uint8_t)i;
		give(pair.server, identifier);
	}
	ck_assert_uint_eq(answers.count, 85); /* of 256, those that leave 1 */
	ck_assert_uint_eq(
		mquic_endpoint_statistic(pair.server->endpoint, MQUIC_TOTAL_DROPPED_MISDIRECTED),
		171); /* and all others */
	ck_assert_uint_eq(warnings, 1);
}
END_TEST

/* Two workers with the same keys; all that a client of the first sends goes to the second, too. */
struct detour {
	struct sim_host *other;
	unsigned int given;
	unsigned int answered;
};

static void take_detour(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct detour *detour = user;
	struct address client = sim_seen_from_outside(pair.client);
	struct address other = sim_address(detour->other->number, PAIR_PORT);

	if (from == pair.client && (datagram->data[0] & 0x80) == 0) {
		detour->given++;
		sim_inject(pair.sim, &client, &other, datagram->data, datagram->len);
	} else if (from == detour->other) {
		detour->answered++;
	}
}

START_TEST(client_of_one_worker_is_nothing_to_another)
{
	struct detour detour = {.other = sim_host_new(pair.sim, 3)};

	be_worker(0, 2);
	pair_connect();
	be_worker(1, 2);
	ck_assert_int_eq(sim_listen(detour.other, pair.server_settings, PAIR_PORT), MQUIC_OK);
	sim_set_tap(pair.sim, take_detour, &detour);
	talk();
	ck_assert_uint_gt(detour.given, 5);
	ck_assert_uint_eq(detour.answered, 0);
	ck_assert_uint_eq(
		mquic_endpoint_statistic(detour.other->endpoint, MQUIC_TOTAL_DROPPED_MISDIRECTED),
		detour.given);
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

/* ---- What workers share ------------------------------------------------------------------ */

static const struct token_secrets *secrets_of(const struct sim_host *host)
{
	return &list_entry(host->quic->listeners.next, struct quic_listener, link)->secrets;
}

/* A worker of its own, perhaps with another certificate, as after a renewal. */
static struct sim_host *listen_as(unsigned int number, const char *certificate, const char *key,
				  const char *secret)
{
	struct sim_host *host = sim_host_new(pair.sim, number);
	const uint8_t *bytes = (const uint8_t *)secret;

	ck_assert_int_eq(mquic_settings_set_server_secret(pair.server_settings, bytes,
							  secret == NULL ? 0 : 32),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_certificate(pair.server_settings, kit_path(certificate),
							kit_path(key)),
			 MQUIC_OK);
	ck_assert_int_eq(sim_listen(host, pair.server_settings, PAIR_PORT), MQUIC_OK);
	return host;
}

START_TEST(workers_of_one_secret_believe_their_tokens)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef";
	static const char other[] = "0123456789abcdef0123456789abcdeF";
	const struct sim_host *one = listen_as(3, "server.crt", "server.key", secret);
	const struct sim_host *two = listen_as(4, "alice.crt", "alice.key", secret);
	const struct sim_host *three = listen_as(5, "server.crt", "server.key", other);
	const struct sim_host *four = listen_as(6, "server.crt", "server.key", NULL);
	const struct token_secrets *secrets = secrets_of(one);

	ck_assert_mem_eq(secrets->retry, secrets_of(two)->retry, TOKEN_SECRET_LEN);
	ck_assert_mem_ne(secrets->retry, secrets_of(three)->retry, TOKEN_SECRET_LEN);
	ck_assert_mem_ne(secrets->retry, secrets_of(four)->retry, TOKEN_SECRET_LEN);
	/* What it is derived from tells nothing of the other, nor of itself. */
	ck_assert_mem_ne(secrets->retry, secrets->reset, TOKEN_SECRET_LEN);
	ck_assert_mem_ne(secrets->retry, secret, TOKEN_SECRET_LEN);
	/* These have addresses of their own, and so keys of their own for resets. */
	ck_assert_mem_ne(secrets->reset, secrets_of(two)->reset, TOKEN_SECRET_LEN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-steer");
	TCase *group = tcase_create("steer");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(group, client_names_the_worker_as_soon_as_it_knows_it, 0, WORKERS);
	tcase_add_loop_test(group, client_comes_back_from_retry_to_the_worker_that_sent_it, 0,
			    WORKERS);
	tcase_add_test(group, lost_first_packet_goes_the_same_way_again);
	tcase_add_loop_test(group, identifiers_say_no_more_than_they_must, 0, WORKERS);
	tcase_add_test(group, worker_that_is_none_of_them_does_not_listen);
	tcase_add_test(group, packet_for_another_worker_is_dropped_without_a_reset);
	tcase_add_test(group, client_of_one_worker_is_nothing_to_another);
	tcase_add_test(group, workers_of_one_secret_believe_their_tokens);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
