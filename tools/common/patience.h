/* SPDX-License-Identifier: MIT */
/* How long to wait for a broker that is there, but does not acknowledge what it was given. */
#ifndef TOOLS_PATIENCE_H
#define TOOLS_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_FOREVER 0

struct patience {
	uint32_t limit_s;  /* PATIENCE_FOREVER: never ends */
	uint64_t since_ms; /* when there was progress last; 0: nothing is waited for */
	uint64_t sent;     /* bytes the connection had sent by then */
};

/* Something was acknowledged, or there is a new connection. */
void patience_renew(struct patience *patience);

/*
 * Whether it has run out. `waiting`: there is something to wait for now; `sent`: bytes that the
 * connection has sent, for as long as a large message is on its way it is too early to say.
 */
bool patience_is_over(struct patience *patience, bool waiting, uint64_t sent);

/* When to look again; UINT64_MAX: no need to. */
uint64_t patience_deadline_ms(const struct patience *patience);

#endif
