/* SPDX-License-Identifier: MIT */
/*
 * A client's attempts at the addresses of a name (RFC 8305 section 5).
 *
 *     first ──250 ms, or it fails──▶ second ──250 ms, or it fails──▶ third ...
 *       │                              │
 *       └─ goes on meanwhile, all of them until one handshake is complete (conductor.c adopts it),
 *          or none is left: then the most telling of their ends is told
 *
 * A server that has judged us, by its close or its certificate, has spoken for its name: nothing
 * new is begun, and who keeps silent is not waited for.
 */
#ifndef MQUIC_QUIC_RACE_H
#define MQUIC_QUIC_RACE_H

#include <stdbool.h>

#include "mquic.h"

struct attempt;

/*
 * Begins an attempt at the next address that a socket can be opened to. MQUIC_ERR_AGAIN: none is
 * left, MQUIC_ERR_SYSTEM: those that are cannot be opened; else what is in the way of any.
 */
enum mquic_status race_next(struct mquic_connection *connection);
/* Begins the next if it is time. */
void race_look(struct mquic_connection *connection);
/*
 * An attempt has failed, as is said in connection->end. True: it is freed, and others go on. False:
 * it was the last, and connection->end is now what is to be told.
 */
bool race_goes_on(struct attempt *lost);
/* After the turns of all: false if nobody is left to wait for, and connection->end says why. */
bool race_settle(struct mquic_connection *connection);

#endif
