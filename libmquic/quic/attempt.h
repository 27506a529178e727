/* SPDX-License-Identifier: MIT */
/*
 * One try to connect to one address: a wire, ngtcp2's part, a TLS session. A server's connection
 * has one. A client's may have several while it dials; the first whose handshake completes is
 * adopted and carries the connection from then on, and the others go (conductor.c). Streams are
 * opened only after that, so none moves from one to another.
 *
 * ngtcp2's callbacks get the attempt. They and those who read only record in it what they find;
 * the connection's task acts on it when ngtcp2 has returned.
 */
#ifndef MQUIC_QUIC_ATTEMPT_H
#define MQUIC_QUIC_ATTEMPT_H

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "core/timer.h"
#include "quic/burden.h"
#include "quic/challenge.h"
#include "quic/copies.h"
#include "quic/held.h"
#include "quic/migrate.h"
#include "quic/mtu.h"
#include "quic/pace.h"
#include "quic/path.h"
#include "quic/unproven.h"
#include "tls/order.h"
#include "tls/tls.h"

struct mquic_connection;

/* What was found out since the task ran, or for good. */
struct attempt_record {
	int failure;           /* an error of ngtcp2 to act on; 0: none */
	int unreachable;       /* what the system says of the peer, an errno value; 0: nothing */
	uint64_t refused;      /* the code a packet was refused with (guard.c) */
	uint64_t ticket_bytes; /* TLS messages after the handshake, read or not */
	uint32_t offered; /* the version of QUIC that a server offers in place of ours; 0: none */
	bool news;        /* packets were read since the task ran */
	bool handshake_done; /* the task adopts it */
	bool reset_by_peer;  /* stateless reset */
	bool heard;          /* any packet at all */
};

struct attempt {
	struct mquic_connection *connection;
	struct list link;  /* connection->attempts */
	ngtcp2_conn *conn; /* NULL once it is over */
	ngtcp2_crypto_conn_ref reference;
	struct tls_session
		*tls; /* gone once the handshake is complete, a client's ticket included */
	struct tls_order order;
	struct timer timer; /* ngtcp2's */
	struct wire *wire;
	struct quic_path path;
	struct quic_move move;         /* a client's */
	struct quic_held held;         /* a client's */
	struct quic_unproven unproven; /* a server's */
	struct quic_mtu mtu;
	struct quic_pace pace;
	struct quic_challenge challenge;
	struct quic_copies copies;
	struct quic_burden burden;
	struct attempt_record record;
};

/* Whether one can be made with these settings, to whatever address; else with a sentence. */
enum mquic_status attempt_check(struct mquic_connection *connection);
/* Takes the wire when it is made; NULL if out of memory. The latest carries the connection. */
struct attempt *attempt_new(struct mquic_connection *connection, struct wire *wire);
/* A client's, to an address. `version`: of QUIC, 0 for the first of ours. Else with a sentence. */
enum mquic_status attempt_dial(struct mquic_connection *connection, const struct address *remote,
			       uint32_t version);
/* Frees what it is made of: ngtcp2's and TLS's part, on a client the socket. */
void attempt_end(struct attempt *attempt);
/* Ends it, and the connection forgets it. */
void attempt_free(struct attempt *attempt);

/* A datagram for it came in on the wire. */
void attempt_read(struct attempt *attempt, struct wire *wire, const struct datagram *datagram);
/* ngtcp2 is past the handshake: now for what came before it was. */
void attempt_read_held(struct attempt *attempt);
/* Bytes on their way that wait for an acknowledgement. */
static inline uint64_t attempt_in_flight(const struct attempt *attempt)
{
	ngtcp2_conn_info info;

	ngtcp2_conn_get_conn_info(attempt->conn, &info);
	return info.bytes_in_flight;
}

/* The system says that its peer cannot be reached. */
void attempt_unreachable(struct attempt *attempt, int code);
/* Its handshake is complete: what TLS knows is taken down. */
void attempt_finish_tls(struct attempt *attempt);
/* A quarter of its memory is TLS state, which QUIC needs no more. */
void attempt_drop_tls(struct attempt *attempt);

/* A socket towards an address, from the address that the settings name; else with a sentence. */
enum mquic_status attempt_open_wire(struct mquic_connection *connection, struct wire **wire,
				    const struct address *remote);

#endif
