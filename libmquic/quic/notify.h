/* SPDX-License-Identifier: MIT */
/* The observer of a connection that nobody else observes: public events. */
#ifndef MQUIC_QUIC_NOTIFY_H
#define MQUIC_QUIC_NOTIFY_H

#include "quic/connection.h"

const struct connection_observer *connection_events(void);

#endif
