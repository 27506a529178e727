/* SPDX-License-Identifier: MIT */
/* Streams that begin, on either side. */
#include "quic/stream-open.h"

#include "quic/stream-send.h"

/* What was asked for before the stream had an identifier. */
static void opened(struct mquic_stream *stream)
{
	struct mquic_connection *connection = stream->connection;

	(void)stream_live(stream, STREAM_OPEN);
	if (stream_is_reset(stream))
		(void)ngtcp2_conn_shutdown_stream_write(connection_conn(connection), 0, stream->id,
							stream->code);
	if (stream->receiving == RECEIVING_GIVEN_UP)
		list_append(&connection->streams.stopping, &stream->place_link);
	if (stream_has_output(stream))
		stream_mark_sendable(stream);
}

void stream_stop_opened(struct mquic_connection *connection)
{
	struct list *node;

	/* Only after the first flight: ngtcp2 1.11 loses a STOP_SENDING queued before it. */
	while ((node = list_take_first(&connection->streams.stopping)) != NULL) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, place_link);

		(void)ngtcp2_conn_shutdown_stream_read(connection_conn(connection), 0, stream->id,
						       stream->stop_code);
	}
}

void stream_open_waiting(struct mquic_connection *connection)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->streams.waiting) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, place_link);

		if (ngtcp2_conn_open_bidi_stream(connection_conn(connection), &stream->id,
						 stream) != 0)
			return;
		list_remove(node);
		opened(stream);
	}
}

enum mquic_status mquic_stream_open(struct mquic_stream **stream,
				    struct mquic_connection *connection)
{
	struct mquic_stream *made;

	if (connection == NULL)
		return MQUIC_ERR_INVALID;
	if (stream == NULL)
		return error_say(&connection->error, MQUIC_ERR_INVALID,
				 "opening needs a place for the stream");
	if (connection_check_fork(connection) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (connection->state == CONNECTION_ENDED)
		return error_set(&connection->error, MQUIC_ERR_CLOSED,
				 "no stream can be opened: the connection is over");
	made = stream_new(connection);
	if (made == NULL)
		return error_set(&connection->error, MQUIC_ERR_MEMORY, "out of memory");
	made->owned = true;
	list_append(&connection->streams.waiting, &made->place_link);
	if (connection->state == CONNECTION_READY)
		stream_open_waiting(connection);
	*stream = made;
	return MQUIC_OK;
}

enum mquic_status mquic_connection_accept_stream(struct mquic_connection *connection,
						 struct mquic_stream **stream)
{
	struct list *node;
	struct mquic_stream *taken;

	if (connection == NULL)
		return MQUIC_ERR_INVALID;
	if (stream == NULL)
		return error_say(&connection->error, MQUIC_ERR_INVALID,
				 "accepting needs a place for the stream");
	if (connection_check_fork(connection) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	node = list_take_first(&connection->streams.acceptable);
	if (node == NULL && connection->state == CONNECTION_ENDED)
		return error_say(&connection->error, MQUIC_ERR_CLOSED,
				 "no stream can be accepted: the connection is over");
	if (node == NULL)
		return error_say(&connection->error, MQUIC_ERR_AGAIN,
				 "no stream waits; an event tells when one does");
	taken = list_entry(node, struct mquic_stream, place_link);
	taken->owned = true;
	if (taken->news.readable || taken->news.room_wanted || stream_is_closed(taken)) {
		stream_touch(taken);
		if (connection->endpoint != NULL)
			endpoint_schedule(connection->endpoint, &connection->task);
	}
	*stream = taken;
	return MQUIC_OK;
}
