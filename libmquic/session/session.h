/* SPDX-License-Identifier: MIT */
/*
 * The body of a session, shared by session.c (life and calls), pump.c, state.c and settings.c
 * (setters).
 *
 *     IDLE ──connect──▶ DIALING ──ready──▶ CONNECTING ──CONNACK──▶ CONNECTED
 *      ▲                   └────────────────┬─┴───────────────────────┘
 *      │               disconnect ┌─────────┤ MQTT is over otherwise: refused, timed out, ...
 *      │                          ▼         ▼
 *      │                       LEAVING ─▶ PARTING ──all acknowledged, or not for too long──┐
 *      │                                                                                   ▼
 *      │                         from any of these, when the carrier is over: ──────────▶ ENDED
 *      │                                                                                   │
 *      └──DISCONNECTED is taken────────────────── OVER ◀──what came before that is read────┘
 *
 * connect() leads from OVER to DIALING as it does from IDLE.
 *
 * A session joins an MQTT engine to one lane of a carrier. Its task is the pump: bytes from the
 * lane to the engine, events from the engine to the endpoint's queue, output of the engine to the
 * lane. It stops feeding the engine while the queue is full, so that the carrier's flow control
 * holds the server back.
 */
#ifndef MQUIC_SESSION_SESSION_H
#define MQUIC_SESSION_SESSION_H

#include "core/endpoint.h"
#include "mqtt/engine.h"
#include "session/carrier.h"

enum session_state {
	SESSION_IDLE,
	SESSION_DIALING,    /* CONNECT is on its way to where the carrier is not yet */
	SESSION_CONNECTING, /* the server has not answered it */
	SESSION_CONNECTED,
	SESSION_LEAVING, /* what is queued goes first, then DISCONNECT */
	SESSION_PARTING, /* all is sent, some of it not acknowledged */
	SESSION_ENDED,   /* the carrier is over; what it brought may not be read yet */
	SESSION_OVER     /* the program may not know yet */
};

/* Whose wish the end was; each is for the rest of a connection. */
enum session_goodbye {
	GOODBYE_NONE,      /* nobody's so far, or the carrier's alone */
	GOODBYE_ASKED,     /* the program's */
	GOODBYE_CUT_SHORT, /* the program's, and the server did not acknowledge all */
	GOODBYE_HUNG_UP    /* the server's, which wanted no more of the lane */
};

struct mquic_session {
	struct mquic_endpoint *endpoint; /* NULL once that is freed */
	struct endpoint_child child;
	struct mquic_settings *settings;
	struct mqtt_engine *engine;
	const struct carrier_kind *kind; /* of the next carrier */
	struct carrier *carrier;         /* also the last one, for its statistics */
	struct carrier_lane *lane;
	struct timer timer;
	struct task task;
	struct mquic_event *farewell; /* DISCONNECTED, made beforehand */
	struct mquic_event *verdict;  /* DISCONNECTED from the engine, told when all is over */
	enum session_state state;
	enum session_goodbye goodbye;
	bool untold;           /* DISCONNECTED waits in the queue */
	uint64_t close_by_ns;  /* PARTING: when to stop waiting for acknowledgement */
	uint64_t acknowledged; /* bytes on the lane, when last looked */
	uint64_t number;       /* in the log */
	struct carrier_end end;
	struct error error;
	void *userdata;
};

/* ---- state.c ---- */

void session_step(struct mquic_session *session, enum session_state to);
/* The step to OVER; with that event. */
void session_step_over(struct mquic_session *session, const struct mquic_event *last);
/* Neither IDLE nor OVER. */
bool session_is_active(const struct mquic_session *session);
/* OVER: notices that the program knows. */
void session_settle(struct mquic_session *session);

/* ---- pump.c ---- */

void pump_init(struct mquic_session *session);
uint64_t pump_now_ms(struct mquic_session *session);
/* What the session's carrier tells. */
extern const struct carrier_user pump_user;

#endif
