/* SPDX-License-Identifier: MIT */
/* Dialing a name: the call returns, and what comes of the name is told like any other end. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "pair.h"

#define HOST "broker.lan"

static void set_up(void)
{
	pair_open();
	names_add(HOST, 2);
}

/* The connection is over, and nothing of it is left once its handle is freed. */
static void expect_nothing_left(void)
{
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, 60 * SIM_SECOND);
	pair_expect_empty(pair.client);
	ck_assert_uint_eq(endpoint_resolver(pair.client->endpoint)->running, 0);
	ck_assert(list_is_empty(&endpoint_resolver(pair.client->endpoint)->jobs));
}

static struct mquic_stream *received;

static void take_stream(struct pair *unused, struct sim_host *host, struct mquic_event *event)
{
	(void)unused;
	(void)host;
	if (mquic_event_type(event) == MQUIC_EVENT_STREAM_ACCEPTABLE && received == NULL)
		ck_assert_int_eq(
			mquic_connection_accept_stream(mquic_event_connection(event), &received),
			MQUIC_OK);
}

static bool is_received(void *unused)
{
	(void)unused;
	return received != NULL;
}

START_TEST(name_is_dialed_without_waiting)
{
	struct mquic_stream *stream;
	uint8_t buffer[8];
	size_t len;

	names_set_delay(300 * SIM_MS);
	pair_listen();
	pair.on_event = take_stream;
	received = NULL;
	pair_dial_name(HOST);
	ck_assert_uint_eq(names_asked(), 1);
	ck_assert_str_eq(mquic_connection_peer_address(pair.dialed), "");
	/* A stream may be written, finished and forgotten before there is an address. */
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(stream, (const uint8_t *)"hello", 5, &len), MQUIC_OK);
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(mquic_stream_finish(stream), MQUIC_OK);
	mquic_stream_free(stream);
	sim_run(pair.sim, 299 * SIM_MS);
	ck_assert_uint_eq(pair.client->up.packets, 0);
	pair_wait(pair_is_connected, 1);
	ck_assert_str_eq(mquic_connection_peer_address(pair.dialed), PAIR_HOST ":14567");
	ck_assert_uint_lt(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  100000);
	pair_wait(is_received, 1);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(mquic_stream_recv(received, buffer, sizeof(buffer), &len), MQUIC_OK);
	ck_assert_uint_eq(len, 5);
	ck_assert_mem_eq(buffer, "hello", 5);
	mquic_stream_free(received);
}
END_TEST

START_TEST(number_is_dialed_without_asking)
{
	pair_connect();
	ck_assert_uint_eq(names_asked(), 0);
}
END_TEST

START_TEST(unknown_name_is_an_end_like_any_other)
{
	pair_dial_name("no-such-host.example");
	ck_assert_uint_eq(pair.client_end.told, 0);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_ERR_RESOLVE, MQUIC_ORIGIN_SYSTEM, 0,
			"host 'no-such-host.example' cannot be found");
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_ERR_CLOSED);
	expect_nothing_left();
}
END_TEST

START_TEST(system_that_cannot_ask_says_why)
{
	names_set_failure(EAI_SYSTEM, EMFILE);
	pair_dial_name(HOST);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, EMFILE,
			"looking up host 'broker.lan': Too many open files");
	names_set_failure(EAI_MEMORY, 0);
	memset(&pair.client_end, 0, sizeof(pair.client_end));
	pair_dial_name(HOST);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_ERR_MEMORY, MQUIC_ORIGIN_LOCAL, 0, "out of memory");
	expect_nothing_left();
}
END_TEST

static int no_thread(struct resolver *resolver, struct resolve_job *job)
{
	(void)resolver;
	(void)job;
	return EAGAIN;
}

START_TEST(thread_that_cannot_begin_is_an_end)
{
	endpoint_resolver(pair.client->endpoint)->begin = no_thread;
	pair_dial_name(HOST);
	endpoint_turn(pair.client->endpoint); /* the loop wakes the program in real life */
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, EAGAIN,
			"no thread can be started to look up host 'broker.lan'");
	expect_nothing_left();
}
END_TEST

START_TEST(name_in_another_script_is_looked_up_in_its_ascii_form_too)
{
	names_add("xn--brker-kua.lan", 2);
	pair_listen();
	pair_dial_name("br\xc3\xb6ker.lan");
	pair_wait(pair_is_connected, 1);
}
END_TEST

START_TEST(answer_that_never_comes_is_not_waited_for)
{
	names_set_delay(UINT64_MAX);
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 2000);
	pair_dial_name(HOST);
	sim_run(pair.sim, 1999 * SIM_MS);
	ck_assert_uint_eq(pair.client_end.told, 0);
	sim_run(pair.sim, 1 * SIM_MS);
	pair_expect_end(&pair.client_end, MQUIC_ERR_RESOLVE, MQUIC_ORIGIN_SYSTEM, 0,
			"host 'broker.lan' could not be looked up within 2000 ms");
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, SIM_SECOND);
	pair_expect_empty(pair.client);
	/* Its thread counts until it ends. */
	ck_assert_uint_eq(endpoint_resolver(pair.client->endpoint)->running, 1);
}
END_TEST

START_TEST(lookup_counts_against_the_time_for_the_handshake)
{
	names_set_delay(800 * SIM_MS);
	mquic_settings_set_handshake_timeout_ms(pair.client_settings, 1000);
	pair_dial_name(HOST);
	sim_run(pair.sim, 999 * SIM_MS);
	ck_assert_uint_eq(pair.client_end.told, 0);
	ck_assert_uint_gt(pair.client->up.packets, 0);
	sim_run(pair.sim, 50 * SIM_MS);
	ck_assert_uint_eq(pair.client_end.told, 1);
	ck_assert_int_eq(pair.client_end.status, MQUIC_ERR_TIMEOUT);
}
END_TEST

START_TEST(address_without_a_way_there_is_an_end)
{
	pair.client->open_error = ENETUNREACH;
	pair_dial_name(HOST);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, 0,
			"Network is unreachable");
	expect_nothing_left();
}
END_TEST

START_TEST(connection_is_closed_while_its_name_is_looked_up)
{
	names_set_delay(100 * SIM_MS);
	pair_dial_name(HOST);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 7, "never mind"), MQUIC_OK);
	sim_settle(pair.sim);
	pair_expect_end(&pair.client_end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 7, "never mind");
	expect_nothing_left();
	ck_assert_uint_eq(pair.client->up.packets, 0);
}
END_TEST

START_TEST(connection_is_freed_while_its_name_is_looked_up)
{
	names_set_delay(100 * SIM_MS);
	pair_dial_name(HOST);
	expect_nothing_left();
	ck_assert_uint_eq(pair.client_end.told, 0);
	ck_assert_uint_eq(pair.client->up.packets, 0);
}
END_TEST

START_TEST(endpoint_is_freed_while_a_name_is_looked_up)
{
	names_set_delay(100 * SIM_MS);
	pair_dial_name(HOST);
	sim_restart(pair.client);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 0, NULL), MQUIC_ERR_CLOSED);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.client_end.told, 0);
}
END_TEST

START_TEST(calls_before_there_is_an_address_do_what_they_say)
{
	struct mquic_stream *stream;

	names_set_delay(100 * SIM_MS);
	pair_listen();
	pair_dial_name(HOST);
	ck_assert_int_eq(mquic_connection_migrate(pair.dialed), MQUIC_ERR_STATE);
	ck_assert_str_eq(mquic_connection_local_address(pair.dialed), "");
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_SMOOTHED_RTT_US),
			  0);
	ck_assert_uint_gt(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_MEMORY), 0);
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_stop(stream, 1), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_reset(stream, 2), MQUIC_OK);
	mquic_stream_free(stream);
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	mquic_stream_free(stream);
	pair_wait(pair_is_connected, 1);
}
END_TEST

static enum mquic_status dial_wrongly(void)
{
	return mquic_connection_dial(&pair.dialed, pair.client->endpoint, pair.client_settings,
				     HOST, PAIR_PORT);
}

START_TEST(what_is_wrong_without_asking_is_told_by_the_call)
{
	mquic_settings_set_ca_file(pair.client_settings, "/no/such/file");
	ck_assert_int_eq(dial_wrongly(), MQUIC_ERR_TLS);
	mquic_settings_set_ca_file(pair.client_settings, kit_path("ca.crt"));
	mquic_settings_set_server_name(
		pair.client_settings, "a.name.with.a.label.of.more.than.sixty-three.letters."
				      "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
				      "\xc3\xb6yyyyyyyyyyyyyyy.example");
	ck_assert_int_eq(dial_wrongly(), MQUIC_ERR_INVALID);
	kit_says(mquic_endpoint_error(pair.client->endpoint), "cannot be the name of a server");
	mquic_settings_set_server_name(pair.client_settings, PAIR_NAME);
	ck_assert_ptr_null(pair.dialed);
	ck_assert_uint_eq(names_asked(), 0);
	pair_expect_empty(pair.client);
}
END_TEST

/* ---- Sessions ------------------------------------------------------------------------------- */

static struct mquic_session *session;
static struct pair_end end;

static void on_session_event(struct sim_host *host, struct mquic_event *event)
{
	(void)host;
	ck_assert_int_eq(mquic_event_type(event), MQUIC_EVENT_DISCONNECTED);
	end.told++;
	end.status = mquic_event_status(event);
	end.origin = mquic_event_origin(event);
	end.code = mquic_event_code(event);
	(void)snprintf(end.text, sizeof(end.text), "%s", mquic_event_text(event));
}

START_TEST(session_looks_its_name_up_anew_each_time)
{
	unsigned int i;

	pair.client->on_event = on_session_event;
	names_set_delay(100 * SIM_MS);
	ck_assert_int_eq(mquic_session_new(&session, pair.client->endpoint, pair.client_settings),
			 MQUIC_OK);
	for (i = 1; i <= 3; i++) {
		memset(&end, 0, sizeof(end));
		ck_assert_int_eq(mquic_session_connect(session, "no-such-host.example", PAIR_PORT),
				 MQUIC_OK);
		ck_assert_int_eq(mquic_session_connect(session, HOST, PAIR_PORT), MQUIC_ERR_STATE);
		ck_assert_uint_eq(end.told, 0);
		sim_run(pair.sim, 101 * SIM_MS);
		pair_expect_end(&end, MQUIC_ERR_RESOLVE, MQUIC_ORIGIN_SYSTEM, 0,
				"host 'no-such-host.example' cannot be found");
		ck_assert_uint_eq(names_asked(), i);
	}
	/* Freed amid the next. */
	memset(&end, 0, sizeof(end));
	ck_assert_int_eq(mquic_session_connect(session, HOST, PAIR_PORT), MQUIC_OK);
	mquic_session_free(session);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(end.told, 0);
	pair_expect_empty(pair.client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-resolve");
	TCase *group = tcase_create("resolve");

	tcase_set_timeout(group, 120);
	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, pair_close);
	tcase_add_test(group, name_is_dialed_without_waiting);
	tcase_add_test(group, number_is_dialed_without_asking);
	tcase_add_test(group, unknown_name_is_an_end_like_any_other);
	tcase_add_test(group, system_that_cannot_ask_says_why);
	tcase_add_test(group, thread_that_cannot_begin_is_an_end);
	tcase_add_test(group, name_in_another_script_is_looked_up_in_its_ascii_form_too);
	tcase_add_test(group, answer_that_never_comes_is_not_waited_for);
	tcase_add_test(group, lookup_counts_against_the_time_for_the_handshake);
	tcase_add_test(group, address_without_a_way_there_is_an_end);
	tcase_add_test(group, connection_is_closed_while_its_name_is_looked_up);
	tcase_add_test(group, connection_is_freed_while_its_name_is_looked_up);
	tcase_add_test(group, endpoint_is_freed_while_a_name_is_looked_up);
	tcase_add_test(group, calls_before_there_is_an_address_do_what_they_say);
	tcase_add_test(group, what_is_wrong_without_asking_is_told_by_the_call);
	tcase_add_test(group, session_looks_its_name_up_anew_each_time);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
