/* SPDX-License-Identifier: MIT */
/* Datagrams of the handshake that go once more, in case the first is lost. */
#ifndef MQUIC_QUIC_COPIES_H
#define MQUIC_QUIC_COPIES_H

#include <stdbool.h>
#include <stdint.h>

struct attempt;
struct copied_flight;
struct datagram;

/* As many bytes as tell a packet of QUIC from any other: the end of its AEAD's tag. */
#define COPIES_TAG_LEN 16

struct quic_copies {
	struct copied_flight *flight; /* what may go once more; NULL: nothing */
	uint64_t due_ns;              /* when */
	uint64_t before;              /* bytes that waited for an acknowledgement ... */
	uint64_t after;               /* ... when it went, and when it had gone */
	uint64_t allowed;             /* bytes to an address that is not proven */
	bool last;                    /* it went when the handshake was complete */
	bool over;                    /* and was answered */
	bool knows_first;             /* a server's: the first datagram of the client ends so */
	uint8_t first[COPIES_TAG_LEN];
};

/*
 * A server has read a datagram: true if it is the client's first once more. ngtcp2 knows it already;
 * what it allows to be sent (RFC 9000 section 8.1) is spent here.
 */
bool copies_is_repeat(struct attempt *attempt, const struct datagram *datagram);
/* A turn of writing begins: what is due goes, and what was answered is forgotten. */
void copies_begin(struct attempt *attempt);
/* Datagrams go in it. */
void copies_add(struct attempt *attempt, const struct datagram *datagram);
/* The turn ends. */
void copies_end(struct attempt *attempt);
/* When the next turn is due for a copy; UINT64_MAX: none waits for time. */
uint64_t copies_next(const struct attempt *attempt);
void copies_free(struct attempt *attempt);

#endif
