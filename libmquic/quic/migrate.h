/* SPDX-License-Identifier: MIT */
/* A client that changes its address (RFC 9000 section 9). */
#ifndef MQUIC_QUIC_MIGRATE_H
#define MQUIC_QUIC_MIGRATE_H

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>

struct mquic_connection;
struct quic_host;

/* What is known of the path of a connection's next wire. */
enum path_answer {
	PATH_UNKNOWN,
	PATH_VALID,
	PATH_FAILED
};

/* Tries another path if the system would now send from another address. `cannot_send`: on the
 * present one. */
void migrate_if_moved(struct mquic_connection *connection, bool cannot_send);
void migrate_all_that_moved(struct quic_host *host);
/* Records what ngtcp2 knows of a path, on either side. */
void migrate_path_answered(struct mquic_connection *connection, const ngtcp2_path *path,
			   ngtcp2_path_validation_result result);
/* Acts on it: the next wire takes over, or goes. */
void migrate_settle(struct mquic_connection *connection);

#endif
