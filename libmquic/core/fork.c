/* SPDX-License-Identifier: MIT */
#include "core/fork.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int failure;
/* Written in a child before fork() returns there, while it has but one thread. */
static unsigned int count;

static void in_child(void)
{
	count++;
}

static void watch(void)
{
	failure = pthread_atfork(NULL, NULL, in_child);
}

bool fork_watch(void)
{
	(void)pthread_once(&once, watch);
	return failure == 0;
}

unsigned int fork_count(void)
{
	return count;
}
