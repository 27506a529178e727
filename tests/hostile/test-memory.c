/* SPDX-License-Identifier: MIT */
/* Peers that want to fill the memory (RFC 9000 section 21.6). */
#include <string.h>

#include "expect.h"

static struct scene scene;

/* What a connection may cost, whatever the peer does. */
#define MEMORY_MAX ((uint64_t)8 << 20)

static uint64_t memory(void)
{
	return scene.connection == NULL
		       ? 0
		       : mquic_connection_statistic(scene.connection, MQUIC_STATISTIC_MEMORY);
}

/*
 * Every other byte of streams, each in a frame of its own, as far as there is credit. ngtcp2 ends
 * the connection over it, with an internal error.
 */
START_TEST(streams_in_crumbs_cost_no_more_than_whole_ones)
{
	struct octets frames = {.len = 0};
	uint64_t most = 0;
	uint64_t offset;
	uint64_t id;

	scene_open(&scene, true, 1);
	scene_connect(&scene);
	for (offset = 1; offset < 1 << 16 && !scene.peer->closed; offset += 2) {
		for (id = 0; id < 10; id++)
			frame_stream(&frames, 4 * id, offset, "x", 1, false);
		if (frames.len < 1100)
			continue;
		hostile_say(scene.peer, &frames);
		frames.len = 0;
		sim_run(scene.sim, SIM_MS);
		if (memory() > most)
			most = memory();
	}
	ck_assert_msg(most < MEMORY_MAX, "%llu bytes for %llu", (unsigned long long)most,
		      (unsigned long long)offset);
	ck_assert(scene.peer->closed);
	finish(&scene);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-memory");
	TCase *crumbs = tcase_create("crumbs");

	tcase_add_test(crumbs, streams_in_crumbs_cost_no_more_than_whole_ones);
	tcase_set_timeout(crumbs, 60);
	suite_add_tcase(made, crumbs);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
