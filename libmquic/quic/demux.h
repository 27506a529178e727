/* SPDX-License-Identifier: MIT */
/* Every datagram's first step: whose is it? */
#ifndef MQUIC_QUIC_DEMUX_H
#define MQUIC_QUIC_DEMUX_H

#include "quic/wire.h"

struct quic_host;
struct udp_reader;

void demux_receive(struct quic_host *host, struct wire *wire, const struct datagram *datagram);
extern const struct udp_reader demux_reader;

#endif
