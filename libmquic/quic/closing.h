/* SPDX-License-Identifier: MIT */
/* What remains of a connection for a while (RFC 9000 section 10.2). */
#ifndef MQUIC_QUIC_CLOSING_H
#define MQUIC_QUIC_CLOSING_H

#include <ngtcp2/ngtcp2.h>

#include "core/list.h"
#include "quic/routes.h"
#include "quic/wire.h"

struct attempt;

/* Sends CONNECTION_CLOSE, if ngtcp2 can, and leaves a memory of it that answers late packets. */
void closing_start(struct attempt *attempt, const ngtcp2_ccerr *error);
/* Sends CONNECTION_CLOSE, once: what nobody asked for leaves no memory. */
void closing_dismiss(struct attempt *attempt, uint64_t code, const char *reason);
/* Leaves a memory that swallows late packets. */
void closing_drain(struct attempt *attempt);
struct quic_closing;
void closing_read(struct quic_closing *closing, const struct datagram *datagram);
void closing_free(struct quic_closing *closing);
struct quic_closing *closing_of_target(struct quic_target *target);
struct quic_closing *closing_of_link(struct list *link);

#endif
