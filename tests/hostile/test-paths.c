/* SPDX-License-Identifier: MIT */
/* Peers that change addresses and connection identifiers as no honest one does. */
#include <string.h>

#include "expect.h"

static struct scene scene;

static void say_new_cid(uint64_t number, uint64_t retire_prior_to)
{
	struct octets frame = {.len = 0};
	uint8_t cid[8] = "name ..";

	cid[5] = (uint8_t)(number >> 8);
	cid[6] = (uint8_t)number;
	frame_new_cid(&frame, number, retire_prior_to, cid, sizeof(cid));
	hostile_say(scene.peer, &frame);
	sim_run(scene.sim, 20 * SIM_MS);
}

static void say_ping(void)
{
	struct octets frame = {.len = 0};

	octets_varint(&frame, FRAME_PING);
	hostile_say(scene.peer, &frame);
	sim_run(scene.sim, 20 * SIM_MS);
}

/* Another address, and another of the endpoint's identifiers: what it uses has to change, too. */
static void move(void)
{
	sim_rebind(scene.peer->probe);
	hostile_use_new_cid(scene.peer);
	say_ping();
}

/*
 * RFC 9000 section 5.1.2: what a peer wants retired has to be kept until it acknowledges that. So
 * many of them end the connection; a move must not be the one too many.
 */
START_TEST(retirements_that_are_never_acknowledged_end_the_connection)
{
	uint64_t last = 8 + (uint64_t)_i;
	uint64_t number;

	scene_open(&scene, true, 1);
	scene_connect(&scene);
	scene.peer->no_acks = true;
	for (number = 1; number <= last; number++)
		say_new_cid(number, number);
	say_new_cid(last + 1, 0);
	say_new_cid(last + 2, 0);
	say_new_cid(last + 3, 0);
	move();
	move();
	move();
	sim_run(scene.sim, SIM_SECOND);
	ck_assert_int_eq(scene.peer->closed, last + 3 > 15);
	finish(&scene);
}
END_TEST

/* Fifteen more than the first are enough for any honest client. */
START_TEST(a_server_takes_so_many_identifiers_and_no_more)
{
	uint64_t number;

	scene_open(&scene, true, 1);
	scene_connect(&scene);
	for (number = 1; number < 16; number++)
		say_new_cid(number, number);
	ck_assert(!scene.peer->closed);
	say_new_cid(16, 16);
	expect_close(&scene, CONNECTION_ID_LIMIT_ERROR);
	kit_says(scene.end.text, "connection id limit error");
	finish(&scene);
}
END_TEST

/* ngtcp2 goes on behind a close, up to the end of the packet: all of it is looked at. */
START_TEST(a_close_hides_no_identifiers)
{
	static const enum frame_type types[] = {FRAME_CLOSE, FRAME_CLOSE_APPLICATION};
	static const uint8_t cid[8] = "name 16";
	struct octets frame = {.len = 0};

	scene_open(&scene, true, 1);
	scene_connect(&scene);
	frame_close(&frame, types[_i], 0);
	frame_new_cid(&frame, 16, 16, cid, sizeof(cid));
	hostile_say(scene.peer, &frame);
	expect_close(&scene, CONNECTION_ID_LIMIT_ERROR);
	finish(&scene);
}
END_TEST

/* Addresses that are only probed, without an identifier for them, then with one. */
START_TEST(probes_from_many_addresses_do_no_harm)
{
	struct octets frame = {.len = 0};
	int i;

	frame_path(&frame, FRAME_PATH_CHALLENGE, (const uint8_t *)"12345678");
	scene_open(&scene, true, 1);
	scene.peer->own_len = _i == 0 ? 0 : 8;
	scene_connect(&scene);
	for (i = 0; i < 40; i++) {
		sim_rebind(scene.peer->probe);
		if (_i == 2 && i < 15)
			say_new_cid(1 + (uint64_t)i, i < 3 ? 0 : (uint64_t)i - 2);
		hostile_say(scene.peer, &frame);
		sim_run(scene.sim, (uint64_t)(i % 5) * 100 * SIM_MS);
	}
	sim_run(scene.sim, 5 * SIM_SECOND);
	ck_assert(!scene.peer->closed);
	finish(&scene);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-paths");
	TCase *identifiers = tcase_create("identifiers");

	tcase_add_loop_test(identifiers, retirements_that_are_never_acknowledged_end_the_connection,
			    0, 12);
	tcase_add_test(identifiers, a_server_takes_so_many_identifiers_and_no_more);
	tcase_add_loop_test(identifiers, a_close_hides_no_identifiers, 0, 2);
	tcase_add_loop_test(identifiers, probes_from_many_addresses_do_no_harm, 0, 3);
	suite_add_tcase(made, identifiers);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
