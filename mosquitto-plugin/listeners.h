/* SPDX-License-Identifier: MIT */
/*
 * The listeners, each with its hand-off socket, of which a self-test says whether it may serve:
 *
 *     TESTING ──passed: START──▶ SERVING
 *        │ failed                   │ logins go to somebody else
 *        ▼                          ▼
 *     REFUSED ◀─────────────────────┘      for good; the others go on
 *
 * Main thread only.
 */
#ifndef MOSQUITTO_PLUGIN_LISTENERS_H
#define MOSQUITTO_PLUGIN_LISTENERS_H

#include <stdbool.h>

#include "../gateway/options.h"
#include "selftest.h"

struct workers;

enum listener_state {
	LISTENER_TESTING,
	LISTENER_SERVING,
	LISTENER_REFUSED,
};

struct listener_entry {
	enum listener_state state;
	struct selftest selftest;
	bool may_differ; /* the self-test's last answer, since RELOAD */
	bool was_open;   /* what it was before */
};

struct listeners {
	const struct options *options;
	struct listener_entry all[OPTIONS_LISTENERS_MAX];
};

void listeners_init(struct listeners *listeners);

/* The broker is 2.0, and nobody but us has a say in logins: see selftest.h. */
void listeners_may_be_open(struct listeners *listeners);

/* In each round of the broker's loop: tests those that are to be, has those served that pass. */
void listeners_tick(struct listeners *listeners, struct workers *workers);

/* None is to be served. */
void listeners_refuse_all(struct listeners *listeners, const char *why);

/* Whether any is served, and whether none is nor will be. */
bool listeners_serve(const struct listeners *listeners);
bool listeners_are_over(const struct listeners *listeners);

/* RELOAD: what the self-tests have found may be otherwise. */
void listeners_reload(struct listeners *listeners);

/*
 * Asks again what may differ. True: the broker was open to clients of any name and is not any more,
 * so those that it has must be looked at once more.
 */
bool listeners_ask_again(struct listeners *listeners);

/* With 2.0: whether those may come in that nobody has an opinion about. */
bool listeners_are_open(const struct listeners *listeners);

void listeners_end(struct listeners *listeners);

#endif
