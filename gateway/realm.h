/* SPDX-License-Identifier: MIT */
/*
 * Which files a worker can still get at, by Landlock (Linux 5.13): what it reads again at SIGHUP,
 * and what is the same on every machine. With it goes what a process of the same user could
 * otherwise do to the broker: look into its memory through /proc, and send it signals.
 */
#ifndef GATEWAY_REALM_H
#define GATEWAY_REALM_H

#include <stdbool.h>
#include <stddef.h>

struct realm {
	/*
	 * Files and directories that are read: each with all in its directory, for the next one may
	 * have another name, and that to which it leads.
	 */
	const char *const *read;
	size_t count;
	const char *written; /* a file, in whose directory files are made; NULL: none */
};

/* Whether this system has it. */
bool realm_exists(void);

/*
 * Gives up the rest, for good. The process has no_new_privs. True with nothing done where
 * realm_exists() is false; false: errno says why.
 */
bool realm_enter(const struct realm *realm);

#endif
