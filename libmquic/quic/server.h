/* SPDX-License-Identifier: MIT */
/* A server's end of a connection: making ngtcp2's part of it. */
#ifndef MQUIC_QUIC_SERVER_H
#define MQUIC_QUIC_SERVER_H

#include <ngtcp2/ngtcp2.h>

#include "quic/wire.h"
#include "mquic.h"

struct attempt;

enum mquic_status server_begin(struct attempt *attempt, const ngtcp2_pkt_hd *hd,
			       const struct datagram *datagram, const ngtcp2_cid *original);

#endif
