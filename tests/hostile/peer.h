/* SPDX-License-Identifier: MIT */
/* What the files of the hostile peer want of each other. */
#ifndef MQUIC_TESTS_PEER_H
#define MQUIC_TESTS_PEER_H

#include "hostile.h"

/* tls-peer.c: a session; a client's hello; bytes of the endpoint's TLS messages. */
void peer_tls_open(struct hostile *peer);
void peer_tls_start(struct hostile *peer);
void peer_tls_read(struct hostile *peer, enum hostile_level level, const uint8_t *data, size_t len);

/* read.c: a datagram came. */
void peer_read(struct sim_host *probe, const struct datagram *datagram);

/* hostile.c */
struct hostile_space *peer_space(struct hostile *peer, enum hostile_level level);

#endif
