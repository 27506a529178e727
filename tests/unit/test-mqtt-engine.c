/* SPDX-License-Identifier: MIT */
/* The engine on one connection: the end, violations, and its steps. */
#include "engine-kit.h"

#include <string.h>

/* ---- The end ---- */

START_TEST(disconnect_sends_what_is_queued_first)
{
	struct mqtt_connect connect;

	kit_connect();
	(void)kit_publish("last words", 0);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_CONNECTING);
	ck_assert_int_eq(kit_try_publish("t", "too late", 0, false), MQUIC_ERR_STATE);
	kit_sends_connect(&connect);
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, false), MQUIC_OK);
	kit_connected(false);
	kit_sends_publish("last words", 0, 0, false);
	kit_sends_disconnect(0);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
	kit_no_event();
	ck_assert_int_eq(kit_feed("00 00 00"), MQUIC_OK);
}
END_TEST

START_TEST(disconnect_before_connack_needs_no_answer)
{
	struct mqtt_connect connect;

	kit_connect();
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
	kit_sends_connect(&connect);
	kit_sends_disconnect(0);
}
END_TEST

START_TEST(disconnect_gives_its_reason)
{
	kit_up();
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0x8d, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 4, &kit.error), MQUIC_OK);
	kit_sends_disconnect(4);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_ERR_STATE);
}
END_TEST

/* Takes DISCONNECT off the wire. */
static struct mqtt_disconnect sent_disconnect(void)
{
	struct mqtt_disconnect disconnect;
	struct mqtt_packet packet;

	kit_sends(MQTT_DISCONNECT, &packet);
	ck_assert_int_eq(mqtt_disconnect_read(&disconnect, &packet, MQTT_5), MQTT_SUCCESS);
	return disconnect;
}

static void set_goodbye(void)
{
	ck_assert_int_eq(mqtt_settings_set_disconnect_expiry_s(kit.settings, 5, &kit.error), 0);
	ck_assert_int_eq(mqtt_settings_set_disconnect_text(kit.settings, "tired", 5, &kit.error),
			 0);
	ck_assert_int_eq(mqtt_settings_add_disconnect_user_property(kit.settings, "k", 1, "v", 1,
								    &kit.error),
			 0);
}

START_TEST(disconnect_carries_what_the_program_says)
{
	struct mqtt_disconnect disconnect;

	kit.settings->expiry_s = 60;
	kit_up();
	set_goodbye();
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 4, &kit.error), MQUIC_OK);
	disconnect = sent_disconnect();
	ck_assert_uint_eq(disconnect.reason, 4);
	ck_assert_uint_eq(mqtt_properties_number(&disconnect.properties, MQTT_SESSION_EXPIRY, 0),
			  5);
	ck_assert(bytes_equal(mqtt_properties_text(&disconnect.properties, MQTT_REASON_STRING),
			      bytes_of("tired", 5)));
	ck_assert_uint_eq(disconnect.properties.pair_count, 1);
}
END_TEST

START_TEST(disconnect_forgets_what_the_program_takes_back)
{
	struct mqtt_disconnect disconnect;

	kit.settings->expiry_s = 60;
	kit_up();
	set_goodbye();
	mqtt_settings_clear_disconnect_properties(kit.settings);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 4, &kit.error), MQUIC_OK);
	disconnect = sent_disconnect();
	ck_assert_uint_eq(disconnect.reason, 4);
	ck_assert(!mqtt_properties_has(&disconnect.properties, MQTT_SESSION_EXPIRY));
	ck_assert(!mqtt_properties_has(&disconnect.properties, MQTT_REASON_STRING));
	ck_assert_uint_eq(disconnect.properties.pair_count, 0);
}
END_TEST

START_TEST(disconnect_that_is_too_large_goes_without_words)
{
	struct mqtt_disconnect disconnect;

	kit.settings->expiry_s = 60;
	kit_connect();
	mqtt_properties_set_number(&kit.properties, MQTT_MAXIMUM_PACKET_SIZE, 12);
	kit_accept(false);
	kit_connected(false);
	set_goodbye();
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	disconnect = sent_disconnect();
	ck_assert_uint_eq(mqtt_properties_number(&disconnect.properties, MQTT_SESSION_EXPIRY, 0),
			  5);
	ck_assert(!mqtt_properties_has(&disconnect.properties, MQTT_REASON_STRING));
	ck_assert_uint_eq(disconnect.properties.pair_count, 0);
}
END_TEST

START_TEST(disconnect_cannot_make_a_session_last)
{
	kit_up();
	ck_assert_int_eq(mqtt_settings_set_disconnect_expiry_s(kit.settings, 5, &kit.error), 0);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "CONNECT"));
	ck_assert_int_eq(mqtt_settings_set_disconnect_expiry_s(kit.settings, 0, &kit.error), 0);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
}
END_TEST

START_TEST(disconnect_without_the_expiry_that_was_refused_goes)
{
	kit_up();
	ck_assert_int_eq(mqtt_settings_set_disconnect_expiry_s(kit.settings, 5, &kit.error), 0);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_ERR_INVALID);
	mqtt_settings_clear_disconnect_properties(kit.settings);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
}
END_TEST

START_TEST(disconnect_of_3_1_1_with_a_reason_leaves_the_will_to_the_server)
{
	kit.settings->version = 4;
	kit_up();
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 4, &kit.error), MQUIC_OK);
	kit_sends_nothing();
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
}
END_TEST

START_TEST(servers_disconnect_is_told_with_its_words)
{
	struct mquic_event *event;
	const char *name;
	const char *value;
	size_t len;

	kit_up();
	ck_assert_int_eq(kit_feed("e0 10 8b 0e 1f0004'soon' 260001'k' 0001'v'"), MQUIC_ERR_CLOSED);
	event = kit_event(MQUIC_EVENT_DISCONNECTED);
	ck_assert_int_eq(mquic_event_status(event), MQUIC_ERR_CLOSED);
	ck_assert_uint_eq(mquic_event_code(event), MQTT_SERVER_SHUTTING_DOWN);
	ck_assert_ptr_nonnull(strstr(mquic_event_text(event), "soon"));
	ck_assert(mquic_event_user_property(event, 0, &name, &len, &value, &len));
	mquic_event_free(event);
	kit_sends_nothing();
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
}
END_TEST

START_TEST(servers_disconnect_may_be_friendly)
{
	kit_up();
	ck_assert_int_eq(kit_feed("e0 00"), MQUIC_ERR_CLOSED);
	kit_over(MQUIC_OK, 0, "disconnected us");
}
END_TEST

/* Takes what came before the violation, and its acknowledgement. */
static void skip_message(void)
{
	struct mqtt_packet packet;
	const uint8_t *data;
	size_t len;

	mqtt_lane_output(kit.lane, &data, &len);
	if (len == 0 || data[0] >> 4 != MQTT_PUBREC)
		return;
	kit_sends(MQTT_PUBREC, &packet);
	kit_message("t", "");
}

START_TEST(connack_that_promises_wrongly_is_a_violation)
{
	static const struct {
		bool clean;
		const char *id;
		const char *connack;
		const char *word;
	} cases[] = {
		{true, "", "20 03 00 00 00", "MQTT-3.2.2-16"},
		{true, "", "20 06 00 00 03 120000", "MQTT-3.2.2-16"},
		{false, "", "20 09 01 00 06 120003'abc'", "MQTT-3.2.2-4"},
		{true, "id", "20 03 01 00 00", "MQTT-3.2.2-2"},
		{true, "id", "20 07 00 00 04 1a0001'r'", "MQTT-3.1.2-28"},
	};
	struct mqtt_connect connect;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		kit_close();
		kit_open();
		kit.settings->clean_start = cases[i].clean;
		ck_assert_int_eq(mqtt_settings_set_client_id(kit.settings, cases[i].id,
							     strlen(cases[i].id), &kit.error),
				 MQUIC_OK);
		kit_connect();
		kit_sends_connect(&connect);
		ck_assert_int_eq(kit_feed(cases[i].connack), MQUIC_ERR_PROTOCOL);
		kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, cases[i].word);
		kit_sends_disconnect(MQTT_PROTOCOL_ERROR);
	}
}
END_TEST

START_TEST(response_information_that_was_asked_for_is_taken)
{
	ck_assert_int_eq(mqtt_settings_set_response_information(kit.settings, true, &kit.error), 0);
	ck_assert_int_eq(mqtt_settings_set_client_id(kit.settings, "id", 2, &kit.error), MQUIC_OK);
	kit_connect();
	ck_assert_int_eq(kit_feed("20 07 00 00 04 1a0001'r'"), MQUIC_OK);
	kit_connected(false);
}
END_TEST

START_TEST(session_of_a_program_that_was_started_again_is_welcome)
{
	ck_assert_int_eq(mqtt_settings_set_client_id(kit.settings, "id", 2, &kit.error), MQUIC_OK);
	kit.settings->clean_start = false;
	kit_connect();
	kit_accept(true);
	kit_connected(true);
}
END_TEST

START_TEST(violations_are_answered_with_their_reason)
{
	static const struct {
		const char *packet;
		uint8_t reason;
	} violations[] = {
		{"00 00", MQTT_MALFORMED_PACKET},
		{"30 80 00", MQTT_MALFORMED_PACKET},
		{"36 05 0001't' 0001", MQTT_MALFORMED_PACKET},
		{"30 04 0001'#' 00", MQTT_TOPIC_NAME_INVALID},
		{"30 07 0001't' 03 230001", MQTT_TOPIC_ALIAS_INVALID},
		{"30 06 0001't' 02 0102", MQTT_PROTOCOL_ERROR},
		{"10 0c 0004'MQTT' 04 02 0000 0000", MQTT_PROTOCOL_ERROR},
		{"82 06 0001 0001'#' 02", MQTT_PROTOCOL_ERROR},
		{"a2 05 0001 0001'#'", MQTT_PROTOCOL_ERROR},
		{"c0 00", MQTT_PROTOCOL_ERROR},
		{"d0 01 00", MQTT_MALFORMED_PACKET},
		{"e0 01 04", MQTT_PROTOCOL_ERROR},
		{"e0 07 00 05 1100000001", MQTT_PROTOCOL_ERROR},
		{"40 03 0001 11", MQTT_PROTOCOL_ERROR},
		{"62 03 0001 10", MQTT_PROTOCOL_ERROR},
		{"90 02 0001", MQTT_MALFORMED_PACKET},
		{"b0 02 0001", MQTT_MALFORMED_PACKET},
		{"e0 01 01", MQTT_PROTOCOL_ERROR},
		{"f0 01 18", MQTT_PROTOCOL_ERROR},
		{"34 06 0001't' 0001 00 32 06 0001't' 0001 00", MQTT_PROTOCOL_ERROR},
	};
	size_t i;

	for (i = 0; i < COUNT(violations); i++) {
		kit_up();
		ck_assert_int_eq(kit_feed(violations[i].packet), MQUIC_ERR_PROTOCOL);
		skip_message();
		kit_over(MQUIC_ERR_PROTOCOL, violations[i].reason, "rules of MQTT");
		kit_sends_disconnect(violations[i].reason);
		mqtt_engine_lost(kit.engine);
	}
}
END_TEST

START_TEST(violations_of_3_1_1_are_answered_with_silence)
{
	kit.settings->version = 4;
	kit_up();
	ck_assert_int_eq(kit_feed("e0 00"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "DISCONNECT");
	kit_sends_nothing();
}
END_TEST

START_TEST(events_before_a_violation_are_kept)
{
	kit_up();
	ck_assert_int_eq(kit_feed("30 04 0001'a' 00 00"), MQUIC_ERR_PROTOCOL);
	kit_message("a", "");
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_MALFORMED_PACKET, "packet");
}
END_TEST

START_TEST(idle_engine_ignores_everything)
{
	ck_assert_int_eq(kit_feed("00 00"), MQUIC_OK);
	mqtt_engine_tick(kit.engine, UINT64_MAX - 1);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), UINT64_MAX);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_ERR_STATE);
	mqtt_engine_lost(kit.engine);
	kit_sends_nothing();
	kit_no_event();
	mqtt_engine_free(NULL);
}
END_TEST

/* ---- States ---- */

static void steps_to(enum mqtt_engine_state state)
{
	enum mqtt_engine_state to;

	ck_assert(kit_step(&to));
	ck_assert_str_eq(mqtt_engine_state_name(to), mqtt_engine_state_name(state));
}

START_TEST(every_step_is_told_once_and_in_order)
{
	enum mqtt_engine_state to;
	struct mqtt_connect connect;

	ck_assert(!kit_step(&to));
	kit_up();
	steps_to(MQTT_ENGINE_CONNECTING);
	steps_to(MQTT_ENGINE_CONNECTED);
	ck_assert(!kit_step(&to));
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	mqtt_engine_lost(kit.engine);
	steps_to(MQTT_ENGINE_CLOSING);
	steps_to(MQTT_ENGINE_OVER);
	steps_to(MQTT_ENGINE_IDLE);
	mqtt_engine_lost(kit.engine);
	ck_assert(!kit_step(&to));
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_int_eq(kit_feed("e0 01 8b"), MQUIC_ERR_CLOSED);
	steps_to(MQTT_ENGINE_CONNECTING);
	steps_to(MQTT_ENGINE_OVER);
	ck_assert(!kit_step(&to));
}
END_TEST

START_TEST(steps_that_nobody_takes_do_not_pile_up)
{
	enum mqtt_engine_state to = MQTT_ENGINE_OVER;
	int taken = 0;
	int i;

	for (i = 0; i < 100; i++) {
		kit_connect();
		mqtt_engine_lost(kit.engine);
	}
	/* What is left of them is still a way through the picture, up to now. */
	for (; kit_step(&to); taken++)
		;
	ck_assert_int_gt(taken, 1);
	ck_assert_int_lt(taken, 20);
	ck_assert_int_eq(to, MQTT_ENGINE_IDLE);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&disconnect_sends_what_is_queued_first,
		&disconnect_before_connack_needs_no_answer,
		&disconnect_gives_its_reason,
		&disconnect_carries_what_the_program_says,
		&disconnect_forgets_what_the_program_takes_back,
		&disconnect_that_is_too_large_goes_without_words,
		&disconnect_cannot_make_a_session_last,
		&disconnect_without_the_expiry_that_was_refused_goes,
		&disconnect_of_3_1_1_with_a_reason_leaves_the_will_to_the_server,
		&servers_disconnect_is_told_with_its_words,
		&servers_disconnect_may_be_friendly,
		&connack_that_promises_wrongly_is_a_violation,
		&response_information_that_was_asked_for_is_taken,
		&session_of_a_program_that_was_started_again_is_welcome,
		&violations_are_answered_with_their_reason,
		&violations_of_3_1_1_are_answered_with_silence,
		&events_before_a_violation_are_kept,
		&idle_engine_ignores_everything,
		&every_step_is_told_once_and_in_order,
		&steps_that_nobody_takes_do_not_pile_up,
	};

	return unit_run("mqtt-engine", kit_open, kit_close, tests, COUNT(tests));
}
