/* SPDX-License-Identifier: MIT */
/*
 * Replaces workers that serve by new ones, one after the other, while the broker runs: an operator
 * wants the program that an upgrade has brought. The sockets stay, so nothing that clients send is
 * answered by anybody else.
 *
 *               asked                another is started             it is ready: the old one
 *     NONE ─────────────▶ DUE ───────────────────────▶ STARTING ──────────────────────▶ LEAVING
 *       ▲                 │ ▲                             │  │                            │
 *       │    all are new  │ └──── a second later ─────────┼──┴── the old one has ended ───┘
 *       └─────────────────┴────── it fails ───────────────┘
 *
 * A new one is ready, and of a version that this plugin understands, before the old one is told to
 * leave; else the old one stays, and so do those behind it. One that does not leave is ended. Should
 * the old one end by itself, the new one takes its place right away.
 */
#ifndef MOSQUITTO_PLUGIN_REPLACE_H
#define MOSQUITTO_PLUGIN_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inbox.h"
#include "orders.h"
#include "process.h"

enum replacement_state {
	REPLACE_NONE,
	REPLACE_DUE,
	REPLACE_STARTING,
	REPLACE_LEAVING,
};

struct replacement {
	enum replacement_state state;
	size_t at;           /* which of all is being replaced, from 0 */
	struct process next; /* its successor, while STARTING and LEAVING */
	uint64_t until_ms;   /* DUE: when to go on; else: how long that may take */
};

/* Those that are replaced, and what a new one needs. */
struct replacement_scene {
	struct process *all;
	size_t count;
	const struct orders *orders;
	struct inbox *inbox;
};

/* False: it is under way already. */
bool replacement_begin(struct replacement *replacement);

/* In each round of the broker's loop; nothing waits. */
void replacement_tick(struct replacement *replacement, const struct replacement_scene *scene);

/* The process has ended. Whether its successor has its place now; it may not be ready yet. */
bool replacement_take_over(struct replacement *replacement, struct process *process, size_t at);

/* Whether there is a successor beside those that serve. */
bool replacement_has_next(const struct replacement *replacement);

#endif
