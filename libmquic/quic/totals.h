/* SPDX-License-Identifier: MIT */
/*
 * What is counted of an endpoint. Each part adds what it sees with host_count(); what is known of a
 * connection alone comes here when it begins, is complete, and ends.
 */
#ifndef MQUIC_QUIC_TOTALS_H
#define MQUIC_QUIC_TOTALS_H

struct mquic_connection;

/* It is one that the endpoint's program or its peer will hear of. */
void totals_begun(struct mquic_connection *connection);
void totals_done(struct mquic_connection *connection);
/* What TLS knows of the handshake is taken down. */
void totals_resumed(struct mquic_connection *connection);
/* Why is in connection->end, and its attempts are over. */
void totals_ended(struct mquic_connection *connection);

#endif
