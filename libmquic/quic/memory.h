/* SPDX-License-Identifier: MIT */
/*
 * Counts what a connection costs. Most of it is ngtcp2's: its state, and the stream data that came
 * out of order, which nothing else tells of. So ngtcp2 allocates through here.
 */
#ifndef MQUIC_QUIC_MEMORY_H
#define MQUIC_QUIC_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <ngtcp2/ngtcp2.h>

struct mquic_connection;

/* Must not move while ngtcp2 holds memory. */
struct quic_memory {
	ngtcp2_mem allocator;
	uint64_t bytes; /* of ngtcp2 */
	size_t held;    /* of the observer, see connection_set_held() */
};

void memory_init(struct quic_memory *memory);

/* Bytes of all that belongs to the connection, but for TLS. */
uint64_t memory_of(const struct mquic_connection *connection);

#endif
