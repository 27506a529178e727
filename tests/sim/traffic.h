/* SPDX-License-Identifier: MIT */
/* Streams full of bytes that can be checked, both ways, in portions of every size. */
#ifndef MQUIC_TESTS_TRAFFIC_H
#define MQUIC_TESTS_TRAFFIC_H

#include "pair.h"

/* One end of a stream: what it has to send, and what came. */
struct traffic_end {
	struct mquic_stream *stream;
	uint64_t seed;    /* of the bytes sent; the other end's is made from the same */
	uint64_t to_send; /* in all, then FIN */
	uint64_t sent;
	uint64_t received;
	uint64_t most_pending; /* the highest mquic_stream_bytes_pending() */
	size_t portion;        /* most bytes of one call */
	bool paused;           /* reads nothing */
	bool endless;          /* sends no FIN */
	bool finished;
	bool fin_seen;
	enum mquic_status broken; /* why reading ended before FIN; 0: it did not */
	unsigned int writable;    /* events */
	unsigned int closed;
	uint64_t close_code;
};

#define TRAFFIC_ENDS 64

/* The ends of both sides by number of stream. */
extern struct traffic_end traffic_client[TRAFFIC_ENDS];
extern struct traffic_end traffic_server[TRAFFIC_ENDS];

/*
 * Makes ready: streams of the client get numbers in the order of traffic_open(), and the server
 * answers stream n with `answer` bytes of its own. Call after the pair is open.
 */
void traffic_start(uint64_t answer);
void traffic_stop(void);

/* Opens the next stream of the client and starts sending. Returns its number. */
size_t traffic_open(uint64_t bytes);

/* Moves what can be moved. */
void traffic_send(struct traffic_end *end);
void traffic_receive(struct traffic_end *end);

/* Whether all streams opened so far have carried everything both ways, FIN included. */
bool traffic_is_done(void *unused);

#endif
