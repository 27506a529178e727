/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection and the QUIC connection it is carried over, on one stream. Each
 * direction lives by itself, so a half-close passes through:
 *
 *     TCP → QUIC    READING ──end of file──▶ the stream is finished
 *     QUIC → TCP    READING ──end of stream──▶ the socket is shut down for writing
 *
 * When both have ended the QUIC connection is closed with code 0. If either side breaks, the
 * other is cut off: a TCP reset closes the QUIC connection, the end of the QUIC connection
 * closes the socket once what had arrived is written. Not reading is the back-pressure.
 */
#ifndef TUNNEL_PIPE_H
#define TUNNEL_PIPE_H

#include "tunnel.h"

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

	bool was_ready;	    /* the handshake was completed */
	bool quic_over;	    /* the QUIC connection has ended */
	bool tcp_ended;	    /* the client has finished, or its socket is broken */
	bool stream_ended;  /* the server has finished, and the client knows */
	bool stream_closed; /* both directions are acknowledged */
	bool hung_up;	    /* the socket is shut both ways: no longer watched */
	bool broken;	    /* not the end that both sides wanted */

	uint8_t buffer[PIPE_BUFFER]; /* read from TCP, not yet taken by the stream */
	size_t start, end;
};

/* Takes the socket over, and dials. */
void pipe_open(struct tunnel *tunnel, int fd, const char *name);
/* Handles an event of a connection or stream that belongs to a pipe. */
void pipe_handle(const struct mquic_event *event);
/* Cuts both sides off at once. */
void pipe_abort(struct pipe *pipe);
/* Frees those that have ended. */
void pipe_reap(struct tunnel *tunnel);

#endif
