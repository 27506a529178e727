/* SPDX-License-Identifier: MIT */
/* What the server says: how often, at which level, and what no client can make of it. */
#include <stdio.h>
#include <string.h>

#include "server/clock.h"
#include "server/speaker.h"
#include "unit.h"

static struct {
	unsigned int count;
	enum mquic_log_level level;
	char last[2000];
} heard;

static void say(void *keeper, enum mquic_log_level level, const char *line)
{
	ck_assert_ptr_eq(keeper, &heard);
	heard.count++;
	heard.level = level;
	snprintf(heard.last, sizeof(heard.last), "%s", line);
}

static struct door door = {.keeper = &heard, .say = say};
static struct speaker speaker;

static void setup(void)
{
	memset(&heard, 0, sizeof(heard));
	door.level = MQUIC_LOG_INFO;
	speaker_init(&speaker, &door);
}

/* ---- The limiter --------------------------------------------------------------------- */

static unsigned int spend(struct limiter *limiter, uint64_t now_ms)
{
	unsigned int count = 0;

	while (limiter_spend(limiter, now_ms))
		count++;
	return count;
}

START_TEST(so_many_at_once_and_so_many_per_second)
{
	struct limiter limiter = {.at_once = 50, .per_s = 5};

	ck_assert_uint_eq(spend(&limiter, 1000000), 50);
	ck_assert_uint_eq(spend(&limiter, 1000199), 0);
	ck_assert_uint_eq(spend(&limiter, 1000200), 1);
	ck_assert_uint_eq(spend(&limiter, 1002200), 10);
	ck_assert_uint_eq(spend(&limiter, 9000000), 50);
}
END_TEST

/* ---- Lines -------------------------------------------------------------------------------- */

START_TEST(only_wanted_levels_are_said)
{
	speaker_say(&speaker, MQUIC_LOG_DEBUG, "a detail");
	speaker_say_about_client(&speaker, MQUIC_LOG_DEBUG, "a detail");
	speaker_repeat(&speaker, NULL, MQUIC_LOG_DEBUG, "a detail");
	ck_assert_uint_eq(heard.count, 0);
	speaker_say(&speaker, MQUIC_LOG_INFO, "%d and %s", 1, "two");
	ck_assert_uint_eq(heard.count, 1);
	ck_assert_int_eq(heard.level, MQUIC_LOG_INFO);
	ck_assert_str_eq(heard.last, "1 and two");
}
END_TEST

START_TEST(what_could_forge_a_line_is_not_said)
{
	speaker_say(&speaker, MQUIC_LOG_INFO, "%s", "one\nmquic: two\x1b[m");
	ck_assert_ptr_null(strpbrk(heard.last, "\n\x1b"));
}
END_TEST

START_TEST(a_long_line_is_cut)
{
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	speaker_say(&speaker, MQUIC_LOG_INFO, "%s", text);
	ck_assert_uint_eq(heard.count, 1);
	ck_assert_uint_lt(strlen(heard.last), 1024);
}
END_TEST

START_TEST(a_flood_of_clients_is_no_flood_of_lines)
{
	uint64_t start_ms = clock_ms();
	unsigned int i;

	for (i = 0; i < 10000; i++)
		speaker_say_about_client(&speaker, MQUIC_LOG_WARNING, "one more");
	ck_assert_uint_le(heard.count, 50 + (clock_ms() - start_ms) / 200 + 1);
	ck_assert_uint_ge(heard.count, 50);
	ck_assert_str_eq(heard.last, "one more");
	speaker_say(&speaker, MQUIC_LOG_WARNING, "about us");
	ck_assert_str_eq(heard.last, "about us");
}
END_TEST

START_TEST(what_was_not_said_is_told_once_a_second)
{
	unsigned int i;

	ck_assert(speaker_catch_up(&speaker, 5000));
	ck_assert_uint_eq(heard.count, 0);
	for (i = 0; i < 10000; i++)
		speaker_say_about_client(&speaker, MQUIC_LOG_WARNING, "one more");
	ck_assert_uint_gt(speaker.unsaid, 0);
	ck_assert(speaker_catch_up(&speaker, 5000));
	ck_assert(strstr(heard.last, " log lines were dropped") != NULL);
	ck_assert_uint_eq(speaker.unsaid, 0);
	speaker.unsaid = 7;
	ck_assert(!speaker_catch_up(&speaker, 5999));
	ck_assert(speaker_catch_up(&speaker, 6000));
	ck_assert_str_eq(heard.last, "7 log lines were dropped");
}
END_TEST

START_TEST(lines_of_the_library_are_told_apart)
{
	speaker_repeat(&speaker, NULL, MQUIC_LOG_WARNING, "the listener is in trouble");
	ck_assert_str_eq(heard.last, "the listener is in trouble");
	speaker_repeat(&speaker, NULL, MQUIC_LOG_INFO, "192.0.2.1:1: handshake failed");
	ck_assert_str_eq(heard.last, "QUIC client 192.0.2.1:1: handshake failed");
	door.level = MQUIC_LOG_DEBUG;
	speaker_repeat(&speaker, NULL, MQUIC_LOG_DEBUG, "relay 1: OPEN → CLOSED");
	ck_assert_str_eq(heard.last, "relay 1: OPEN → CLOSED");
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&so_many_at_once_and_so_many_per_second,  &only_wanted_levels_are_said,
		&what_could_forge_a_line_is_not_said,     &a_long_line_is_cut,
		&a_flood_of_clients_is_no_flood_of_lines, &what_was_not_said_is_told_once_a_second,
		&lines_of_the_library_are_told_apart,
	};

	return unit_run("server-speaker", setup, NULL, tests, COUNT(tests));
}
