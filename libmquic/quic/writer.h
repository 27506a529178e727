/* SPDX-License-Identifier: MIT */
/* Packets from what streams and ngtcp2 have to send. */
#ifndef MQUIC_QUIC_WRITER_H
#define MQUIC_QUIC_WRITER_H

struct mquic_connection;

/* Sends what is due. May end the connection. Returns why the peer cannot be reached, 0 if it can.
 */
int writer_run(struct mquic_connection *connection);

#endif
