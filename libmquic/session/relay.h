/* SPDX-License-Identifier: MIT */
/*
 * The body of a relay, shared by its files: relay.c has its life and what the connection tells,
 * relay-connect.c looks at CONNECT, relay-pipe.c moves the bytes of one stream, relay-merge.c those
 * of several, relay-end.c ends it.
 *
 * The server side of one MQTT client: one stream of an accepted connection, whose first packet is
 * looked at, and may get another user name, before all is a byte pipe. That it is to the program
 * even if the client opens more streams.
 *
 *     WAITING ──CONNECT complete──▶ SHOWN ──open──▶ OPEN ──finish──▶ FINISHING ──flushed──┐
 *        │ malformed, late,             │              │ the client is gone                 │
 *        │ or the client is gone        │ gone, close  ▼ before all was read                │
 *        │                              │            LEFT ──all is read, finish, close──┐   │
 *        ▼                              ▼                                               ▼   ▼
 *     CLOSED ◀──────────────────────────┴───────────────────────────────────────────────┴───┘
 */
#ifndef MQUIC_SESSION_RELAY_H
#define MQUIC_SESSION_RELAY_H

#include "quic/connection.h"
#include "core/endpoint.h"

/* The first that a client opens; all of MQTT goes over it. */
#define CONTROL_STREAM 0

#define NS_PER_MS 1000000U

enum relay_state {
	RELAY_WAITING,
	RELAY_SHOWN,
	RELAY_OPEN,
	RELAY_LEFT, /* to the program as OPEN */
	RELAY_FINISHING,
	RELAY_CLOSED
};

struct mquic_relay {
	struct mquic_endpoint *endpoint; /* NULL once that is freed */
	struct endpoint_child child;
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	struct timer timer;
	uint64_t pending; /* FINISHING: bytes that were not acknowledged when last looked */
	char *farewell;   /* FINISHING: why the broker is done; NULL: it does not say */
	enum relay_state state;
	enum mquic_status fault; /* what was wrong, if we close it for that */
	bool readable_queued;
	bool writable_queued;
	struct quic_end end;
	struct mquic_event *last_event; /* made beforehand */

	struct merge *merge;           /* NULL: before it is open, or of an unknown version */
	bool merged;                   /* it has started: all bytes go through it */
	struct mquic_stream **streams; /* data streams, by slot; NULL: there has been none */
	uint64_t *acknowledged;        /* by slot: deliveries, when last looked; UINT64_MAX: not */
	size_t turn;                   /* the slot that is read first */
	bool watching;                 /* the timer runs for that */
	bool writable_wanted;          /* a write was refused */

	uint8_t *head; /* CONNECT: gathered, shown, then the first bytes of the pipe */
	size_t head_len;
	size_t head_read;
	size_t head_max;
	int protocol;
	bool clean_start;
	uint16_t keep_alive_s;
	struct text client_id;
	struct text username;

	uint64_t number; /* in the log */
	struct error error;
	void *userdata;
};

/* ---- relay-state.c ---- */

void relay_step(struct mquic_relay *relay, enum relay_state to);
/* The step to CLOSED, with the reason in `end`. */
void relay_step_closed(struct mquic_relay *relay);
/* Whether the relay is in the state a call demands; `what` is the sentence if it is not. */
/* MQUIC_OK while there is a client to do something for. */
enum mquic_status relay_demand_client(struct mquic_relay *relay);
enum mquic_status relay_demand(struct mquic_relay *relay, enum relay_state state, const char *what);
/*
 * Takes over what the control stream says of a call that failed: the stream knows why, the program
 * asks the relay. That there is nothing yet is said after every message.
 */
static inline enum mquic_status relay_of_stream(struct mquic_relay *relay, enum mquic_status status)
{
	if (status == MQUIC_OK)
		return MQUIC_OK;
	return error_say(&relay->error, status, mquic_stream_error(relay->stream));
}
/* Queues an event of the relay; `queued`, unless NULL, says whether one of its type waits. False if
 * out of memory: then the client is closed. */
bool relay_push(struct mquic_relay *relay, enum mquic_event_type type, bool *queued);

/* ---- relay-end.c ---- */

/* The last event, once; nothing follows it. */
void relay_tell_closed(struct mquic_relay *relay);
/* Closes it for a fault that is not the program's. */
void relay_hang_up(struct mquic_relay *relay, enum mquic_status fault, const char *reason);
/* Without its stream, or half of it, a client is gone (as a TCP connection would be). */
void relay_lose_stream(struct mquic_relay *relay);
/* Ends the connection of a client that has, or will have, no more of its last bytes. */
enum mquic_status relay_say_good_bye(struct mquic_relay *relay);
/* Gives the client time for its last bytes, so many. */
void relay_await_flush(struct mquic_relay *relay, uint64_t pending, uint64_t now_ns);

/* ---- relay-connect.c ---- */

/*
 * WAITING: takes the bytes of CONNECT from the stream, not one more. MQUIC_OK: it is complete.
 * MQUIC_ERR_AGAIN: it is not. Else the objection is a sentence for the client.
 */
enum mquic_status relay_gather(struct mquic_relay *relay, const char **objection);
void relay_forget_connect(struct mquic_relay *relay);

/* ---- relay-pipe.c ---- */

/* Whether the client has sent what nobody has consumed yet. */
bool relay_has_unread(struct mquic_relay *relay);

/* ---- relay-merge.c ---- */

/* A stream that is not the control stream has come. */
void relay_add_stream(struct mquic_relay *relay, struct mquic_stream *stream);
/* Has the merge start, if there is more than one stream and the broker has taken the client. */
void relay_merge_start(struct mquic_relay *relay);
/* There is room on one of the streams, or the merge has been given something. */
void relay_merge_moved(struct mquic_relay *relay);
/* A stream has ended, both ways; nothing if it is the control stream. */
void relay_stream_over(struct mquic_relay *relay, struct mquic_stream *stream);
/* The timer has fired: streams that hold on to deliveries are given up. */
void relay_watch_hoards(struct mquic_relay *relay);
void relay_merge_free(struct mquic_relay *relay);
/* As the calls of relay-pipe.c, which forward to them. */
bool relay_merge_has_unread(struct mquic_relay *relay);
enum mquic_status relay_merge_peek(struct mquic_relay *relay, const uint8_t **data, size_t *len);
enum mquic_status relay_merge_consume(struct mquic_relay *relay, size_t len);
enum mquic_status relay_merge_write(struct mquic_relay *relay, const uint8_t *data, size_t len,
				    size_t *written);
/* Bytes that the client has not acknowledged. */
uint64_t relay_pending(const struct mquic_relay *relay);

#endif
