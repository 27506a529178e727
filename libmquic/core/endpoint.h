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

struct mquic_endpoint {
	struct error error;
	struct log log;
	void *userdata;

	struct loop loop;
	struct timers timers;
	struct event_queue events;
	struct list tasks;
	struct list task_marker; /* bounds a round: what is scheduled meanwhile stands behind it */
	uint64_t now_ns;
	bool processing; /* now_ns is the time of this turn */
	/* Reads the time; CLOCK_MONOTONIC but in simulations. */
	uint64_t (*clock)(void *argument);
	void *clock_argument;
	struct list children[ENDPOINT_FLOORS]; /* of struct endpoint_child */
};

/* MQUIC_OK, or in a child of fork() MQUIC_ERR_FORKED with a sentence. */
enum mquic_status endpoint_check_fork(const struct mquic_endpoint *endpoint, struct error *error);

/*
 * Whether this is a child that was forked off in the middle of a turn: no list of the endpoint can
 * be relied on then, and what is on it is best left where it is.
 */
bool endpoint_is_torn(const struct mquic_endpoint *endpoint);

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

/* One turn without sockets: fires timers at the current time and runs tasks. */
void endpoint_turn(struct mquic_endpoint *endpoint);

#endif
