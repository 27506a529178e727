/* SPDX-License-Identifier: MIT */
/* The topics that mquic-sub --remove-retained keeps until it may clear them. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sub/retained.h"

static struct retained retained;

static void open_one(void)
{
	ck_assert(retained_init(&retained));
}

static void close_one(void)
{
	retained_free(&retained);
}

static size_t add_until_full(const char *topic)
{
	enum mquic_status status = MQUIC_OK;
	size_t count = 0;

	/* Each assertion costs a write to a pipe. */
	while (count < 1000000 && (status = retained_add(&retained, topic)) == MQUIC_OK)
		count++;
	ck_assert_int_eq(status, MQUIC_ERR_LIMIT);
	return count;
}

START_TEST(topics_that_wait_are_bounded)
{
	size_t count;
	char *longest = malloc(65536);

	ck_assert_ptr_nonnull(longest);
	memset(longest, 'x', 65535);
	longest[65535] = '\0';
	count = add_until_full(longest);
	ck_assert_uint_ge(count, 200);
	ck_assert_uint_le(count, 256);
	free(longest);
	/* What is there already stays. */
	count += add_until_full("x");
	ck_assert_uint_eq(retained.count, count);
}
END_TEST

START_TEST(short_topics_are_bounded_with_all_they_take)
{
	size_t count = add_until_full("x");

	ck_assert_uint_ge(count, 100000);
	ck_assert_uint_le(count, 500000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tools-retained");
	TCase *group = tcase_create("tools-retained");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(group, open_one, close_one);
	tcase_add_test(group, topics_that_wait_are_bounded);
	tcase_add_test(group, short_topics_are_bounded_with_all_they_take);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
