/* SPDX-License-Identifier: MIT */
/* Paths that the peer validates (RFC 9000 section 8.2), and what ngtcp2 forgets at it. */
#ifndef MQUIC_QUIC_CHALLENGE_H
#define MQUIC_QUIC_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

struct attempt;

enum challenge_state {
	CHALLENGE_NONE,
	CHALLENGE_CAME,     /* PATH_RESPONSE goes as soon as anything may */
	CHALLENGE_ANSWERED, /* now for a PING */
};

struct quic_challenge {
	enum challenge_state state;
	uint64_t since_ns;
	uint64_t keep_alive_ns; /* what the connection wants of PING; 0: none */
};

/*
 * A packet with PATH_CHALLENGE came. False: one is being answered, so this is to be dropped as if it
 * was lost; the peer asks again.
 */
bool challenge_take(struct attempt *attempt);
/* Bytes that wait for an acknowledgement before a turn of writing, for the next call. */
uint64_t challenge_begin(const struct attempt *attempt);
/* The turn is over. */
void challenge_end(struct attempt *attempt, uint64_t before);
/* A PING after so much silence; 0: none. */
void challenge_keep_alive(struct attempt *attempt, uint64_t interval_ns);

#endif
