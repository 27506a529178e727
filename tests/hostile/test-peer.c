/* SPDX-License-Identifier: MIT */
/* The hostile peer told to lie about nothing: what it tests must hold for the honest. */
#include <check.h>
#include <string.h>

#include "../unit/tls-kit.h"
#include "scene.h"

static struct scene scene;

static void expect_talk(void)
{
	scene_connect(&scene);
	ck_assert(!scene.peer->closed);
	ck_assert_int_eq(scene.peer->tls_error, 0);
	scene_speak(&scene, 1000);
	sim_run(scene.sim, SIM_SECOND);
	ck_assert_uint_ge(scene.peer->stream_bytes, 1000);
	ck_assert_uint_eq(scene.end.told, 0);
}

START_TEST(client_is_let_in_and_hears_what_is_said)
{
	scene_open(&scene, true, 1);
	expect_talk();
	ck_assert_uint_eq(scene.peer->handshake_dones, 1);
	(void)scene_close(&scene);
}
END_TEST

START_TEST(client_comes_back_from_retry)
{
	scene_open(&scene, true, 1);
	mquic_settings_set_retry(scene.settings, MQUIC_RETRY_ALWAYS);
	expect_talk();
	ck_assert_uint_eq(scene.peer->retries, 1);
	(void)scene_close(&scene);
}
END_TEST

START_TEST(client_answers_a_hello_retry_request)
{
	scene_open(&scene, true, 1);
	scene.peer->hello_retry = true;
	expect_talk();
	(void)scene_close(&scene);
}
END_TEST

START_TEST(server_is_reached_and_hears_what_is_said)
{
	scene_open(&scene, false, 1);
	expect_talk();
	(void)scene_close(&scene);
}
END_TEST

START_TEST(server_can_demand_retry_and_another_hello)
{
	scene_open(&scene, false, 1);
	scene.peer->demand_retry = true;
	scene.peer->hello_retry = true;
	expect_talk();
	(void)scene_close(&scene);
}
END_TEST

START_TEST(keys_are_updated_by_the_peer)
{
	struct octets ping = {.len = 0};
	bool server = _i == 0;

	scene_open(&scene, server, 1);
	scene_connect(&scene);
	octets_varint(&ping, FRAME_PING);
	hostile_update_keys(scene.peer);
	hostile_say(scene.peer, &ping);
	sim_run(scene.sim, SIM_SECOND);
	ck_assert(!scene.peer->closed);
	ck_assert(scene.peer->phase_received);
	scene_speak(&scene, 500);
	sim_run(scene.sim, SIM_SECOND);
	ck_assert_uint_ge(scene.peer->stream_bytes, 500);
	(void)scene_close(&scene);
}
END_TEST

/* From none to the longest; without one, a peer is known by its address alone. */
START_TEST(identifiers_of_any_length_will_do)
{
	scene_open(&scene, _i % 2 == 0, 1);
	scene.peer->own_len = (size_t)_i / 2;
	expect_talk();
	(void)scene_close(&scene);
}
END_TEST

START_TEST(silence_ends_the_connection_and_leaves_nothing)
{
	scene_open(&scene, _i == 0, 1);
	scene_connect(&scene);
	ck_assert(scene_close(&scene));
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-peer");
	TCase *honest = tcase_create("honest");

	tcase_add_test(honest, client_is_let_in_and_hears_what_is_said);
	tcase_add_test(honest, client_comes_back_from_retry);
	tcase_add_test(honest, client_answers_a_hello_retry_request);
	tcase_add_test(honest, server_is_reached_and_hears_what_is_said);
	tcase_add_test(honest, server_can_demand_retry_and_another_hello);
	tcase_add_loop_test(honest, keys_are_updated_by_the_peer, 0, 2);
	tcase_add_loop_test(honest, identifiers_of_any_length_will_do, 0, 42);
	tcase_add_loop_test(honest, silence_ends_the_connection_and_leaves_nothing, 0, 2);
	suite_add_tcase(made, honest);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
