/* SPDX-License-Identifier: MIT */
/* How much of a turn those may take who are not clients yet. */
#ifndef MQUIC_QUIC_NEWCOMERS_H
#define MQUIC_QUIC_NEWCOMERS_H

#include "core/endpoint.h"
#include "quic/wire.h"

struct quic_host;

struct quic_newcomers {
	struct task task;    /* looks at the clock's next turn: listener.c */
	struct list waiting; /* first packets, as they came */
	size_t waiting_count;
	uint64_t turn;   /* the last in which something was taken, */
	uint64_t now_ns; /* and its time */
	unsigned int answers;
	unsigned int handshakes; /* both in that turn */
};

void newcomers_fini(struct quic_newcomers *newcomers);

/* Whether one more may be answered in this turn; then it is counted. */
bool newcomers_may_answer(struct quic_host *host);
/* Whether one more may begin its handshake in this turn; then it is counted. */
bool newcomers_may_begin(struct quic_host *host);
/* It may not: keeps its packet for a later turn, if there is room. */
void newcomers_keep(struct quic_host *host, struct wire *wire, const struct datagram *datagram);
/* The first that waits, if this turn has room for it; free(*memory) when it is dealt with. */
bool newcomers_take(struct quic_host *host, struct wire **wire, struct datagram *datagram,
		    void **memory);

#endif
