/* SPDX-License-Identifier: MIT */
/* How a STOP_SENDING of the peer is noticed (RFC 9000 section 3.5). */
#ifndef MQUIC_QUIC_STOPPED_H
#define MQUIC_QUIC_STOPPED_H

#include "quic/stream.h"

#if NGTCP2_VERSION_NUM >= 0x011800 /* 1.24 */
#define STREAM_TELLS_STOP
#endif

/*
 * A packet that is about to be read has a STOP_SENDING: its code is kept, for an ngtcp2 that does
 * not tell it.
 */
void stream_note_stop(struct mquic_connection *connection, int64_t id, uint64_t code);
/* Finds streams that the peer has stopped, after packets were read. */
void stream_ask_stopped(struct mquic_connection *connection);
#ifdef STREAM_TELLS_STOP
/* ngtcp2 tells of one. */
int stream_stop_received(ngtcp2_conn *conn, int64_t id, uint64_t code, void *user_data,
			 void *stream_user_data);
#endif

#endif
