/* SPDX-License-Identifier: MIT */
/* The way in for a server's connections. */
#ifndef MQUIC_QUIC_ACCEPT_H
#define MQUIC_QUIC_ACCEPT_H

#include <ngtcp2/ngtcp2.h>

#include "quic/wire.h"

struct quic_host;

/* An Initial packet that belongs to no connection: admits, refuses, or demands Retry. */
void accept_initial(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_pkt_hd *hd);

#endif
