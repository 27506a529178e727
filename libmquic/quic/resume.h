/* SPDX-License-Identifier: MIT */
/* A client that goes on from an earlier handshake with the same server (tls/tickets.h). */
#ifndef MQUIC_QUIC_RESUME_H
#define MQUIC_QUIC_RESUME_H

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>

struct address;
struct attempt;

/* Before the first packet: offers a ticket, if there is one, and what is known of the path. */
void resume_offer(struct attempt *attempt, const struct address *remote, ngtcp2_settings *settings);

/* After the handshake so many more bytes of TLS came: whether it is to see them. */
bool resume_wants(struct attempt *attempt, size_t len);

/*
 * The handshake is complete: keeps the ticket that has come. True: none is waited for any more, and
 * TLS is needed for nothing else.
 */
bool resume_settle(struct attempt *attempt);

#endif
