/* SPDX-License-Identifier: MIT */
/* The frame of a unit test that needs no fixture: a table of tests, run under `check`. */
#ifndef MQUIC_TESTS_UNIT_H
#define MQUIC_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Runs the tests, each given by the address of its name, with the fixture (both may be NULL), and
 * returns the exit code of main().
 */
static inline int unit_run(const char *name, SFun setup, SFun teardown,
			   const TTest *const *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *group = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;
	size_t i;

	if (setup != NULL)
		tcase_add_checked_fixture(group, setup, teardown);
	for (i = 0; i < count; i++)
		tcase_add_test(group, *tests[i]);
	/* meson has the last word on time, and knows of valgrind. */
	tcase_set_timeout(group, 0);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
