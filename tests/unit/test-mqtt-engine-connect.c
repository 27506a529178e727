/* SPDX-License-Identifier: MIT */
/* The engine on one connection: CONNECT, CONNACK and authentication. */
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
	};

	return unit_run("mqtt-engine-connect", kit_open, kit_close, tests, COUNT(tests));
}
