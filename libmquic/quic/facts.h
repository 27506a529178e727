/* SPDX-License-Identifier: MIT */
/* What can be asked of a connection, also when it is over. */
#ifndef MQUIC_QUIC_FACTS_H
#define MQUIC_QUIC_FACTS_H

#include <ngtcp2/ngtcp2.h>

#include "tls/tls.h"

struct quic_counters {
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint64_t packets_sent;
	uint64_t packets_received;
	uint64_t packets_lost; /* on streams that are over */
	uint64_t handshake_us;
};

struct quic_facts {
	struct tls_facts tls;
	struct quic_counters counters;
	ngtcp2_conn_info last_info; /* kept for after the end */
	bool counted;               /* among the endpoint's (totals.c) */
};

struct mquic_connection;

/* Packets with stream data that were declared lost. */
uint64_t facts_lost(const struct mquic_connection *connection);
/* Its attempt is about to go: what that alone knows is kept. */
void facts_keep(struct mquic_connection *connection);

#endif
