/* SPDX-License-Identifier: MIT */
#include "core/timer.h"

#include <stdlib.h>

void timers_init(struct timers *timers)
{
	*timers = (struct timers){0};
}

void timers_fini(struct timers *timers)
{
	free(timers->heap);
	timers_init(timers);
}

bool timers_reserve(struct timers *timers)
{
	size_t capacity = timers->capacity == 0 ? 16 : timers->capacity * 2;
	struct timer **heap;

	if (timers->reserved < timers->capacity) {
		timers->reserved++;
		return true;
	}
	heap = realloc(timers->heap, capacity * sizeof(*heap));
	if (heap == NULL)
		return false;
	timers->heap = heap;
	timers->capacity = capacity;
	timers->reserved++;
	return true;
}

void timers_release(struct timers *timers)
{
	timers->reserved--;
}

static void place(struct timers *timers, struct timer *timer, size_t index)
{
	timers->heap[index - 1] = timer;
	timer->index = index;
}

static void sift_up(struct timers *timers, struct timer *timer, size_t index)
{
	while (index > 1 && timers->heap[index / 2 - 1]->deadline_ns > timer->deadline_ns) {
		place(timers, timers->heap[index / 2 - 1], index);
		index /= 2;
	}
	place(timers, timer, index);
}

static void sift_down(struct timers *timers, struct timer *timer, size_t index)
{
	size_t child;

	while ((child = index * 2) <= timers->count) {
		if (child < timers->count &&
		    timers->heap[child]->deadline_ns < timers->heap[child - 1]->deadline_ns)
			child++;
		if (timers->heap[child - 1]->deadline_ns >= timer->deadline_ns)
			break;
		place(timers, timers->heap[child - 1], index);
		index = child;
	}
	place(timers, timer, index);
}

static void take_out(struct timers *timers, struct timer *timer)
{
	size_t index = timer->index;
	struct timer *last = timers->heap[timers->count - 1];

	timers->count--;
	timer->index = 0;
	if (last == timer)
		return;
	if (index > 1 && timers->heap[index / 2 - 1]->deadline_ns > last->deadline_ns)
		sift_up(timers, last, index);
	else
		sift_down(timers, last, index);
}

void timer_set(struct timers *timers, struct timer *timer, uint64_t deadline_ns)
{
	if (timer->index != 0 && timer->deadline_ns == deadline_ns)
		return;
	if (timer->index != 0)
		take_out(timers, timer);
	if (timers->running && deadline_ns <= timers->run_ns)
		deadline_ns = timers->run_ns + 1;
	timer->deadline_ns = deadline_ns;
	if (deadline_ns == TIMER_NEVER)
		return;
	timers->count++;
	sift_up(timers, timer, timers->count);
}

uint64_t timers_next(const struct timers *timers)
{
	return timers->count == 0 ? TIMER_NEVER : timers->heap[0]->deadline_ns;
}

void timers_run(struct timers *timers, uint64_t now_ns)
{
	timers->running = true;
	timers->run_ns = now_ns;
	while (timers->count > 0 && timers_next(timers) <= now_ns) {
		struct timer *timer = timers->heap[0];

		take_out(timers, timer);
		timer->fire(timer, now_ns);
	}
	timers->running = false;
}
