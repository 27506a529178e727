/* SPDX-License-Identifier: MIT */
/* MQTT sessions over a simulated network: how they come, stay and go. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "session/relay.h"

/* ---- Connecting ---------------------------------------------------------------- */

START_TEST(session_connects_in_two_round_trips)
{
	uint64_t start = sim_now(pair.sim);

	app_dial();
	app_wait(app_is_connected, 1, 5);
	/* One for QUIC, one for CONNECT and CONNACK. */
	ck_assert_uint_le(sim_now(pair.sim) - start, 21 * SIM_MS);
	ck_assert_uint_eq(broker.connects, 1);
	ck_assert(!app.present);
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_OK);
	app_wait(app_is_disconnected, 1, 5);
	ck_assert_int_eq(app.end.status, MQUIC_OK);
	ck_assert_uint_eq(broker.disconnects, 1);
	sim_run(pair.sim, 10 * SIM_SECOND);
	ck_assert_uint_eq(broker.closed, 1);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(probes_of_the_mtu_delay_nobody)
{
	struct sim_link line = {.delay_ns = 30 * SIM_MS};
	uint64_t start;

	pair_set_link(&line);
	start = sim_now(pair.sim);
	app_dial();
	app_wait(app_is_connected, 1, 5);
	ck_assert_uint_le(sim_now(pair.sim) - start, 120 * SIM_MS + SIM_MS / 2);
	start = sim_now(pair.sim);
	app_publish(1, 1);
	ck_assert(sim_until(pair.sim, app_is_settled, NULL, SIM_SECOND));
	ck_assert_uint_le(sim_now(pair.sim) - start, 60 * SIM_MS + SIM_MS / 2);
}
END_TEST

START_TEST(lost_last_message_goes_again_soon_after_a_round_trip)
{
	struct sim_link line = {.delay_ns = 30 * SIM_MS};
	uint64_t start;
	uint32_t number;

	pair_set_link(&line);
	app_dial();
	app_wait(app_is_connected, 1, 5);
	for (number = 0; number < 30; number++) {
		app_publish(number, 1);
		ck_assert(sim_until(pair.sim, app_is_settled, NULL, SIM_SECOND));
		sim_run(pair.sim, 10 * SIM_MS);
	}
	pair.client->up.loss = 1000;
	start = sim_now(pair.sim);
	app_publish(number, 1);
	sim_run(pair.sim, SIM_MS);
	pair.client->up.loss = 0;
	ck_assert(sim_until(pair.sim, app_is_settled, NULL, SIM_SECOND));
	/* Two round trips, and little more than the 5 ms of max_ack_delay. */
	ck_assert_uint_le(sim_now(pair.sim) - start, 130 * SIM_MS);
	app_expect_each_once(broker.counts, 0, number + 1);
}
END_TEST

START_TEST(refusal_is_told_with_its_reason)
{
	broker.refusal = 0x87;
	app_dial();
	app_wait(app_is_disconnected, 1, 5);
	ck_assert_uint_eq(app.connected, 0);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_REFUSED);
	ck_assert_int_eq(app.end.origin, MQUIC_ORIGIN_MQTT);
	ck_assert_uint_eq(app.end.code, 0x87);
	broker.refusal = 0;
	app_dial(); /* it may be tried again */
	app_wait(app_is_connected, 1, 5);
}
END_TEST

START_TEST(silent_server_is_noticed)
{
	pair.server->send_error = ENETDOWN;
	app_dial();
	app_wait(app_is_disconnected, 1, 30);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_TIMEOUT);
	ck_assert_int_eq(app.end.origin, MQUIC_ORIGIN_TRANSPORT);
}
END_TEST

START_TEST(host_that_is_not_found_is_an_end_like_any_other)
{
	ck_assert_int_eq(mquic_session_connect(app.session, "nowhere.example", PAIR_PORT),
			 MQUIC_OK);
	app_publish(1, 1);
	ck_assert_uint_eq(app.disconnected, 0);
	app_wait(app_is_disconnected, 1, 1);
	ck_assert_uint_eq(app.connected, 0);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_RESOLVE);
	ck_assert_int_eq(app.end.origin, MQUIC_ORIGIN_SYSTEM);
	kit_says(app.end.text, "'nowhere.example'");
	app_dial();
	app_wait(app_is_settled, 0, 5);
	app_expect_each_once(broker.counts, 1, 2);
}
END_TEST

START_TEST(keep_alive_pings_and_notices_a_server_that_answers_none)
{
	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 10), MQUIC_OK);
	app_dial();
	app_wait(app_is_connected, 1, 5);
	sim_run(pair.sim, 600 * SIM_SECOND);
	ck_assert_uint_eq(app.disconnected, 0);
	ck_assert_uint_ge(broker.pings, 55);
	ck_assert_uint_le(broker.pings, 65);
	broker.mute = true;
	app_wait(app_is_disconnected, 1, 25);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_TIMEOUT);
	ck_assert_int_eq(app.end.origin, MQUIC_ORIGIN_MQTT);
}
END_TEST

START_TEST(session_without_keep_alive_stays_for_days)
{
	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 0), MQUIC_OK);
	app_dial();
	app_wait(app_is_connected, 1, 5);
	sim_run(pair.sim, 2 * 86400 * SIM_SECOND);
	ck_assert_uint_eq(app.disconnected, 0);
	app_publish(1, 1);
	app_wait(app_is_settled, 0, 5);
}
END_TEST

START_TEST(long_keep_alive_outlives_a_short_idle_timeout)
{
	ck_assert_int_eq(mquic_settings_set_idle_timeout_ms(pair.server_settings, 5000), MQUIC_OK);
	sim_restart(pair.server);
	pair_listen();
	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 1000), MQUIC_OK);
	app_dial();
	app_wait(app_is_connected, 1, 5);
	sim_run(pair.sim, 3600 * SIM_SECOND);
	ck_assert_uint_eq(app.disconnected, 0);
	ck_assert_uint_le(broker.pings, 5);
}
END_TEST

static unsigned int client_packets;

static void count_client(void *user, const struct sim_host *from, const struct datagram *datagram)
{
	(void)user;
	(void)datagram;
	client_packets += from == pair.client;
}

/* Packets of a client that has nothing to say for 1000 seconds. */
static unsigned int packets_in_silence(void)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	sim_run(pair.sim, 5 * SIM_SECOND);
	client_packets = 0;
	sim_set_tap(pair.sim, count_client, NULL);
	sim_run(pair.sim, 1000 * SIM_SECOND);
	ck_assert_uint_eq(app.disconnected, 0);
	return client_packets;
}

START_TEST(silent_session_sends_a_ping_of_quic_every_twenty_seconds)
{
	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 300), MQUIC_OK);
	/* And three of MQTT. ngtcp2 wants its ACKs acknowledged now and then: two for each. */
	ck_assert_uint_ge(packets_in_silence(), 45);
	ck_assert_uint_le(client_packets, 110);
	ck_assert_uint_le(broker.pings, 4);
}
END_TEST

static void use_client_settings(void)
{
	mquic_session_free(app.session);
	ck_assert_int_eq(
		mquic_session_new(&app.session, pair.client->endpoint, pair.client_settings),
		MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 0), MQUIC_OK);
}

START_TEST(session_sends_pings_of_quic_as_often_as_it_is_told)
{
	mquic_settings_set_keep_alive_ms(pair.client_settings, 5000);
	use_client_settings();
	ck_assert_uint_ge(packets_in_silence(), 190);
	ck_assert_uint_le(client_packets, 410);
}
END_TEST

START_TEST(session_sends_no_pings_of_quic_if_it_is_told_so)
{
	mquic_settings_set_keep_alive_ms(pair.client_settings, 0);
	mquic_settings_set_idle_timeout_ms(pair.client_settings, 0);
	mquic_settings_set_idle_timeout_ms(pair.server_settings, 0);
	broker_stop();
	sim_restart(pair.server);
	pair_listen();
	use_client_settings();
	ck_assert_uint_eq(packets_in_silence(), 0);
}
END_TEST

/* Killed and started again at every second of what a silent session goes through. */
START_TEST(restarted_broker_is_noticed_in_twenty_seconds)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	sim_run(pair.sim, (unsigned int)(_i + 1) * SIM_SECOND);
	pair.server->send_error = ENETDOWN; /* nobody says goodbye */
	broker_stop();
	sim_restart(pair.server);
	pair_listen();
	app_wait(app_is_disconnected, 1, 21);
	kit_says(app.end.text, "stateless reset");
}
END_TEST

/* ---- The log ------------------------------------------------------------------------ */

static char logged[16384];

static void note(void *unused, enum mquic_log_level level, const char *line)
{
	size_t len = strlen(logged);

	(void)unused;
	(void)level;
	ck_assert_uint_lt(len + strlen(line), sizeof(logged) - 1);
	(void)snprintf(logged + len, sizeof(logged) - len, "%s\n", line);
}

START_TEST(logs_of_both_sides_have_the_steps_but_no_secrets)
{
	static const char *const steps[] = {
		"session 1: CONNECTING → CONNECTED\n", "session 1: ENDED → OVER\n",
		"relay 1: WAITING → SHOWN\n",          "relay 1: SHOWN → OPEN\n",
		"connection 1: HANDSHAKE → READY\n",
	};
	size_t i;

	logged[0] = '\0';
	mquic_endpoint_set_log(pair.client->endpoint, note, MQUIC_LOG_DEBUG, NULL);
	mquic_endpoint_set_log(pair.server->endpoint, note, MQUIC_LOG_DEBUG, NULL);
	ck_assert_int_eq(mquic_session_set_username(app.session, "SECRET", 6), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_password(app.session, (const uint8_t *)"SECRET", 6),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_session_add_user_property(app.session, "SECRET", 6, "SECRET", 6),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_disconnect_text(app.session, "SECRET", 6), MQUIC_OK);
	app_dial();
	app_wait(app_is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "SECRET", 6, 1, NULL), MQUIC_OK);
	app_publish(1, 2);
	app_wait(app_is_settled, 0, 5);
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_OK);
	app_wait(app_is_disconnected, 1, 5);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		kit_says(logged, steps[i]);
	ck_assert_ptr_null(strstr(logged, "SECRET"));
}
END_TEST

/* ---- Freeing ----------------------------------------------------------------------- */

/* EMQX says so when it takes a session over. */
START_TEST(server_that_wants_no_more_is_noticed_at_once)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(mquic_stream_stop(broker.clients[0].relay->stream, 0x8e), MQUIC_OK);
	sim_run(pair.sim, 6 * SIM_MS);
	ck_assert_uint_eq(app.disconnected, 1);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_CLOSED);
	kit_says(app.end.text, "wants no more");
}
END_TEST

START_TEST(freed_session_is_a_lost_client)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	mquic_session_free(app.session);
	app.session = NULL;
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(broker.closed, 1);
	ck_assert_uint_eq(broker.disconnects, 0);
	sim_run(pair.sim, 10 * SIM_SECOND);
	pair_expect_empty(pair.client);
	pair_expect_empty(pair.server);
}
END_TEST

START_TEST(session_outlives_its_endpoint)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	mquic_endpoint_free(pair.client->endpoint);
	pair.client->endpoint = NULL;
	ck_assert_int_eq(mquic_session_connect(app.session, PAIR_HOST, 1), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 0, NULL), MQUIC_ERR_CLOSED);
	ck_assert_ptr_null(mquic_session_connection(app.session));
	ck_assert_str_eq(mquic_session_client_id(app.session, NULL), "c");
}
END_TEST

START_TEST(session_refuses_calls_in_the_wrong_state)
{
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_ERR_STATE);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 0, NULL), MQUIC_ERR_STATE);
	app_dial();
	ck_assert_int_eq(mquic_session_connect(app.session, PAIR_HOST, PAIR_PORT), MQUIC_ERR_STATE);
	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 1), MQUIC_ERR_STATE);
	kit_says(mquic_session_error(app.session), "before connecting");
	app_wait(app_is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "a/#/b", 5, 0, NULL),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 3, NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_session_ack(app.session, 7, 0), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_ERR_STATE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-session");
	TCase *group = tcase_create("session");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, app_set_up, app_tear_down);
	tcase_set_timeout(group, 240);
	tcase_add_test(group, session_connects_in_two_round_trips);
	tcase_add_test(group, probes_of_the_mtu_delay_nobody);
	tcase_add_test(group, lost_last_message_goes_again_soon_after_a_round_trip);
	tcase_add_test(group, refusal_is_told_with_its_reason);
	tcase_add_test(group, silent_server_is_noticed);
	tcase_add_test(group, host_that_is_not_found_is_an_end_like_any_other);
	tcase_add_test(group, keep_alive_pings_and_notices_a_server_that_answers_none);
	tcase_add_test(group, session_without_keep_alive_stays_for_days);
	tcase_add_test(group, long_keep_alive_outlives_a_short_idle_timeout);
	tcase_add_test(group, silent_session_sends_a_ping_of_quic_every_twenty_seconds);
	tcase_add_test(group, session_sends_pings_of_quic_as_often_as_it_is_told);
	tcase_add_test(group, session_sends_no_pings_of_quic_if_it_is_told_so);
	tcase_add_loop_test(group, restarted_broker_is_noticed_in_twenty_seconds, 0, 65);
	tcase_add_test(group, server_that_wants_no_more_is_noticed_at_once);
	tcase_add_test(group, logs_of_both_sides_have_the_steps_but_no_secrets);
	tcase_add_test(group, freed_session_is_a_lost_client);
	tcase_add_test(group, session_outlives_its_endpoint);
	tcase_add_test(group, session_refuses_calls_in_the_wrong_state);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
