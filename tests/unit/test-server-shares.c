/* SPDX-License-Identifier: MIT */
/* The limits of one of several workers. */
#include "server/shares.h"
#include "unit.h"

static struct shares limits;

static void set_up(void)
{
	limits = (struct shares){
		.connections = 10000,
		.connections_per_address = 100,
		.handshakes = 1000,
		.memory = UINT64_MAX,
	};
}

START_TEST(one_worker_has_all)
{
	shares_divide(&limits, 1);
	ck_assert_uint_eq(limits.connections, 10000);
	ck_assert_uint_eq(limits.connections_per_address, 100);
	ck_assert_uint_eq(limits.handshakes, 1000);
	ck_assert_uint_eq(limits.memory, UINT64_MAX);
}
END_TEST

START_TEST(all_together_have_no_less_than_one)
{
	shares_divide(&limits, 3);
	ck_assert_uint_eq(limits.connections, 3334);
	ck_assert_uint_eq(limits.handshakes, 334);
	ck_assert_uint_eq(limits.memory, UINT64_MAX / 3);
	set_up();
	shares_divide(&limits, 2);
	ck_assert_uint_eq(limits.connections, 5000);
	ck_assert_uint_eq(limits.memory, UINT64_MAX / 2 + 1);
}
END_TEST

START_TEST(each_has_one_of_what_is_scarce)
{
	limits = (struct shares){.connections = 1, .handshakes = 2};
	shares_divide(&limits, 256);
	ck_assert_uint_eq(limits.connections, 1);
	ck_assert_uint_eq(limits.handshakes, 1);
	ck_assert_uint_eq(limits.memory, 1);
}
END_TEST

/* Three of four clients of one address may well be at one of two workers. */
START_TEST(clients_of_one_address_are_not_divided)
{
	limits.connections_per_address = 4;
	shares_divide(&limits, 2);
	ck_assert_uint_eq(limits.connections_per_address, 4);
	limits.connections_per_address = 0;
	shares_divide(&limits, 2);
	ck_assert_uint_eq(limits.connections_per_address, 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&one_worker_has_all,
		&all_together_have_no_less_than_one,
		&each_has_one_of_what_is_scarce,
		&clients_of_one_address_are_not_divided,
	};

	return unit_run("server-shares", set_up, NULL, tests, COUNT(tests));
}
