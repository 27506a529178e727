/* SPDX-License-Identifier: MIT */
/*
 * Who acts on a connection. The other files record what they find; only from here it steps from
 * state to state, is dropped and destroyed, and is its observer told.
 */
#ifndef MQUIC_QUIC_CONDUCTOR_H
#define MQUIC_QUIC_CONDUCTOR_H

#include "quic/host.h"

/* A connection without an attempt yet; NULL if out of memory. */
struct mquic_connection *conductor_new(struct quic_host *host);
/* Frees everything; no handle and no observer may know it any more. */
void conductor_destroy(struct mquic_connection *connection);
/* Ends it without a word to the peer; the observer hears of it from the task. */
void conductor_drop(struct mquic_connection *connection);
/* Makes room for a newcomer, see admission.c. An honest client is told, and tries again. */
void conductor_give_way(struct mquic_connection *connection, const char *why);
/* The system's addresses have changed: connections may follow. */
void conductor_follow_moves(struct quic_host *host);

#endif
