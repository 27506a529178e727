/* SPDX-License-Identifier: MIT */
/*
 * Preloaded, it puts the monotonic clock a day and an hour ahead for as long as the file that
 * MQUIC_TEST_LATER names is there. The kernel's own timers know nothing of it.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define AHEAD_S (25 * 3600)

int clock_gettime(clockid_t clock, struct timespec *now)
{
	const char *mark = getenv("MQUIC_TEST_LATER");
	int rv = (int)syscall(SYS_clock_gettime, clock, now);

	if (rv == 0 && clock == CLOCK_MONOTONIC && mark != NULL && access(mark, F_OK) == 0)
		now->tv_sec += AHEAD_S;
	return rv;
}
