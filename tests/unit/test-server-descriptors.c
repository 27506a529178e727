/* SPDX-License-Identifier: MIT */
/* How many clients there are descriptors for. */
#include <sys/resource.h>

#include "server/descriptors.h"
#include "unit.h"

START_TEST(descriptors_are_kept_back_for_the_broker)
{
	static const uint64_t limits[] = {16, 64, 128, 1024, 4096, 20000, 1048576, INT32_MAX};
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t used = 2 * (uint64_t)descriptors_clients(limits[i], 2);

		ck_assert_uint_ge(descriptors_clients(limits[i], 2), 1);
		ck_assert_uint_lt(used, limits[i]);
		ck_assert_int_ge(descriptors_highest_fd(limits[i]),
				 (int)(used < 2000000 ? used : 2000000));
	}
	ck_assert_uint_ge(descriptors_clients(20000, 2), 8900);
	ck_assert_uint_ge(descriptors_clients(20000, 1), 17800);
}
END_TEST

START_TEST(the_soft_limit_is_raised)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max < 256 ? limit.rlim_max : 256;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	descriptors_raise_files();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(limit.rlim_cur, limit.rlim_max);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&descriptors_are_kept_back_for_the_broker,
		&the_soft_limit_is_raised,
	};

	return unit_run("server-descriptors", NULL, NULL, tests, COUNT(tests));
}
