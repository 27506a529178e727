/* SPDX-License-Identifier: MIT */
/* Packets from what streams and ngtcp2 have to send. */
#ifndef MQUIC_QUIC_WRITER_H
#define MQUIC_QUIC_WRITER_H

struct attempt;

/*
 * Sends what is due. Returns an error of ngtcp2, 0 if all is well; that the peer cannot be reached
 * is recorded in the attempt.
 */
int writer_run(struct attempt *attempt);

#endif
