/* SPDX-License-Identifier: MIT */
/*
 * What a worker gives away before it reads the first datagram: whoever takes it over by one has
 * what is left.
 */
#ifndef GATEWAY_SANDBOX_H
#define GATEWAY_SANDBOX_H

#include <stdbool.h>

#include "realm.h"

struct sandbox {
	bool strict; /* false: no more than the first of these, for debuggers and such */
	struct realm realm;
};

/*
 * No new privileges, no memory that others may look into, no core files, no further processes; and
 * no system calls but those that serve clients, and no files but those of the realm. False: errno
 * says why.
 */
bool sandbox_enter(const struct sandbox *sandbox);

/* Whether this program was built with what filters system calls. */
bool sandbox_can_filter(void);

#endif
