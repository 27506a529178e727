/* SPDX-License-Identifier: MIT */
#include "quic/stream.h"

#include <stdlib.h>

struct mquic_stream *stream_new(struct mquic_connection *connection)
{
	struct mquic_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->connection = connection;
	stream->id = -1;
	list_append(&connection->streams.all, &stream->link);
	return stream;
}

static void unlink_all(struct mquic_stream *stream)
{
	list_remove(&stream->link);
	list_remove(&stream->send_link);
	list_remove(&stream->touch_link);
	list_remove(&stream->place_link);
}

/* Lets the peer open another stream in place of one that is gone. */
static void give_credit_back(struct mquic_stream *stream)
{
	struct mquic_connection *connection = stream->connection;

	if (connection == NULL || connection_conn(connection) == NULL)
		return;
	if (stream->input.len > 0)
		ngtcp2_conn_extend_max_offset(connection_conn(connection), stream->input.len);
	if (stream->remote && ngtcp2_is_bidi_stream(stream->id))
		ngtcp2_conn_extend_max_streams_bidi(connection_conn(connection), 1);
	endpoint_schedule(connection->endpoint, &connection->task);
}

void stream_destroy(struct mquic_stream *stream)
{
	struct mquic_connection *connection = stream->connection;

	give_credit_back(stream);
	if (connection != NULL && connection_conn(connection) != NULL && stream_is_open(stream))
		ngtcp2_conn_set_stream_user_data(connection_conn(connection), stream->id, NULL);
	unlink_all(stream);
	fifo_clear(&stream->output);
	fifo_clear(&stream->input);
	free(stream);
}

void stream_detach(struct mquic_stream *stream)
{
	unlink_all(stream);
	(void)stream_live(stream, STREAM_CLOSED);
	stream->connection = NULL;
}

void stream_touch(struct mquic_stream *stream)
{
	if (!list_is_linked(&stream->touch_link))
		list_append(&stream->connection->streams.touched, &stream->touch_link);
}
