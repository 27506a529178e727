/* SPDX-License-Identifier: MIT */
#include "pipe.h"

#include "../common/clock.h"
#include "../common/say.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads from TCP in one turn, if epoll will tell again: other pipes want theirs. */
#define ROUNDS 16

/* How long what a client said last may take to arrive, once the client is gone. */
#define LAST_WORDS_MS 10000

/* Codes for the QUIC connection's end. */
#define CODE_NORMAL 0
#define CODE_LOST   1

/* ---- life ---------------------------------------------------------------- */

static void leave(struct pipe *pipe)
{
	struct tunnel *tunnel = pipe->tunnel;

	if (pipe->previous)
		pipe->previous->next = pipe->next;
	else
		tunnel->pipes = pipe->next;
	if (pipe->next)
		pipe->next->previous = pipe->previous;
	pipe->next = tunnel->dead;
	tunnel->dead = pipe;
	tunnel->connections--;
	if (tunnel->accept_again_ms != 0)
		tunnel->accept_again_ms = clock_ms();
}

/* Closing with unread input, or after a break, resets the TCP connection: the client knows. */
static void close_socket(struct pipe *pipe)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (pipe->broken)
		setsockopt(pipe->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(pipe->fd);
	pipe->fd = -1;
}

/* The end of a pipe; its memory lives until pipe_reap(). */
static void bury(struct pipe *pipe)
{
	if (pipe->stream)
		say_debug("%s: closed%s, %llu bytes there, %llu back", pipe->name,
			  pipe->broken ? " early" : "",
			  (unsigned long long)mquic_stream_bytes_sent(pipe->stream),
			  (unsigned long long)mquic_stream_bytes_received(pipe->stream));
	close_socket(pipe);
	mquic_stream_free(pipe->stream);
	mquic_connection_free(pipe->connection);
	pipe->stream = NULL;
	pipe->connection = NULL;
	leave(pipe);
}

void pipe_reap(struct tunnel *tunnel)
{
	while (tunnel->dead) {
		struct pipe *pipe = tunnel->dead;

		tunnel->dead = pipe->next;
		free(pipe);
	}
}

static void cut_off(struct pipe *pipe, uint64_t code, const char *reason)
{
	pipe->broken = true;
	mquic_connection_close(pipe->connection, code, reason);
	bury(pipe);
}

void pipe_abort(struct pipe *pipe)
{
	cut_off(pipe, CODE_NORMAL, "the tunnel is shutting down");
}

void pipe_expire(struct tunnel *tunnel)
{
	uint64_t now = clock_ms();
	uint64_t next = 0;
	struct pipe *pipe, *following;

	for (pipe = tunnel->pipes; pipe; pipe = following) {
		following = pipe->next;
		if (pipe->leave_by_ms == 0)
			continue;
		if (pipe->leave_by_ms <= now)
			cut_off(pipe, CODE_LOST, "the TCP connection is lost");
		else if (next == 0 || pipe->leave_by_ms < next)
			next = pipe->leave_by_ms;
	}
	tunnel->expire_ms = next;
}

/* ---- bytes --------------------------------------------------------------- */

static void watch(struct pipe *pipe, uint32_t event, bool wanted)
{
	uint32_t events = wanted ? pipe->watched | event : pipe->watched & ~event;

	if (events == pipe->watched || pipe->hung_up)
		return;
	pipe->watched = events;
	watcher_change(pipe->tunnel, pipe->fd, &pipe->watcher, events);
}

/*
 * Nobody is left to be told what the server says. What the client has sent is still delivered, as a
 * broker reads it from a TCP connection that was reset: its last word may be DISCONNECT.
 */
static void leave_behind(struct pipe *pipe)
{
	struct tunnel *tunnel = pipe->tunnel;

	if (!pipe->hung_up)
		watcher_remove(tunnel, pipe->fd);
	pipe->hung_up = true;
	pipe->deaf = true;
	pipe->broken = true;
	pipe->leave_by_ms = clock_ms() + LAST_WORDS_MS;
	if (tunnel->expire_ms == 0)
		tunnel->expire_ms = pipe->leave_by_ms;
}

static void lose_tcp(struct pipe *pipe, int error)
{
	if (pipe->deaf)
		return;
	say_debug("%s: the TCP connection is lost: %s", pipe->name, strerror(error));
	leave_behind(pipe);
}

/* Gives the buffer to the stream; false when the stream takes no more now, or never will. */
static bool flush_to_quic(struct pipe *pipe)
{
	while (pipe->start < pipe->end) {
		size_t sent;
		enum mquic_status status = mquic_stream_send(
			pipe->stream, pipe->buffer + pipe->start, pipe->end - pipe->start, &sent);

		if (status != MQUIC_OK) {
			/* Until WRITABLE; if it is over, until the event that says so. */
			watch(pipe, EPOLLIN, false);
			return false;
		}
		pipe->start += sent;
	}
	pipe->start = pipe->end = 0;
	return true;
}

/* A client that has said nothing is a probe of the port: nobody need hear of it. */
static void end_of_tcp(struct pipe *pipe)
{
	pipe->tcp_ended = true;
	watch(pipe, EPOLLIN, false);
	if (mquic_stream_bytes_sent(pipe->stream) > 0)
		mquic_stream_finish(pipe->stream);
	else
		cut_off(pipe, CODE_NORMAL, NULL);
}

/* What recv() said; false if there is nothing more to read now, or ever. */
static bool take(struct pipe *pipe, ssize_t got)
{
	if (got > 0) {
		pipe->end = (size_t)got;
		return true;
	}
	if (got < 0 && errno == EINTR)
		return true;
	if (got < 0 && errno == EAGAIN && !pipe->deaf)
		return false;
	if (got < 0 && errno != EAGAIN)
		lose_tcp(pipe, errno);
	end_of_tcp(pipe);
	return false;
}

static void tcp_to_quic(struct pipe *pipe)
{
	for (int i = 0; (i < ROUNDS || pipe->hung_up) && !pipe->tcp_ended; i++) {
		if (!flush_to_quic(pipe))
			return;
		if (!take(pipe, recv(pipe->fd, pipe->buffer, sizeof(pipe->buffer), 0)))
			break;
	}
	if (!pipe->tcp_ended && flush_to_quic(pipe))
		watch(pipe, EPOLLIN, true);
}

static void end_of_stream(struct pipe *pipe)
{
	if (pipe->stream_ended)
		return;
	pipe->stream_ended = true;
	shutdown(pipe->fd, SHUT_WR);
}

/* Writes what has arrived; false when the socket is full or lost. */
static bool quic_to_tcp(struct pipe *pipe)
{
	const uint8_t *data;
	size_t len;

	while (!pipe->stream_ended && mquic_stream_peek(pipe->stream, &data, &len) == MQUIC_OK) {
		ssize_t put;

		if (len == 0) {
			end_of_stream(pipe);
			break;
		}
		put = pipe->deaf ? (ssize_t)len : send(pipe->fd, data, len, MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			watch(pipe, EPOLLOUT, true);
			return false;
		}
		if (put < 0) {
			lose_tcp(pipe, errno);
			tcp_to_quic(pipe);
			if (pipe->fd < 0)
				return false;
			continue;
		}
		mquic_stream_consume(pipe->stream, (size_t)put);
	}
	watch(pipe, EPOLLOUT, false);
	return true;
}

/* Both directions are through, or QUIC is gone and what it left is written. */
static void check_end(struct pipe *pipe)
{
	if (pipe->fd < 0)
		return;
	if (pipe->quic_over) {
		bury(pipe);
	} else if (pipe->stream_closed && pipe->tcp_ended && pipe->stream_ended) {
		mquic_connection_close(pipe->connection, pipe->broken ? CODE_LOST : CODE_NORMAL,
				       NULL);
		bury(pipe);
	}
}

void pipe_leave(struct pipe *pipe)
{
	if (!pipe->deaf)
		leave_behind(pipe);
	tcp_to_quic(pipe);
	if (pipe->fd >= 0 && quic_to_tcp(pipe))
		check_end(pipe);
}

/* What came before the failure is read first: it is in the socket still. */
static void socket_failed(struct pipe *pipe)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(pipe->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	lose_tcp(pipe, error);
	tcp_to_quic(pipe);
}

/*
 * Both sides have shut the socket down. epoll reports that for ever, so it is not asked any
 * more; what the client has sent is still read, as fast as QUIC takes it.
 */
static void hang_up(struct pipe *pipe)
{
	watcher_remove(pipe->tunnel, pipe->fd);
	pipe->hung_up = true;
	tcp_to_quic(pipe);
}

static void socket_ready(struct watcher *watcher, uint32_t events)
{
	struct pipe *pipe = (struct pipe *)watcher;

	if (pipe->fd < 0)
		return; /* it ended earlier in this batch */
	if (events & EPOLLERR)
		socket_failed(pipe);
	else if (events & EPOLLHUP)
		hang_up(pipe);
	else if (events & EPOLLIN)
		tcp_to_quic(pipe);
	if (pipe->fd >= 0 && (events & EPOLLOUT) && quic_to_tcp(pipe))
		check_end(pipe);
}

/* ---- QUIC ---------------------------------------------------------------- */

static void connection_ready(struct pipe *pipe)
{
	pipe->was_ready = true;
	say_debug("%s: connected to %s, %s", pipe->name,
		  mquic_connection_peer_address(pipe->connection),
		  mquic_connection_cipher(pipe->connection));
}

static void connection_closed(struct pipe *pipe, const struct mquic_event *event)
{
	pipe->quic_over = true;
	/* A server may end the whole connection with code 0 where TCP would send a FIN. */
	pipe->broken = pipe->broken || mquic_event_status(event) != MQUIC_OK;
	if (!pipe->was_ready)
		say_warning("%s: refused, cannot connect to %s port %u: %s", pipe->name,
			    pipe->tunnel->host, pipe->tunnel->port, mquic_event_text(event));
	else if (mquic_event_status(event) != MQUIC_OK)
		say_warning("%s: the QUIC connection is lost: %s", pipe->name,
			    mquic_event_text(event));
	watch(pipe, EPOLLIN, false);
	if (quic_to_tcp(pipe))
		check_end(pipe);
}

/* The end of the stream is the end of the pipe; CONNECTION_CLOSED follows in any case. */
static void stream_closed(struct pipe *pipe)
{
	pipe->stream_closed = true;
	if (!quic_to_tcp(pipe))
		return;
	if (pipe->stream_ended)
		check_end(pipe);
	else if (mquic_connection_close(pipe->connection, CODE_NORMAL, NULL) == MQUIC_OK)
		pipe->broken = true; /* the server has reset the stream */
}

/* There is room again, or the server reads no more: then the client is gone for it. */
static void stream_writable(struct pipe *pipe)
{
	size_t sent;

	if (mquic_stream_send(pipe->stream, NULL, 0, &sent) != MQUIC_ERR_CLOSED)
		tcp_to_quic(pipe);
	else if (mquic_connection_close(pipe->connection, CODE_NORMAL, NULL) == MQUIC_OK)
		pipe->broken = true;
}

void pipe_handle(const struct mquic_event *event)
{
	struct pipe *pipe = mquic_connection_get_userdata(mquic_event_connection(event));

	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTION_READY:
		connection_ready(pipe);
		break;
	case MQUIC_EVENT_STREAM_READABLE:
		if (quic_to_tcp(pipe))
			check_end(pipe);
		break;
	case MQUIC_EVENT_STREAM_WRITABLE:
		stream_writable(pipe);
		break;
	case MQUIC_EVENT_STREAM_CLOSED:
		stream_closed(pipe);
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		connection_closed(pipe, event);
		break;
	default:
		break;
	}
}

/* ---- opening ------------------------------------------------------------- */

static bool dial(struct pipe *pipe)
{
	struct tunnel *tunnel = pipe->tunnel;

	if (mquic_connection_dial(&pipe->connection, tunnel->endpoint, tunnel->settings,
				  tunnel->host, tunnel->port) != MQUIC_OK) {
		say_warning("%s: refused, cannot connect to %s port %u: %s", pipe->name,
			    tunnel->host, tunnel->port, mquic_endpoint_error(tunnel->endpoint));
		return false;
	}
	mquic_connection_set_userdata(pipe->connection, pipe);
	if (mquic_stream_open(&pipe->stream, pipe->connection) == MQUIC_OK)
		return true;
	say_warning("%s: refused: %s", pipe->name, mquic_connection_error(pipe->connection));
	return false;
}

/* MQTT packets are small and wanted at once; a vanished client is noticed by keep-alive. */
static void tune_socket(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

void pipe_open(struct tunnel *tunnel, int fd, const char *name)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe) {
		say_warning("%s: refused, out of memory.", name);
		close(fd);
		return;
	}
	pipe->watcher.ready = socket_ready;
	pipe->tunnel = tunnel;
	pipe->fd = fd;
	pipe->watched = EPOLLIN;
	snprintf(pipe->name, sizeof(pipe->name), "%s", name);
	tune_socket(fd);
	pipe->next = tunnel->pipes;
	if (pipe->next)
		pipe->next->previous = pipe;
	tunnel->pipes = pipe;
	tunnel->connections++;
	say_debug("%s: connecting (%u open)", name, tunnel->connections);
	if (!dial(pipe) || !watcher_add(tunnel, fd, &pipe->watcher, EPOLLIN)) {
		pipe->broken = true;
		bury(pipe);
	}
}
