/* SPDX-License-Identifier: MIT */
/*
 * Frames that break the rules, in packets of every level: each ends the connection with the code
 * that RFC 9000 demands. The section is in the table.
 */
#include <string.h>

#include "expect.h"

static struct scene scene;

/* A frame, as numbers and then a byte some times. */
struct wrong {
	const char *what;
	uint64_t numbers[5];
	size_t count;
	size_t bytes;
	uint64_t code;
	uint64_t other_code; /* that the section allows as well; 0: none */
};

#define MAX_ID  ((1ULL << 62) - 1)
#define STREAMS (1ULL << 60)

/* To a server: stream 0 is the client's, 1 the server's, 2 and 3 are unidirectional. */
static const struct wrong to_server[] = {
	{"4.1: data beyond a stream's credit",
	 {0x0e, 0, 100000000, 1},
	 4,
	 1,
	 FLOW_CONTROL_ERROR,
	 0},
	{"4.5: an end beyond a stream's credit",
	 {0x04, 0, 0, 100000000},
	 4,
	 0,
	 FLOW_CONTROL_ERROR,
	 0},
	{"4.6: a stream beyond the limit", {0x0a, 1000000000, 1}, 3, 1, STREAM_LIMIT_ERROR, 0},
	{"4.6: the highest stream", {0x0a, MAX_ID - 3, 1}, 3, 1, STREAM_LIMIT_ERROR, 0},
	{"4.6: a unidirectional stream, which none may be",
	 {0x0a, 2, 1},
	 3,
	 1,
	 STREAM_LIMIT_ERROR,
	 0},
	{"12.4: an unknown frame", {0x20}, 1, 0, FRAME_ENCODING_ERROR, 0},
	{"12.4: the first unknown frame", {0x1f}, 1, 0, FRAME_ENCODING_ERROR, 0},
	{"12.4: a frame of a large type", {MAX_ID}, 1, 0, FRAME_ENCODING_ERROR, 0},
	{"9221 3: DATAGRAM, which is not agreed", {0x30}, 1, 9, PROTOCOL_VIOLATION, 0},
	{"9221 3: DATAGRAM with a length", {0x31, 9}, 2, 9, PROTOCOL_VIOLATION, 0},
	{"13.1: ACK of what was never sent", {0x02, 100000, 0, 0, 0}, 5, 0, PROTOCOL_VIOLATION, 0},
	{"19.3: ACK of less than packet 0", {0x02, 0, 0, 0, 5}, 5, 0, FRAME_ENCODING_ERROR, 0},
	{"19.3: ACK that is cut off", {0x02, 0, 0, 9, 0}, 5, 0, FRAME_ENCODING_ERROR, 0},
	{"19.4: RESET_STREAM of a stream that we alone send on",
	 {0x04, 3, 0, 0},
	 4,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.4: RESET_STREAM of ours that was not opened",
	 {0x04, 1, 0, 0},
	 4,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.4: RESET_STREAM beyond the limit",
	 {0x04, 1000000000, 0, 0},
	 4,
	 0,
	 STREAM_LIMIT_ERROR,
	 0},
	{"19.5: STOP_SENDING of ours that was not opened",
	 {0x05, 1, 0},
	 3,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.5: STOP_SENDING of a stream we only receive on",
	 {0x05, 2, 0},
	 3,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.5: STOP_SENDING beyond the limit", {0x05, 1000000000, 0}, 3, 0, STREAM_LIMIT_ERROR, 0},
	{"19.6: CRYPTO beyond the highest offset",
	 {0x06, MAX_ID, 9},
	 3,
	 9,
	 FRAME_ENCODING_ERROR,
	 CRYPTO_BUFFER_EXCEEDED},
	{"7.5: CRYPTO far ahead", {0x06, 1000000, 9}, 3, 9, CRYPTO_BUFFER_EXCEEDED, 0},
	{"19.7: NEW_TOKEN from a client", {0x07, 9}, 2, 9, PROTOCOL_VIOLATION, 0},
	{"19.8: data on a stream of ours that was not opened",
	 {0x0a, 1, 1},
	 3,
	 1,
	 STREAM_STATE_ERROR,
	 0},
	{"19.8: data on a stream that we alone send on", {0x0a, 3, 1}, 3, 1, STREAM_STATE_ERROR, 0},
	{"19.8: data beyond the highest offset",
	 {0x0e, 0, MAX_ID, 9},
	 4,
	 9,
	 FRAME_ENCODING_ERROR,
	 FLOW_CONTROL_ERROR},
	{"19.8: a stream that is cut off", {0x0a, 0, 90}, 3, 1, FRAME_ENCODING_ERROR, 0},
	{"19.10: credit for ours that was not opened", {0x11, 1, 9}, 3, 0, STREAM_STATE_ERROR, 0},
	{"19.10: credit for a stream we only receive on",
	 {0x11, 2, 9},
	 3,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.11: MAX_STREAMS above 2^60", {0x12, STREAMS + 1}, 2, 0, FRAME_ENCODING_ERROR, 0},
	{"19.11: unidirectional MAX_STREAMS above 2^60",
	 {0x13, STREAMS + 1},
	 2,
	 0,
	 FRAME_ENCODING_ERROR,
	 0},
	{"19.13: STREAM_DATA_BLOCKED of a stream that we alone send on",
	 {0x15, 3, 9},
	 3,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.14: STREAMS_BLOCKED above 2^60",
	 {0x16, STREAMS + 1},
	 2,
	 0,
	 FRAME_ENCODING_ERROR,
	 STREAM_LIMIT_ERROR},
	{"19.14: unidirectional STREAMS_BLOCKED above 2^60",
	 {0x17, STREAMS + 1},
	 2,
	 0,
	 FRAME_ENCODING_ERROR,
	 STREAM_LIMIT_ERROR},
	{"19.15: NEW_CONNECTION_ID that retires itself",
	 {0x18, 1, 2, 8},
	 4,
	 24,
	 FRAME_ENCODING_ERROR,
	 0},
	{"19.15: NEW_CONNECTION_ID without identifier",
	 {0x18, 1, 0, 0},
	 4,
	 16,
	 FRAME_ENCODING_ERROR,
	 0},
	{"19.15: NEW_CONNECTION_ID of 21 bytes", {0x18, 1, 0, 21}, 4, 37, FRAME_ENCODING_ERROR, 0},
	{"19.16: RETIRE_CONNECTION_ID of what was never given",
	 {0x19, 99},
	 2,
	 0,
	 PROTOCOL_VIOLATION,
	 0},
	{"19.17: PATH_CHALLENGE that is cut off", {0x1a}, 1, 3, FRAME_ENCODING_ERROR, 0},
	{"19.20: HANDSHAKE_DONE from a client", {0x1e}, 1, 0, PROTOCOL_VIOLATION, 0},
};

/* To a client: it has opened no stream, and lets none be opened but by itself. */
static const struct wrong to_client[] = {
	{"4.6: a stream beyond the limit", {0x0a, 1000000001, 1}, 3, 1, STREAM_LIMIT_ERROR, 0},
	{"4.6: a unidirectional stream, which none may be",
	 {0x0a, 3, 1},
	 3,
	 1,
	 STREAM_LIMIT_ERROR,
	 0},
	{"12.4: an unknown frame", {0x20}, 1, 0, FRAME_ENCODING_ERROR, 0},
	{"9221 3: DATAGRAM, which is not agreed", {0x30}, 1, 9, PROTOCOL_VIOLATION, 0},
	{"13.1: ACK of what was never sent", {0x02, 100000, 0, 0, 0}, 5, 0, PROTOCOL_VIOLATION, 0},
	{"19.3: ACK of less than packet 0", {0x02, 0, 0, 0, 5}, 5, 0, FRAME_ENCODING_ERROR, 0},
	{"19.4: RESET_STREAM of a stream that we alone send on",
	 {0x04, 2, 0, 0},
	 4,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.5: STOP_SENDING of ours that was not opened",
	 {0x05, 0, 0},
	 3,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.5: STOP_SENDING of a stream we only receive on",
	 {0x05, 3, 0},
	 3,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.6: CRYPTO beyond the highest offset",
	 {0x06, MAX_ID, 9},
	 3,
	 9,
	 FRAME_ENCODING_ERROR,
	 CRYPTO_BUFFER_EXCEEDED},
	{"7.5: CRYPTO far ahead", {0x06, 1000000, 9}, 3, 9, CRYPTO_BUFFER_EXCEEDED, 0},
	{"19.7: an empty NEW_TOKEN", {0x07, 0}, 2, 0, FRAME_ENCODING_ERROR, 0},
	{"19.8: data on a stream of ours that was not opened",
	 {0x0a, 0, 1},
	 3,
	 1,
	 STREAM_STATE_ERROR,
	 0},
	{"19.8: data on a stream that we alone send on", {0x0a, 2, 1}, 3, 1, STREAM_STATE_ERROR, 0},
	{"19.10: credit for ours that was not opened", {0x11, 0, 9}, 3, 0, STREAM_STATE_ERROR, 0},
	{"19.10: credit for a stream we only receive on",
	 {0x11, 3, 9},
	 3,
	 0,
	 STREAM_STATE_ERROR,
	 0},
	{"19.11: MAX_STREAMS above 2^60", {0x12, STREAMS + 1}, 2, 0, FRAME_ENCODING_ERROR, 0},
	{"19.14: STREAMS_BLOCKED above 2^60",
	 {0x16, STREAMS + 1},
	 2,
	 0,
	 FRAME_ENCODING_ERROR,
	 STREAM_LIMIT_ERROR},
	{"19.15: NEW_CONNECTION_ID that retires itself",
	 {0x18, 1, 2, 8},
	 4,
	 24,
	 FRAME_ENCODING_ERROR,
	 0},
	{"19.15: NEW_CONNECTION_ID without identifier",
	 {0x18, 1, 0, 0},
	 4,
	 16,
	 FRAME_ENCODING_ERROR,
	 0},
	{"19.16: RETIRE_CONNECTION_ID of what was never given",
	 {0x19, 99},
	 2,
	 0,
	 PROTOCOL_VIOLATION,
	 0},
};

/* 12.4, table 3: what Initial and Handshake packets may not have. */
static const uint64_t not_in_handshakes[] = {
	FRAME_RESET_STREAM,
	FRAME_STOP_SENDING,
	FRAME_NEW_TOKEN,
	FRAME_STREAM | 2,
	FRAME_MAX_DATA,
	FRAME_MAX_STREAM_DATA,
	FRAME_MAX_STREAMS_BIDI,
	FRAME_MAX_STREAMS_UNI,
	FRAME_DATA_BLOCKED,
	FRAME_STREAM_DATA_BLOCKED,
	FRAME_STREAMS_BLOCKED_UNI,
	FRAME_NEW_CONNECTION_ID,
	FRAME_RETIRE_CONNECTION_ID,
	FRAME_PATH_CHALLENGE,
	FRAME_PATH_RESPONSE,
	FRAME_CLOSE_APPLICATION,
	FRAME_HANDSHAKE_DONE,
	FRAME_DATAGRAM,
};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void write(struct octets *to, const struct wrong *wrong)
{
	size_t i;

	to->len = 0;
	frame_numbers(to, wrong->numbers, wrong->count);
	for (i = 0; i < wrong->bytes; i++)
		octets_number(to, 0x61, 1);
}

static void expect_end(bool attacks_server, const struct wrong *wrong)
{
	struct octets frame;

	scene_open(&scene, attacks_server, 1);
	scene_connect(&scene);
	write(&frame, wrong);
	hostile_say(scene.peer, &frame);
	expect_close_of(&scene, wrong->what, wrong->code,
			wrong->other_code != 0 ? wrong->other_code : wrong->code);
	finish(&scene);
}

START_TEST(server_ends_the_connection_over_a_frame)
{
	expect_end(true, &to_server[_i]);
}
END_TEST

START_TEST(client_ends_the_connection_over_a_frame)
{
	expect_end(false, &to_client[_i]);
}
END_TEST

/* Queues what `user` is with the peer's Finished, at the level of that. */
static void with_finished(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	if (message->data[0] == GNUTLS_HANDSHAKE_FINISHED)
		hostile_queue(peer, level, peer->user);
}

/* With its hello; a server's keys are there by then, a client's always. */
static void with_hello(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	if (message->data[0] == GNUTLS_HANDSHAKE_CLIENT_HELLO ||
	    message->data[0] == GNUTLS_HANDSHAKE_SERVER_HELLO)
		hostile_queue(peer, level, peer->user);
}

static void write_forbidden(struct octets *frame, uint64_t type)
{
	static const uint8_t bytes[40] = {8};

	frame->len = 0;
	octets_varint(frame, type);
	/* Enough for the fields of each; what is left over is padding. */
	if (type == FRAME_NEW_CONNECTION_ID)
		FRAME(frame, 1, 0);
	octets_put(frame, bytes, type == FRAME_HANDSHAKE_DONE ? 0 : sizeof(bytes));
}

static void begin_forbidden(int i,
			    void (*when)(struct hostile *, enum hostile_level, struct octets *))
{
	static struct octets frame;

	write_forbidden(&frame, not_in_handshakes[i / 2]);
	scene_open(&scene, i % 2 == 0, 1);
	scene.peer->on_message = when;
	scene.peer->user = &frame;
	scene_begin(&scene);
}

START_TEST(frames_that_are_not_for_handshake_packets_end_it)
{
	begin_forbidden(_i, with_finished);
	expect_close_of(&scene, _i % 2 == 0 ? "server" : "client", PROTOCOL_VIOLATION,
			PROTOCOL_VIOLATION);
	finish(&scene);
}
END_TEST

/* 17.2.2: such a packet may be discarded. Anybody can make one, so it is. */
START_TEST(initial_packets_with_frames_that_are_not_for_them_come_to_nothing)
{
	begin_forbidden(_i, with_hello);
	sim_run(scene.sim, 60 * SIM_SECOND);
	ck_assert(!scene.peer->complete);
	ck_assert_uint_eq(scene.ready + scene.accepted, 0);
	finish(&scene);
}
END_TEST

/* One that somebody else has made is no harm to the handshake. */
START_TEST(a_forged_initial_packet_does_not_end_the_handshake)
{
	struct octets frame;

	write_forbidden(&frame, not_in_handshakes[_i / 2]);
	scene_open(&scene, _i % 2 == 0, 1);
	scene.peer->no_crypto = true;
	scene_begin(&scene);
	scene.peer->no_crypto = false;
	hostile_flush(scene.peer);
	octets_zeros(&frame, 1200);
	hostile_packet(scene.peer, HOSTILE_INITIAL, &frame, NULL);
	hostile_send(scene.peer);
	sim_run(scene.sim, 5 * SIM_SECOND);
	ck_assert(scene.peer->complete && !scene.peer->closed);
	finish(&scene);
}
END_TEST

/* ---- Packets ------------------------------------------------------------------------- */

/* 12.4: at least one frame. */
START_TEST(a_packet_without_frames_ends_the_connection)
{
	const struct octets nothing = {.len = 0};

	scene_open(&scene, _i == 0, 1);
	scene_connect(&scene);
	hostile_say(scene.peer, &nothing);
	expect_close(&scene, PROTOCOL_VIOLATION);
	finish(&scene);
}
END_TEST

/* 17.3.1. */
START_TEST(reserved_bits_of_a_short_header_end_the_connection)
{
	const struct hostile_lie lie = {.reserved = (uint8_t)(1 + _i / 2)};
	struct octets ping = {.len = 0};

	octets_varint(&ping, FRAME_PING);
	scene_open(&scene, _i % 2 == 0, 1);
	scene_connect(&scene);
	hostile_packet(scene.peer, HOSTILE_APP, &ping, &lie);
	hostile_send(scene.peer);
	expect_close(&scene, PROTOCOL_VIOLATION);
	finish(&scene);
}
END_TEST

/* 17.2. */
START_TEST(reserved_bits_of_a_handshake_packet_end_it)
{
	scene_open(&scene, _i % 2 == 0, 1);
	scene.peer->lies[HOSTILE_HANDSHAKE].reserved = (uint8_t)(1 + _i / 2);
	scene_begin(&scene);
	expect_close(&scene, PROTOCOL_VIOLATION);
	finish(&scene);
}
END_TEST

START_TEST(initial_packets_with_reserved_bits_come_to_nothing)
{
	scene_open(&scene, _i % 2 == 0, 1);
	scene.peer->lies[HOSTILE_INITIAL].reserved = (uint8_t)(1 + _i / 2);
	scene_begin(&scene);
	sim_run(scene.sim, 60 * SIM_SECOND);
	ck_assert(!scene.peer->complete);
	ck_assert_uint_eq(scene.ready + scene.accepted, 0);
	finish(&scene);
}
END_TEST

/* 5.1.1: no more identifiers than the endpoint said it keeps. */
START_TEST(too_many_identifiers_end_the_connection)
{
	struct octets frames = {.len = 0};
	uint8_t cid[8] = "name 0";
	uint64_t i;

	scene_open(&scene, _i == 0, 1);
	scene_connect(&scene);
	for (i = 1; i <= 9; i++) {
		cid[5]++;
		frame_new_cid(&frames, i, 0, cid, sizeof(cid));
	}
	hostile_say(scene.peer, &frames);
	expect_close(&scene, CONNECTION_ID_LIMIT_ERROR);
	finish(&scene);
}
END_TEST

/* 19.15: one number, two identifiers. */
START_TEST(an_identifier_number_used_twice_ends_the_connection)
{
	struct octets frames = {.len = 0};

	scene_open(&scene, _i == 0, 1);
	scene_connect(&scene);
	frame_new_cid(&frames, 1, 0, "one name", 8);
	frame_new_cid(&frames, 1, 0, "two name", 8);
	hostile_say(scene.peer, &frames);
	expect_close(&scene, PROTOCOL_VIOLATION);
	finish(&scene);
}
END_TEST

/* 19.16: the identifier of the very packet. */
START_TEST(retiring_the_identifier_in_use_ends_the_connection)
{
	struct octets frame = {.len = 0};

	scene_open(&scene, _i == 0, 1);
	scene_connect(&scene);
	FRAME(&frame, FRAME_RETIRE_CONNECTION_ID, 0);
	hostile_say(scene.peer, &frame);
	expect_close(&scene, PROTOCOL_VIOLATION);
	finish(&scene);
}
END_TEST

/* 4.5. */
START_TEST(another_final_size_ends_the_connection)
{
	struct octets frames = {.len = 0};

	scene_open(&scene, true, 1);
	scene_connect(&scene);
	frame_stream(&frames, 0, 0, "ten bytes.", 10, true);
	if (_i == 0)
		frame_stream(&frames, 0, 10, "more", 4, false);
	else if (_i == 1)
		FRAME(&frames, FRAME_RESET_STREAM, 0, 0, 5);
	else
		frame_stream(&frames, 0, 0, "five.", 5, true);
	hostile_say(scene.peer, &frames);
	expect_close(&scene, FINAL_SIZE_ERROR);
	finish(&scene);
}
END_TEST

/* 4.1: of all streams together; each is within its own. */
START_TEST(data_beyond_the_connections_credit_ends_it)
{
	struct octets frames = {.len = 0};
	uint64_t id;

	scene_open(&scene, true, 1);
	mquic_settings_set_max_streams(scene.settings, 16);
	scene_connect(&scene);
	for (id = 0; id < 64; id += 4)
		FRAME(&frames, FRAME_RESET_STREAM, id, 0, (1 << 18) - 1);
	hostile_say(scene.peer, &frames);
	expect_close(&scene, FLOW_CONTROL_ERROR);
	finish(&scene);
}
END_TEST

/* RFC 9001 6.2: keys that are older than those that were used already. */
START_TEST(nothing_comes_of_packets_of_the_wrong_key_phase)
{
	const struct hostile_lie lie = {.other_phase = true};
	struct octets ping = {.len = 0};

	octets_varint(&ping, FRAME_PING);
	scene_open(&scene, _i == 0, 1);
	scene_connect(&scene);
	hostile_packet(scene.peer, HOSTILE_APP, &ping, &lie);
	hostile_send(scene.peer);
	sim_run(scene.sim, SIM_SECOND);
	ck_assert(!scene.peer->closed);
	ck_assert_uint_eq(scene.end.told, 0);
	finish(&scene);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-frames");
	TCase *frames = tcase_create("frames");
	TCase *packets = tcase_create("packets");

	tcase_add_loop_test(frames, server_ends_the_connection_over_a_frame, 0, COUNT(to_server));
	tcase_add_loop_test(frames, client_ends_the_connection_over_a_frame, 0, COUNT(to_client));
	tcase_add_loop_test(frames, frames_that_are_not_for_handshake_packets_end_it, 0,
			    2 * COUNT(not_in_handshakes));
	tcase_add_loop_test(frames,
			    initial_packets_with_frames_that_are_not_for_them_come_to_nothing, 0,
			    2 * COUNT(not_in_handshakes));
	tcase_add_loop_test(frames, a_forged_initial_packet_does_not_end_the_handshake, 0,
			    2 * COUNT(not_in_handshakes));
	tcase_add_loop_test(packets, a_packet_without_frames_ends_the_connection, 0, 2);
	tcase_add_loop_test(packets, reserved_bits_of_a_short_header_end_the_connection, 0, 6);
	tcase_add_loop_test(packets, reserved_bits_of_a_handshake_packet_end_it, 0, 6);
	tcase_add_loop_test(packets, initial_packets_with_reserved_bits_come_to_nothing, 0, 6);
	tcase_add_loop_test(packets, too_many_identifiers_end_the_connection, 0, 2);
	tcase_add_loop_test(packets, an_identifier_number_used_twice_ends_the_connection, 0, 2);
	tcase_add_loop_test(packets, retiring_the_identifier_in_use_ends_the_connection, 0, 2);
	tcase_add_loop_test(packets, another_final_size_ends_the_connection, 0, 3);
	tcase_add_test(packets, data_beyond_the_connections_credit_ends_it);
	tcase_add_loop_test(packets, nothing_comes_of_packets_of_the_wrong_key_phase, 0, 2);
	suite_add_tcase(made, frames);
	suite_add_tcase(made, packets);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
