/* SPDX-License-Identifier: MIT */
/* How long a worker rests before it is started again, on a clock of the test's. */
#include "broker.h"
#include "process.h"
#include "unit.h"

#define SECOND UINT64_C(1000)

static uint64_t now_ms;
static struct process process;

uint64_t __wrap_clock_ms(void);

uint64_t __wrap_clock_ms(void)
{
	return now_ms;
}

void mosquitto_log_printf(int level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static void setup(void)
{
	now_ms = 1000 * SECOND;
	process_init(&process, 1);
}

/* One life; the pause behind it, without the chance that is in it. */
static uint64_t live(uint64_t lived_ms)
{
	process.started_ms = now_ms;
	now_ms += lived_ms;
	process_rest(&process);
	ck_assert_uint_ge(process.again_ms, now_ms + process.pause_ms * 3 / 4);
	ck_assert_uint_le(process.again_ms, now_ms + process.pause_ms * 5 / 4);
	now_ms = process.again_ms;
	return process.pause_ms;
}

START_TEST(pause_grows_with_short_lives_up_to_a_minute)
{
	uint64_t expected = 100;
	int i;

	for (i = 0; i < 20; i++) {
		ck_assert_uint_eq(live(1999), expected);
		expected = expected * 2 < 60 * SECOND ? expected * 2 : 60 * SECOND;
	}
	ck_assert_uint_eq(expected, 60 * SECOND);
}
END_TEST

START_TEST(longer_life_halves_the_pause)
{
	uint64_t pause_ms = 0;
	int i;

	for (i = 0; i < 8; i++)
		pause_ms = live(0);
	ck_assert_uint_eq(pause_ms, 12800);
	ck_assert_uint_eq(live(2 * SECOND), 6400);
	ck_assert_uint_eq(live(59 * SECOND), 3200);
	ck_assert_uint_eq(live(0), 6400);
	for (i = 0; i < 10; i++)
		pause_ms = live(3 * SECOND);
	ck_assert_uint_eq(pause_ms, 100);
}
END_TEST

START_TEST(good_life_is_a_new_beginning)
{
	int i;

	for (i = 0; i < 20; i++)
		live(0);
	ck_assert_uint_eq(live(60 * SECOND), 100);
}
END_TEST

static const TTest *const *const tests[] = {
	&pause_grows_with_short_lives_up_to_a_minute,
	&longer_life_halves_the_pause,
	&good_life_is_a_new_beginning,
};

int main(void)
{
	return unit_run("plugin-process", setup, NULL, tests, COUNT(tests));
}
