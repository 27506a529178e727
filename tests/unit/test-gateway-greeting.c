/* SPDX-License-Identifier: MIT */
/* How plugin and worker find out whether they understand each other. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mquic.h>

#include "greeting.h"
#include "unit.h"

static int ends[2];
static struct greeting got;

static void setup(void)
{
	ck_assert(channel_open(ends));
	memset(&got, 0, sizeof(got));
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

static void put(const void *bytes, size_t len)
{
	ck_assert_int_eq(send(ends[1], bytes, len, 0), (ssize_t)len);
}

START_TEST(both_of_one_version_understand_each_other)
{
	ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_EMPTY);
	ck_assert(greeting_send(ends[1]));
	ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_RECEIVED);
	ck_assert(greeting_is_ours(&got));
	ck_assert_str_eq(got.program, MQUIC_VERSION_STRING);
	ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_EMPTY);
}
END_TEST

/* What every version sends and reads: these bytes, and no others. */
START_TEST(greeting_stays_as_it_is)
{
	static const uint8_t start[8] = {'m', 'q', 'u', 'i', 'c', '\r', '\n', 0};
	uint8_t bytes[100];
	uint32_t version;

	ck_assert(greeting_send(ends[1]));
	ck_assert_int_eq(recv(ends[0], bytes, sizeof(bytes), 0), 48);
	ck_assert_mem_eq(bytes, start, sizeof(start));
	memcpy(&version, bytes + 8, sizeof(version));
	ck_assert_uint_eq(version, GREETING_VERSION);
	ck_assert_str_eq((const char *)bytes + 12, MQUIC_VERSION_STRING);
}
END_TEST

START_TEST(another_version_is_told_apart)
{
	struct greeting other = {"mquic\r\n", GREETING_VERSION + 1, "9.9\n9"};

	put(&other, sizeof(other));
	ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_RECEIVED);
	ck_assert(!greeting_is_ours(&got));
	ck_assert_uint_eq(got.version, GREETING_VERSION + 1);
	ck_assert_str_eq(got.program, "9.9?9");
}
END_TEST

START_TEST(name_without_an_end_gets_one)
{
	struct greeting other = {"mquic\r\n", 1, ""};

	memset(other.program, 'x', sizeof(other.program));
	put(&other, sizeof(other));
	ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_RECEIVED);
	ck_assert_uint_eq(strlen(got.program), sizeof(got.program) - 1);
}
END_TEST

START_TEST(what_is_no_greeting_is_refused)
{
	struct greeting good = {"mquic\r\n", GREETING_VERSION, "1"};
	uint8_t longer[sizeof(good) + 1] = {0};
	size_t i;

	memcpy(longer, &good, sizeof(good));
	put(longer, sizeof(longer));
	ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_BROKEN);
	for (i = 1; i < sizeof(good); i++) {
		put(longer, i);
		ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_BROKEN);
	}
	for (i = 0; i < sizeof(good.mark); i++) {
		memcpy(longer, &good, sizeof(good));
		longer[i] ^= 1;
		put(longer, sizeof(good));
		ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_BROKEN);
	}
}
END_TEST

START_TEST(end_of_the_channel_is_noticed)
{
	close(ends[1]);
	ck_assert_int_eq(greeting_receive(ends[0], &got), CHANNEL_ENDED);
	ck_assert(!greeting_send(ends[0]));
	ends[1] = dup(ends[0]);
}
END_TEST

static const TTest *const *const tests[] = {
	&both_of_one_version_understand_each_other,
	&greeting_stays_as_it_is,
	&another_version_is_told_apart,
	&name_without_an_end_gets_one,
	&what_is_no_greeting_is_refused,
	&end_of_the_channel_is_noticed,
};

int main(void)
{
	return unit_run("gateway-greeting", setup, teardown, tests, COUNT(tests));
}
