/* SPDX-License-Identifier: MIT */
/* What a client tries, one address after the other, until one answers. */
#ifndef MQUIC_QUIC_CANDIDATES_H
#define MQUIC_QUIC_CANDIDATES_H

#include <stdbool.h>

#include "core/address.h"
#include "core/timer.h"
#include "mquic.h"

struct quic_candidates {
	struct mquic_connection *connection;
	struct addresses found;
	size_t next;
	struct timer timer; /* gives up on an address that keeps silent */
	bool impatient;     /* it has fired: the connection's task acts on it */
	char *host;
};

/* The connection's, without an address yet; false if out of memory. */
bool candidates_new(struct mquic_connection *connection, const char *host);
void candidates_free(struct mquic_connection *connection);

/*
 * Begins an attempt at the next address that a socket can be opened to. MQUIC_ERR_AGAIN: none is
 * left, MQUIC_ERR_SYSTEM: those that are cannot be opened; else what is in the way of any.
 */
enum mquic_status candidates_try(struct mquic_connection *connection);

#endif
