/* SPDX-License-Identifier: MIT */
/* Transport parameters that are not as they must be (RFC 9000 sections 7.3, 7.4 and 18.2). */
#include <string.h>

#include "expect.h"

static struct scene scene;

enum change {
	CHANGE_REMOVE,
	CHANGE_NUMBER, /* in place of what is there */
	CHANGE_BYTES,
	CHANGE_ADD /* beside what is there */
};

struct wrong {
	const char *what;
	uint64_t id;
	enum change change;
	uint64_t number; /* or the first byte of the bytes */
	size_t len;
};

#define ORIGINAL_DESTINATION 0x00
#define IDLE_TIMEOUT         0x01
#define RESET_TOKEN          0x02
#define UDP_PAYLOAD          0x03
#define MAX_DATA             0x04
#define STREAMS_BIDI         0x08
#define STREAMS_UNI          0x09
#define ACK_DELAY_EXPONENT   0x0a
#define MAX_ACK_DELAY        0x0b
#define NO_MIGRATION         0x0c
#define PREFERRED_ADDRESS    0x0d
#define IDENTIFIERS          0x0e
#define INITIAL_SOURCE       0x0f
#define RETRY_SOURCE         0x10
#define VERSIONS             0x11

/* From a client as from a server. */
static const struct wrong of_both[] = {
	{"no initial source", INITIAL_SOURCE, CHANGE_REMOVE, 0, 0},
	{"another initial source", INITIAL_SOURCE, CHANGE_BYTES, 0x77, HOSTILE_CID},
	{"a longer initial source", INITIAL_SOURCE, CHANGE_BYTES, 0xc1, HOSTILE_CID + 1},
	{"an initial source of 21 bytes", INITIAL_SOURCE, CHANGE_BYTES, 0xc1, 21},
	{"UDP payloads of 1199", UDP_PAYLOAD, CHANGE_NUMBER, 1199, 0},
	{"ACK delay exponent 21", ACK_DELAY_EXPONENT, CHANGE_NUMBER, 21, 0},
	{"ACK delay of 2^14", MAX_ACK_DELAY, CHANGE_NUMBER, 1 << 14, 0},
	{"one connection identifier", IDENTIFIERS, CHANGE_NUMBER, 1, 0},
	{"no connection identifier", IDENTIFIERS, CHANGE_NUMBER, 0, 0},
	{"more than 2^60 bidirectional streams", STREAMS_BIDI, CHANGE_NUMBER, (1ULL << 60) + 1, 0},
	{"more than 2^60 unidirectional streams", STREAMS_UNI, CHANGE_NUMBER, (1ULL << 60) + 1, 0},
	{"a number longer than its place", MAX_DATA, CHANGE_BYTES, 0x80, 3},
	{"a number shorter than its place", MAX_DATA, CHANGE_BYTES, 0x01, 3},
	{"no number where one has to be", MAX_DATA, CHANGE_BYTES, 0, 0},
	{"bytes where there are none", NO_MIGRATION, CHANGE_BYTES, 1, 1},
	{"versions that are cut off", VERSIONS, CHANGE_BYTES, 0, 3},
	{"versions with version 0", VERSIONS, CHANGE_BYTES, 0, 8},
};

/* Section 7.4 asks for an error, but does not demand it: ngtcp2 has none. */
static const struct wrong twice[] = {
	{"the idle timeout twice", IDLE_TIMEOUT, CHANGE_ADD, 1000, 0},
	{"the initial source twice", INITIAL_SOURCE, CHANGE_ADD, 0xc1, HOSTILE_CID},
	{"the reset token twice", RESET_TOKEN, CHANGE_ADD, 0x11, 16},
	{"the preferred address twice", PREFERRED_ADDRESS, CHANGE_ADD, 8, 49},
};

/* What servers alone may say. */
static const struct wrong of_client[] = {
	{"an original destination", ORIGINAL_DESTINATION, CHANGE_BYTES, 0x11, 8},
	{"a reset token", RESET_TOKEN, CHANGE_BYTES, 0x11, 16},
	{"a preferred address", PREFERRED_ADDRESS, CHANGE_BYTES, 8, 49},
	{"a Retry source", RETRY_SOURCE, CHANGE_BYTES, 0x11, 8},
};

static const struct wrong of_server[] = {
	{"no original destination", ORIGINAL_DESTINATION, CHANGE_REMOVE, 0, 0},
	{"another original destination", ORIGINAL_DESTINATION, CHANGE_BYTES, 0x11, 8},
	{"a reset token of 15 bytes", RESET_TOKEN, CHANGE_BYTES, 0x11, 15},
	{"a preferred address that is cut off", PREFERRED_ADDRESS, CHANGE_BYTES, 8, 30},
	{"a preferred address without identifier", PREFERRED_ADDRESS, CHANGE_BYTES, 0, 41},
	{"a preferred address with 21 bytes of it", PREFERRED_ADDRESS, CHANGE_BYTES, 21, 62},
	{"a Retry source without a Retry", RETRY_SOURCE, CHANGE_BYTES, 0x11, 8},
};

/* After a Retry. */
static const struct wrong of_retrying_server[] = {
	{"no Retry source", RETRY_SOURCE, CHANGE_REMOVE, 0, 0},
	{"another Retry source", RETRY_SOURCE, CHANGE_BYTES, 0x11, 8},
	{"another original destination", ORIGINAL_DESTINATION, CHANGE_BYTES, 0x11, 8},
};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void change_params(struct hostile *peer, struct octets *params)
{
	const struct wrong *wrong = peer->user;
	uint8_t bytes[64];

	memset(bytes, (int)wrong->number, sizeof(bytes));
	/* The length of the identifier stands behind both addresses. */
	if (wrong->id == PREFERRED_ADDRESS)
		memset(bytes, 0x22, 24);
	if (wrong->change != CHANGE_ADD)
		params_remove(params, wrong->id);
	if (wrong->change == CHANGE_REMOVE)
		return;
	if (wrong->len > 0 || wrong->change == CHANGE_BYTES)
		params_put(params, wrong->id, bytes, wrong->len);
	else
		params_number(params, wrong->id, wrong->number);
}

static void open_with(bool attacks_server, const struct wrong *wrong)
{
	scene_open(&scene, attacks_server, 1);
	scene.peer->user = (void *)(uintptr_t)wrong;
	scene.peer->on_params = change_params;
}

static void expect_refusal(bool attacks_server, const struct wrong *wrong, bool retry)
{
	open_with(attacks_server, wrong);
	scene.peer->demand_retry = retry;
	scene_begin(&scene);
	expect_close_of(&scene, wrong->what, TRANSPORT_PARAMETER_ERROR, TRANSPORT_PARAMETER_ERROR);
	finish(&scene);
}

START_TEST(server_refuses_wrong_params)
{
	expect_refusal(true, &of_both[_i], false);
}
END_TEST

START_TEST(client_refuses_wrong_params)
{
	expect_refusal(false, &of_both[_i], false);
}
END_TEST

START_TEST(server_refuses_params_of_servers)
{
	expect_refusal(true, &of_client[_i], false);
}
END_TEST

START_TEST(client_refuses_what_only_servers_can_have_wrong)
{
	expect_refusal(false, &of_server[_i], false);
}
END_TEST

START_TEST(client_refuses_wrong_params_after_retry)
{
	expect_refusal(false, &of_retrying_server[_i], true);
}
END_TEST

START_TEST(params_that_come_twice_do_no_harm)
{
	open_with(_i % 2 == 0, &twice[_i / 2]);
	scene_begin(&scene);
	sim_run(scene.sim, SIM_SECOND);
	ck_assert(scene.peer->complete || scene.peer->closed);
	finish(&scene);
}
END_TEST

/* Numbers of any size, and then talk of some kilobytes, a move and a new key. */
START_TEST(params_of_any_size_do_no_harm)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		1200,
		(1 << 14) - 1,
		1 << 30,
		1ULL << 32,
		1ULL << 53,
		(1ULL << 60) - 1,
		(1ULL << 62) - 1,
	};
	struct wrong any = {.change = CHANGE_NUMBER, .number = values[_i / 2 / 15]};
	struct octets ping = {.len = 0};

	any.id = 1 + (uint64_t)_i / 2 % 15;
	octets_varint(&ping, FRAME_PING);
	open_with(_i % 2 == 0, &any);
	scene_begin(&scene);
	sim_run(scene.sim, SIM_SECOND);
	scene_speak(&scene, 4000);
	sim_run(scene.sim, SIM_SECOND);
	sim_rebind(scene.peer->probe);
	hostile_update_keys(scene.peer);
	hostile_say(scene.peer, &ping);
	sim_run(scene.sim, 60 * SIM_SECOND);
	finish(&scene);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-params");
	TCase *params = tcase_create("params");

	tcase_add_loop_test(params, server_refuses_wrong_params, 0, COUNT(of_both));
	tcase_add_loop_test(params, client_refuses_wrong_params, 0, COUNT(of_both));
	tcase_add_loop_test(params, server_refuses_params_of_servers, 0, COUNT(of_client));
	tcase_add_loop_test(params, client_refuses_what_only_servers_can_have_wrong, 0,
			    COUNT(of_server));
	tcase_add_loop_test(params, client_refuses_wrong_params_after_retry, 0,
			    COUNT(of_retrying_server));
	tcase_add_loop_test(params, params_that_come_twice_do_no_harm, 0, 2 * COUNT(twice));
	tcase_add_loop_test(params, params_of_any_size_do_no_harm, 0, 2 * 15 * 10);
	suite_add_tcase(made, params);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
