/* SPDX-License-Identifier: MIT */
/* The addresses an endpoint listens on, and what to say to a datagram that is nobody's. */
#ifndef MQUIC_QUIC_LISTENER_H
#define MQUIC_QUIC_LISTENER_H

#include "quic/wire.h"

struct quic_host;

void listener_free_all(struct quic_host *host);
/* A datagram that came in on a listener's wire. */
void listener_receive(struct quic_host *host, struct wire *wire, const struct datagram *datagram);

#endif
