/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "core/quota.h"

#define SECOND 1000000000ULL

static struct quota quota;

static void set_up(void)
{
	quota = (struct quota){.taken = 0};
}

START_TEST(no_more_than_so_many_in_a_second)
{
	ck_assert(quota_take(&quota, 7 * SECOND, 2));
	ck_assert(quota_take(&quota, 7 * SECOND + 1, 2));
	ck_assert(!quota_take(&quota, 7 * SECOND + 2, 2));
	ck_assert(!quota_take(&quota, 8 * SECOND - 1, 2));
}
END_TEST

START_TEST(the_next_second_has_as_many_again)
{
	ck_assert(quota_take(&quota, 8 * SECOND - 1, 1));
	ck_assert(quota_take(&quota, 8 * SECOND, 1));
	ck_assert(!quota_take(&quota, 8 * SECOND, 1));
	ck_assert(quota_take(&quota, 900 * SECOND, 1));
}
END_TEST

START_TEST(those_refused_do_not_count)
{
	int i;

	ck_assert(quota_take(&quota, SECOND, 1));
	for (i = 0; i < 5; i++)
		ck_assert(!quota_take(&quota, SECOND, 1));
	ck_assert_uint_eq(quota.taken, 1);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&no_more_than_so_many_in_a_second,
		&the_next_second_has_as_many_again,
		&those_refused_do_not_count,
	};

	return unit_run("quota", set_up, NULL, tests, COUNT(tests));
}
