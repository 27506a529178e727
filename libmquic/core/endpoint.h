/* SPDX-License-Identifier: MIT */
/*
 * The endpoint: sockets, clock, timers, tasks and events of everything made on it.
 *
 * Work that is due soon is a task: it runs before process returns, or before the event queue is
 * reported empty. Sending is such a task, so that one turn of the caller's loop leaves in as few
 * packets as it can.
 */
#ifndef MQUIC_CORE_ENDPOINT_H
#define MQUIC_CORE_ENDPOINT_H

#include "core/event.h"
#include "core/list.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/resolve.h"
#include "core/settings.h"
#include "core/timer.h"

/* Something to do once before the loop sleeps. Embedded in its owner. */
struct task {
	struct list link;
	void (*run)(struct task *task);
};

/* Something above this room that must know when the endpoint is freed. */
struct endpoint_child {
	struct list link;
	void (*orphan)(struct endpoint_child *child);
};

/* Children of the upper floor use those of the lower: they are told first. */
enum endpoint_floor {
	ENDPOINT_TRANSPORTS,
	ENDPOINT_SESSIONS,
	ENDPOINT_FLOORS
};

/* MQUIC_OK, or in a child of fork() MQUIC_ERR_FORKED with a sentence. */
enum mquic_status endpoint_check_fork(const struct mquic_endpoint *endpoint, struct error *error);

/*
 * Whether this is a child that was forked off in the middle of a turn: no list of the endpoint can
 * be relied on then, and what is on it is best left where it is.
 */
bool endpoint_is_torn(const struct mquic_endpoint *endpoint);

/* Its parts, for those who know what to do with them; they live as long as it does. */
struct timers *endpoint_timers(struct mquic_endpoint *endpoint);
struct event_queue *endpoint_events(struct mquic_endpoint *endpoint);
struct loop *endpoint_loop(struct mquic_endpoint *endpoint);
struct resolver *endpoint_resolver(struct mquic_endpoint *endpoint);
struct log *endpoint_log(struct mquic_endpoint *endpoint);
/* What mquic_endpoint_error() shows. */
struct error *endpoint_error(struct mquic_endpoint *endpoint);

/* The time of this turn, or of now between turns; never goes back. */
uint64_t endpoint_now(struct mquic_endpoint *endpoint);

/* Queues the task unless it waits already, and makes the descriptor readable. */
void endpoint_schedule(struct mquic_endpoint *endpoint, struct task *task);

/* Queues an event and makes the descriptor readable. */
void endpoint_push(struct mquic_endpoint *endpoint, struct mquic_event *event);

/* The child's orphan() is called when the endpoint is freed, unless its link is removed before. */
void endpoint_adopt(struct mquic_endpoint *endpoint, enum endpoint_floor floor,
		    struct endpoint_child *child);

/* The first child of the floor with this orphan(), by which its kind is known; NULL: none. */
struct endpoint_child *endpoint_child(const struct mquic_endpoint *endpoint,
				      enum endpoint_floor floor,
				      void (*orphan)(struct endpoint_child *child));

/* ---- For simulations -------------------------------------------------------------- */

/* Reads the time from there, in ns, in place of CLOCK_MONOTONIC. */
void endpoint_set_clock(struct mquic_endpoint *endpoint, uint64_t (*clock)(void *argument),
			void *argument);

/* When a turn is due: 0 is now, TIMER_NEVER never. */
uint64_t endpoint_deadline(const struct mquic_endpoint *endpoint);

/* Another one with each turn that reads, the first is 1. */
uint64_t endpoint_turn_number(const struct mquic_endpoint *endpoint);

/* One turn without sockets: fires timers at the current time and runs tasks. */
void endpoint_turn(struct mquic_endpoint *endpoint);

#endif
