/* SPDX-License-Identifier: MIT */
/* The client side's way out: what it tries, one address after the other. */
#ifndef MQUIC_QUIC_DIAL_H
#define MQUIC_QUIC_DIAL_H

#include "core/timer.h"
#include "core/address.h"
#include "mquic.h"

struct wire;

/* What a client tries, until one address answers. */
struct quic_dial {
	struct mquic_connection *connection;
	struct addresses candidates;
	size_t next;
	struct timer timer; /* gives up on an address that keeps silent */
	uint32_t offered; /* the version of QUIC that it offers in place of ours, 0: none so far */
	char *host;
};

/* Goes on with the next address of the name; false if there is none that a socket can be opened to:
 * then the attempt before goes on, unless memory ran out and conn is NULL. */
bool dial_next(struct mquic_connection *connection);
/* A socket towards an address, from the address that the settings name; else with a sentence. */
enum mquic_status dial_open_wire(struct mquic_connection *connection, struct wire **wire,
				 const struct address *remote);
/* Goes on with the version of QUIC that the present address offers; false if that is none. */
bool dial_offered(struct mquic_connection *connection);
void dial_free(struct mquic_connection *connection);

#endif
