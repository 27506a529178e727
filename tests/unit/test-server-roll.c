/* SPDX-License-Identifier: MIT */
/* Who is there, in memory that outlives a server, and what its successor makes of that. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/orphans.h"
#include "server/roll.h"
#include "unit.h"

#define PLACES 300

/* A connection is its number here, and its note that number. */
#define CONNECTION(number) ((struct mquic_connection *)(uintptr_t)((number) + 1))

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
size_t __wrap_mquic_connection_reset_note(const struct mquic_connection *connection, uint8_t *note,
					  size_t size);
enum mquic_status __wrap_mquic_endpoint_send_reset(struct mquic_endpoint *endpoint,
						   const uint8_t *note, size_t len);

static uint8_t version;

size_t __wrap_mquic_connection_reset_note(const struct mquic_connection *connection, uint8_t *note,
					  size_t size)
{
	uint32_t number = (uint32_t)(uintptr_t)connection - 1;

	ck_assert_uint_eq(size, MQUIC_RESET_NOTE_MAX);
	memcpy(note, &number, sizeof(number));
	note[sizeof(number)] = version;
	return sizeof(number) + 1;
}

/* What was told whom. */
static unsigned int told[PLACES];
static unsigned int told_count;
static size_t told_len;
static uint8_t told_version;

enum mquic_status __wrap_mquic_endpoint_send_reset(struct mquic_endpoint *endpoint,
						   const uint8_t *note, size_t len)
{
	uint32_t number;

	(void)endpoint;
	ck_assert_uint_le(len, MQUIC_RESET_NOTE_MAX);
	memcpy(&number, note, sizeof(number));
	told_version = note[sizeof(number)];
	if (number < PLACES)
		told[number]++;
	told_count++;
	told_len = len;
	return MQUIC_OK;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static int fd;
static struct roll *roll;
static struct orphans orphans;
static struct mquic_endpoint *const endpoints[1];

static void setup(void)
{
	fd = roll_make(PLACES);
	ck_assert_int_ge(fd, 0);
	roll = roll_open(fd);
	ck_assert_ptr_nonnull(roll);
	memset(told, 0, sizeof(told));
	told_count = 0;
	version = 0;
}

static void teardown(void)
{
	orphans_free(&orphans);
	roll_close(roll);
	close(fd);
}

/* Until all are told; returns how many turns that takes. */
static unsigned int tell_all(void)
{
	unsigned int turns = 1;

	orphans_take(&orphans, dup(fd));
	while (orphans_tell(&orphans, endpoints, 1) > 0)
		turns++;
	return turns;
}

START_TEST(those_that_are_there_are_told_once)
{
	uint32_t places[PLACES];
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		places[i] = roll_enter(roll, CONNECTION(i));
	for (i = 0; i < PLACES; i += 3)
		roll_leave(roll, places[i]);
	/* 200 of them, no more than 64 at once. */
	ck_assert_uint_eq(tell_all(), 4);
	ck_assert_uint_eq(told_count, PLACES / 3 * 2);
	for (i = 0; i < PLACES; i++)
		ck_assert_uint_eq(told[i], i % 3 != 0);
	ck_assert_int_eq(orphans_tell(&orphans, endpoints, 1), -1);
}
END_TEST

START_TEST(places_are_given_anew_and_come_to_an_end)
{
	uint32_t places[PLACES];
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		places[i] = roll_enter(roll, CONNECTION(i));
	ck_assert_uint_eq(roll_enter(roll, CONNECTION(0)), ROLL_NONE);
	roll_renew(roll, ROLL_NONE, CONNECTION(0));
	roll_leave(roll, ROLL_NONE);
	ck_assert_uint_eq(roll_enter(roll, CONNECTION(0)), ROLL_NONE);
	roll_leave(roll, places[7]);
	ck_assert_uint_eq(roll_enter(roll, CONNECTION(0)), places[7]);
	ck_assert_uint_eq(roll_enter(NULL, CONNECTION(0)), ROLL_NONE);
}
END_TEST

START_TEST(note_is_the_latest)
{
	uint32_t place = roll_enter(roll, CONNECTION(5));

	version = 9;
	roll_renew(roll, place, CONNECTION(5));
	tell_all();
	ck_assert_uint_eq(told_count, 1);
	ck_assert_uint_eq(told[5], 1);
	ck_assert_uint_eq(told_version, 9);
}
END_TEST

START_TEST(those_of_two_that_died_are_told)
{
	roll_enter(roll, CONNECTION(1));
	orphans_take(&orphans, dup(fd));
	roll_enter(roll, CONNECTION(2));
	tell_all();
	ck_assert_uint_eq(told[1], 2);
	ck_assert_uint_eq(told[2], 1);
}
END_TEST

/* As whoever has taken a server over leaves it. */
START_TEST(garbage_is_bounded)
{
	struct roll_entry *entries =
		mmap(NULL, PLACES * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned int i;

	ck_assert_ptr_ne(entries, MAP_FAILED);
	memset(entries, 0xff, PLACES * sizeof(*entries));
	tell_all();
	ck_assert_uint_eq(told_count, 0);
	for (i = 0; i < PLACES; i++)
		entries[i].len = MQUIC_RESET_NOTE_MAX;
	tell_all();
	ck_assert_uint_eq(told_count, PLACES);
	ck_assert_uint_eq(told_len, MQUIC_RESET_NOTE_MAX);
	munmap(entries, PLACES * sizeof(*entries));
}
END_TEST

/* Or its successor would be ended by a signal. */
START_TEST(nobody_makes_it_smaller)
{
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, 1 << 20), -1);
}
END_TEST

START_TEST(what_is_no_roll_is_refused)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_ptr_null(roll_open(ends[0]));
	ck_assert_ptr_null(roll_open(-1));
	orphans_take(&orphans, ends[0]);
	ck_assert_int_eq(orphans_tell(&orphans, endpoints, 1), -1);
	close(ends[1]);
	ck_assert_uint_eq(told_count, 0);
}
END_TEST

static const TTest *const *const tests[] = {
	&those_that_are_there_are_told_once,
	&places_are_given_anew_and_come_to_an_end,
	&note_is_the_latest,
	&those_of_two_that_died_are_told,
	&garbage_is_bounded,
	&nobody_makes_it_smaller,
	&what_is_no_roll_is_refused,
};

int main(void)
{
	return unit_run("server-roll", setup, teardown, tests, COUNT(tests));
}
