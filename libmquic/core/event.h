/* SPDX-License-Identifier: MIT */
/*
 * Events and the queue they wait in.
 *
 * An event is a plain record. What it points to belongs to somebody else, except the message
 * and the packet details, which travel with it and are freed with it.
 */
#ifndef MQUIC_CORE_EVENT_H
#define MQUIC_CORE_EVENT_H

#include "core/list.h"
#include "core/pairs.h"
#include "core/text.h"
#include "mquic.h"

/* What a control packet brought along; most events have none. */
struct event_details {
	uint8_t *reasons;
	size_t reason_count;
	struct pairs user_properties;
	uint8_t *auth_data;
	size_t auth_data_len;
	struct text reason_string; /* data NULL: none, as for those below */
	struct text server_reference;
	struct text response_information;
};

struct mquic_event {
	struct list link;
	enum mquic_event_type type;
	enum mquic_status status;
	enum mquic_origin origin;
	bool session_present;
	uint8_t reason; /* the only reason code, unless details list several */
	bool has_reason;
	uint16_t packet_id;
	uint64_t code;
	const void *owner; /* whose free removes it from the queue */
	size_t cost;       /* bytes it counts against the queue: all that is freed with it */
	size_t counted;    /* of that, by the queue it is in */
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	struct mquic_session *session;
	struct mquic_relay *relay;
	struct mquic_message *message;
	void (*message_free)(struct mquic_message *message);
	struct event_details *details;
	char *text;
	bool *queued; /* if set: true while the event waits, so that none is queued twice */
};

struct event_queue {
	struct list events;
	size_t cost; /* bytes of all events in it */
};

void event_queue_init(struct event_queue *queue);

/* A zeroed event of `type`; NULL if out of memory. */
struct mquic_event *event_new(enum mquic_event_type type);

/* One more allocation of `size` bytes travels with the event: counts it, the allocator's share
 * included, so that many tiny ones are not taken for nothing. Counts from the next queue on. */
void event_charge(struct mquic_event *event, size_t size);

/* The details of the event, made if it has none yet; NULL if out of memory. */
struct event_details *event_details(struct mquic_event *event);

/* Copies at most `len` bytes as printable text; silently does without if out of memory. */
void event_set_text(struct mquic_event *event, const char *data, size_t len);

/* Bytes of all events in it. */
static inline size_t event_queue_cost(const struct event_queue *queue)
{
	return queue->cost;
}

/* Puts the event at the end; the queue owns it now. */
void event_queue_push(struct event_queue *queue, struct mquic_event *event);

/* Takes the oldest event, NULL if there is none. */
struct mquic_event *event_queue_pop(struct event_queue *queue);

/* Removes and frees every event of `owner`. */
void event_queue_purge(struct event_queue *queue, const void *owner);

#endif
