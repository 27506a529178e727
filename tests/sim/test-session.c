/* SPDX-License-Identifier: MIT */
/* MQTT sessions and relays over a simulated network: every message once, whatever happens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker.h"
#include "session/relay.h"

static struct mquic_session *session;
static unsigned int connected;
static unsigned int disconnected;
static bool present;
static struct pair_end end;
static unsigned int delivered;
static unsigned int subscribed;
static uint8_t last_reason;
static unsigned int got[BROKER_NUMBERS];

static void on_message(const struct mquic_message *message)
{
	const uint8_t *payload;
	uint32_t number;
	size_t len;

	payload = mquic_message_payload(message, &len);
	ck_assert_uint_eq(len, sizeof(number));
	memcpy(&number, payload, sizeof(number));
	ck_assert_uint_lt(number, BROKER_NUMBERS);
	got[number]++;
}

static void publish(uint32_t number, int qos);

/* The connection has come, and may have gone already: nobody was told yet. */
static void call_in_between(void)
{
	ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 2, NULL), MQUIC_OK);
	ck_assert_int_eq(mquic_session_unsubscribe(session, "t", 1, NULL), MQUIC_OK);
	publish(connected, 1);
}

static void on_event(struct sim_host *host, struct mquic_event *event)
{
	(void)host;
	ck_assert_ptr_eq(mquic_event_session(event), session);
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		connected++;
		present = mquic_event_session_present(event);
		if (broker.goodbye)
			call_in_between();
		break;
	case MQUIC_EVENT_MESSAGE:
		on_message(mquic_event_message(event));
		break;
	case MQUIC_EVENT_DELIVERED:
		delivered++;
		last_reason = mquic_event_reason(event, 0);
		break;
	case MQUIC_EVENT_SUBSCRIBED:
		subscribed++;
		break;
	case MQUIC_EVENT_DISCONNECTED:
		disconnected++;
		if (broker.goodbye)
			ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 2, NULL),
					 MQUIC_ERR_STATE);
		end.told = 1;
		end.status = mquic_event_status(event);
		end.origin = mquic_event_origin(event);
		end.code = mquic_event_code(event);
		(void)snprintf(end.text, sizeof(end.text), "%s", mquic_event_text(event));
		break;
	default:
		break;
	}
}

static void open_session(void)
{
	connected = disconnected = delivered = subscribed = 0;
	memset(got, 0, sizeof(got));
	memset(&end, 0, sizeof(end));
	pair.client->on_event = on_event;
	broker_start();
	ck_assert_int_eq(mquic_session_new(&session, pair.client->endpoint, pair.client_settings),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_client_id(session, "c", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_clean_start(session, false), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_expiry_s(session, 3600), MQUIC_OK);
}

static void set_up(void)
{
	pair_open();
	open_session();
}

static void tear_down(void)
{
	mquic_session_free(session);
	session = NULL;
	broker_stop();
	pair_close();
}

static bool is_connected(void *count)
{
	return connected >= (unsigned int)(uintptr_t)count;
}

static bool is_disconnected(void *count)
{
	return disconnected >= (unsigned int)(uintptr_t)count;
}

static bool is_settled(void *unused)
{
	(void)unused;
	return mquic_session_inflight(session) == 0;
}

static void wait_for(bool (*done)(void *), unsigned int count, unsigned int seconds)
{
	ck_assert_msg(sim_until(pair.sim, done, (void *)(uintptr_t)count, seconds * SIM_SECOND),
		      "not within %u s: \"%s\"", seconds, end.text);
}

static void dial(void)
{
	ck_assert_msg(mquic_session_connect(session, PAIR_HOST, PAIR_PORT) == MQUIC_OK, "%s",
		      mquic_session_error(session));
}

static void publish(uint32_t number, int qos)
{
	struct mquic_message *message;
	uint8_t payload[4];

	memcpy(payload, &number, sizeof(payload));
	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(message, payload, sizeof(payload)), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, qos), MQUIC_OK);
	ck_assert_msg(mquic_session_publish(session, message, NULL) == MQUIC_OK, "%s",
		      mquic_session_error(session));
	mquic_message_free(message);
}

static void expect_each_once(const unsigned int *counts, uint32_t first, uint32_t last)
{
	uint32_t number;

	for (number = first; number < last; number++)
		ck_assert_msg(counts[number] == 1, "message %u came %u times", number,
			      counts[number]);
}

/* ---- Connecting ---------------------------------------------------------------- */

START_TEST(session_connects_in_two_round_trips)
{
	uint64_t start = sim_now(pair.sim);

	dial();
	wait_for(is_connected, 1, 5);
	/* One for QUIC, one for CONNECT and CONNACK. */
	ck_assert_uint_le(sim_now(pair.sim) - start, 21 * SIM_MS);
	ck_assert_uint_eq(broker.connects, 1);
	ck_assert(!present);
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	wait_for(is_disconnected, 1, 5);
	ck_assert_int_eq(end.status, MQUIC_OK);
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
	dial();
	wait_for(is_connected, 1, 5);
	ck_assert_uint_le(sim_now(pair.sim) - start, 120 * SIM_MS + SIM_MS / 2);
	start = sim_now(pair.sim);
	publish(1, 1);
	ck_assert(sim_until(pair.sim, is_settled, NULL, SIM_SECOND));
	ck_assert_uint_le(sim_now(pair.sim) - start, 60 * SIM_MS + SIM_MS / 2);
}
END_TEST

START_TEST(lost_last_message_goes_again_soon_after_a_round_trip)
{
	struct sim_link line = {.delay_ns = 30 * SIM_MS};
	uint64_t start;
	uint32_t number;

	pair_set_link(&line);
	dial();
	wait_for(is_connected, 1, 5);
	for (number = 0; number < 30; number++) {
		publish(number, 1);
		ck_assert(sim_until(pair.sim, is_settled, NULL, SIM_SECOND));
		sim_run(pair.sim, 10 * SIM_MS);
	}
	pair.client->up.loss = 1000;
	start = sim_now(pair.sim);
	publish(number, 1);
	sim_run(pair.sim, SIM_MS);
	pair.client->up.loss = 0;
	ck_assert(sim_until(pair.sim, is_settled, NULL, SIM_SECOND));
	/* Two round trips, and little more than the 5 ms of max_ack_delay. */
	ck_assert_uint_le(sim_now(pair.sim) - start, 130 * SIM_MS);
	expect_each_once(broker.counts, 0, number + 1);
}
END_TEST

START_TEST(refusal_is_told_with_its_reason)
{
	broker.refusal = 0x87;
	dial();
	wait_for(is_disconnected, 1, 5);
	ck_assert_uint_eq(connected, 0);
	ck_assert_int_eq(end.status, MQUIC_ERR_REFUSED);
	ck_assert_int_eq(end.origin, MQUIC_ORIGIN_MQTT);
	ck_assert_uint_eq(end.code, 0x87);
	broker.refusal = 0;
	dial(); /* it may be tried again */
	wait_for(is_connected, 1, 5);
}
END_TEST

START_TEST(silent_server_is_noticed)
{
	pair.server->send_error = ENETDOWN;
	dial();
	wait_for(is_disconnected, 1, 30);
	ck_assert_int_eq(end.status, MQUIC_ERR_TIMEOUT);
	ck_assert_int_eq(end.origin, MQUIC_ORIGIN_TRANSPORT);
}
END_TEST

START_TEST(host_that_is_not_found_is_an_end_like_any_other)
{
	ck_assert_int_eq(mquic_session_connect(session, "nowhere.example", PAIR_PORT), MQUIC_OK);
	publish(1, 1);
	ck_assert_uint_eq(disconnected, 0);
	wait_for(is_disconnected, 1, 1);
	ck_assert_uint_eq(connected, 0);
	ck_assert_int_eq(end.status, MQUIC_ERR_RESOLVE);
	ck_assert_int_eq(end.origin, MQUIC_ORIGIN_SYSTEM);
	kit_says(end.text, "'nowhere.example'");
	dial();
	wait_for(is_settled, 0, 5);
	expect_each_once(broker.counts, 1, 2);
}
END_TEST

START_TEST(keep_alive_pings_and_notices_a_server_that_answers_none)
{
	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 10), MQUIC_OK);
	dial();
	wait_for(is_connected, 1, 5);
	sim_run(pair.sim, 600 * SIM_SECOND);
	ck_assert_uint_eq(disconnected, 0);
	ck_assert_uint_ge(broker.pings, 55);
	ck_assert_uint_le(broker.pings, 65);
	broker.mute = true;
	wait_for(is_disconnected, 1, 25);
	ck_assert_int_eq(end.status, MQUIC_ERR_TIMEOUT);
	ck_assert_int_eq(end.origin, MQUIC_ORIGIN_MQTT);
}
END_TEST

START_TEST(session_without_keep_alive_stays_for_days)
{
	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 0), MQUIC_OK);
	dial();
	wait_for(is_connected, 1, 5);
	sim_run(pair.sim, 2 * 86400 * SIM_SECOND);
	ck_assert_uint_eq(disconnected, 0);
	publish(1, 1);
	wait_for(is_settled, 0, 5);
}
END_TEST

START_TEST(long_keep_alive_outlives_a_short_idle_timeout)
{
	ck_assert_int_eq(mquic_settings_set_idle_timeout_ms(pair.server_settings, 5000), MQUIC_OK);
	sim_restart(pair.server);
	pair_listen();
	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 1000), MQUIC_OK);
	dial();
	wait_for(is_connected, 1, 5);
	sim_run(pair.sim, 3600 * SIM_SECOND);
	ck_assert_uint_eq(disconnected, 0);
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
	dial();
	wait_for(is_connected, 1, 5);
	sim_run(pair.sim, 5 * SIM_SECOND);
	client_packets = 0;
	sim_set_tap(pair.sim, count_client, NULL);
	sim_run(pair.sim, 1000 * SIM_SECOND);
	ck_assert_uint_eq(disconnected, 0);
	return client_packets;
}

START_TEST(silent_session_sends_a_ping_of_quic_every_twenty_seconds)
{
	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 300), MQUIC_OK);
	/* And three of MQTT. ngtcp2 wants its ACKs acknowledged now and then: two for each. */
	ck_assert_uint_ge(packets_in_silence(), 45);
	ck_assert_uint_le(client_packets, 110);
	ck_assert_uint_le(broker.pings, 4);
}
END_TEST

static void use_client_settings(void)
{
	mquic_session_free(session);
	ck_assert_int_eq(mquic_session_new(&session, pair.client->endpoint, pair.client_settings),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 0), MQUIC_OK);
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
	dial();
	wait_for(is_connected, 1, 5);
	sim_run(pair.sim, (unsigned int)(_i + 1) * SIM_SECOND);
	pair.server->send_error = ENETDOWN; /* nobody says goodbye */
	broker_stop();
	sim_restart(pair.server);
	pair_listen();
	wait_for(is_disconnected, 1, 21);
	kit_says(end.text, "stateless reset");
}
END_TEST

/* ---- Messages -------------------------------------------------------------------- */

static const struct sim_link lines[] = {
	{.delay_ns = 5 * SIM_MS},
	{.delay_ns = 20 * SIM_MS, .jitter_ns = 20 * SIM_MS, .loss = 100, .duplicate = 50},
	{.delay_ns = 20 * SIM_MS, .loss = 250},
};

START_TEST(messages_of_every_qos_arrive_once_over_any_line)
{
	uint32_t number;

	dial();
	wait_for(is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 2, NULL), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(subscribed, 1);
	pair_set_link(&lines[_i]);
	for (number = 0; number < 300; number++) {
		publish(number, (int)(number % 3));
		broker_publish(number, (int)(number % 3));
		if (number % 10 == 0)
			sim_run(pair.sim, 5 * SIM_MS);
	}
	wait_for(is_settled, 0, 300);
	sim_run(pair.sim, 60 * SIM_SECOND);
	expect_each_once(broker.counts, 0, 300);
	expect_each_once(got, 0, 300);
	ck_assert_uint_eq(delivered, 200);
	ck_assert_uint_eq(broker.sessions[0].delivery_count, 0);
	ck_assert_uint_eq(disconnected, 0);
}
END_TEST

START_TEST(messages_published_before_connack_wait_for_it)
{
	dial();
	publish(1, 0);
	publish(2, 1);
	publish(3, 2);
	wait_for(is_settled, 0, 5);
	sim_run(pair.sim, SIM_SECOND);
	expect_each_once(broker.counts, 1, 4);
}
END_TEST

/* Connections are killed again and again in the middle of QoS 2, in every way. */
/* Both ways at once: what the client publishes, and what the broker has for it. */
static void exchange(uint32_t number)
{
	publish(number, 1 + (int)(number % 2));
	broker_publish(number, 2);
}

/* Returns the next number: some ways need messages that are under way. */
static uint32_t kill_connection(size_t way, uint32_t number)
{
	switch (way % 4) {
	case 0: /* the client's line is cut until the idle timeout */
		pair.client->up.loss = 1000;
		pair.client->down.loss = 1000;
		break;
	case 1: /* the server's program ends without a word */
		broker_stop();
		sim_restart(pair.server);
		pair_listen();
		break;
	case 2: /* the broker throws the client out at one of the next messages */
		broker.hang_up = 1 + (unsigned int)sim_below(pair.sim, 5);
		for (int i = 0; i < 5; i++)
			exchange(number++);
		break;
	default: /* the application closes QUIC under the session */
		ck_assert_int_eq(mquic_connection_close(mquic_session_connection(session), 3, NULL),
				 MQUIC_OK);
		break;
	}
	return number;
}

START_TEST(session_resumed_in_the_middle_delivers_exactly_once)
{
	struct sim_link line = {.delay_ns = 10 * SIM_MS, .jitter_ns = 10 * SIM_MS, .loss = 50};
	uint32_t number = 0;
	uint32_t total;
	unsigned int round;

	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 5), MQUIC_OK);
	dial();
	wait_for(is_connected, 1, 20);
	ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 2, NULL), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	for (round = 1; round <= 12; round++) {
		uint32_t last = number + 40;

		pair_set_link(&line);
		for (; number < last; number++) {
			exchange(number);
			if (sim_below(pair.sim, 4) == 0)
				sim_run(pair.sim, sim_below(pair.sim, 15) * SIM_MS);
		}
		number = kill_connection(round + (unsigned int)_i, number);
		wait_for(is_disconnected, round, 120);
		ck_assert_int_ne(end.status, MQUIC_OK);
		pair_set_link(&line);
		dial();
		wait_for(is_connected, round + 1, 60);
		ck_assert(present);
	}
	wait_for(is_settled, 0, 120);
	sim_run(pair.sim, 60 * SIM_SECOND);
	total = number;
	for (number = 0; number < total; number++) {
		/* QoS 1 may come again, QoS 2 may not. */
		ck_assert_uint_ge(broker.counts[number], 1);
		if (number % 2 == 1)
			ck_assert_uint_eq(broker.counts[number], 1);
		ck_assert_uint_eq(got[number], 1);
	}
	ck_assert_uint_eq(delivered, total);
	ck_assert_uint_eq(broker.sessions[0].delivery_count, 0);
}
END_TEST

/* Returns how many connections it took until all was settled, five at most. */
static unsigned int hang_up_at_each_first_message(uint64_t code)
{
	unsigned int round;

	broker.hang_up_code = code;
	for (round = 1; round <= 5; round++) {
		broker.hang_up = 1;
		dial();
		wait_for(is_disconnected, round, 20);
		if (mquic_session_inflight(session) == 0)
			break;
	}
	broker.hang_up = 0;
	return round;
}

START_TEST(message_at_which_the_server_hangs_up_is_given_up)
{
	dial();
	publish(1, 1);
	ck_assert_int_eq(mquic_connection_close(mquic_session_connection(session), 0, NULL),
			 MQUIC_OK);
	wait_for(is_disconnected, 1, 5);
	disconnected = 0;
	ck_assert_uint_eq(hang_up_at_each_first_message(0), 3);
	ck_assert_uint_eq(delivered, 1);
	ck_assert_uint_eq(last_reason, 0x80);
	dial();
	wait_for(is_connected, 4, 20);
	publish(2, 1);
	wait_for(is_settled, 0, 20);
	ck_assert_uint_eq(last_reason, 0);
	ck_assert_uint_eq(broker.counts[1], 3);
}
END_TEST

START_TEST(connection_that_ends_at_once_is_told_in_order)
{
	broker.goodbye = true;
	dial();
	wait_for(is_disconnected, 1, 20);
	ck_assert_uint_eq(connected, 1);
	ck_assert_int_eq(end.status, MQUIC_ERR_CLOSED);
	broker.goodbye = false;
	dial();
	wait_for(is_settled, 0, 20);
	/* Messages are kept, what was asked for died with the connection. */
	ck_assert_uint_ge(broker.counts[1], 1);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(subscribed, 0);
	ck_assert(!broker.sessions[0].subscribed);
}
END_TEST

START_TEST(server_that_lacks_room_is_not_the_fault_of_a_message)
{
	dial();
	publish(1, 2);
	ck_assert_int_eq(mquic_connection_close(mquic_session_connection(session), 0, NULL),
			 MQUIC_OK);
	wait_for(is_disconnected, 1, 5);
	disconnected = 0;
	ck_assert_uint_gt(hang_up_at_each_first_message(2), 5);
	ck_assert_uint_eq(delivered, 0);
	dial();
	wait_for(is_settled, 0, 20);
	ck_assert_uint_eq(last_reason, 0);
	ck_assert_uint_eq(broker.counts[1], 1);
}
END_TEST

START_TEST(new_address_of_ours_costs_no_message)
{
	uint32_t number;

	dial();
	wait_for(is_connected, 1, 5);
	for (number = 0; number < 100; number++) {
		publish(number, 2);
		if (number % 20 == 10)
			sim_rebind(pair.client);
		sim_run(pair.sim, 3 * SIM_MS);
	}
	wait_for(is_settled, 0, 30);
	expect_each_once(broker.counts, 0, 100);
	ck_assert_uint_eq(disconnected, 0);
	ck_assert_uint_eq(connected, 1);
}
END_TEST

/* Publishes messages of 20000 bytes and number 0 until the session takes no more. */
static unsigned int publish_until_full(void)
{
	static uint8_t payload[20000];
	struct mquic_message *message;
	enum mquic_status status;
	unsigned int count = 0;

	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(message, payload, sizeof(payload)), MQUIC_OK);
	while ((status = mquic_session_publish(session, message, NULL)) == MQUIC_OK) {
		count++;
		ck_assert_int_lt(count, 1000);
		sim_run(pair.sim, SIM_MS);
	}
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	mquic_message_free(message);
	return count;
}

static const struct sim_link slow = {.delay_ns = 5 * SIM_MS, .rate = 20000, .queue = 30000};

START_TEST(slow_line_holds_the_publisher_back_and_is_not_taken_for_dead)
{
	unsigned int count;

	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 15), MQUIC_OK);
	dial();
	wait_for(is_connected, 1, 5);
	pair_set_link(&slow);
	count = publish_until_full();
	/* One send buffer in the engine, one in the stream, and one message too many for each. */
	ck_assert_uint_le(count, 2 * (1048576 / 20000) + 4);
	sim_run(pair.sim, 300 * SIM_SECOND);
	ck_assert_msg(disconnected == 0, "%s", end.text);
	ck_assert_uint_eq(broker.counts[0], count);
}
END_TEST

START_TEST(disconnect_waits_for_a_slow_line)
{
	unsigned int count;

	dial();
	wait_for(is_connected, 1, 5);
	pair_set_link(&slow);
	count = publish_until_full();
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	wait_for(is_disconnected, 1, 300);
	ck_assert_int_eq(end.status, MQUIC_OK);
	ck_assert_uint_eq(broker.counts[0], count);
	ck_assert_uint_eq(broker.disconnects, 1);
}
END_TEST

/* Ten seconds: so say mquic.h and doc/clients.md. */
START_TEST(disconnect_does_not_wait_for_a_dead_line)
{
	dial();
	wait_for(is_connected, 1, 5);
	pair.client->up.loss = 1000;
	publish(1, 0);
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	sim_run(pair.sim, 10 * SIM_SECOND - SIM_MS);
	ck_assert_uint_eq(disconnected, 0);
	wait_for(is_disconnected, 1, 1);
	ck_assert_int_eq(end.status, MQUIC_ERR_TIMEOUT);
	kit_says(end.text, "may be lost");
}
END_TEST

START_TEST(disconnect_is_told_as_such_even_if_the_server_closes_first)
{
	dial();
	wait_for(is_connected, 1, 5);
	pair.client->up.loss = 1000;
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_close(broker.clients[0].relay, 0, NULL), MQUIC_OK);
	wait_for(is_disconnected, 1, 1);
	ck_assert_int_eq(end.status, MQUIC_OK);
	ck_assert_int_eq(end.origin, MQUIC_ORIGIN_LOCAL);
	ck_assert_str_eq(end.text, "disconnected");
}
END_TEST

START_TEST(disconnect_with_messages_left_is_not_what_was_wanted)
{
	dial();
	wait_for(is_connected, 1, 5);
	pair_set_link(&slow);
	(void)publish_until_full();
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_close(broker.clients[0].relay, 0, NULL), MQUIC_OK);
	wait_for(is_disconnected, 1, 5);
	ck_assert_int_eq(end.status, MQUIC_ERR_CLOSED);
	ck_assert_int_eq(end.origin, MQUIC_ORIGIN_PEER);
}
END_TEST

START_TEST(reader_that_takes_no_events_holds_the_server_back)
{
	struct mquic_event *event;
	uint32_t number;
	size_t most = 0;
	unsigned int turns;

	dial();
	wait_for(is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 2, NULL), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	for (number = 0; number < BROKER_NUMBERS; number++)
		broker_publish(number, 0);
	/* By hand, since the simulator takes all events. */
	for (turns = 0; turns < 2000; turns++) {
		event = mquic_endpoint_next_event(pair.client->endpoint);
		if (endpoint_events(pair.client->endpoint)->cost > most)
			most = endpoint_events(pair.client->endpoint)->cost;
		if (event == NULL) {
			sim_run(pair.sim, 10 * SIM_MS);
			continue;
		}
		on_event(pair.client, event);
		mquic_event_free(event);
	}
	sim_run(pair.sim, 5 * SIM_SECOND);
	expect_each_once(got, 0, BROKER_NUMBERS);
	ck_assert_uint_le(most, 2 * 1048576);
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
	ck_assert_int_eq(mquic_session_set_username(session, "SECRET", 6), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_password(session, (const uint8_t *)"SECRET", 6),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_session_add_user_property(session, "SECRET", 6, "SECRET", 6),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_disconnect_text(session, "SECRET", 6), MQUIC_OK);
	dial();
	wait_for(is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(session, "SECRET", 6, 1, NULL), MQUIC_OK);
	publish(1, 2);
	wait_for(is_settled, 0, 5);
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	wait_for(is_disconnected, 1, 5);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		kit_says(logged, steps[i]);
	ck_assert_ptr_null(strstr(logged, "SECRET"));
}
END_TEST

/* ---- Freeing ----------------------------------------------------------------------- */

/* EMQX says so when it takes a session over. */
START_TEST(server_that_wants_no_more_is_noticed_at_once)
{
	dial();
	wait_for(is_connected, 1, 5);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_int_eq(mquic_stream_stop(broker.clients[0].relay->stream, 0x8e), MQUIC_OK);
	sim_run(pair.sim, 6 * SIM_MS);
	ck_assert_uint_eq(disconnected, 1);
	ck_assert_int_eq(end.status, MQUIC_ERR_CLOSED);
	kit_says(end.text, "wants no more");
}
END_TEST

START_TEST(freed_session_is_a_lost_client)
{
	dial();
	wait_for(is_connected, 1, 5);
	mquic_session_free(session);
	session = NULL;
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
	dial();
	wait_for(is_connected, 1, 5);
	mquic_endpoint_free(pair.client->endpoint);
	pair.client->endpoint = NULL;
	ck_assert_int_eq(mquic_session_connect(session, PAIR_HOST, 1), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_ERR_CLOSED);
	ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 0, NULL), MQUIC_ERR_CLOSED);
	ck_assert_ptr_null(mquic_session_connection(session));
	ck_assert_str_eq(mquic_session_client_id(session, NULL), "c");
}
END_TEST

START_TEST(session_refuses_calls_in_the_wrong_state)
{
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_ERR_STATE);
	ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 0, NULL), MQUIC_ERR_STATE);
	dial();
	ck_assert_int_eq(mquic_session_connect(session, PAIR_HOST, PAIR_PORT), MQUIC_ERR_STATE);
	ck_assert_int_eq(mquic_session_set_keep_alive_s(session, 1), MQUIC_ERR_STATE);
	kit_says(mquic_session_error(session), "before connecting");
	wait_for(is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(session, "a/#/b", 5, 0, NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_session_subscribe(session, "t", 1, 3, NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_session_ack(session, 7, 0), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_session_disconnect(session, 0), MQUIC_ERR_STATE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-session");
	TCase *group = tcase_create("session");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, tear_down);
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
	tcase_add_loop_test(group, messages_of_every_qos_arrive_once_over_any_line, 0, 3);
	tcase_add_test(group, messages_published_before_connack_wait_for_it);
	tcase_add_loop_test(group, session_resumed_in_the_middle_delivers_exactly_once, 0, 4);
	tcase_add_test(group, message_at_which_the_server_hangs_up_is_given_up);
	tcase_add_test(group, server_that_lacks_room_is_not_the_fault_of_a_message);
	tcase_add_test(group, connection_that_ends_at_once_is_told_in_order);
	tcase_add_test(group, new_address_of_ours_costs_no_message);
	tcase_add_test(group, slow_line_holds_the_publisher_back_and_is_not_taken_for_dead);
	tcase_add_test(group, disconnect_waits_for_a_slow_line);
	tcase_add_test(group, disconnect_does_not_wait_for_a_dead_line);
	tcase_add_test(group, disconnect_is_told_as_such_even_if_the_server_closes_first);
	tcase_add_test(group, disconnect_with_messages_left_is_not_what_was_wanted);
	tcase_add_test(group, reader_that_takes_no_events_holds_the_server_back);
	tcase_add_test(group, server_that_wants_no_more_is_noticed_at_once);
	tcase_add_test(group, logs_of_both_sides_have_the_steps_but_no_secrets);
	tcase_add_test(group, freed_session_is_a_lost_client);
	tcase_add_test(group, session_outlives_its_endpoint);
	tcase_add_test(group, session_refuses_calls_in_the_wrong_state);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
