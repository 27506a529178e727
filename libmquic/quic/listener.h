/* SPDX-License-Identifier: MIT */
/* The addresses an endpoint listens on, and what to say to a datagram that is nobody's. */
#ifndef MQUIC_QUIC_LISTENER_H
#define MQUIC_QUIC_LISTENER_H

#include "quic/wire.h"

struct mquic_endpoint;

/* The tables of what the server side knows; false if out of memory. */
bool listener_init(struct mquic_endpoint *endpoint);
void listener_fini(struct mquic_endpoint *endpoint);
void listener_free_all(struct mquic_endpoint *endpoint);
/* A datagram that came in on a listener's wire. */
void listener_receive(struct mquic_endpoint *endpoint, struct wire *wire,
		      const struct datagram *datagram);

#endif
