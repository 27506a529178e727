/* SPDX-License-Identifier: MIT */
/*
 * Proof, before any client is let in, that logins on the hand-off socket come to this plugin.
 * Were the plugin loaded under another listener, or the socket another broker's, a token would
 * become a user name. Main thread only.
 *
 * The broker may refuse a CONNECT before it asks anybody, by settings that no plugin can read:
 * it is too long (max_packet_size), of a version (accept_protocol_versions), or its client
 * identifier is (clientid_prefixes). So the test goes on until one gets through, and keeps what
 * it learns:
 *
 *     IDLE ──tick: dial, CONNECT──▶ WAITING ──login seen──▶ PASSED
 *      ▲             │                 │ │
 *      └──shorter, or another version──┘ ├──not authorised──▶ IDLE: a CONNECT too long by a byte,
 *                    │                   │  which is refused for its identifier or not at all
 *                    ▼                   ▼ nothing else to try, or ten seconds
 *                  FAILED ◀──────────────┘
 *
 * Where the identifier is refused, no login can be shown: the first client then is the test.
 */
#ifndef MOSQUITTO_PLUGIN_SELFTEST_H
#define MOSQUITTO_PLUGIN_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "handoff.h"
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
	size_t size; /* which length is being tried, and which version */
	size_t level;
	bool about_prefixes;	    /* whether the test is about the client identifier alone */
	size_t username_len;	    /* what was sent */
	struct handoff_terms terms; /* PASSED: what has been found out */
	const char *failure;	    /* FAILED: a sentence that names the likely mistake. Static */
};

/* The sentence about logins that go to somebody else. */
extern const char selftest_logins_elsewhere[];

/* Does what is due in one tick and returns the state. `proxy`: the listener expects a header. */
enum selftest_state selftest_tick(struct selftest *selftest, const char *handoff, bool proxy);

/*
 * A login was seen on the hand-off socket, of this client identifier and user name. True if it is
 * the self-test's.
 */
bool selftest_login(struct selftest *selftest, const char *client_id, const char *username);

/* Closes what is open. */
void selftest_end(struct selftest *selftest);

#endif
