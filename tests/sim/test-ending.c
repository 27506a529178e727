/* SPDX-License-Identifier: MIT */
/* How connections end, who is told what, and what is left behind: nothing, after a while. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "quic/token.h"
#include "traffic.h"

/* RFC 9000 section 10.2: three times the probe timeout, here of a 10 ms line. */
#define PERIOD (SIM_SECOND)

struct count {
	uint64_t from_client;
	uint64_t from_server;
	size_t largest;
};

static void count_packets(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct count *count = user;

	if (from == pair.client)
		count->from_client++;
	else
		count->from_server++;
	if (datagram->len > count->largest)
		count->largest = datagram->len;
}

static void watch(struct count *count)
{
	memset(count, 0, sizeof(*count));
	sim_set_tap(pair.sim, count_packets, count);
}

/* An identifier that leads to the server's connection. */
static const uint8_t *server_identifier(void)
{
	const struct list *routes = &pair.accepted[0]->target.routes;

	return list_entry(routes->next, struct quic_route, link)->entry.key;
}

static void free_all(void)
{
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	while (pair.accepted_count > 0)
		mquic_connection_free(pair.accepted[--pair.accepted_count]);
}

/* ---- Closing ------------------------------------------------------------------- */

START_TEST(code_and_reason_reach_the_peer)
{
	pair_connect();
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0x1234567, "going home"), MQUIC_OK);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 1, NULL), MQUIC_ERR_CLOSED);
	pair_wait(pair_both_are_over, 1);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 0x1234567, "going home");
	pair_expect_end(&pair.server_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 0x1234567,
			"going home");
	sim_run(pair.sim, PERIOD);
	free_all();
	pair_expect_empty(pair.client);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(code_zero_is_a_clean_end)
{
	pair_connect();
	ck_assert_int_eq(mquic_connection_close(pair.accepted[0], 0, NULL), MQUIC_OK);
	pair_wait(pair_both_are_over, 1);
	pair_expect_end(&pair.server_end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 0, "closed by us");
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
}
END_TEST

START_TEST(reason_of_a_peer_is_made_printable)
{
	pair_connect();
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 1, "\033[2J\nboo"), MQUIC_OK);
	pair_wait(pair_both_are_over, 1);
	ck_assert_ptr_null(strchr(pair.server_end.text, '\033'));
	ck_assert_ptr_null(strchr(pair.server_end.text, '\n'));
	kit_says(pair.server_end.text, "boo");
}
END_TEST

START_TEST(close_refuses_what_cannot_be_sent)
{
	char reason[258];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	pair_connect();
	ck_assert_int_eq(mquic_connection_close(pair.dialed, (uint64_t)1 << 62, NULL),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, reason), MQUIC_ERR_INVALID);
	kit_says(mquic_connection_error(pair.dialed), "256 bytes");
	reason[256] = '\0';
	ck_assert_int_eq(mquic_connection_close(pair.dialed, ((uint64_t)1 << 62) - 1, reason),
			 MQUIC_OK);
	pair_wait(pair_both_are_over, 1);
	ck_assert_uint_eq(pair.server_end.code, ((uint64_t)1 << 62) - 1);
}
END_TEST

START_TEST(close_before_the_handshake_is_complete_is_told)
{
	pair_listen();
	pair_dial();
	sim_settle(pair.sim);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 5, "never mind"), MQUIC_OK);
	pair_wait(pair_client_is_over, 1);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 5, "never mind");
	sim_run(pair.sim, 20 * SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 0);
	free_all();
	pair_expect_empty(pair.client);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(close_at_once_after_dialing_is_fine)
{
	pair_dial();
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 5, NULL), MQUIC_OK);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 5, "closed by us");
}
END_TEST

START_TEST(lost_close_is_said_again)
{
	struct mquic_stream *stream;
	size_t sent;

	pair_connect();
	pair.client->up.loss = 1000;
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 9, NULL), MQUIC_OK);
	sim_settle(pair.sim);
	pair.client->up.loss = 0;
	/* The server does not know and goes on. */
	ck_assert_int_eq(mquic_stream_open(&stream, pair.accepted[0]), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"x", 1, &sent), MQUIC_OK);
	pair_wait(pair_both_are_over, 1);
	ck_assert_uint_eq(pair.server_end.code, 9);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(closing_side_answers_ever_more_rarely)
{
	struct count count;
	struct address from;
	struct address to = sim_address(2, PAIR_PORT);
	uint8_t packet[100];
	int i;

	pair_connect();
	from = sim_seen_from_outside(pair.client);
	memset(packet, 0x55, sizeof(packet));
	packet[0] = 0x40;
	/* To an identifier of the server's, as late packets are. */
	memcpy(packet + 1, server_identifier(), QUIC_CID_LEN);
	pair.client->down.loss = 1000;
	ck_assert_int_eq(mquic_connection_close(pair.accepted[0], 9, NULL), MQUIC_OK);
	sim_settle(pair.sim);
	watch(&count);
	for (i = 0; i < 64; i++)
		sim_inject(pair.sim, &from, &to, packet, sizeof(packet));
	sim_settle(pair.sim);
	ck_assert_uint_eq(count.from_server, 7); /* the 1st, 2nd, 4th ... 64th */
}
END_TEST

START_TEST(drained_side_says_nothing)
{
	struct count count;
	struct address from = sim_address(2, PAIR_PORT);
	struct address to;
	uint8_t packet[100] = {0x40};

	pair_connect();
	to = sim_seen_from_outside(pair.client);
	ck_assert_int_eq(mquic_connection_close(pair.accepted[0], 9, NULL), MQUIC_OK);
	pair_wait(pair_client_is_over, 1);
	watch(&count);
	sim_inject(pair.sim, &from, &to, packet, sizeof(packet));
	sim_run(pair.sim, PERIOD);
	ck_assert_uint_eq(count.from_client, 0);
}
END_TEST

START_TEST(memory_of_the_closed_is_bounded)
{
	size_t i;

	mquic_settings_set_max_connections(pair.server_settings, 1000000);
	pair_listen();
	for (i = 0; i < 200; i++) {
		pair_dial();
		sim_run(pair.sim, 16 * SIM_MS);
		ck_assert_uint_eq(pair.accepted_count, 1);
		mquic_connection_free(pair.accepted[0]);
		pair.accepted_count = 0;
	}
	ck_assert_uint_gt(pair.server->quic->closing_count, 0);
	sim_run(pair.sim, 5 * SIM_SECOND);
	free_all();
	pair_expect_empty(pair.server);
}
END_TEST

/* ---- Silence ---------------------------------------------------------------------- */

START_TEST(silence_ends_both_sides)
{
	uint64_t start;

	mquic_settings_set_idle_timeout_ms(pair.client_settings, 4000);
	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	start = sim_now(pair.sim);
	pair_wait(pair_both_are_over, 10);
	ck_assert_uint_le(sim_now(pair.sim) - start, 4 * SIM_SECOND);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0, "4000 ms");
	pair_expect_end(&pair.server_end, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0, "4000 ms");
	free_all();
	pair_expect_empty(pair.client);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(keep_alive_keeps_a_silent_connection)
{
	struct count count;

	mquic_settings_set_idle_timeout_ms(pair.client_settings, 4000);
	mquic_settings_set_keep_alive_ms(pair.client_settings, 1500);
	pair_connect();
	watch(&count);
	sim_run(pair.sim, 3600 * SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
	ck_assert_uint_eq(pair.server_end.told, 0);
	/* One PING and its acknowledgement each time. */
	ck_assert_uint_ge(count.from_client, 2300);
	ck_assert_uint_le(count.from_client, 3700);
}
END_TEST

START_TEST(no_idle_timeout_waits_for_ever)
{
	struct count count;

	mquic_settings_set_idle_timeout_ms(pair.client_settings, 0);
	mquic_settings_set_idle_timeout_ms(pair.server_settings, 0);
	pair_connect();
	sim_run(pair.sim, 10 * SIM_SECOND);
	watch(&count);
	sim_run(pair.sim, 86400 * SIM_SECOND);
	ck_assert_uint_eq(count.from_client + count.from_server, 0);
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

START_TEST(cut_line_is_noticed_by_the_sender)
{
	pair_connect();
	traffic_start(0);
	(void)traffic_open(100000);
	pair.client->up.loss = 1000;
	pair.client->down.loss = 1000;
	pair_wait(pair_both_are_over, 70);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TIMEOUT);
	ck_assert_uint_eq(traffic_client[0].closed, 1);
	traffic_stop();
}
END_TEST

/* ---- The server that forgot ----------------------------------------------------------- */

static void forget_server(void)
{
	while (pair.accepted_count > 0)
		mquic_connection_free(pair.accepted[--pair.accepted_count]);
	sim_restart(pair.server);
	pair_listen();
}

static void keep_reset_key(struct mquic_settings *settings, const char *name)
{
	const char *path = name == NULL ? NULL : kit_path(name);

	ck_assert_int_eq(mquic_settings_set_reset_key_file(settings, path), MQUIC_OK);
}

/* As it is, or after a reload, even if the file had vanished; or with a secret and no file. */
START_TEST(restarted_server_resets_its_old_clients)
{
	static const uint8_t secret[32] = "all workers have it";
	uint64_t start;
	struct mquic_stream *stream;
	size_t sent;

	if (_i == 3) {
		keep_reset_key(pair.server_settings, "no/such/directory");
		ck_assert_int_eq(mquic_settings_set_server_secret(pair.server_settings, secret,
								  sizeof(secret)),
				 MQUIC_OK);
	}
	pair_connect();
	if (_i == 2)
		ck_assert_int_eq(unlink(kit_path("reset.key")), 0);
	if (_i >= 1)
		ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	pair.server->send_error = ENETDOWN; /* nobody says goodbye */
	forget_server();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"still there?", 12, &sent),
			 MQUIC_OK);
	start = sim_now(pair.sim);
	pair_wait(pair_client_is_over, 20);
	ck_assert_uint_le(sim_now(pair.sim) - start, 11 * SIM_MS);
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_TRANSPORT, 0,
			"stateless reset");
	mquic_stream_free(stream);
}
END_TEST

START_TEST(reset_of_a_server_that_kept_no_key_is_not_believed)
{
	struct mquic_stream *stream;
	size_t sent;

	keep_reset_key(pair.server_settings, NULL);
	pair_connect();
	pair.server->send_error = ENETDOWN;
	forget_server();
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"x", 1, &sent), MQUIC_OK);
	pair_wait(pair_client_is_over, 40);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TIMEOUT);
	mquic_stream_free(stream);
}
END_TEST

/* What one server says to packets of another's client goes to the client as from its own. */
struct detour {
	struct sim_host *other;
	unsigned int asked;
	unsigned int answered;
};

static void take_detour(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	struct detour *detour = user;
	struct address client = sim_seen_from_outside(pair.client);
	struct address server = sim_address(2, PAIR_PORT);
	struct address other = sim_address(3, PAIR_PORT);

	if (from == pair.client && (datagram->data[0] & 0x80) == 0) {
		detour->asked++;
		sim_inject(pair.sim, &client, &other, datagram->data, datagram->len);
	} else if (from == detour->other) {
		detour->answered++;
		sim_inject(pair.sim, &server, &client, datagram->data, datagram->len);
	}
}

/* No key is kept, each has its own, both were given the same file. */
START_TEST(server_with_the_same_certificate_cannot_cut_a_client)
{
	struct detour detour = {.other = sim_host_new(pair.sim, 3)};
	struct mquic_stream *stream;
	size_t sent;
	int i;

	if (_i == 0)
		keep_reset_key(pair.server_settings, NULL);
	pair_connect();
	if (_i == 1)
		keep_reset_key(pair.server_settings, "two.key");
	ck_assert_int_eq(sim_listen(detour.other, pair.server_settings, PAIR_PORT), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	sim_set_tap(pair.sim, take_detour, &detour);
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &sent),
				 MQUIC_OK);
		sim_run(pair.sim, 100 * SIM_MS);
	}
	ck_assert_uint_ge(detour.asked, 10);
	ck_assert_uint_ge(detour.answered, 10);
	ck_assert_uint_eq(pair.client_end.told, 0);
	ck_assert_uint_eq(mquic_stream_bytes_pending(stream), 0);
	mquic_stream_free(stream);
}
END_TEST

START_TEST(reset_key_file_that_is_none_is_refused_and_named)
{
	kit_write("bad.key", "secret\n", 0600);
	keep_reset_key(pair.server_settings, "bad.key");
	ck_assert_int_eq(sim_listen(pair.server, pair.server_settings, PAIR_PORT), MQUIC_ERR_TLS);
	kit_says(mquic_endpoint_error(pair.server->endpoint), "bad.key");
	ck_assert_int_eq(unlink(kit_path("bad.key")), 0);
	pair_connect();
	kit_write("bad.key", "secret\n", 0600);
	ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_ERR_TLS);
	kit_says(mquic_endpoint_error(pair.server->endpoint), "bad.key");
}
END_TEST

static unsigned int warnings;

static void count_warning(void *unused, enum mquic_log_level level, const char *line)
{
	(void)unused;
	if (level != MQUIC_LOG_WARNING)
		return;
	warnings++;
	kit_says(line, "cannot be made");
	kit_says(line, "after a restart");
}

START_TEST(reset_key_that_cannot_be_kept_costs_one_line)
{
	warnings = 0;
	mquic_endpoint_set_log(pair.server->endpoint, count_warning, MQUIC_LOG_WARNING, NULL);
	keep_reset_key(pair.server_settings, "no/such/directory");
	ck_assert_int_eq(sim_listen(pair.server, pair.server_settings, PAIR_PORT + 1), MQUIC_OK);
	pair_connect();
	ck_assert_uint_eq(warnings, 1);
	ck_assert_int_eq(mquic_endpoint_reload(pair.server->endpoint), MQUIC_OK);
	ck_assert_uint_eq(warnings, 2);
}
END_TEST

START_TEST(tiny_packet_gets_no_reset)
{
	struct count count;
	struct address from = sim_address(1, 40000);
	struct address to = sim_address(2, PAIR_PORT);
	uint8_t packet[22] = {0x40};

	pair_listen();
	watch(&count);
	sim_inject(pair.sim, &from, &to, packet, 21);
	sim_settle(pair.sim);
	ck_assert_uint_eq(count.from_server, 0);
	sim_inject(pair.sim, &from, &to, packet, 22);
	sim_settle(pair.sim);
	ck_assert_uint_eq(count.from_server, 1);
	ck_assert_uint_eq(count.largest, 21); /* never as large as what provoked it */
}
END_TEST

START_TEST(resets_are_limited)
{
	struct count count;
	struct address from = sim_address(1, 40000);
	struct address to = sim_address(2, PAIR_PORT);
	uint8_t packet[100] = {0x40};
	int i;

	pair_listen();
	watch(&count);
	for (i = 0; i < 2000; i++)
		sim_inject(pair.sim, &from, &to, packet, sizeof(packet));
	sim_settle(pair.sim);
	ck_assert_uint_eq(count.from_server, 500);
	sim_run(pair.sim, SIM_SECOND);
	sim_inject(pair.sim, &from, &to, packet, sizeof(packet));
	sim_settle(pair.sim);
	ck_assert_uint_eq(count.from_server, 501);
}
END_TEST

/* ---- Changing addresses ------------------------------------------------------------------ */

START_TEST(stranger_with_a_copied_packet_gains_nothing)
{
	struct address stranger = sim_address(66, 6666);
	struct address to = sim_address(2, PAIR_PORT);
	struct count count;
	uint8_t packet[200] = {0x40};

	pair_connect();
	sim_run(pair.sim, SIM_SECOND);
	memcpy(packet + 1, server_identifier(), QUIC_CID_LEN);
	watch(&count);
	sim_inject(pair.sim, &stranger, &to, packet, sizeof(packet));
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(count.from_server, 0);
	ck_assert_str_eq(mquic_connection_peer_address(pair.accepted[0]), "10.0.0.1:40000");
	ck_assert_uint_eq(pair.server_end.told, 0);
}
END_TEST

/* ---- Freeing ------------------------------------------------------------------------------ */

START_TEST(freeing_the_endpoint_tells_the_peer)
{
	pair_connect();
	mquic_endpoint_free(pair.client->endpoint);
	pair.client->endpoint = NULL;
	sim_run(pair.sim, 100 * SIM_MS);
	ck_assert_uint_eq(pair.server_end.told, 1);
	pair_expect_end(&pair.server_end, MQUIC_OK, MQUIC_ORIGIN_PEER, 0, "code 0");
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_ERR_CLOSED);
	ck_assert_str_eq(mquic_connection_peer_address(pair.dialed), "10.0.0.2:14567");
	ck_assert_uint_gt(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_BYTES_SENT), 0);
	ck_assert_uint_gt(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_SMOOTHED_RTT_US),
			  0);
}
END_TEST

START_TEST(connections_nobody_accepted_go_with_the_endpoint)
{
	pair.server->on_event = NULL; /* nobody takes them */
	pair_listen();
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.ready, 1);
	ck_assert(!list_is_empty(&pair.server->quic->acceptable));
	mquic_endpoint_free(pair.server->endpoint);
	pair.server->endpoint = NULL;
	pair_wait(pair_client_is_over, 1);
}
END_TEST

START_TEST(connection_closed_before_it_is_accepted_is_forgotten)
{
	struct mquic_connection *none;

	pair.server->on_event = NULL;
	pair_listen();
	pair_dial();
	sim_run(pair.sim, SIM_SECOND);
	free_all();
	sim_run(pair.sim, PERIOD);
	ck_assert_int_eq(mquic_endpoint_accept(pair.server->endpoint, &none), MQUIC_ERR_AGAIN);
	pair_expect_empty(pair.server);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-ending");
	TCase *group = tcase_create("ending");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 120);
	tcase_add_test(group, code_and_reason_reach_the_peer);
	tcase_add_test(group, code_zero_is_a_clean_end);
	tcase_add_test(group, reason_of_a_peer_is_made_printable);
	tcase_add_test(group, close_refuses_what_cannot_be_sent);
	tcase_add_test(group, close_before_the_handshake_is_complete_is_told);
	tcase_add_test(group, close_at_once_after_dialing_is_fine);
	tcase_add_test(group, lost_close_is_said_again);
	tcase_add_test(group, closing_side_answers_ever_more_rarely);
	tcase_add_test(group, drained_side_says_nothing);
	tcase_add_test(group, memory_of_the_closed_is_bounded);
	tcase_add_test(group, silence_ends_both_sides);
	tcase_add_test(group, keep_alive_keeps_a_silent_connection);
	tcase_add_test(group, no_idle_timeout_waits_for_ever);
	tcase_add_test(group, cut_line_is_noticed_by_the_sender);
	tcase_add_loop_test(group, restarted_server_resets_its_old_clients, 0, 4);
	tcase_add_test(group, reset_of_a_server_that_kept_no_key_is_not_believed);
	tcase_add_loop_test(group, server_with_the_same_certificate_cannot_cut_a_client, 0, 3);
	tcase_add_test(group, reset_key_file_that_is_none_is_refused_and_named);
	tcase_add_test(group, reset_key_that_cannot_be_kept_costs_one_line);
	tcase_add_test(group, tiny_packet_gets_no_reset);
	tcase_add_test(group, resets_are_limited);
	tcase_add_test(group, stranger_with_a_copied_packet_gains_nothing);
	tcase_add_test(group, freeing_the_endpoint_tells_the_peer);
	tcase_add_test(group, connections_nobody_accepted_go_with_the_endpoint);
	tcase_add_test(group, connection_closed_before_it_is_accepted_is_forgotten);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
