/* SPDX-License-Identifier: MIT */
/* A flight that goes at once. */
#ifndef MQUIC_QUIC_PACE_H
#define MQUIC_QUIC_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt;

/* What ngtcp2's pacer has not been told (pace.c). */
struct quic_pace {
	size_t untold;    /* bytes that were sent */
	uint64_t last_ns; /* the latest time that ngtcp2 was told of anything */
	bool busy;        /* more than a flight was sent since nothing was on its way */
};

/* Before ngtcp2 is told a new time, with that: what was sent may be paid for by now. */
void pace_look(struct attempt *attempt, uint64_t now_ns);
/* A turn of writing begins. */
void pace_begin(struct attempt *attempt);
/* A packet goes in it. */
void pace_packet(struct attempt *attempt, size_t len);
/* The turn ends; more waits for the next. */
void pace_sent(struct attempt *attempt, bool more);

#endif
