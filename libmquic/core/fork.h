/* SPDX-License-Identifier: MIT */
/*
 * Telling a child of fork() from the process it came from, at the price of a comparison.
 *
 * A child inherits copies of everything: keys and packet numbers, and descriptors behind which
 * the kernel keeps one socket and one epoll set for both. Whatever it did with them would be done
 * to its parent.
 */
#ifndef MQUIC_CORE_FORK_H
#define MQUIC_CORE_FORK_H

#include <stdbool.h>

/* Has this process count from now on; false without memory. Callable from any thread. */
bool fork_watch(void);

/*
 * How many times this process and its ancestors were forked off: what was made under another
 * number is the parent's. Async-signal-safe. A child made by vfork() or by clone(2) itself, which
 * may only exec, is not counted.
 */
unsigned int fork_count(void);

/* What a call on an object of the parent process says. */
#define FORK_SENTENCE                                                                              \
	"this was made before fork() and belongs to the parent process: make a new endpoint in "   \
	"the child"

#endif
