/* SPDX-License-Identifier: MIT */
/* Connection identifiers of the server side, and what they lead to. */
#ifndef MQUIC_QUIC_ROUTES_H
#define MQUIC_QUIC_ROUTES_H

#include <ngtcp2/ngtcp2.h>

#include "core/list.h"
#include "quic/table.h"

struct quic_host;
struct quic_route;

/* What a connection identifier of the server side leads to. */
enum target_kind {
	TARGET_CONNECTION,
	TARGET_CLOSING
};

struct quic_target {
	enum target_kind kind;
	struct list routes;       /* of struct quic_route */
	struct quic_route *heard; /* the last that a packet came to; NULL: none, or it is gone */
};

struct quic_route {
	struct table_entry entry;
	struct list link;
	struct quic_target *target;
};

/* The table of all; false if out of memory. */
bool routes_init(struct quic_host *host, const uint64_t secret[2]);
void routes_fini(struct quic_host *host);

bool route_add(struct quic_host *host, struct quic_target *target, const uint8_t *cid, size_t len);
void route_remove(struct quic_host *host, struct quic_target *target, const ngtcp2_cid *cid);
void route_remove_all(struct quic_host *host, struct quic_target *target);
void route_move_all(struct quic_target *from, struct quic_target *to);

#endif
