/* SPDX-License-Identifier: MIT */
/*
 * What the session room sees of a connection, beside the public API: who is told what happened
 * on it, and why it ended.
 */
#ifndef MQUIC_QUIC_CONNECTION_H
#define MQUIC_QUIC_CONNECTION_H

#include "core/error.h"
#include "core/log.h"
#include "mquic.h"

/* Why a connection is over. */
struct quic_end {
	enum mquic_status status;
	enum mquic_origin origin;
	uint64_t code;
	enum log_culprit culprit;
	char text[240];
};

/*
 * Told what happened on a connection, never from inside ngtcp2 and with the connection in order:
 * an observer may use the public API on it, but must not free it. Without one of its own a
 * connection turns each call into a public event (notify.c).
 */
struct connection_observer {
	void (*ready)(void *self);
	void (*stream_acceptable)(void *self);
	void (*stream_readable)(void *self, struct mquic_stream *stream);
	void (*stream_writable)(void *self, struct mquic_stream *stream);
	/* The last bytes of ours are acknowledged, FIN included if it was sent. */
	void (*stream_flushed)(void *self, struct mquic_stream *stream);
	void (*stream_closed)(void *self, struct mquic_stream *stream);
	/* The last call. */
	void (*ended)(void *self, const struct quic_end *end);
};

/* Replaces the observer; NULL restores the public events. Queued events are dropped. */
void connection_observe(struct mquic_connection *connection,
			const struct connection_observer *observer, void *self);

bool connection_is_over(const struct mquic_connection *connection);

/* As endpoint_check_fork() and endpoint_is_torn(); fine once the endpoint is gone. */
enum mquic_status connection_check_fork(struct mquic_connection *connection);
bool connection_is_torn(const struct mquic_connection *connection);

/* Of a server's: whether it has yet to say something that deserves its place (admission.c). */
void connection_set_waiting(struct mquic_connection *connection, bool waiting);

/* Where the sentence about a call on it that failed is kept. */
struct error *connection_error(struct mquic_connection *connection);

/* The endpoint it was made on, NULL once that is freed. */
struct mquic_endpoint *connection_endpoint(const struct mquic_connection *connection);

/* What the peer drops a silent connection after, as far as known; the smaller of both, 0: never. */
uint64_t connection_idle_timeout_ms(const struct mquic_connection *connection);

/* Sends PINGs after this silence (RFC 9000 section 10.1.2). */
void connection_set_keep_alive_ms(struct mquic_connection *connection, uint64_t interval_ms);

/* The code of whoever has reset or stopped the stream, 0 while nobody has. */
uint64_t stream_code(const struct mquic_stream *stream);

/* Bytes that the observer keeps for it, to be counted as the connection's memory. */
void connection_set_held(struct mquic_connection *connection, size_t bytes);

#endif
