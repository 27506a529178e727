/* SPDX-License-Identifier: MIT */
/* Frames that come faster than they can be of use. */
#ifndef MQUIC_QUIC_BURDEN_H
#define MQUIC_QUIC_BURDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt;

/* What the peer's packets have cost beyond what packets may. */
struct quic_burden {
	uint64_t owed;    /* frames that are not paid for yet */
	uint64_t paid_ns; /* up to here time has paid */
	uint64_t dropped; /* packets */
};

/* Whether the next packet may be read. */
bool burden_allows(struct attempt *attempt);
/* One was, and had so many frames. */
void burden_add(struct attempt *attempt, size_t frames);

#endif
