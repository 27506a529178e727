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
 *
 * Mosquitto 2.0 has one more question. Where nobody looks at logins, allow_anonymous lets in
 * clients of any name; once a plugin does, only those without one. So that nobody is shut out by us
 * who would come in without us, the test logs in once more, as nobody, and sees whether it may.
 */
#ifndef MOSQUITTO_PLUGIN_SELFTEST_H
#define MOSQUITTO_PLUGIN_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "../gateway/handoff.h"
#include "../gateway/token.h"

enum selftest_state {
	SELFTEST_IDLE,
	SELFTEST_WAITING,
	SELFTEST_PASSED,
	SELFTEST_FAILED,
};

/* What is being asked. */
enum selftest_question {
	SELFTEST_LOGIN,     /* does a login come to us? */
	SELFTEST_PREFIXES,  /* is it the client identifier that is refused? */
	SELFTEST_ANONYMOUS, /* may clients without a name come in? */
};

enum selftest_verdict {
	SELFTEST_FOREIGN, /* the login is somebody else's */
	SELFTEST_REFUSE,  /* has served its purpose: let nobody in */
	SELFTEST_UNNAME,  /* take its name away, and leave the rest to the broker */
};

struct selftest {
	enum selftest_state state;
	struct token token;
	int fd;
	uint64_t deadline_ms;
	size_t size; /* which length is being tried, and which version */
	size_t level;
	enum selftest_question question;
	bool may_ask_anonymous;     /* whether the last question is one for this broker */
	bool came_unnamed;          /* ANONYMOUS: the login has come to us */
	uint64_t again_ms;          /* ANONYMOUS got no answer: when to ask again; 0: it did */
	size_t username_len;        /* what was sent */
	struct handoff_terms terms; /* PASSED: what has been found out */
	const char *failure;        /* FAILED: a sentence that names the likely mistake. Static */
};

/* The sentence about logins that go to somebody else. */
extern const char selftest_logins_elsewhere[];

/* Does what is due in one tick and returns the state. `proxy`: the listener expects a header. */
enum selftest_state selftest_tick(struct selftest *selftest, const char *handoff, bool proxy);

/* Has the last question asked again, whose answer may be another one after RELOAD. */
void selftest_ask_again(struct selftest *selftest);

/* Whether that question could not be asked, and may be by now. */
bool selftest_is_unanswered(const struct selftest *selftest);

/* A login was seen on the hand-off socket, of this client identifier and user name. */
enum selftest_verdict selftest_login(struct selftest *selftest, const char *client_id,
				     const char *username);

/* Closes what is open. */
void selftest_end(struct selftest *selftest);

#endif
