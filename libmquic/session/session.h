/* SPDX-License-Identifier: MIT */
/*
 * The body of a session, shared by session.c (life and calls), pump.c and options.c (setters).
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
	bool active;                  /* from connect until the carrier is over */
	bool untold;                  /* DISCONNECTED waits in the queue */
	bool disconnecting;
	bool cut_short;        /* closed although the server has not acknowledged all */
	bool ended;            /* the carrier is over, what it brought may not be read yet */
	uint64_t close_by_ns;  /* when to stop waiting for the last bytes to be acknowledged */
	uint64_t acknowledged; /* bytes on the lane, when last looked */
	struct carrier_end end;
	struct error error;
	void *userdata;
};

/* ---- pump.c ---- */

void pump_init(struct mquic_session *session);
uint64_t pump_now_ms(struct mquic_session *session);
/* What the session's carrier tells. */
extern const struct carrier_user pump_user;

#endif
