/* SPDX-License-Identifier: MIT */
/* What the observer of a connection hears of its streams. */
#ifndef MQUIC_QUIC_STREAM_TELL_H
#define MQUIC_QUIC_STREAM_TELL_H

#include "quic/stream.h"

/* Tells the observer what the touched streams have to tell. */
void stream_tell(struct mquic_connection *connection);
/* The connection is over: every stream is, too. */
void stream_end_all(struct mquic_connection *connection);

#endif
