/* SPDX-License-Identifier: MIT */
/* The server side of one MQTT client: what it takes for CONNECT, shows, and refuses. */
#include <string.h>

#include "relay-scene.h"

static void set_up(void)
{
	scene_begin();
	scene_dial();
}

/* ---- CONNECT --------------------------------------------------------------------- */

START_TEST(connect_is_shown_and_carried_unchanged)
{
	struct bytes bytes = buf_writer_content(&scene.connect);
	uint8_t buffer[256];
	size_t len;

	scene_say(bytes.data, bytes.len);
	scene_say("more", 4);
	scene_pass(200);
	ck_assert_uint_eq(scene.shown, 1);
	ck_assert_int_eq(mquic_relay_protocol(scene.relay), 5);
	ck_assert_uint_eq(mquic_relay_keep_alive_s(scene.relay), 77);
	ck_assert(mquic_relay_clean_start(scene.relay));
	ck_assert_str_eq(mquic_relay_client_id(scene.relay, &len), "iiiii");
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq(mquic_relay_username(scene.relay, NULL), "ann");
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), 0);
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_ERR_STATE);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), bytes.len + 4);
	ck_assert_mem_eq(buffer, bytes.data, bytes.len);
	ck_assert_mem_eq(buffer + bytes.len, "more", 4);
}
END_TEST

START_TEST(connect_in_single_bytes_is_put_together)
{
	struct bytes bytes = buf_writer_content(&scene.connect);
	uint8_t buffer[256];
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		ck_assert_uint_eq(scene.shown, 0);
		scene_say(bytes.data + i, 1);
		scene_pass(30);
	}
	ck_assert_uint_eq(scene.shown, 1);
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_OK);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), bytes.len);
	ck_assert_mem_eq(buffer, bytes.data, bytes.len);
}
END_TEST

START_TEST(user_name_is_replaced_and_nothing_else)
{
	struct mqtt_connect connect;
	uint8_t buffer[256];
	size_t len;

	scene_show_connect();
	ck_assert_uint_eq(mquic_relay_connect_size(scene.relay),
			  buf_writer_content(&scene.connect).len);
	ck_assert_int_eq(mquic_relay_set_username(scene.relay, NULL, 0), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_set_username(scene.relay, "\xff", 1), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_set_username(scene.relay, "once", MQUIC_NUL_TERMINATED),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_relay_set_username(scene.relay, "token and name", 5), MQUIC_OK);
	ck_assert_str_eq(mquic_relay_username(scene.relay, NULL),
			 "ann"); /* as the client sent it */
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_OK);
	ck_assert_int_eq(mquic_relay_set_username(scene.relay, "x", 1), MQUIC_ERR_STATE);
	len = scene_read(buffer, sizeof(buffer));
	ck_assert_int_eq(mqtt_connect_parse(&connect, buffer, len), MQTT_SUCCESS);
	ck_assert_uint_eq(connect.username.len, 5);
	ck_assert_mem_eq(connect.username.data, "token", 5);
	ck_assert_uint_eq(connect.keep_alive_s, 77);
	ck_assert_uint_eq(connect.client_id.len, 5);
}
END_TEST

START_TEST(late_connect_closes_the_client)
{
	scene_say("\x10", 1);
	scene_pass(SCENE_CONNECT_MS + 100);
	scene_expect_rejection("no CONNECT in time");
}
END_TEST

START_TEST(client_without_a_stream_is_closed)
{
	scene_pass(SCENE_CONNECT_MS + 100);
	scene_expect_rejection("no CONNECT in time");
}
END_TEST

START_TEST(something_else_than_connect_closes_the_client)
{
	scene_say("\xc0\x00", 2);
	scene_expect_rejection("no CONNECT");
}
END_TEST

/* Sends CONNECT with one byte changed: nothing is known of it, but the broker gets it as it is. */
static void carry_unknown(size_t at, uint8_t value)
{
	struct bytes bytes = buf_writer_content(&scene.connect);
	uint8_t packet[256];
	uint8_t buffer[256];

	memcpy(packet, bytes.data, bytes.len);
	packet[at] = value;
	scene_say(packet, bytes.len);
	scene_pass(200);
	ck_assert_uint_eq(scene.shown, 1);
	ck_assert_int_eq(mquic_relay_protocol(scene.relay), 0);
	ck_assert_str_eq(mquic_relay_client_id(scene.relay, NULL), "");
	ck_assert_ptr_null(mquic_relay_username(scene.relay, NULL));
	ck_assert_uint_eq(mquic_relay_connect_size(scene.relay), bytes.len);
	ck_assert_int_eq(mquic_relay_set_username(scene.relay, "x", 1), MQUIC_ERR_PROTOCOL);
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_OK);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)), bytes.len);
	ck_assert_mem_eq(buffer, packet, bytes.len);
	ck_assert_uint_eq(mquic_relay_connect_size(scene.relay), 0);
}

START_TEST(malformed_connect_is_for_the_broker_to_answer)
{
	carry_unknown(9, buf_writer_content(&scene.connect).data[9] | 1); /* 3.1.2.3: reserved */
}
END_TEST

START_TEST(connect_of_an_unknown_version_is_for_the_broker_to_answer)
{
	carry_unknown(8, 6);
}
END_TEST

START_TEST(connect_with_flags_in_its_header_is_for_the_broker_to_answer)
{
	carry_unknown(0, 0x14);
}
END_TEST

START_TEST(connect_beyond_the_limit_closes_the_client_at_its_header)
{
	buf_writer_clear(&scene.connect);
	scene_make_connect(SCENE_CONNECT_MAX);
	scene_say(buf_writer_content(&scene.connect).data, 5);
	scene_expect_rejection("too large");
}
END_TEST

START_TEST(connect_just_within_the_limit_is_shown)
{
	buf_writer_clear(&scene.connect);
	scene_make_connect(SCENE_CONNECT_MAX - 24);
	ck_assert_uint_le(buf_writer_content(&scene.connect).len, SCENE_CONNECT_MAX);
	scene_show_connect();
}
END_TEST

START_TEST(stream_that_ends_before_connect_closes_the_client)
{
	scene_say("\x10", 1);
	ck_assert_int_eq(mquic_stream_finish(scene.stream), MQUIC_OK);
	scene_expect_rejection("ended before CONNECT");
}
END_TEST

/* RESET_STREAM, STOP_SENDING, both. */
static void abandon(int how)
{
	if (how != 1)
		ck_assert_int_eq(mquic_stream_reset(scene.stream, 5), MQUIC_OK);
	if (how != 0)
		ck_assert_int_eq(mquic_stream_stop(scene.stream, 5), MQUIC_OK);
}

START_TEST(stream_given_up_within_connect_frees_the_place_at_once)
{
	const char *const why[] = {"reset before CONNECT", "stream is gone", "before CONNECT"};

	scene_say(buf_writer_content(&scene.connect).data, 7);
	scene_pass(100);
	abandon(_i);
	scene_pass(6);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, why[_i]);
	ck_assert_uint_eq(pair.server->quic->places.connections, 0);
}
END_TEST

START_TEST(stream_given_up_before_the_relay_is_open_is_noticed_at_once)
{
	scene_show_connect();
	abandon(_i);
	scene_pass(6);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, "control stream is gone");
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_ERR_CLOSED);
}
END_TEST

START_TEST(control_stream_is_stream_0_whatever_comes_first)
{
	struct mquic_stream *second;
	uint8_t buffer[256];
	size_t len;

	scene_pass(100);
	ck_assert_int_eq(mquic_stream_open(&second, pair.dialed), MQUIC_OK);
	pair.client->up.loss = 1000;
	scene_say(buf_writer_content(&scene.connect).data, buf_writer_content(&scene.connect).len);
	scene_pass(1);
	pair.client->up.loss = 0;
	ck_assert_int_eq(mquic_stream_send(second, (const uint8_t *)"\x30\x03\0\1t", 5, &len),
			 MQUIC_OK);
	scene_pass(12);
	/* It waits, as long as its place is not that of the other. */
	ck_assert_int_eq(mquic_stream_recv(second, buffer, 1, &len), MQUIC_ERR_AGAIN);
	ck_assert_uint_eq(scene.end.told, 0);
	ck_assert_uint_eq(scene.shown, 0);
	scene_pass(1000);
	ck_assert_uint_eq(scene.shown, 1);
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_OK);
	ck_assert_uint_eq(scene_read(buffer, sizeof(buffer)),
			  buf_writer_content(&scene.connect).len);
	mquic_stream_free(second);
}
END_TEST

START_TEST(client_that_leaves_before_connect_is_told)
{
	scene_say("\x10", 1);
	scene_pass(100);
	ck_assert_int_eq(mquic_connection_close(pair.dialed, 7, "bye"), MQUIC_OK);
	scene_pass(100);
	pair_expect_end(&scene.end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 7, "bye");
}
END_TEST

START_TEST(relay_wants_sensible_limits)
{
	struct mquic_relay *none = NULL;

	scene_pass(100);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 99, 1024), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 600001, 1024), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 1000, 63), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 1000, 1048577), MQUIC_ERR_INVALID);
	(void)mquic_connection_close(pair.dialed, 0, NULL);
	ck_assert_int_eq(mquic_relay_new(&none, pair.dialed, 1000, 1024), MQUIC_ERR_CLOSED);
	ck_assert_ptr_null(none);
}
END_TEST

static void add_connect(Suite *suite)
{
	TCase *group = tcase_create("connect");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, set_up, scene_end);
	tcase_add_test(group, connect_is_shown_and_carried_unchanged);
	tcase_add_test(group, connect_in_single_bytes_is_put_together);
	tcase_add_test(group, user_name_is_replaced_and_nothing_else);
	tcase_add_test(group, late_connect_closes_the_client);
	tcase_add_test(group, client_without_a_stream_is_closed);
	tcase_add_test(group, something_else_than_connect_closes_the_client);
	tcase_add_test(group, malformed_connect_is_for_the_broker_to_answer);
	tcase_add_test(group, connect_of_an_unknown_version_is_for_the_broker_to_answer);
	tcase_add_test(group, connect_with_flags_in_its_header_is_for_the_broker_to_answer);
	tcase_add_test(group, connect_beyond_the_limit_closes_the_client_at_its_header);
	tcase_add_test(group, connect_just_within_the_limit_is_shown);
	tcase_add_test(group, stream_that_ends_before_connect_closes_the_client);
	tcase_add_loop_test(group, stream_given_up_within_connect_frees_the_place_at_once, 0, 3);
	tcase_add_loop_test(group, stream_given_up_before_the_relay_is_open_is_noticed_at_once, 0,
			    3);
	tcase_add_test(group, control_stream_is_stream_0_whatever_comes_first);
	tcase_add_test(group, client_that_leaves_before_connect_is_told);
	tcase_add_test(group, relay_wants_sensible_limits);
	suite_add_tcase(suite, group);
}

int main(void)
{
	Suite *suite = suite_create("sim-relay");

	add_connect(suite);
	return kit_main(suite);
}
