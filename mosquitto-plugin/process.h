/* SPDX-License-Identifier: MIT */
/*
 * One worker beside the broker, from start to start.
 *
 *           again_ms is over                    READY, terms known
 *     RESTING ──────────▶ STARTING ──READY──▶ IDLE ──────────────▶ SERVING
 *        ▲                    │                │                      │
 *        └────────────────────┴── its end ─────┴──────────────────────┘
 *                             STOP: OVER, for good
 *
 * It rests a moment at first. One that ends within two seconds rests twice as long the next time,
 * and so on, one that lives longer half as long; after a good minute it begins from the start.
 *
 * inbox.c records in it what the worker says; workers.c acts on that.
 */
#ifndef MOSQUITTO_PLUGIN_PROCESS_H
#define MOSQUITTO_PLUGIN_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../gateway/channel.h"
#include "../server/counters.h"
#include "../server/limiter.h"

enum process_state {
	PROCESS_RESTING,
	PROCESS_STARTING,
	PROCESS_IDLE,
	PROCESS_SERVING,
	PROCESS_OVER,
};

struct process {
	unsigned int number; /* from 1 */
	enum process_state state;
	pid_t pid;   /* 0: none */
	int channel; /* -1: none */
	int roll;    /* of its clients, see server/roll.h; -1: none */
	int orphans; /* the roll of one before it that has died, until it can be told; -1: none */
	uint64_t started_ms;
	uint64_t serving_ms; /* SERVING: since when */
	uint64_t again_ms;   /* RESTING: when to start it */
	uint64_t pause_ms;   /* before the last start */
	uint64_t ended_ms;   /* when its channel ended, and the process not yet; 0: it has not */
	uint64_t pinged_ms;
	bool pinged; /* and it has not answered */

	/* What is to be told when the channel has room, and what was. */
	bool reload_due;
	bool expiring_due;
	bool count_due; /* it was asked what it has counted, and has not answered */
	/* A bit for each listener. */
	uint32_t taken_told; /* that the broker asks about its clients */
	uint32_t started;    /* it was told to serve its clients, ... */
	uint32_t shut;       /* ... and not to any more */

	/* What it has said. */
	bool met;     /* its greeting, which is that of this version */
	bool foreign; /* or of another one, of which `failure` tells */
	bool ready;
	uint32_t bypassed;              /* a bit for each listener */
	bool broken;                    /* nothing that may be said */
	char failure[CHANNEL_LINE_MAX]; /* why it cannot; empty: it can */
	struct counters counters;       /* as it told last */
	struct counters gone;           /* what those had counted that were it before */
	unsigned int restarts;          /* starts but the first one */
	struct limiter lines;
	unsigned int unsaid; /* lines that were too many */
};

void process_init(struct process *process, unsigned int number);

/* All changes of state. */
void process_step(struct process *process, enum process_state to);

/* Says one thing without more to it. False: not now. */
bool process_tell(const struct process *process, enum channel_type type);

/* Starts the program, to be told what it needs next. 0, or the error's number. */
int process_start(struct process *process, const char *program);

/* What it has counted, and those before it. */
void process_count(const struct process *process, struct counters *counters);

/* How it has ended, once it has, in `text`; false: it goes on. What it had is closed. */
bool process_has_ended(struct process *process, char *text, size_t size);

/* Ends it at once. */
void process_kill(const struct process *process);

/* What had no room in the channel before; once it serves, also the roll of the one before it. */
void process_tell_due(struct process *process);

/* It has died: its roll is for the next one. */
void process_keep_orphans(struct process *process);

/* There will be no other. */
void process_close_rolls(struct process *process);

/* After its end: when to start it again. */
void process_rest(struct process *process);

/* Says how it has ended, and when it is started again. */
void process_say_pause(const struct process *process, const char *end);

#endif
