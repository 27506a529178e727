/* SPDX-License-Identifier: MIT */
/*
 * The states of a connection. Who makes it takes the first step, dial.c or accept.c; all others
 * are the conductor's.
 *
 *     NEW ──it dials a name──▶ RESOLVING; an address, or accepted ──▶ HANDSHAKE; or not ──▶ ENDED
 *
 *     RESOLVING ──a name has led to an address──▶ HANDSHAKE; or to none, or closed ──▶ ENDED
 *
 *     HANDSHAKE ──an attempt is complete──▶ READY ──┐
 *       │   ▲                                       ├─ we close, or it fails ──▶ ENDED, closing.c
 *       │   └─ another address (race.c)             │              answers for three PTO
 *       │                                           ├─ the peer closes ────────▶ ENDED, closing.c
 *       │                                           │              drains for three PTO
 *       │                                           └─ idle, stateless reset ──▶ ENDED
 *       └─ refused, timed out, not trusted, closed ────────────────────────────▶ ENDED
 */
#ifndef MQUIC_QUIC_STATE_H
#define MQUIC_QUIC_STATE_H

struct mquic_connection;

enum connection_state {
	CONNECTION_NEW,
	CONNECTION_RESOLVING,
	CONNECTION_HANDSHAKE,
	CONNECTION_READY,
	CONNECTION_ENDED
};

/* Goes from state to state; the log tells, and of the end why and who erred. */
void state_step(struct mquic_connection *connection, enum connection_state to);

#endif
