/* SPDX-License-Identifier: MIT */
/* A client's new address, until it is proven. */
#ifndef MQUIC_QUIC_UNPROVEN_H
#define MQUIC_QUIC_UNPROVEN_H

#include <ngtcp2/ngtcp2.h>

#include "quic/wire.h"

struct attempt;

/* An address of the client that is not proven yet, and what it costs so far. */
struct quic_unproven {
	struct address local;
	struct address remote;
	uint64_t received;
	uint64_t sent;
};

/* A datagram was read. */
void unproven_heard(struct attempt *attempt, const struct datagram *datagram);
/* How much room the next packet may have, of what is wanted; at least 1. */
size_t unproven_room(struct attempt *attempt, size_t wanted);
/* A packet goes. */
void unproven_sent(struct attempt *attempt, const ngtcp2_path *path, size_t len);

#endif
