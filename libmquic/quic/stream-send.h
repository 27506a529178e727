/* SPDX-License-Identifier: MIT */
/* The sending part of a stream. */
#ifndef MQUIC_QUIC_STREAM_SEND_H
#define MQUIC_QUIC_STREAM_SEND_H

#include "quic/stream.h"

/* Whether anything waits to be sent, FIN included. */
bool stream_has_output(const struct mquic_stream *stream);
/* There is something to send on it. */
void stream_mark_sendable(struct mquic_stream *stream);
/* ngtcp2 takes no more of it, for the peer has sent STOP_SENDING. */
void stream_stopped(struct mquic_stream *stream);

#endif
