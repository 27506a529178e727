/* SPDX-License-Identifier: MIT */
/* Streams that begin, on either side. */
#ifndef MQUIC_QUIC_STREAM_OPEN_H
#define MQUIC_QUIC_STREAM_OPEN_H

#include "quic/stream.h"

/* Opens the streams that wait, as far as the peer's limit allows. */
void stream_open_waiting(struct mquic_connection *connection);
/* Tells the peer of stops that were asked for before their streams were open. */
void stream_stop_opened(struct mquic_connection *connection);

#endif
