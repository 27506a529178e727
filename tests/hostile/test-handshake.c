/* SPDX-License-Identifier: MIT */
/* Handshakes that go wrong on purpose: what TLS messages lack or repeat, and when they come. */
#include <string.h>

#include "expect.h"

static struct scene scene;

static const uint8_t key_update[] = {GNUTLS_HANDSHAKE_KEY_UPDATE, 0, 0, 1, 0};

/* The ways to the handshake itself; each attack is tried on all. */
enum way {
	WAY_STRAIGHT,
	WAY_RETRY,
	WAY_HELLO_RETRY,
	WAY_BOTH,
	WAYS
};

static void open_way(bool attacks_server, enum way way)
{
	bool retry = way == WAY_RETRY || way == WAY_BOTH;

	scene_open(&scene, attacks_server, 1);
	scene.peer->hello_retry = way == WAY_HELLO_RETRY || way == WAY_BOTH;
	if (!retry)
		return;
	if (attacks_server)
		mquic_settings_set_retry(scene.settings, MQUIC_RETRY_ALWAYS);
	else
		scene.peer->demand_retry = true;
}

/* ---- RFC 9001 section 8.2: transport parameters must be there --------------------- */

static void without_params(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	(void)peer;
	(void)level;
	message_remove_extension(message, 0x39);
}

static void with_params_renamed(struct hostile *peer, enum hostile_level level,
				struct octets *message)
{
	(void)peer;
	(void)level;
	message_rename_extension(message, 0x39, 0x3939);
}

START_TEST(server_refuses_a_hello_without_transport_parameters)
{
	open_way(true, (enum way)_i);
	scene.peer->on_message = without_params;
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_MISSING_EXTENSION);
	finish(&scene);
}
END_TEST

START_TEST(server_refuses_a_hello_whose_transport_parameters_have_another_type)
{
	open_way(true, (enum way)_i);
	scene.peer->on_message = with_params_renamed;
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_MISSING_EXTENSION);
	finish(&scene);
}
END_TEST

START_TEST(client_refuses_a_server_without_transport_parameters)
{
	open_way(false, (enum way)_i);
	scene.peer->no_params = true;
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_MISSING_EXTENSION);
	finish(&scene);
}
END_TEST

/* ---- RFC 9001 section 6: KeyUpdate is not for QUIC ------------------------------------ */

/* Behind the peer's Finished, in the same datagram or in one of its own. */
static void update_behind_finished(struct hostile *peer)
{
	hostile_say_tls(peer, HOSTILE_APP, key_update, sizeof(key_update));
}

START_TEST(key_update_message_in_the_datagram_of_finished_ends_the_connection)
{
	open_way(_i % 2 == 0, (enum way)(_i / 2));
	scene.peer->on_confirmed = update_behind_finished;
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_UNEXPECTED_MESSAGE);
	finish(&scene);
}
END_TEST

START_TEST(key_update_message_right_behind_finished_ends_the_connection)
{
	open_way(_i % 2 == 0, (enum way)(_i / 2));
	scene.peer->on_confirmed = update_behind_finished;
	scene.peer->split = true;
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_UNEXPECTED_MESSAGE);
	finish(&scene);
}
END_TEST

START_TEST(key_update_message_ends_an_old_connection)
{
	scene_open(&scene, _i == 0, 1);
	scene_connect(&scene);
	sim_run(scene.sim, 10 * SIM_SECOND);
	hostile_say_tls(scene.peer, HOSTILE_APP, key_update, sizeof(key_update));
	hostile_flush(scene.peer);
	expect_close(&scene, CRYPTO_ERROR + ALERT_UNEXPECTED_MESSAGE);
	finish(&scene);
}
END_TEST

static void update_before_finished(struct hostile *peer, enum hostile_level level,
				   struct octets *message)
{
	(void)peer;
	if (level == HOSTILE_HANDSHAKE && message->data[0] == GNUTLS_HANDSHAKE_FINISHED)
		octets_insert(message, 0, key_update, sizeof(key_update));
}

START_TEST(key_update_message_in_the_handshake_ends_it)
{
	open_way(_i % 2 == 0, (enum way)(_i / 2));
	scene.peer->on_message = update_before_finished;
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_UNEXPECTED_MESSAGE);
	finish(&scene);
}
END_TEST

/* A message of the handshake once more, or one that is not for now. */
START_TEST(other_messages_after_the_handshake_end_the_connection)
{
	static const uint8_t types[] = {
		GNUTLS_HANDSHAKE_HELLO_REQUEST,
		GNUTLS_HANDSHAKE_CLIENT_HELLO,
		GNUTLS_HANDSHAKE_SERVER_HELLO,
		GNUTLS_HANDSHAKE_END_OF_EARLY_DATA,
		GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS,
		GNUTLS_HANDSHAKE_CERTIFICATE_PKT,
		GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST,
		GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY,
		GNUTLS_HANDSHAKE_FINISHED,
		254, /* message_hash */
		99,
	};
	uint8_t message[40] = {types[_i / 2], 0, 0, 36};

	scene_open(&scene, _i % 2 == 0, 1);
	scene_connect(&scene);
	hostile_say_tls(scene.peer, HOSTILE_APP, message, sizeof(message));
	hostile_flush(scene.peer);
	expect_close(&scene, CRYPTO_ERROR + ALERT_UNEXPECTED_MESSAGE);
	finish(&scene);
}
END_TEST

static void end_early_data(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	static const uint8_t end[] = {GNUTLS_HANDSHAKE_END_OF_EARLY_DATA, 0, 0, 0};

	(void)peer;
	if (level == HOSTILE_HANDSHAKE && message->data[0] == GNUTLS_HANDSHAKE_FINISHED)
		octets_insert(message, 0, end, sizeof(end));
}

/* RFC 9001 section 8.3. */
START_TEST(end_of_early_data_ends_the_handshake)
{
	open_way(true, (enum way)_i);
	scene.peer->on_message = end_early_data;
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_UNEXPECTED_MESSAGE);
	finish(&scene);
}
END_TEST

/* RFC 9001 section 8.1. */
START_TEST(no_or_another_application_protocol_ends_the_handshake)
{
	scene_open(&scene, _i % 2 == 0, 1);
	scene.peer->alpn = _i < 2 ? NULL : "dummy";
	scene_begin(&scene);
	expect_close(&scene, CRYPTO_ERROR + ALERT_NO_APPLICATION_PROTOCOL);
	finish(&scene);
}
END_TEST

/* ---- Messages that are missing, come twice, are cut off or damaged -------------------- */

#define MESSAGES 7
#define TROUBLES 4

static void trouble(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	static const uint8_t types[MESSAGES] = {
		GNUTLS_HANDSHAKE_CLIENT_HELLO,
		GNUTLS_HANDSHAKE_SERVER_HELLO,
		GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS,
		GNUTLS_HANDSHAKE_CERTIFICATE_PKT,
		GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST,
		GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY,
		GNUTLS_HANDSHAKE_FINISHED,
	};
	int choice = *(const int *)peer->user;

	(void)level;
	if (message->len == 0 || message->data[0] != types[choice % MESSAGES])
		return;
	switch (choice / MESSAGES % TROUBLES) {
	case 0:
		message->len = 0;
		break;
	case 1:
		octets_put(message, message->data, message->len);
		break;
	case 2:
		octets_cut(message, message->len / 2, message->len - message->len / 2);
		break;
	default:
		message->data[message->len - 1] ^= 1;
		break;
	}
}

/* Whatever it is: the endpoint gives up, at the latest when the time for handshakes is over. */
START_TEST(handshake_with_spoilt_messages_ends)
{
	int choice = _i / 2;
	int way = choice / MESSAGES / TROUBLES;

	open_way(_i % 2 == 0, (enum way)way);
	scene.peer->on_message = trouble;
	scene.peer->user = &choice;
	scene_begin(&scene);
	sim_run(scene.sim, 20 * SIM_SECOND);
	finish(&scene);
}
END_TEST

#define CONTENTS 5

struct addition {
	uint16_t type;
	int content;
};

static void add_extension(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	static const uint8_t list[] = {0, 6, 0, 4, 'x', 'y', 'z', '!'};
	static const uint8_t share[] = {0, 36, 0, 29, 0, 32, [37] = 0};
	const struct addition *addition = peer->user;
	uint8_t bytes[60];

	(void)level;
	if (message->len == 0 || (message->data[0] != GNUTLS_HANDSHAKE_CLIENT_HELLO &&
				  message->data[0] != GNUTLS_HANDSHAKE_SERVER_HELLO &&
				  message->data[0] != GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS))
		return;
	memset(bytes, addition->content == 1 ? 0 : 0xff, sizeof(bytes));
	/* One that is there already is not there twice. */
	message_remove_extension(message, addition->type);
	if (addition->content == 3)
		message_add_extension(message, addition->type, list, sizeof(list));
	else if (addition->content == 4)
		message_add_extension(message, addition->type, share, sizeof(share));
	else
		message_add_extension(message, addition->type, bytes,
				      addition->content == 0 ? 0 : sizeof(bytes));
}

/* Of every type there is: nothing, zeros, ones, a list, and a key share of zeros. */
START_TEST(extensions_of_any_content_do_no_harm)
{
	struct addition addition = {.type = (uint16_t)(_i / 2)};

	for (addition.content = 0; addition.content < CONTENTS; addition.content++) {
		scene_open(&scene, _i % 2 == 0, 1);
		scene.peer->on_message = add_extension;
		scene.peer->user = &addition;
		scene_begin(&scene);
		sim_run(scene.sim, 11 * SIM_SECOND);
		finish(&scene);
	}
}
END_TEST

/* A session that nobody can resume; the extension is the last (RFC 8446 section 4.2.11). */
static void add_key(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	static const uint8_t modes[] = {1, 1};
	int choice = *(const int *)peer->user;
	size_t identity = (size_t[]){0, 1, 32, 200}[choice % 4];
	size_t binder = (size_t[]){0, 31, 32, 33, 48, 255}[choice / 4];
	struct octets key = {.len = 0};

	(void)level;
	if (message->data[0] != GNUTLS_HANDSHAKE_CLIENT_HELLO)
		return;
	message_add_extension(message, 45, modes, sizeof(modes));
	octets_number(&key, 2 + identity + 4, 2);
	octets_number(&key, identity, 2);
	octets_zeros(&key, identity + 4);
	octets_number(&key, 1 + binder, 2);
	octets_number(&key, binder, 1);
	octets_zeros(&key, binder);
	message_append_extension(message, 41, key.data, key.len);
}

START_TEST(pre_shared_keys_of_any_kind_do_no_harm)
{
	scene_open(&scene, true, 1);
	scene.peer->on_message = add_key;
	scene.peer->user = &_i;
	scene_begin(&scene);
	sim_run(scene.sim, 11 * SIM_SECOND);
	finish(&scene);
}
END_TEST

/* A Retry's token fills the packets that must carry it (RFC 9000 section 17.2.5). */
START_TEST(client_stands_a_token_of_any_length)
{
	scene_open(&scene, false, 1);
	scene.peer->demand_retry = true;
	scene.peer->token_len = (size_t)_i * 25;
	scene_begin(&scene);
	sim_run(scene.sim, 20 * SIM_SECOND);
	finish(&scene);
}
END_TEST

/* ---- Versions ------------------------------------------------------------------------- */

#define VERSION_1 0x00000001
#define VERSION_2 0x6b3343cf

static unsigned int offers;

/* Version negotiation that always offers the other version. */
static void offer_the_other(struct sim_host *probe, const struct datagram *datagram)
{
	struct octets_view view = {datagram->data, datagram->len, false};
	struct octets reply = {.len = 0};
	const uint8_t *destination;
	size_t destination_len;
	uint64_t version;
	size_t source_len;

	(void)view_take(&view, 1);
	version = view_number(&view, 4);
	destination_len = (size_t)view_number(&view, 1);
	destination = view_take(&view, destination_len);
	source_len = (size_t)view_number(&view, 1);
	octets_number(&reply, 0xc0, 1);
	octets_number(&reply, 0, 4);
	octets_number(&reply, source_len, 1);
	octets_put(&reply, view_take(&view, source_len), source_len);
	octets_number(&reply, destination_len, 1);
	octets_put(&reply, destination, destination_len);
	octets_number(&reply, version == VERSION_1 ? VERSION_2 : VERSION_1, 4);
	offers++;
	sim_send(probe, &datagram->remote, reply.data, reply.len);
}

/* RFC 9000 section 6.2: a client takes an offer once. */
START_TEST(client_is_not_sent_to_and_fro_between_versions)
{
	offers = 0;
	scene_open(&scene, false, 1);
	scene.peer->probe->on_datagram = offer_the_other;
	scene_begin(&scene);
	sim_run(scene.sim, 20 * SIM_SECOND);
	ck_assert_uint_eq(scene.end.told, 1);
	/* Of one version and of the other: a first flight, its copy, and probes until it gives up. */
	ck_assert_uint_le(offers, 12);
	finish(&scene);
}
END_TEST

/* ---- 1-RTT packets before the client's own flight is written -------------------------- */

/* With a server's first flight: its 1-RTT keys are there before it has heard of the client. */
static void queue_early(struct hostile *peer, enum hostile_level level, struct octets *message)
{
	const struct octets *frames = peer->user;

	if (level == HOSTILE_HANDSHAKE && message->data[0] == GNUTLS_HANDSHAKE_FINISHED)
		hostile_queue(peer, HOSTILE_APP, frames);
}

static void fill_early(struct octets *frames, int kind)
{
	static const uint8_t cid[8] = "new name";
	static const uint8_t path[8] = "12345678";

	frames->len = 0;
	switch (kind) {
	case 0:
		FRAME(frames, FRAME_HANDSHAKE_DONE);
		break;
	case 1:
		frame_new_cid(frames, 1, 1, cid, sizeof(cid));
		break;
	case 2:
		FRAME(frames, FRAME_HANDSHAKE_DONE);
		frame_new_cid(frames, 1, 1, cid, sizeof(cid));
		break;
	case 3:
		frame_path(frames, FRAME_PATH_CHALLENGE, path);
		break;
	default:
		FRAME(frames, FRAME_RETIRE_CONNECTION_ID, 0);
		break;
	}
}

#define EARLY_KINDS 5
#define EARLY_ORDER 3

/* Together with the flight, behind it, and before it. All this is allowed, but for the last. */
START_TEST(client_stands_1rtt_packets_with_the_first_flight)
{
	int kind = _i % EARLY_KINDS;
	int order = _i / EARLY_KINDS % EARLY_ORDER;
	struct octets frames;

	open_way(false, (enum way)(_i / EARLY_KINDS / EARLY_ORDER));
	fill_early(&frames, kind);
	scene.peer->on_message = queue_early;
	scene.peer->user = &frames;
	scene.peer->split = order > 0;
	scene.peer->app_first = order > 1;
	scene_begin(&scene);
	sim_run(scene.sim, 5 * SIM_SECOND);
	ck_assert(scene.ready == 1 || scene.peer->closed);
	finish(&scene);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-handshake");
	TCase *tls = tcase_create("tls");
	TCase *early = tcase_create("early");

	tcase_add_loop_test(tls, server_refuses_a_hello_without_transport_parameters, 0, WAYS);
	tcase_add_loop_test(
		tls, server_refuses_a_hello_whose_transport_parameters_have_another_type, 0, WAYS);
	tcase_add_loop_test(tls, client_refuses_a_server_without_transport_parameters, 0, WAYS);
	tcase_add_loop_test(tls, key_update_message_in_the_datagram_of_finished_ends_the_connection,
			    0, 2 * WAYS);
	tcase_add_loop_test(tls, key_update_message_right_behind_finished_ends_the_connection, 0,
			    2 * WAYS);
	tcase_add_loop_test(tls, key_update_message_ends_an_old_connection, 0, 2);
	tcase_add_loop_test(tls, key_update_message_in_the_handshake_ends_it, 0, 2 * WAYS);
	tcase_add_loop_test(tls, other_messages_after_the_handshake_end_the_connection, 0, 22);
	tcase_add_loop_test(tls, end_of_early_data_ends_the_handshake, 0, WAYS);
	tcase_add_loop_test(tls, no_or_another_application_protocol_ends_the_handshake, 0, 4);
	tcase_add_loop_test(tls, handshake_with_spoilt_messages_ends, 0,
			    2 * MESSAGES * TROUBLES * WAYS);
	tcase_add_loop_test(tls, extensions_of_any_content_do_no_harm, 0, 2 * 64);
	tcase_add_loop_test(tls, pre_shared_keys_of_any_kind_do_no_harm, 0, 24);
	tcase_add_test(tls, client_is_not_sent_to_and_fro_between_versions);
	tcase_add_loop_test(tls, client_stands_a_token_of_any_length, 0, 60);
	tcase_add_loop_test(early, client_stands_1rtt_packets_with_the_first_flight, 0,
			    EARLY_KINDS * EARLY_ORDER * WAYS);
	suite_add_tcase(made, tls);
	suite_add_tcase(made, early);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
