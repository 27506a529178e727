/* SPDX-License-Identifier: MIT */
/* Why a connection ends, in words, and what the peer hears. */
#ifndef MQUIC_QUIC_ENDING_H
#define MQUIC_QUIC_ENDING_H

#include "quic/connection.h"

/* Keeps the first reason given. */
__attribute__((format(printf, 5, 6))) void connection_set_end(struct mquic_connection *connection,
							      enum mquic_status status,
							      enum mquic_origin origin,
							      uint64_t code, const char *format,
							      ...);
/* The path does not carry packets of the size that QUIC needs. */
void connection_set_end_narrow(struct mquic_connection *connection, enum mquic_status status);
/* What follows from an error of ngtcp2: why is kept, the peer is told, the connection ends. */
void connection_fail(struct mquic_connection *connection, int ngtcp2_error);

#endif
