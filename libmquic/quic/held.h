/* SPDX-License-Identifier: MIT */
/* What a client reads only when it is past the handshake. */
#ifndef MQUIC_QUIC_HELD_H
#define MQUIC_QUIC_HELD_H

#include "core/list.h"
#include "quic/wire.h"

/* A client's packets that came too early (held.c). */
struct quic_held {
	struct list packets;
	size_t count;
	bool open; /* ngtcp2 is past the handshake: nothing is too early any more */
};

void held_init(struct quic_held *held);
/* How many bytes of a datagram may be read now; keeps the rest. */
size_t held_split(struct quic_held *held, const struct datagram *datagram);
/* What may be read by now, in order: the caller frees `memory` when it is. False: nothing. */
bool held_take(struct quic_held *held, struct datagram *datagram, void **memory);
/* For another attempt, or the end. */
void held_clear(struct quic_held *held);

#endif
