/* SPDX-License-Identifier: MIT */
/* Peers that break the rules which neither ngtcp2 nor GnuTLS enforces. */
#include <dlfcn.h>
#include <string.h>

#include "pair.h"

#define UNEXPECTED_MESSAGE 10
#define MISSING_EXTENSION  109

#define QUIC_TRANSPORT_PARAMETERS 0x39

static const uint8_t key_update[] = {24, 0, 0, 1, 0};

/* The session that is to say nothing of transport parameters: the first made, a client's, or the
 * second, a server's. */
static unsigned int sessions;
static unsigned int session_without;

/* ngtcp2's helper finds this one before that of GnuTLS. */
int gnutls_session_ext_register(gnutls_session_t session, const char *name, int id,
				gnutls_ext_parse_type_t parse_point, gnutls_ext_recv_func receive,
				gnutls_ext_send_func send, gnutls_ext_deinit_data_func deinit,
				gnutls_ext_pack_func pack, gnutls_ext_unpack_func unpack,
				unsigned int flags)
{
	void *symbol = dlsym(RTLD_NEXT, "gnutls_session_ext_register");
	__typeof__(gnutls_session_ext_register) *real;

	ck_assert_ptr_nonnull(symbol);
	memcpy(&real, &symbol, sizeof(real));
	if (id == QUIC_TRANSPORT_PARAMETERS && ++sessions == session_without)
		flags &= ~(unsigned int)(sessions == 1 ? GNUTLS_EXT_FLAG_CLIENT_HELLO
						       : GNUTLS_EXT_FLAG_EE);
	return real(session, name, id, parse_point, receive, send, deinit, pack, unpack, flags);
}

static void set_up(void)
{
	sessions = 0;
	session_without = 0;
	pair_open();
}

/* The peer says what no TLS over QUIC says, in its next 1-RTT packet. */
static void say(struct mquic_connection *liar)
{
	ck_assert_int_eq(ngtcp2_conn_submit_crypto_data(liar->attempt->conn,
							NGTCP2_ENCRYPTION_LEVEL_1RTT, key_update,
							sizeof(key_update)),
			 0);
	endpoint_schedule(liar->endpoint, &liar->task);
}

static void say_when_ready(void *self)
{
	say(self);
}

static void take_end(void *self, const struct quic_end *end)
{
	(void)self;
	ck_assert_int_eq(end->origin, MQUIC_ORIGIN_TLS);
	ck_assert_uint_eq(end->code, UNEXPECTED_MESSAGE);
	pair.ready = 100;
}

static void ignore_stream(void *self, struct mquic_stream *stream)
{
	(void)self;
	(void)stream;
}

static void ignore(void *self)
{
	(void)self;
}

static const struct connection_observer liar = {
	.ready = say_when_ready,
	.stream_acceptable = ignore,
	.stream_readable = ignore_stream,
	.stream_writable = ignore_stream,
	.stream_flushed = ignore_stream,
	.stream_closed = ignore_stream,
	.ended = take_end,
};

static bool liar_is_over(void *unused)
{
	(void)unused;
	return pair.ready == 100;
}

START_TEST(client_without_transport_parameters_is_refused)
{
	session_without = 1;
	if (_i == 1)
		mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_ALWAYS);
	pair_listen();
	pair_dial();
	pair_wait(pair_client_is_over, 5);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, MISSING_EXTENSION,
			"lacks a part that QUIC needs");
	sim_run(pair.sim, 10 * SIM_SECOND);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(server_without_transport_parameters_is_refused)
{
	session_without = 2;
	pair_listen();
	pair_dial();
	pair_wait(pair_client_is_over, 5);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, MISSING_EXTENSION,
			"lacks a part that QUIC needs");
}
END_TEST

START_TEST(key_update_of_a_client_ends_its_connection)
{
	pair_connect();
	say(pair.dialed);
	pair_wait(pair_both_are_over, 5);
	pair_expect_end(&pair.server_end, MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, UNEXPECTED_MESSAGE,
			"out of order");
	pair_expect_end(&pair.client_end, MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, UNEXPECTED_MESSAGE,
			"out of order");
}
END_TEST

START_TEST(key_update_of_a_server_ends_its_connection)
{
	pair_connect();
	say(pair.accepted[0]);
	pair_wait(pair_both_are_over, 5);
	pair_expect_end(&pair.client_end, MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, UNEXPECTED_MESSAGE,
			"out of order");
	pair_expect_end(&pair.server_end, MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, UNEXPECTED_MESSAGE,
			"out of order");
}
END_TEST

/* In one datagram with Finished: the server reads both before it has put TLS away. */
START_TEST(key_update_may_not_ride_with_finished)
{
	pair_listen();
	pair_dial();
	connection_observe(pair.dialed, &liar, pair.dialed);
	pair_wait(liar_is_over, 5);
	connection_observe(pair.dialed, NULL, NULL);
}
END_TEST

/* What a server sends in 1-RTT packets with its first flight waits, and is not lost by it. */
START_TEST(client_reads_early_packets_once_it_may)
{
	pair_listen();
	pair_dial();
	sim_run(pair.sim, 4 * SIM_MS);
	ck_assert(!pair.dialed->attempt->held.open);
	pair_wait(pair_is_connected, 1);
	ck_assert(pair.dialed->attempt->held.open);
	ck_assert(list_is_empty(&pair.dialed->attempt->held.packets));
	sim_run(pair.sim, SIM_SECOND);
	/* Identifiers to move with came in such a packet. */
	sim_move(pair.client, 3, false);
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-guard");
	TCase *group = tcase_create("guard");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, pair_close);
	tcase_set_timeout(group, 120);
	tcase_add_loop_test(group, client_without_transport_parameters_is_refused, 0, 2);
	tcase_add_test(group, server_without_transport_parameters_is_refused);
	tcase_add_test(group, key_update_of_a_client_ends_its_connection);
	tcase_add_test(group, key_update_of_a_server_ends_its_connection);
	tcase_add_test(group, key_update_may_not_ride_with_finished);
	tcase_add_test(group, client_reads_early_packets_once_it_may);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
