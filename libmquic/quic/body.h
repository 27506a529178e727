/* SPDX-License-Identifier: MIT */
/*
 * The body of a connection, shared by the files of this room.
 *
 *     HANDSHAKE ──complete──▶ READY ──┬─ we close, or it fails ──▶ ENDED, closing.c answers for 3 PTO
 *         │                           ├─ the peer closes ────────▶ ENDED, closing.c drains for 3 PTO
 *         │                           └─ idle, stateless reset ──▶ ENDED
 *         ├─ next address of the name (dial.c) ──▶ HANDSHAKE
 *         └─ refused, timed out, not trusted ────▶ ENDED
 *
 * ngtcp2's callbacks (callbacks.c) only record. What follows from them is done by the
 * connection's task, after ngtcp2 has returned: connection_run() tells the observer, writes
 * packets and sets the timer.
 */
#ifndef MQUIC_QUIC_BODY_H
#define MQUIC_QUIC_BODY_H

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/admission.h"
#include "quic/connection.h"
#include "quic/dial.h"
#include "quic/facts.h"
#include "quic/held.h"
#include "quic/host.h"
#include "quic/memory.h"
#include "quic/migrate.h"
#include "quic/mtu.h"
#include "quic/notify.h"
#include "quic/pace.h"
#include "quic/routes.h"
#include "quic/unproven.h"
#include "tls/order.h"
#include "tls/tls.h"

enum connection_state {
	CONNECTION_HANDSHAKE,
	CONNECTION_READY,
	CONNECTION_ENDED
};

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
	struct quic_target target;
	struct list link;                /* host->connections */
	struct list accept_link;         /* host->acceptable */
	struct mquic_endpoint *endpoint; /* NULL once that is freed, like the host */
	struct quic_host *host;
	struct quic_listener *listener; /* server side only */
	struct mquic_settings *settings;
	struct tls_credentials *credentials;
	struct tls_session *tls; /* gone once the handshake is complete */
	struct tls_order order;
	struct quic_held held; /* a client's */
	ngtcp2_conn *conn;     /* NULL once ended */
	ngtcp2_crypto_conn_ref reference;
	struct wire *wire;
	struct wire *next_wire; /* a client's, while its path is validated (migrate.c) */
	enum path_answer path_answer;
	struct quic_dial *dial;
	struct quic_place place; /* a server's */

	struct timer timer;
	struct task task;
	struct quic_streams streams;
	struct quic_telling telling;

	enum connection_state state;
	int failure;         /* an ngtcp2 error to act on; 0: none */
	uint64_t refused;    /* the code a packet was refused with (guard.c) */
	bool owned;          /* a handle is out */
	bool handshake_done; /* recorded by the callback, acted on by the task */
	bool news;           /* packets were read since its task ran */
	bool reset_by_peer;  /* stateless reset */
	bool heard;          /* any packet at all */
	struct quic_end end;
	struct error error;
	void *userdata;
	struct address peer; /* the last that was proven */
	struct address local;
	struct quic_unproven unproven;
	struct quic_mtu mtu;
	struct quic_pace pace;
	char peer_text[ADDRESS_TEXT_SIZE];
	char local_text[ADDRESS_TEXT_SIZE];
	uint64_t started_ns;
	struct quic_facts facts;
	struct quic_memory memory;
};

struct mquic_connection *connection_new(struct quic_host *host);
/* Frees everything; no handle and no observer may know it any more. */
void connection_destroy(struct mquic_connection *connection);
/* Frees what an attempt to connect made: ngtcp2's and TLS's part, on a client the socket. */
void connection_strip(struct mquic_connection *connection);
/* Ends it without a word to the peer; the observer hears of it from the task. */
void connection_drop(struct mquic_connection *connection);
/* Something could not be told: it ends with the next task, and that is told. */
void connection_out_of_memory(struct mquic_connection *connection);
/* A datagram for it came in on the wire. */
void connection_read(struct mquic_connection *connection, struct wire *wire,
		     const struct datagram *datagram);
void connection_set_peer(struct mquic_connection *connection, const ngtcp2_path *path);

#endif
