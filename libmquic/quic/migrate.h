/* SPDX-License-Identifier: MIT */
/* A client that changes its address (RFC 9000 section 9). */
#ifndef MQUIC_QUIC_MIGRATE_H
#define MQUIC_QUIC_MIGRATE_H

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>

struct attempt;
struct mquic_connection;

/* What is known of the path of the next wire. */
enum path_answer {
	PATH_UNKNOWN,
	PATH_VALID,
	PATH_FAILED
};

/* Where a client moves to. */
struct quic_move {
	struct wire *wire; /* the next, while its path is validated; else NULL */
	enum path_answer answer;
};

/*
 * Tries another path if the system would now send from another address. `cannot_send`: on the
 * present one. False if the present one is gone and there is no moving: before the handshake is
 * confirmed, and with a server that forbids it.
 */
bool migrate_if_moved(struct mquic_connection *connection, bool cannot_send);
/* Records what ngtcp2 knows of a path, on either side. */
void migrate_path_answered(struct attempt *attempt, const ngtcp2_path *path,
			   ngtcp2_path_validation_result result);
/* Acts on it: the next wire takes over, or goes. */
void migrate_settle(struct attempt *attempt);

#endif
