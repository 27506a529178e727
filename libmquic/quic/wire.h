/* SPDX-License-Identifier: MIT */
/*
 * What carries datagrams: a UDP socket (udp.h), or in tests a simulated link. Everything above
 * knows only this.
 */
#ifndef MQUIC_QUIC_WIRE_H
#define MQUIC_QUIC_WIRE_H

#include "core/address.h"

/* Room for one burst of packets: the most that one GSO send may carry. */
#define WIRE_BURST_BYTES 65000

/* Datagrams of one address pair and one ECN mark; all of `segment` bytes but the last. */
struct datagram {
	struct address local;
	struct address remote;
	uint8_t ecn; /* the two ECN bits (RFC 3168) */
	const uint8_t *data;
	size_t len;
	size_t segment;
};

struct quic_host;

struct wire {
	/*
	 * Sends, as far as the system takes it: what it does not is lost, and QUIC copes. An
	 * errno value if the peer's host or port cannot be reached, EMSGSIZE if the packets are too
	 * large for the way there, else 0.
	 */
	int (*send)(struct wire *wire, const struct datagram *datagram);
	/* Whether the system still has the local address; asked of a client's only. */
	bool (*is_usable)(const struct wire *wire);
	/* Bytes of the largest datagram that the path takes as far as the system knows, 0: it does
	 * not; asked of a client's only. */
	size_t (*largest)(const struct wire *wire);
	void (*free)(struct wire *wire);
	struct address local;
	struct quic_listener *listener; /* accepts here; NULL on a client's */
	struct attempt *attempt;        /* a client's only one; NULL on a listener's */
	struct quic_closing *closing;   /* what is left of that one */
};

/* Has the wire send, and counts what it sends as the host's. */
int wire_transmit(struct wire *wire, struct quic_host *host, const struct datagram *datagram);

#endif
