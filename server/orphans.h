/* SPDX-License-Identifier: MIT */
/*
 * Clients of a server that has died, by its roll: each is told once, by a stateless reset, some at a
 * time. The roll may be garbage, of whoever had taken that server over.
 */
#ifndef SERVER_ORPHANS_H
#define SERVER_ORPHANS_H

#include <stdbool.h>
#include <stddef.h>

#include <mquic.h>

struct orphans {
	struct roll_entry *entries; /* copies */
	size_t count;
	size_t told; /* of these */
};

/* Reads the roll behind the descriptor, which it closes; those before that are told, too. */
void orphans_take(struct orphans *orphans, int fd);

/*
 * Tells the next ones, by the endpoint that listens at the address of each. Milliseconds until there
 * are more to be told, -1: all are.
 */
int orphans_tell(struct orphans *orphans, struct mquic_endpoint *const *endpoints, size_t count);

void orphans_free(struct orphans *orphans);

#endif
