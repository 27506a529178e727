/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection and the QUIC connection it is carried over, on one stream. Each
 * direction lives by itself, so a half-close passes through:
 *
 *     TCP → QUIC    READING ──end of file──▶ the stream is finished
 *     QUIC → TCP    READING ──end of stream──▶ the socket is shut down for writing
 *
 * When both have ended the QUIC connection is closed with code 0. If either side breaks, what it
 * had sent before is delivered, for a limited time, and the other side is cut off then: after a TCP
 * reset the QUIC connection is closed with code 1. Not reading is the back-pressure.
 */
#ifndef TUNNEL_PIPE_H
#define TUNNEL_PIPE_H

#include "tunnel.h"
#include "watch.h"

#include <stddef.h>

#define PIPE_BUFFER 16384

struct pipe {
	struct watcher watcher;
	struct tunnel *tunnel;
	struct pipe *next, *previous;
	int fd;
	uint32_t watched; /* epoll events asked for */
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	char name[ADDRESS_NAME]; /* the TCP client, "127.0.0.1:40000" */

	bool was_ready;       /* the handshake was completed */
	bool quic_over;       /* the QUIC connection has ended */
	bool tcp_ended;       /* the client has finished, or its socket is broken */
	bool stream_ended;    /* the server has finished, and the client knows */
	bool stream_closed;   /* both directions are acknowledged */
	bool hung_up;         /* the socket is shut both ways: no longer watched */
	bool broken;          /* not the end that both sides wanted */
	bool deaf;            /* the client is gone: what the server says is dropped */
	uint64_t leave_by_ms; /* when it is cut off, delivered or not; 0: never */

	uint8_t buffer[PIPE_BUFFER]; /* read from TCP, not yet taken by the stream */
	size_t start, end;
};

/* Takes the socket over, and dials. */
void pipe_open(struct tunnel *tunnel, int fd, const char *name);
/* Handles an event of a connection or stream that belongs to a pipe. */
void pipe_handle(const struct mquic_event *event);
/* Cuts both sides off at once. */
void pipe_abort(struct pipe *pipe);
/* Reads no more than is there, delivers it, and then cuts both sides off. */
void pipe_leave(struct pipe *pipe);
/* Cuts off those whose time to deliver is up. */
void pipe_expire(struct tunnel *tunnel);
/* Frees those that have ended. */
void pipe_reap(struct tunnel *tunnel);

#endif
