/* SPDX-License-Identifier: MIT */
/* The observer of a connection that nobody else observes: public events. */
#include <string.h>

#include "quic/notify.h"
#include "quic/stream.h"

/* Without memory the connection ends: an event that is lost would be waited for without end. */
static struct mquic_event *make(struct mquic_connection *connection, enum mquic_event_type type,
				const void *owner)
{
	struct mquic_event *event = event_new(type);

	if (event == NULL) {
		connection_out_of_memory(connection);
		return NULL;
	}
	event->owner = owner;
	event->connection = connection;
	return event;
}

static void ready(void *self)
{
	struct mquic_connection *connection = self;
	struct mquic_event *event;

	if (connection->listener != NULL)
		return; /* accepting tells */
	event = make(connection, MQUIC_EVENT_CONNECTION_READY, connection);
	if (event != NULL)
		endpoint_push(connection->endpoint, event);
}

static void stream_acceptable(void *self)
{
	struct mquic_connection *connection = self;
	struct mquic_event *event;

	if (connection->telling.acceptable_queued)
		return;
	event = make(connection, MQUIC_EVENT_STREAM_ACCEPTABLE, connection);
	if (event == NULL)
		return;
	event->queued = &connection->telling.acceptable_queued;
	endpoint_push(connection->endpoint, event);
}

static void push_stream(struct mquic_connection *connection, struct mquic_stream *stream,
			enum mquic_event_type type, bool *queued)
{
	struct mquic_event *event;

	if (queued != NULL && *queued)
		return;
	event = make(connection, type, stream);
	if (event == NULL)
		return;
	event->stream = stream;
	event->code = stream->code;
	event->queued = queued;
	endpoint_push(connection->endpoint, event);
}

static void stream_readable(void *self, struct mquic_stream *stream)
{
	push_stream(self, stream, MQUIC_EVENT_STREAM_READABLE, &stream->news.readable_queued);
}

static void stream_writable(void *self, struct mquic_stream *stream)
{
	push_stream(self, stream, MQUIC_EVENT_STREAM_WRITABLE, &stream->news.writable_queued);
}

static void stream_flushed(void *self, struct mquic_stream *stream)
{
	(void)self;
	(void)stream; /* mquic_stream_bytes_pending() tells those who ask */
}

static void stream_closed(void *self, struct mquic_stream *stream)
{
	push_stream(self, stream, MQUIC_EVENT_STREAM_CLOSED, NULL);
}

static void ended(void *self, const struct quic_end *end)
{
	struct mquic_connection *connection = self;
	struct mquic_event *event = connection->telling.last_event;

	connection->telling.last_event = NULL;
	event->type = MQUIC_EVENT_CONNECTION_CLOSED;
	event->owner = connection;
	event->connection = connection;
	event->status = end->status;
	event->origin = end->origin;
	event->code = end->code;
	event_set_text(event, end->text, strlen(end->text));
	endpoint_push(connection->endpoint, event);
}

static const struct connection_observer *public_events(void)
{
	static const struct connection_observer events = {
		.ready = ready,
		.stream_acceptable = stream_acceptable,
		.stream_readable = stream_readable,
		.stream_writable = stream_writable,
		.stream_flushed = stream_flushed,
		.stream_closed = stream_closed,
		.ended = ended,
	};

	return &events;
}

void connection_observe(struct mquic_connection *connection,
			const struct connection_observer *observer, void *self)
{
	connection->telling.observer = observer == NULL ? public_events() : observer;
	connection->telling.self = observer == NULL ? connection : self;
	if (connection->endpoint == NULL)
		return;
	event_queue_purge(endpoint_events(connection->endpoint), connection);
	connection->streams.fresh = !list_is_empty(&connection->streams.acceptable);
	if (connection->streams.fresh)
		connection_schedule(connection);
}
