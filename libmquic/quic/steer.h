/* SPDX-License-Identifier: MIT */
/*
 * Several workers on one address: each puts its number into the connection identifiers it chooses,
 * and whoever hands out datagrams looks there. The place is that of the server ID in
 * draft-ietf-quic-load-balancers, not encrypted: behind an octet whose three first bits, 0, name
 * the configuration. One octet of it is the worker's; what an observer learns from it is which
 * worker serves a client, and so that of two paths with different numbers no client uses both.
 */
#ifndef MQUIC_QUIC_STEER_H
#define MQUIC_QUIC_STEER_H

#include <ngtcp2/ngtcp2.h>

#include "core/settings.h"

/* An identifier for a connection of this worker, or for one that comes back to it. */
void steer_choose(ngtcp2_cid *cid, const struct mquic_settings *settings);

/* Whether packets to it are for this worker, if there are several. */
bool steer_is_ours(const uint8_t *cid, const struct mquic_settings *settings);

#endif
