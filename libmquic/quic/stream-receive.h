/* SPDX-License-Identifier: MIT */
/* The receiving part of a stream. */
#ifndef MQUIC_QUIC_STREAM_RECEIVE_H
#define MQUIC_QUIC_STREAM_RECEIVE_H

#include "quic/stream.h"

/* Nobody reads any more: what is there goes, and its credit back to the peer. */
void stream_discard_input(struct mquic_stream *stream);

#endif
