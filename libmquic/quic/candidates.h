/* SPDX-License-Identifier: MIT */
/* What a client tries: a name, and the addresses that it leads to. */
#ifndef MQUIC_QUIC_CANDIDATES_H
#define MQUIC_QUIC_CANDIDATES_H

#include <stdbool.h>

#include "core/resolve.h"
#include "core/timer.h"
#include "quic/connection.h"
#include "mquic.h"

struct tls_ticket;

struct quic_candidates {
	struct mquic_connection *connection;
	char *host;
	struct lookup lookup;
	struct resolve_answer answer;
	bool answered; /* the answer is there: the connection's task acts on it */
	size_t next;
	uint64_t until_ns;  /* for all of it: the name, and the handshake */
	struct timer timer; /* for the system's answer, then for the next address */
	bool impatient;     /* it has fired: the connection's task acts on it */

	struct tls_ticket *ticket; /* to resume with, NULL: none */
	bool ticket_asked;         /* whether there is one */

	/* What came of the attempts so far (race.c). */
	bool patient; /* the latest has got a little more time */
	bool judged;  /* a server has spoken against us */
	struct quic_end best;
	unsigned int best_worth; /* 0: there is none */
};

/* The connection's, without an address yet; false if out of memory. */
bool candidates_new(struct mquic_connection *connection, const char *host);
void candidates_free(struct mquic_connection *connection);

/* Takes a numeric address for the only one; false if that is none. */
bool candidates_are_numeric(struct mquic_connection *connection, uint16_t port);
/* Has the name looked up; false if out of memory. */
bool candidates_look_up(struct mquic_connection *connection, uint16_t port);
/* Whether the name has led anywhere, in time; if not, why the connection ends is set. */
bool candidates_are_found(struct mquic_connection *connection);

#endif
