/* SPDX-License-Identifier: MIT */
/*
 * The body of a stream, shared by the files of this room. Two halves, as in RFC 9000 section 3:
 *
 *     sending    OPEN ──finish──▶ FIN queued ──sent, all acknowledged──▶ FLUSHED
 *                  └──reset, or STOP_SENDING from the peer──▶ RESET
 *     receiving  OPEN ──FIN──▶ ENDED ──read to the end──▶ DONE
 *                  └──RESET_STREAM from the peer, or stop──▶ RESET
 *
 * When both halves are over ngtcp2 closes the stream; the handle stays readable until freed.
 */
#ifndef MQUIC_QUIC_STREAM_H
#define MQUIC_QUIC_STREAM_H

#include "core/fifo.h"
#include "quic/body.h"

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

	bool owned;  /* a handle is out */
	bool remote; /* opened by the peer */
	bool closed; /* ngtcp2 has forgotten it, or the connection ended */
	bool close_told;
	bool finish_wanted;
	bool finish_sent;
	bool send_reset;   /* by us, or the peer wants no more */
	bool send_stopped; /* the latter */
	bool input_ended;  /* FIN received */
	bool input_reset;  /* by the peer, or we want no more */
	bool discard;      /* nobody reads any more */
	bool starved;      /* send answered AGAIN: say when there is room */
	bool tell_readable;
	bool tell_flushed;
	bool readable_queued;
	bool writable_queued;
};

struct mquic_stream *stream_new(struct mquic_connection *connection);
/* Frees it at once; no handle may be out. */
void stream_destroy(struct mquic_stream *stream);
/* The connection is about to be freed, the handle lives on. */
void stream_detach(struct mquic_stream *stream);
/* Something happened that the observer must hear of. */
void stream_touch(struct mquic_stream *stream);

#endif
