/* SPDX-License-Identifier: MIT */
/*
 * Names become addresses, and nobody waits for it.
 *
 *     lookup_start() ──▶ WAITING ── a thread is free ──▶ RUNNING ── the system answers ──▶ DONE
 *                           │                               │                              │
 *                     lookup_cancel(),                resolver_fini()            resolver_collect()
 *                     resolver_fini()                       ▼                              ▼
 *                           ▼                           ABANDONED                    done(), gone
 *                         gone                   its thread frees it
 *
 * Only the system knows all the places where names are: the hosts file, DNS, multicast DNS,
 * systemd-resolved, whatever nsswitch.conf lists. getaddrinfo() asks them and blocks, in glibc and
 * in musl alike, so it runs in a helper thread: one for each lookup, which ends with it. Of one
 * endpoint RESOLVE_THREADS run at a time; more lookups wait in the order in which they came.
 *
 * A helper thread blocks every signal, so that handlers run where they always did. It touches
 * nothing but its own lookup and, at the very end, the descriptor that wakes the loop. A lookup
 * that nobody wants any more is not waited for: its thread goes on until the system has answered,
 * drops the answer, and keeps the code of the library loaded if need be.
 *
 * In a child of fork() no thread is left: what was looked up is freed there, and never found.
 */
#ifndef MQUIC_CORE_RESOLVE_H
#define MQUIC_CORE_RESOLVE_H

#include "core/address.h"
#include "core/list.h"
#include "core/loop.h"

/* Threads of one endpoint at a time. */
#define RESOLVE_THREADS 4

struct resolve_job;

/* What a name leads to. */
struct resolve_answer {
	struct addresses found;
	int code;       /* of getaddrinfo(); 0: found */
	int system;     /* an errno value, if that is EAI_SYSTEM */
	bool no_thread; /* nobody could be sent to look */
};

/* One of each endpoint. */
struct resolver {
	struct loop *loop;
	struct list jobs; /* of struct resolve_job, in the order in which they came */
	size_t running;
	/* Looks up a name in the helper thread: address_find(), but in tests. */
	int (*find)(struct addresses *found, const char *host, uint16_t port);
	/* Has the work done elsewhere; 0 or an errno value. A thread of its own, but in tests. */
	int (*begin)(struct resolver *resolver, struct resolve_job *job);
};

/* Embedded in who wants to know. */
struct lookup {
	/* Called once, from resolver_collect(); may start and cancel lookups. */
	void (*done)(struct lookup *lookup, const struct resolve_answer *answer);
	struct resolve_job *job; /* NULL: none is under way */
};

void resolver_init(struct resolver *resolver, struct loop *loop);
/* Nobody is told any more; never waits for an answer. */
void resolver_fini(struct resolver *resolver);

/* Tells who asked what was found meanwhile, and starts what waited. For each turn of the loop. */
void resolver_collect(struct resolver *resolver);

/*
 * Looks up `host` and, if there is no such name, `other`, unless that is NULL. A lookup that cannot
 * begin is done like any other, with an answer that says so. False: out of memory.
 */
bool lookup_start(struct lookup *lookup, struct resolver *resolver, const char *host,
		  const char *other, uint16_t port);
/* done() will not be called. Fine for what was never started. */
void lookup_cancel(struct lookup *lookup);

/* What the helper thread does; for tests that have none. */
void resolve_job_run(struct resolve_job *job);

/* A sentence on an answer without an address, with the fix, and its status. */
enum mquic_status resolve_explain(const struct resolve_answer *answer, const char *host,
				  struct error *error);

#endif
