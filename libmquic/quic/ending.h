/* SPDX-License-Identifier: MIT */
/* Why a connection ends, in words, and what the peer hears. */
#ifndef MQUIC_QUIC_ENDING_H
#define MQUIC_QUIC_ENDING_H

#include <ngtcp2/ngtcp2.h>

#include "quic/connection.h"

struct attempt;

/* Keeps the first reason given. */
__attribute__((format(printf, 5, 6))) void ending_set(struct mquic_connection *connection,
						      enum mquic_status status,
						      enum mquic_origin origin, uint64_t code,
						      const char *format, ...);
/* The path does not carry packets of the size that QUIC needs. */
void ending_set_narrow(struct attempt *attempt, enum mquic_status status);
/* The system cannot reach the peer; an errno value. */
void ending_set_unreachable(struct attempt *attempt, int code);

/* What the peer is to hear. */
enum ending {
	ENDING_SILENT, /* nothing */
	ENDING_DRAINS, /* nothing, and what it still sends is swallowed */
	ENDING_IS_SAID /* CONNECTION_CLOSE with what was stored in *error */
};

/* What follows from an error of ngtcp2; why is kept. */
enum ending ending_of(struct attempt *attempt, int ngtcp2_error, ngtcp2_ccerr *error);

#endif
