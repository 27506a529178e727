/* SPDX-License-Identifier: MIT */
/*
 * The body of a connection, shared by the files of this room.
 *
 * ngtcp2's callbacks (callbacks.c) and all who read only record. What follows from that is done by
 * the connection's task, after ngtcp2 has returned: conductor.c makes its steps (state.h), tells the
 * observer, has packets written and sets timers.
 */
#ifndef MQUIC_QUIC_BODY_H
#define MQUIC_QUIC_BODY_H

#include <ngtcp2/ngtcp2.h>

#include "quic/admission.h"
#include "quic/attempt.h"
#include "quic/candidates.h"
#include "quic/connection.h"
#include "quic/facts.h"
#include "quic/host.h"
#include "quic/memory.h"
#include "quic/notify.h"
#include "quic/routes.h"
#include "quic/state.h"
#include "tls/tls.h"

/* The streams of a connection (stream.c). One may stand in several of the lists. */
struct quic_streams {
	struct list all;
	struct list sendable;   /* have bytes or FIN to send, and credit as far as known */
	struct list touched;    /* have something to tell */
	struct list waiting;    /* not opened yet */
	struct list stopping;   /* opened with a stop to tell, see stream_stop_opened() */
	struct list acceptable; /* opened by the peer, not accepted yet */
	bool fresh;             /* some of these are not told of yet */
};

struct mquic_connection {
	struct quic_target target;       /* a server's */
	struct list link;                /* host->connections */
	struct list accept_link;         /* host->acceptable */
	struct mquic_endpoint *endpoint; /* NULL once that is freed, like the host */
	struct quic_host *host;
	uint64_t number;                /* in lines of the log */
	struct quic_listener *listener; /* server side only */
	struct mquic_settings *settings;
	struct tls_credentials *credentials;
	struct task task; /* conductor.c */
	enum connection_state state;
	bool owned; /* a handle is out */

	struct list attempts;
	struct attempt *attempt; /* the one that is used, or was begun last; NULL: none */
	struct quic_candidates *candidates; /* a client's, while it dials */
	struct quic_place place;            /* a server's */
	struct quic_streams streams;
	struct quic_telling telling;

	struct quic_end end;
	struct error error;
	void *userdata;
	uint64_t started_ns;
	struct quic_facts facts;
	struct quic_memory memory;
};

/* Its body alone: nothing is on it yet, and nobody is told. */
struct mquic_connection *connection_new(struct quic_host *host);
/* Without attempts and streams. */
void connection_free(struct mquic_connection *connection);
/* Has the task run that acts on what was recorded. */
void connection_schedule(struct mquic_connection *connection);
/* Something could not be told: it ends with the next task, and that is told. */
void connection_out_of_memory(struct mquic_connection *connection);

/* ngtcp2's part of it; NULL while it has none, and once it is over. */
static inline ngtcp2_conn *connection_conn(const struct mquic_connection *connection)
{
	return connection->attempt == NULL ? NULL : connection->attempt->conn;
}

#endif
