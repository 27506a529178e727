/* SPDX-License-Identifier: MIT */
/*
 * Proof, before any client is let in, that logins on the hand-off socket come to this plugin.
 * Were the plugin loaded under another listener, or the socket another broker's, a token would
 * become a user name. Main thread only.
 *
 *     IDLE ──tick: dial, CONNECT──▶ WAITING ──login seen──▶ PASSED
 *                    │                 │
 *                    ▼                 ▼ socket closed or ten seconds
 *                  FAILED ◀────────────┘
 */
#ifndef MOSQUITTO_PLUGIN_SELFTEST_H
#define MOSQUITTO_PLUGIN_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "token.h"

enum selftest_state {
	SELFTEST_IDLE,
	SELFTEST_WAITING,
	SELFTEST_PASSED,
	SELFTEST_FAILED,
};

struct selftest {
	enum selftest_state state;
	struct token token;
	int fd;
	uint64_t deadline_ms;
	const char *failure; /* FAILED: a sentence that names the likely mistake. Static */
};

/* Does what is due in one tick and returns the state. `proxy`: the listener expects a header. */
enum selftest_state selftest_tick(struct selftest *selftest, const char *handoff, bool proxy);

/* A login with this token was seen on the hand-off socket. True if it is the self-test's. */
bool selftest_login(struct selftest *selftest, const struct token *token);

/* Closes what is open. */
void selftest_end(struct selftest *selftest);

#endif
