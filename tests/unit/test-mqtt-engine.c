/* SPDX-License-Identifier: MIT */
/* The engine on one connection: connecting, authentication, the end. */
#include "engine-kit.h"

#include <string.h>

/* ---- Connecting ---- */

START_TEST(connect_sends_what_the_options_say)
{
	struct mquic_message *will;
	struct mqtt_connect connect;
	struct mqtt_settings *o = kit.settings;
	struct bytes name;
	struct bytes value;
	struct buf_reader walk;

	ck_assert_int_eq(mquic_message_new(&will), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(will, "will", 4), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(will, (const uint8_t *)"bye", 3), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(will, 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_content_type(will, "x/y", 3), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_will(o, will, 9, &kit.error), MQUIC_OK);
	mquic_message_free(will);
	ck_assert_int_eq(mqtt_settings_set_client_id(o, "id", 2, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_username(o, "user", 4, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_password(o, (const uint8_t *)"pw", 2, &kit.error),
			 MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_expiry_s(o, 3600, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_receive_maximum(o, 10, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_maximum_packet_size(o, 4096, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_set_topic_alias_maximum(o, 5, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_settings_add_user_property(o, "k", 1, "v", 1, &kit.error), MQUIC_OK);
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert(connect.clean_start);
	ck_assert_uint_eq(connect.keep_alive_s, 60);
	ck_assert(bytes_equal(connect.client_id, bytes_of("id", 2)));
	ck_assert(bytes_equal(connect.username, bytes_of("user", 4)));
	ck_assert(bytes_equal(connect.password, bytes_of("pw", 2)));
	ck_assert(connect.has_will);
	ck_assert_uint_eq(connect.will_qos, 1);
	ck_assert(bytes_equal(connect.will_payload, bytes_of("bye", 3)));
	ck_assert_uint_eq(mqtt_properties_number(&connect.will_properties, MQTT_WILL_DELAY, 0), 9);
	ck_assert(bytes_equal(mqtt_properties_text(&connect.will_properties, MQTT_CONTENT_TYPE),
			      bytes_of("x/y", 3)));
	ck_assert_uint_eq(mqtt_properties_number(&connect.properties, MQTT_SESSION_EXPIRY, 0),
			  3600);
	ck_assert_uint_eq(mqtt_properties_number(&connect.properties, MQTT_RECEIVE_MAXIMUM, 0), 10);
	ck_assert_uint_eq(mqtt_properties_number(&connect.properties, MQTT_MAXIMUM_PACKET_SIZE, 0),
			  4096);
	ck_assert_uint_eq(mqtt_properties_number(&connect.properties, MQTT_TOPIC_ALIAS_MAXIMUM, 0),
			  5);
	walk = buf_reader_of(connect.properties.section);
	ck_assert(mqtt_properties_next_pair(&walk, &name, &value));
	ck_assert(bytes_equal(value, bytes_of("v", 1)));
}
END_TEST

START_TEST(connect_with_defaults_carries_what_we_take_and_no_more)
{
	struct mqtt_connect connect;

	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_uint_eq(mqtt_properties_number(&connect.properties, MQTT_MAXIMUM_PACKET_SIZE, 0),
			  16777216);
	mqtt_properties_unset(&connect.properties, MQTT_MAXIMUM_PACKET_SIZE);
	ck_assert(mqtt_properties_is_empty(&connect.properties));
	ck_assert(!connect.has_will);
	ck_assert_ptr_null(connect.username.data);
	ck_assert_uint_eq(connect.client_id.len, 0);
	kit_sends_nothing();
}
END_TEST

START_TEST(connect_asks_for_information)
{
	struct mqtt_connect connect;

	ck_assert_int_eq(mqtt_settings_set_problem_information(kit.settings, false, &kit.error), 0);
	ck_assert_int_eq(mqtt_settings_set_response_information(kit.settings, true, &kit.error), 0);
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_uint_eq(mqtt_properties_number(&connect.properties, MQTT_REQUEST_PROBLEM_INFO, 9),
			  0);
	ck_assert_uint_eq(
		mqtt_properties_number(&connect.properties, MQTT_REQUEST_RESPONSE_INFO, 9), 1);
}
END_TEST

START_TEST(connect_of_3_1_has_its_name_and_level)
{
	struct mqtt_connect connect;

	kit.settings->version = MQTT_3_1;
	ck_assert_int_eq(mqtt_engine_connect(kit.engine, kit.now_ms, 10000, &kit.error),
			 MQUIC_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "client identifier"));
	ck_assert_int_eq(mqtt_settings_set_client_id(kit.settings, "old", 3, &kit.error), MQUIC_OK);
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_int_eq(connect.version, MQTT_3_1);
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, false), MQUIC_OK);
	kit_connected(false);
	ck_assert_uint_eq(kit_publish("x", 1), 1);
	kit_sends_publish("x", 1, 1, false);
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, 1, 0), MQUIC_OK);
	kit_delivered(1, 0);
	ck_assert_int_eq(mqtt_engine_disconnect(kit.engine, 0, &kit.error), MQUIC_OK);
	kit_sends_disconnect(0);
}
END_TEST

START_TEST(connect_refuses_contradictions_and_wrong_states)
{
	kit.settings->version = 4;
	ck_assert_int_eq(mqtt_settings_set_clean_start(kit.settings, false, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_connect(kit.engine, 0, 0, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_IDLE);
	ck_assert_int_eq(mqtt_settings_set_clean_start(kit.settings, true, &kit.error), MQUIC_OK);
	kit_connect();
	ck_assert_int_eq(mqtt_engine_connect(kit.engine, 0, 0, &kit.error), MQUIC_ERR_STATE);
}
END_TEST

START_TEST(connack_tells_what_the_server_decided)
{
	struct mquic_event *event;
	size_t len;

	kit_connect();
	mqtt_properties_set_text(&kit.properties, MQTT_ASSIGNED_CLIENT_ID, bytes_of("made-up", 7));
	mqtt_properties_set_number(&kit.properties, MQTT_SERVER_KEEP_ALIVE, 17);
	mqtt_properties_set_text(&kit.properties, MQTT_REASON_STRING, bytes_of("hello\n", 6));
	kit_accept(false);
	event = kit_event(MQUIC_EVENT_CONNECTED);
	ck_assert_str_eq(mquic_event_text(event), "hello?");
	mquic_event_free(event);
	ck_assert_str_eq(mqtt_engine_client_id(kit.engine, &len), "made-up");
	ck_assert_uint_eq(len, 7);
	ck_assert_uint_eq(mqtt_engine_keep_alive_s(kit.engine), 17);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_CONNECTED);
}
END_TEST

START_TEST(connack_refusal_ends_with_its_reason)
{
	kit_connect();
	mqtt_properties_set_text(&kit.properties, MQTT_REASON_STRING, bytes_of("not today", 9));
	mqtt_properties_set_text(&kit.properties, MQTT_SERVER_REFERENCE, bytes_of("other:1", 7));
	ck_assert_int_eq(kit_connack(MQTT_USE_ANOTHER_SERVER, false), MQUIC_ERR_REFUSED);
	kit_over(MQUIC_ERR_REFUSED, MQTT_USE_ANOTHER_SERVER,
		 "not today; it names this server: other:1");
}
END_TEST

/* The texts of one event, from CONNACK or DISCONNECT, as they came. */
static void expect_texts(enum mquic_event_type type, const char *reason, const char *reference,
			 const char *information)
{
	struct mquic_event *event = mqtt_engine_next_event(kit.engine);
	size_t len;

	ck_assert_ptr_nonnull(event);
	ck_assert_int_eq(mquic_event_type(event), type);
	ck_assert_pstr_eq(mquic_event_reason_string(event, &len), reason);
	ck_assert_uint_eq(len, reason == NULL ? 0 : strlen(reason));
	ck_assert_pstr_eq(mquic_event_server_reference(event, &len), reference);
	ck_assert_uint_eq(len, reference == NULL ? 0 : strlen(reference));
	ck_assert_pstr_eq(mquic_event_response_information(event, NULL), information);
	mquic_event_free(event);
}

START_TEST(texts_of_the_server_can_be_read_as_they_came)
{
	mqtt_settings_set_response_information(kit.settings, true, &kit.error);
	kit_connect();
	mqtt_properties_set_text(&kit.properties, MQTT_RESPONSE_INFO, bytes_of("answers/7", 9));
	ck_assert_int_eq(kit_connack(0, false), MQUIC_OK);
	expect_texts(MQUIC_EVENT_CONNECTED, NULL, NULL, "answers/7");
	/* DISCONNECT, use another server: reason string "bye", server reference "b:2" */
	ck_assert_int_eq(kit_feed("e0 0e 9c 0c 1f 0003 627965 1c 0003 623a32"), MQUIC_ERR_CLOSED);
	expect_texts(MQUIC_EVENT_DISCONNECTED, "bye", "b:2", NULL);
	ck_assert_ptr_null(mquic_event_server_reference(NULL, NULL));
}
END_TEST

static void expect_limit(enum mquic_limit limit, bool said, uint32_t wanted)
{
	uint32_t value = 77;

	ck_assert_int_eq(mqtt_engine_limit(kit.engine, limit, &value), said);
	ck_assert_msg(value == wanted, "limit %d is %u, not %u", (int)limit, (unsigned int)value,
		      (unsigned int)wanted);
}

START_TEST(limits_are_what_mqtt_has_unless_connack_says_more)
{
	expect_limit(MQUIC_LIMIT_RECEIVE_MAXIMUM, false, 0);
	kit.settings->expiry_s = 600;
	kit_up();
	expect_limit(MQUIC_LIMIT_RECEIVE_MAXIMUM, false, 65535);
	expect_limit(MQUIC_LIMIT_MAXIMUM_QOS, false, 2);
	expect_limit(MQUIC_LIMIT_RETAIN, false, 1);
	expect_limit(MQUIC_LIMIT_MAXIMUM_PACKET_SIZE, false, 268435460);
	expect_limit(MQUIC_LIMIT_TOPIC_ALIAS_MAXIMUM, false, 0);
	expect_limit(MQUIC_LIMIT_WILDCARDS, false, 1);
	expect_limit(MQUIC_LIMIT_SUBSCRIPTION_IDS, false, 1);
	expect_limit(MQUIC_LIMIT_SHARED, false, 1);
	expect_limit(MQUIC_LIMIT_KEEP_ALIVE_S, false, 60);
	expect_limit(MQUIC_LIMIT_SESSION_EXPIRY_S, false, 600);
	expect_limit((enum mquic_limit)0, false, 0);
	expect_limit((enum mquic_limit)11, false, 0);
}
END_TEST

START_TEST(limits_that_connack_names_hold)
{
	static const struct {
		enum mqtt_property id;
		enum mquic_limit limit;
		uint32_t value;
	} said[] = {
		{MQTT_RECEIVE_MAXIMUM, MQUIC_LIMIT_RECEIVE_MAXIMUM, 5},
		{MQTT_MAXIMUM_QOS, MQUIC_LIMIT_MAXIMUM_QOS, 1},
		{MQTT_RETAIN_AVAILABLE, MQUIC_LIMIT_RETAIN, 0},
		{MQTT_MAXIMUM_PACKET_SIZE, MQUIC_LIMIT_MAXIMUM_PACKET_SIZE, 2000},
		{MQTT_TOPIC_ALIAS_MAXIMUM, MQUIC_LIMIT_TOPIC_ALIAS_MAXIMUM, 9},
		{MQTT_WILDCARDS_AVAILABLE, MQUIC_LIMIT_WILDCARDS, 0},
		{MQTT_SUBSCRIPTION_IDS_AVAILABLE, MQUIC_LIMIT_SUBSCRIPTION_IDS, 0},
		{MQTT_SHARED_AVAILABLE, MQUIC_LIMIT_SHARED, 0},
		{MQTT_SERVER_KEEP_ALIVE, MQUIC_LIMIT_KEEP_ALIVE_S, 30},
		{MQTT_SESSION_EXPIRY, MQUIC_LIMIT_SESSION_EXPIRY_S, 12},
	};
	size_t i;

	kit_connect();
	for (i = 0; i < COUNT(said); i++)
		mqtt_properties_set_number(&kit.properties, said[i].id, said[i].value);
	kit_accept(false);
	kit_connected(false);
	for (i = 0; i < COUNT(said); i++)
		expect_limit(said[i].limit, true, said[i].value);
}
END_TEST

START_TEST(connack_return_codes_of_3_1_1_become_reason_codes)
{
	static const struct {
		const char *packet;
		uint8_t reason;
	} codes[] = {
		{"20 02 00 01", MQTT_UNSUPPORTED_VERSION},
		{"20 02 00 02", MQTT_CLIENT_ID_NOT_VALID},
		{"20 02 00 03", MQTT_SERVER_UNAVAILABLE},
		{"20 02 00 04", MQTT_BAD_USERNAME_OR_PASSWORD},
		{"20 02 00 05", MQTT_NOT_AUTHORIZED},
	};
	struct mqtt_connect connect;
	size_t i;

	kit.settings->version = 4;
	for (i = 0; i < COUNT(codes); i++) {
		kit_connect();
		kit_sends_connect(&connect);
		ck_assert_int_eq(kit_feed(codes[i].packet), MQUIC_ERR_REFUSED);
		kit_over(MQUIC_ERR_REFUSED, codes[i].reason, mquic_reason_text(codes[i].reason));
		kit_sends_nothing();
		mqtt_engine_lost(kit.engine);
	}
}
END_TEST

START_TEST(connack_that_refuses_is_told_with_the_code_that_came)
{
	static const struct {
		uint8_t version;
		const char *packet, *words;
		uint8_t reason;
	} codes[] = {
		{MQTT_3_1_1, "20 02 00 01", "unsupported protocol version (return code 1)", 0x84},
		{MQTT_3_1_1, "20 02 00 02", "client identifier not valid (return code 2)", 0x85},
		{MQTT_3_1_1, "20 02 00 03", "server unavailable (return code 3)", 0x88},
		{MQTT_3_1_1, "20 02 00 04", "bad user name or password (return code 4)", 0x86},
		{MQTT_3_1_1, "20 02 00 05", "not authorized (return code 5)", 0x87},
		{MQTT_5, "20 03 00 87 00", "not authorized (0x87)", 0x87},
	};
	struct mqtt_connect connect;
	size_t i;

	for (i = 0; i < COUNT(codes); i++) {
		kit.settings->version = codes[i].version;
		kit_connect();
		kit_sends_connect(&connect);
		ck_assert_int_eq(kit_feed(codes[i].packet), MQUIC_ERR_REFUSED);
		kit_over(MQUIC_ERR_REFUSED, codes[i].reason, codes[i].words);
		mqtt_engine_lost(kit.engine);
	}
}
END_TEST

START_TEST(connack_must_not_contradict_clean_start)
{
	struct mqtt_connect connect;

	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, true), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "clean");
	kit_sends_disconnect(MQTT_PROTOCOL_ERROR);
}
END_TEST

START_TEST(connack_must_come_first_and_once)
{
	struct mqtt_connect connect;

	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_int_eq(kit_feed("d0 00"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "PINGRESP before CONNACK");
	mqtt_engine_lost(kit.engine);
	kit_up();
	ck_assert_int_eq(kit_feed("20 03 00 00 00"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "twice");
	mqtt_engine_lost(kit.engine);
	kit_connect();
	ck_assert_int_eq(kit_feed("20 03 02 00 00"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_MALFORMED_PACKET, "invalid CONNACK");
}
END_TEST

START_TEST(connack_is_awaited_for_a_limited_time)
{
	kit_connect();
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 10000);
	mqtt_engine_tick(kit.engine, kit.now_ms + 9999);
	kit_no_event();
	mqtt_engine_tick(kit.engine, kit.now_ms + 10000);
	kit_over(MQUIC_ERR_TIMEOUT, MQTT_UNSPECIFIED_ERROR, "10000 ms");
}
END_TEST

/* ---- Authentication ---- */

static void expect_auth(uint8_t reason, const char *data)
{
	struct mqtt_disconnect auth;
	struct mqtt_packet packet;

	kit_sends(MQTT_AUTH, &packet);
	ck_assert_int_eq(mqtt_disconnect_read(&auth, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_uint_eq(auth.reason, reason);
	ck_assert(bytes_equal(mqtt_properties_text(&auth.properties, MQTT_AUTH_DATA),
			      bytes_of(data, strlen(data))));
}

START_TEST(authentication_goes_back_and_forth_before_and_after_connack)
{
	struct mqtt_connect connect;
	struct mquic_event *event;
	size_t len;

	ck_assert_int_eq(mqtt_settings_set_authentication(kit.settings, "M", 1,
							  (const uint8_t *)"first", 5, &kit.error),
			 MQUIC_OK);
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert(bytes_equal(mqtt_properties_text(&connect.properties, MQTT_AUTH_DATA),
			      bytes_of("first", 5)));
	ck_assert_int_eq(mqtt_engine_auth(kit.engine, 0x18, NULL, 0, &kit.error), MQUIC_ERR_STATE);
	kit.now_ms += 9000;
	ck_assert_int_eq(kit_feed("f0 0a 18 08 150001'M' 160001'?'"), MQUIC_OK);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 10000);
	event = kit_event(MQUIC_EVENT_AUTH);
	ck_assert_uint_eq(mquic_event_reason(event, 0), 0x18);
	ck_assert_mem_eq(mquic_event_auth_data(event, &len), "?", 1);
	mquic_event_free(event);
	ck_assert_int_eq(mqtt_engine_auth(kit.engine, 0, NULL, 0, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_auth(kit.engine, 0x18, (const uint8_t *)"!", 1, &kit.error),
			 MQUIC_OK);
	expect_auth(0x18, "!");
	mqtt_properties_set_text(&kit.properties, MQTT_AUTH_METHOD, bytes_of("M", 1));
	mqtt_properties_set_text(&kit.properties, MQTT_AUTH_DATA, bytes_of("end", 3));
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, false), MQUIC_OK);
	event = kit_event(MQUIC_EVENT_CONNECTED);
	ck_assert_mem_eq(mquic_event_auth_data(event, &len), "end", 3);
	mquic_event_free(event);
	ck_assert_int_eq(mqtt_engine_auth(kit.engine, 0x19, (const uint8_t *)"new", 3, &kit.error),
			 MQUIC_OK);
	expect_auth(0x19, "new");
	ck_assert_int_eq(kit_feed("f0 00"), MQUIC_OK);
	event = kit_event(MQUIC_EVENT_AUTH);
	ck_assert_uint_eq(mquic_event_reason(event, 0), 0);
	mquic_event_free(event);
}
END_TEST

START_TEST(authentication_nobody_asked_for_is_a_violation)
{
	kit_up();
	ck_assert_int_eq(mqtt_engine_auth(kit.engine, 0x19, NULL, 0, &kit.error), MQUIC_ERR_STATE);
	ck_assert_int_eq(kit_feed("f0 06 18 04 150001'M'"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "AUTH");
}
END_TEST

START_TEST(authentication_method_must_stay_the_same)
{
	struct mqtt_connect connect;

	ck_assert_int_eq(
		mqtt_settings_set_authentication(kit.settings, "M", 1, NULL, 0, &kit.error),
		MQUIC_OK);
	kit_connect();
	kit_sends_connect(&connect);
	ck_assert_int_eq(kit_feed("f0 06 18 04 150001'N'"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "AUTH");
	mqtt_engine_lost(kit.engine);
	kit_connect();
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, false), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "method");
}
END_TEST

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
		&connect_sends_what_the_options_say,
		&connect_with_defaults_carries_what_we_take_and_no_more,
		&connect_asks_for_information,
		&connect_of_3_1_has_its_name_and_level,
		&connect_refuses_contradictions_and_wrong_states,
		&connack_tells_what_the_server_decided,
		&connack_refusal_ends_with_its_reason,
		&texts_of_the_server_can_be_read_as_they_came,
		&limits_are_what_mqtt_has_unless_connack_says_more,
		&limits_that_connack_names_hold,
		&connack_return_codes_of_3_1_1_become_reason_codes,
		&connack_that_refuses_is_told_with_the_code_that_came,
		&connack_must_not_contradict_clean_start,
		&connack_must_come_first_and_once,
		&connack_is_awaited_for_a_limited_time,
		&authentication_goes_back_and_forth_before_and_after_connack,
		&authentication_nobody_asked_for_is_a_violation,
		&authentication_method_must_stay_the_same,
		&disconnect_sends_what_is_queued_first,
		&disconnect_before_connack_needs_no_answer,
		&disconnect_gives_its_reason,
		&disconnect_carries_what_the_program_says,
		&disconnect_forgets_what_the_program_takes_back,
		&disconnect_that_is_too_large_goes_without_words,
		&disconnect_cannot_make_a_session_last,
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
