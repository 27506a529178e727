/* SPDX-License-Identifier: MIT */
/* The handle of a stream: what it says of itself, and its end. */
#include "quic/stream-receive.h"

void mquic_stream_free(struct mquic_stream *stream)
{
	struct mquic_connection *connection;

	if (stream == NULL)
		return;
	connection = stream->connection;
	if (connection != NULL && connection_is_torn(connection))
		return;
	stream->owned = false;
	if (connection == NULL) {
		stream_destroy(stream);
		return;
	}
	if (connection->endpoint != NULL)
		event_queue_purge(endpoint_events(connection->endpoint), stream);
	if (connection->state == CONNECTION_ENDED || stream_is_closed(stream) ||
	    (stream->life == STREAM_WAITING && stream->sending != SENDING_FINISHING)) {
		stream_destroy(stream);
		return;
	}
	if (stream->sending == SENDING_SEND)
		(void)mquic_stream_reset(stream, 0);
	if (stream_has_ended(stream))
		stream_discard_input(stream);
	else
		(void)mquic_stream_stop(stream, 0);
}

struct mquic_connection *mquic_stream_connection(const struct mquic_stream *stream)
{
	return stream == NULL ? NULL : stream->connection;
}

int64_t mquic_stream_id(const struct mquic_stream *stream)
{
	return stream == NULL ? -1 : stream->id;
}

uint64_t stream_code(const struct mquic_stream *stream)
{
	return stream->code;
}

const char *mquic_stream_error(const struct mquic_stream *stream)
{
	if (stream == NULL)
		return "no stream was given";
	return stream->note == NULL ? "" : stream->note;
}

void mquic_stream_set_userdata(struct mquic_stream *stream, void *userdata)
{
	if (stream != NULL)
		stream->userdata = userdata;
}

void *mquic_stream_get_userdata(const struct mquic_stream *stream)
{
	return stream == NULL ? NULL : stream->userdata;
}
