/* SPDX-License-Identifier: MIT */
/*
 * One descriptor for everything: an epoll set that holds sockets, a timerfd for the next
 * deadline, an eventfd for wake-ups from elsewhere and one by which pending work makes the
 * descriptor readable at once.
 *
 * A child of fork() shares all of them with its parent, so there every call below but
 * loop_fini() does nothing.
 */
#ifndef MQUIC_CORE_LOOP_H
#define MQUIC_CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_NEVER UINT64_MAX

/* Embedded in whatever owns a descriptor in the loop. */
struct loop_source {
	void (*ready)(struct loop_source *source);
};

struct loop {
	int epoll_fd;
	int timer_fd;
	int event_fd;
	int pending_fd;
	unsigned int forks; /* fork_count() of the process it belongs to */
	bool pending;       /* loop_arm() was told 0 */
	uint64_t armed_ns;  /* deadline set in the timerfd; LOOP_NEVER: none */
};

/* 0, or an errno value. */
int loop_init(struct loop *loop);
void loop_fini(struct loop *loop);

/* Whether this is a child of the process that it belongs to. */
bool loop_is_forked(const struct loop *loop);

/* Calls `source` whenever `fd` is readable. 0, or an errno value. */
int loop_add(struct loop *loop, int fd, struct loop_source *source);
void loop_remove(struct loop *loop, int fd);

/*
 * Sets the next deadline on CLOCK_MONOTONIC, in ns; a later one may be kept lazily. 0 is now: the
 * descriptor stays readable until the next call.
 */
void loop_arm(struct loop *loop, uint64_t deadline_ns);

/* Async-signal-safe and callable from any thread. */
void loop_wakeup(struct loop *loop);

/* Calls the sources that are ready, without waiting. 0, or an errno value. */
int loop_dispatch(struct loop *loop);

#endif
