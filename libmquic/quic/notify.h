/* SPDX-License-Identifier: MIT */
/* The observer of a connection that nobody else observes: public events. */
#ifndef MQUIC_QUIC_NOTIFY_H
#define MQUIC_QUIC_NOTIFY_H

#include "quic/connection.h"

/* Who is told what happens on a connection, and what was told. */
struct quic_telling {
	const struct connection_observer *observer;
	void *self;
	struct mquic_event *last_event; /* made beforehand: the end is told even without memory */
	bool acceptable_queued;
	bool handshake_told;
	bool end_told;
};

#endif
