/* SPDX-License-Identifier: MIT */
/*
 * QUIC's half of an endpoint: what its connections and listeners share. It hangs on the endpoint
 * as a child, made when something is first dialed or listened on, and goes with it.
 */
#ifndef MQUIC_QUIC_HOST_H
#define MQUIC_QUIC_HOST_H

#include "core/endpoint.h"
#include "core/quota.h"
#include "quic/admission.h"
#include "quic/newcomers.h"
#include "quic/table.h"
#include "quic/wire.h"
#include "tls/tickets.h"

struct udp_batch;
struct watch;

/* One for each of enum mquic_total, which starts at 1. */
#define HOST_TOTALS (MQUIC_TOTAL_COPIES_SENT + 1)

struct quic_host {
	struct endpoint_child child;
	struct mquic_endpoint *endpoint;
	/* Opens a wire to `remote` to dial over; a UDP socket but in simulations. */
	enum mquic_status (*open_wire)(struct quic_host *host, struct wire **wire,
				       const struct address *local, const struct address *remote);
	void *open_argument;

	struct watch *watch;     /* for addresses that change; NULL while nothing was dialed */
	struct list connections; /* all that have a transport */
	struct list closings;
	size_t closing_count;

	struct tls_tickets tickets; /* of what was dialed */

	struct list listeners;
	struct error expiring;  /* what mquic_endpoint_expiring() has shown */
	struct list acceptable; /* handshake complete, not yet accepted */
	bool acceptable_queued;
	struct table routes; /* connection identifiers of the server side */
	struct quic_places places;
	struct quic_newcomers newcomers;
	struct quota resets;   /* stateless resets */
	struct quota failures; /* log lines about failed handshakes */
	struct quota refusals; /* the same about clients that a limit keeps out ... */
	uint64_t unsaid;       /* ... and how many got none since the last */
	uint64_t totals[HOST_TOTALS];

	struct udp_batch *batch;
	uint8_t *burst; /* WIRE_BURST_BYTES */
};

/* The endpoint's, NULL as long as it has none. */
struct quic_host *host_of(const struct mquic_endpoint *endpoint);

/* The endpoint's, made if it has none yet; NULL out of memory, with a sentence. */
struct quic_host *host_get(struct mquic_endpoint *endpoint);

/* One more of these, for mquic_endpoint_statistic(). */
static inline void host_count(struct quic_host *host, unsigned int statistic)
{
	host->totals[statistic]++;
}

/* The connections, listeners and remains on it are gone: the rest of it goes. */
void host_free(struct quic_host *host);

/* The endpoint goes: all that is on the host is let go, and the host freed (host-end.c). */
void host_orphan(struct endpoint_child *child);

#endif
