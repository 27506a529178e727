/* SPDX-License-Identifier: MIT */
/* The body of a stream, shared by the files of this room; stream-state.h has the picture. */
#ifndef MQUIC_QUIC_STREAM_H
#define MQUIC_QUIC_STREAM_H

#include "core/fifo.h"
#include "quic/body.h"
#include "quic/stream-state.h"

/* What the observer has yet to hear of a stream. */
struct stream_news {
	bool readable;
	bool flushed;
	bool room_wanted; /* send answered AGAIN: say when there is room */
	bool readable_queued;
	bool writable_queued;
};

struct mquic_stream {
	struct mquic_connection *connection; /* NULL once that is freed */
	int64_t id;                          /* -1: not opened yet */
	struct list link;                    /* of all its connection has */
	struct list send_link;               /* streams.sendable */
	struct list touch_link;              /* streams.touched */
	struct list place_link;              /* streams.waiting, .stopping or .acceptable */
	struct fifo output;                  /* sent and waiting; the mark divides them */
	uint64_t output_sent;                /* bytes handed to ngtcp2 */
	uint64_t output_acked;
	uint64_t moved_ns; /* when that last grew, or bytes went after none */
	struct fifo input;
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint64_t code;      /* of whoever reset or stopped it */
	uint64_t stop_code; /* of ours, kept until it is opened */
	void *userdata;
	const char *note; /* about the last call that failed; NULL: none has */

	enum stream_life life;
	enum stream_sending sending;
	enum stream_receiving receiving;
	bool owned;  /* a handle is out */
	bool remote; /* opened by the peer */
	struct stream_news news;
};

/* Whether ngtcp2 knows it. */
static inline bool stream_is_open(const struct mquic_stream *stream)
{
	return stream->life == STREAM_OPEN;
}

/* Whether it is over, told of or not. */
static inline bool stream_is_closed(const struct mquic_stream *stream)
{
	return stream->life >= STREAM_CLOSED;
}

/* Whether bytes or FIN may still go: not once all has gone, or sending was given up. */
static inline bool stream_may_send(const struct mquic_stream *stream)
{
	return stream->sending <= SENDING_FINISHING;
}

/* Whether sending was given up, by us or the peer. */
static inline bool stream_is_reset(const struct mquic_stream *stream)
{
	return stream->sending >= SENDING_RESET_SENT;
}

/* Whether all has come, FIN included, and nobody has given it up. */
static inline bool stream_has_ended(const struct mquic_stream *stream)
{
	return stream->receiving == RECEIVING_DATA_RECVD ||
	       stream->receiving == RECEIVING_DATA_READ;
}

struct mquic_stream *stream_new(struct mquic_connection *connection);
/* Frees it at once; no handle may be out. */
void stream_destroy(struct mquic_stream *stream);
/* The connection is about to be freed, the handle lives on. */
void stream_detach(struct mquic_stream *stream);
/* Something happened that the observer must hear of. */
void stream_touch(struct mquic_stream *stream);

#endif
