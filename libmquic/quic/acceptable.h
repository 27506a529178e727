/* SPDX-License-Identifier: MIT */
/* Connections whose handshake is complete, until the server takes them. */
#ifndef MQUIC_QUIC_ACCEPTABLE_H
#define MQUIC_QUIC_ACCEPTABLE_H

struct mquic_connection;

/* It waits for mquic_endpoint_accept(), and that is told. */
void acceptable_add(struct mquic_connection *connection);

#endif
