/* SPDX-License-Identifier: MIT */
/* Packets, followed however they are cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/packets.h"
#include "unit.h"

static struct packets packets;

static void setup(void)
{
	packets_init(&packets);
}

static void follow(const void *data, size_t len)
{
	packets_follow(&packets, data, len);
}

#define FOLLOW(text) follow(text, sizeof(text) - 1)

static void expect(int connack, int disconnect)
{
	ck_assert_int_eq(packets.connack, connack);
	ck_assert_int_eq(packets.disconnect, disconnect);
}

START_TEST(nothing_is_known_at_first)
{
	expect(PACKETS_NONE, PACKETS_NONE);
	FOLLOW("\x20\x02\x00");
	expect(PACKETS_NONE, PACKETS_NONE);
	FOLLOW("\x05");
	expect(5, PACKETS_NONE);
}
END_TEST

START_TEST(disconnect_needs_no_code)
{
	FOLLOW("\xe0");
	expect(PACKETS_NONE, PACKETS_NONE);
	FOLLOW("\x00");
	expect(PACKETS_NONE, 0);
}
END_TEST

START_TEST(disconnect_may_have_properties)
{
	FOLLOW("\xe0\x05\x8e\x03\x1f\x00\x00\xd0\x00");
	expect(PACKETS_NONE, 0x8e);
	ck_assert_int_eq(packets.state, PACKETS_FIRST);
}
END_TEST

START_TEST(what_is_inside_of_others_is_passed_over)
{
	FOLLOW("\x30\x08\x00\x01x\x20\x02\x00\x05\xe0\xc0\x00");
	expect(PACKETS_NONE, PACKETS_NONE);
	FOLLOW("\x20\x02\x01\x00");
	expect(0, PACKETS_NONE);
}
END_TEST

START_TEST(lengths_may_have_four_digits)
{
	static uint8_t body[70000];
	size_t cut;

	for (cut = 1; cut < sizeof(body); cut += 9973) {
		packets_init(&packets);
		memset(body, 0xe0, sizeof(body));
		FOLLOW("\x30\xf0\xa2\x84\x00");
		follow(body, cut);
		ck_assert_int_eq(packets.state, PACKETS_BODY);
		follow(body + cut, sizeof(body) - cut);
		expect(PACKETS_NONE, PACKETS_NONE);
		FOLLOW("\xe0\x00");
		expect(PACKETS_NONE, 0);
	}
}
END_TEST

START_TEST(what_is_no_mqtt_is_not_followed)
{
	FOLLOW("\x30\xff\xff\xff\xff\x00\xe0\x00");
	expect(PACKETS_NONE, PACKETS_NONE);
	ck_assert_int_eq(packets.state, PACKETS_LOST);
	FOLLOW("\xe0\x00");
	expect(PACKETS_NONE, PACKETS_NONE);
}
END_TEST

START_TEST(every_cut_finds_the_same)
{
	static const char flow[] = "\x10\x80\x01" /* and 128 bytes */;
	uint8_t bytes[3 + 128 + 4 + 3];
	size_t cut;

	memset(bytes, 0xe0, sizeof(bytes));
	memcpy(bytes, flow, 3);
	memcpy(bytes + 131, "\x20\x02\x00\x04\xe0\x01\x81", 7);
	for (cut = 0; cut <= sizeof(bytes); cut++) {
		packets_init(&packets);
		follow(bytes, cut);
		follow(bytes + cut, sizeof(bytes) - cut);
		expect(4, 0x81);
	}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&nothing_is_known_at_first,      &disconnect_needs_no_code,
		&disconnect_may_have_properties, &what_is_inside_of_others_is_passed_over,
		&lengths_may_have_four_digits,   &what_is_no_mqtt_is_not_followed,
		&every_cut_finds_the_same,
	};

	return unit_run("server-packets", setup, NULL, tests, COUNT(tests));
}
