/* SPDX-License-Identifier: MIT */
/* Packets that cost far more to read than to send (RFC 9000 section 21.9). */
#include <string.h>

#include "quic/attempt.h"
#include "quic/body.h"

#include "expect.h"

/* Bytes of frames in a packet. */
#define FULL  1150
#define FLOOD 2000
/* Of each packet, and beyond these in a burst: burden.c. */
#define FREE  20
#define BURST 4096

static struct scene scene;

static void blocked(struct octets *to)
{
	FRAME(to, FRAME_DATA_BLOCKED, 0);
}

static void stream_blocked(struct octets *to)
{
	FRAME(to, FRAME_STREAM_DATA_BLOCKED, 0, 0);
}

static void ping(struct octets *to)
{
	FRAME(to, FRAME_PING);
}

static void same_byte(struct octets *to)
{
	frame_stream(to, 0, 0, "x", 1, false);
}

static void credit(struct octets *to)
{
	FRAME(to, FRAME_MAX_STREAM_DATA, 0, 1 << 20);
}

static void challenge(struct octets *to)
{
	frame_path(to, FRAME_PATH_CHALLENGE, (const uint8_t *)"12345678");
}

static void (*const small[])(struct octets *to) = {
	blocked, stream_blocked, ping, same_byte, credit, challenge,
};

#define KINDS ((int)(sizeof(small) / sizeof(small[0])))

static const struct quic_burden *burden(void)
{
	ck_assert_ptr_nonnull(scene.connection);
	return &scene.connection->attempt->burden;
}

static void connect_with_stream(void)
{
	struct octets first = {.len = 0};

	scene_open(&scene, true, 1);
	scene_connect(&scene);
	same_byte(&first);
	hostile_say(scene.peer, &first);
	sim_run(scene.sim, SIM_SECOND);
}

/* `count` packets arrive at once. */
static void flood(const struct octets *frames, unsigned int count)
{
	while (count-- > 0)
		hostile_say(scene.peer, frames);
	sim_run(scene.sim, 20 * SIM_MS);
}

/* It is heard as before: what it sends is sent back. */
static void expect_to_be_served(void)
{
	struct octets more = {.len = 0};
	uint64_t before = scene.peer->stream_bytes;

	frame_stream(&more, 0, 1, "yz", 2, false);
	hostile_say(scene.peer, &more);
	sim_run(scene.sim, SIM_SECOND);
	ck_assert(!scene.peer->closed);
	ck_assert_uint_ge(scene.peer->stream_bytes, before + 2);
}

START_TEST(small_frames_are_read_as_far_as_they_may_be_of_use)
{
	struct octets frames = {.len = 0};
	unsigned int count;

	for (count = 0; frames.len < FULL; count++)
		small[_i](&frames);
	connect_with_stream();
	flood(&frames, FLOOD);
	ck_assert_uint_ge(burden()->dropped, FLOOD - BURST / (count - FREE) - 1);
	ck_assert_uint_le(burden()->dropped, FLOOD - BURST / (count - FREE));
	sim_run(scene.sim, SIM_SECOND);
	expect_to_be_served();
	finish(&scene);
}
END_TEST

/* Several streams at work need that many, however fast they are. */
START_TEST(some_frames_a_packet_are_free)
{
	struct octets frames = {.len = 0};
	unsigned int count;

	for (count = 0; count < FREE; count++)
		small[_i](&frames);
	connect_with_stream();
	for (count = 0; count < 10; count++)
		flood(&frames, FLOOD);
	ck_assert_uint_eq(burden()->dropped, 0);
	expect_to_be_served();
	finish(&scene);
}
END_TEST

/* One after the other they are no burden: time has paid. */
START_TEST(small_frames_at_leisure_are_read)
{
	struct octets frames = {.len = 0};
	unsigned int i;

	while (frames.len < FULL)
		small[_i](&frames);
	connect_with_stream();
	for (i = 0; i < 20; i++)
		flood(&frames, 1);
	ck_assert_uint_eq(burden()->dropped, 0);
	expect_to_be_served();
	finish(&scene);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-burden");
	TCase *frames = tcase_create("frames");

	tcase_add_loop_test(frames, small_frames_are_read_as_far_as_they_may_be_of_use, 0, KINDS);
	tcase_add_loop_test(frames, some_frames_a_packet_are_free, 0, KINDS);
	tcase_add_loop_test(frames, small_frames_at_leisure_are_read, 0, KINDS);
	tcase_set_timeout(frames, 60);
	suite_add_tcase(made, frames);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
