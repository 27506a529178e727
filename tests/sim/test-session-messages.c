/* SPDX-License-Identifier: MIT */
/* MQTT sessions and relays over a simulated network: every message once, whatever happens. */
#include "app.h"

static const struct sim_link lines[] = {
	{.delay_ns = 5 * SIM_MS},
	{.delay_ns = 20 * SIM_MS, .jitter_ns = 20 * SIM_MS, .loss = 100, .duplicate = 50},
	{.delay_ns = 20 * SIM_MS, .loss = 250},
};

START_TEST(messages_of_every_qos_arrive_once_over_any_line)
{
	uint32_t number;

	app_dial();
	app_wait(app_is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 2, NULL), MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(app.subscribed, 1);
	pair_set_link(&lines[_i]);
	for (number = 0; number < 300; number++) {
		app_publish(number, (int)(number % 3));
		broker_publish(number, (int)(number % 3));
		if (number % 10 == 0)
			sim_run(pair.sim, 5 * SIM_MS);
	}
	app_wait(app_is_settled, 0, 300);
	sim_run(pair.sim, 60 * SIM_SECOND);
	app_expect_each_once(broker.counts, 0, 300);
	app_expect_each_once(app.got, 0, 300);
	ck_assert_uint_eq(app.delivered, 200);
	ck_assert_uint_eq(broker.sessions[0].delivery_count, 0);
	ck_assert_uint_eq(app.disconnected, 0);
}
END_TEST

START_TEST(messages_published_before_connack_wait_for_it)
{
	app_dial();
	app_publish(1, 0);
	app_publish(2, 1);
	app_publish(3, 2);
	app_wait(app_is_settled, 0, 5);
	sim_run(pair.sim, SIM_SECOND);
	app_expect_each_once(broker.counts, 1, 4);
}
END_TEST

/* Connections are killed again and again in the middle of QoS 2, in every way. */
/* Both ways at once: what the client publishes, and what the broker has for it. */
static void exchange(uint32_t number)
{
	app_publish(number, 1 + (int)(number % 2));
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
		ck_assert_int_eq(
			mquic_connection_close(mquic_session_connection(app.session), 3, NULL),
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

	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 5), MQUIC_OK);
	app_dial();
	app_wait(app_is_connected, 1, 20);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 2, NULL), MQUIC_OK);
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
		app_wait(app_is_disconnected, round, 120);
		ck_assert_int_ne(app.end.status, MQUIC_OK);
		pair_set_link(&line);
		app_dial();
		app_wait(app_is_connected, round + 1, 60);
		ck_assert(app.present);
	}
	app_wait(app_is_settled, 0, 120);
	sim_run(pair.sim, 60 * SIM_SECOND);
	total = number;
	for (number = 0; number < total; number++) {
		/* QoS 1 may come again, QoS 2 may not. */
		ck_assert_uint_ge(broker.counts[number], 1);
		if (number % 2 == 1)
			ck_assert_uint_eq(broker.counts[number], 1);
		ck_assert_uint_eq(app.got[number], 1);
	}
	ck_assert_uint_eq(app.delivered, total);
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
		app_dial();
		app_wait(app_is_disconnected, round, 20);
		if (mquic_session_inflight(app.session) == 0)
			break;
	}
	broker.hang_up = 0;
	return round;
}

START_TEST(message_at_which_the_server_hangs_up_is_given_up)
{
	app_dial();
	app_publish(1, 1);
	ck_assert_int_eq(mquic_connection_close(mquic_session_connection(app.session), 0, NULL),
			 MQUIC_OK);
	app_wait(app_is_disconnected, 1, 5);
	app.disconnected = 0;
	ck_assert_uint_eq(hang_up_at_each_first_message(0), 3);
	ck_assert_uint_eq(app.delivered, 1);
	ck_assert_uint_eq(app.last_reason, 0x80);
	app_dial();
	app_wait(app_is_connected, 4, 20);
	app_publish(2, 1);
	app_wait(app_is_settled, 0, 20);
	ck_assert_uint_eq(app.last_reason, 0);
	ck_assert_uint_eq(broker.counts[1], 3);
}
END_TEST

START_TEST(connection_that_ends_at_once_is_told_in_order)
{
	broker.goodbye = true;
	app_dial();
	app_wait(app_is_disconnected, 1, 20);
	ck_assert_uint_eq(app.connected, 1);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_CLOSED);
	broker.goodbye = false;
	app_dial();
	app_wait(app_is_settled, 0, 20);
	/* Messages are kept, what was asked for died with the connection. */
	ck_assert_uint_ge(broker.counts[1], 1);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(app.subscribed, 0);
	ck_assert(!broker.sessions[0].subscribed);
}
END_TEST

START_TEST(server_that_lacks_room_is_not_the_fault_of_a_message)
{
	app_dial();
	app_publish(1, 2);
	ck_assert_int_eq(mquic_connection_close(mquic_session_connection(app.session), 0, NULL),
			 MQUIC_OK);
	app_wait(app_is_disconnected, 1, 5);
	app.disconnected = 0;
	ck_assert_uint_gt(hang_up_at_each_first_message(2), 5);
	ck_assert_uint_eq(app.delivered, 0);
	app_dial();
	app_wait(app_is_settled, 0, 20);
	ck_assert_uint_eq(app.last_reason, 0);
	ck_assert_uint_eq(broker.counts[1], 1);
}
END_TEST

START_TEST(new_address_of_ours_costs_no_message)
{
	uint32_t number;

	app_dial();
	app_wait(app_is_connected, 1, 5);
	for (number = 0; number < 100; number++) {
		app_publish(number, 2);
		if (number % 20 == 10)
			sim_rebind(pair.client);
		sim_run(pair.sim, 3 * SIM_MS);
	}
	app_wait(app_is_settled, 0, 30);
	app_expect_each_once(broker.counts, 0, 100);
	ck_assert_uint_eq(app.disconnected, 0);
	ck_assert_uint_eq(app.connected, 1);
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
	while ((status = mquic_session_publish(app.session, message, NULL)) == MQUIC_OK) {
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

	ck_assert_int_eq(mquic_session_set_keep_alive_s(app.session, 15), MQUIC_OK);
	app_dial();
	app_wait(app_is_connected, 1, 5);
	pair_set_link(&slow);
	count = publish_until_full();
	/* One send buffer in the engine, one in the stream, and one message too many for each. */
	ck_assert_uint_le(count, 2 * (1048576 / 20000) + 4);
	sim_run(pair.sim, 300 * SIM_SECOND);
	ck_assert_msg(app.disconnected == 0, "%s", app.end.text);
	ck_assert_uint_eq(broker.counts[0], count);
}
END_TEST

START_TEST(disconnect_waits_for_a_slow_line)
{
	unsigned int count;

	app_dial();
	app_wait(app_is_connected, 1, 5);
	pair_set_link(&slow);
	count = publish_until_full();
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_OK);
	app_wait(app_is_disconnected, 1, 300);
	ck_assert_int_eq(app.end.status, MQUIC_OK);
	ck_assert_uint_eq(broker.counts[0], count);
	ck_assert_uint_eq(broker.disconnects, 1);
}
END_TEST

/* Ten seconds: so say mquic.h and doc/clients.md. */
START_TEST(disconnect_does_not_wait_for_a_dead_line)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	pair.client->up.loss = 1000;
	app_publish(1, 0);
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_OK);
	sim_run(pair.sim, 10 * SIM_SECOND - SIM_MS);
	ck_assert_uint_eq(app.disconnected, 0);
	app_wait(app_is_disconnected, 1, 1);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_TIMEOUT);
	kit_says(app.end.text, "may be lost");
}
END_TEST

START_TEST(disconnect_is_told_as_such_even_if_the_server_closes_first)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	pair.client->up.loss = 1000;
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_close(broker.clients[0].relay, 0, NULL), MQUIC_OK);
	app_wait(app_is_disconnected, 1, 1);
	ck_assert_int_eq(app.end.status, MQUIC_OK);
	ck_assert_int_eq(app.end.origin, MQUIC_ORIGIN_LOCAL);
	ck_assert_str_eq(app.end.text, "disconnected");
}
END_TEST

START_TEST(disconnect_with_messages_left_is_not_what_was_wanted)
{
	app_dial();
	app_wait(app_is_connected, 1, 5);
	pair_set_link(&slow);
	(void)publish_until_full();
	ck_assert_int_eq(mquic_session_disconnect(app.session, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_close(broker.clients[0].relay, 0, NULL), MQUIC_OK);
	app_wait(app_is_disconnected, 1, 5);
	ck_assert_int_eq(app.end.status, MQUIC_ERR_CLOSED);
	ck_assert_int_eq(app.end.origin, MQUIC_ORIGIN_PEER);
}
END_TEST

START_TEST(reader_that_takes_no_events_holds_the_server_back)
{
	struct mquic_event *event;
	uint32_t number;
	size_t most = 0;
	unsigned int turns;

	app_dial();
	app_wait(app_is_connected, 1, 5);
	ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 2, NULL), MQUIC_OK);
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
		app_on_event(pair.client, event);
		mquic_event_free(event);
	}
	sim_run(pair.sim, 5 * SIM_SECOND);
	app_expect_each_once(app.got, 0, BROKER_NUMBERS);
	ck_assert_uint_le(most, 2 * 1048576);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-session-messages");
	TCase *group = tcase_create("session");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, app_set_up, app_tear_down);
	tcase_set_timeout(group, 240);
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
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
