/* SPDX-License-Identifier: MIT */
/* Deadlines of one endpoint: a binary heap of timers that live inside their owners. */
#ifndef MQUIC_CORE_TIMER_H
#define MQUIC_CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	uint64_t deadline_ns;
	size_t index; /* place in the heap, 1-based; 0: not set */
	void (*fire)(struct timer *timer, uint64_t now_ns);
};

struct timers {
	struct timer **heap;
	size_t count;
	size_t capacity;
	size_t reserved; /* timers that may be set at once */
	bool running;
	uint64_t run_ns; /* while running: what is set for then or before waits for the next run */
};

void timers_init(struct timers *timers);
void timers_fini(struct timers *timers);

/*
 * Makes room for one more timer, so that timer_set() cannot fail. Each owner of a timer calls it
 * once, and timers_release() at its end. False if out of memory.
 */
bool timers_reserve(struct timers *timers);
void timers_release(struct timers *timers);

/* Moves the timer; TIMER_NEVER unsets it. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t deadline_ns);

/* The earliest deadline, TIMER_NEVER if none. */
uint64_t timers_next(const struct timers *timers);

/*
 * Fires what is due at `now_ns`, each timer at most once, unset before its call: a timer that
 * sets itself into the past waits for the next run.
 */
void timers_run(struct timers *timers, uint64_t now_ns);

#endif
