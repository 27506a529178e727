/* SPDX-License-Identifier: MIT */
/* The sending part of a stream. */
#include "quic/stream-send.h"

#include "quic/stream-check.h"

void stream_stopped(struct mquic_stream *stream)
{
	list_remove(&stream->send_link);
	(void)stream_step_sending(stream, SENDING_STOPPED);
	stream->news.room_wanted = true; /* whoever waits to send must learn that it is in vain */
	stream_touch(stream);
}

bool stream_has_output(const struct mquic_stream *stream)
{
	uint64_t end = stream->output_acked + stream->output.len;

	if (stream_is_reset(stream) || stream_is_closed(stream))
		return false;
	return end > stream->output_sent || stream->sending == SENDING_FINISHING;
}

void stream_mark_sendable(struct mquic_stream *stream)
{
	if (stream->id < 0 || list_is_linked(&stream->send_link))
		return;
	list_append(&stream->connection->streams.sendable, &stream->send_link);
}

/* MQUIC_OK while bytes may be queued. */
static enum mquic_status check_sending(struct mquic_stream *stream)
{
	if (stream_is_forked(stream))
		return stream_refuse_forked(stream);
	if (stream->sending == SENDING_STOPPED)
		return stream_refuse(stream, MQUIC_ERR_CLOSED,
				     "the peer reads no more of this stream (STOP_SENDING)");
	if (stream_is_over(stream))
		return stream_refuse_over(stream);
	if (stream->sending == SENDING_RESET_SENT)
		return stream_refuse(stream, MQUIC_ERR_STATE,
				     "nothing can be sent: the stream was reset by this side");
	if (stream->sending != SENDING_SEND)
		return stream_refuse(stream, MQUIC_ERR_STATE,
				     "nothing can be sent: the stream was finished by this side");
	return MQUIC_OK;
}

enum mquic_status mquic_stream_send(struct mquic_stream *stream, const uint8_t *data, size_t len,
				    size_t *sent)
{
	struct mquic_connection *connection;
	enum mquic_status status;
	size_t room;

	if (stream == NULL || sent == NULL || (data == NULL && len > 0))
		return stream_misused(stream,
				      "sending needs bytes, and a place for how many were taken");
	*sent = 0;
	connection = stream->connection;
	status = check_sending(stream);
	if (status != MQUIC_OK || len == 0)
		return status;
	room = stream->output.len < connection->settings->send_buffer
		       ? (size_t)connection->settings->send_buffer - stream->output.len
		       : 0;
	if (len > room) {
		stream->news.room_wanted = true;
		len = room;
	}
	if (len == 0)
		return stream_refuse(stream, MQUIC_ERR_AGAIN,
				     "the send buffer is full; an event tells when there is room");
	if (!fifo_append(&stream->output, data, len))
		return stream_refuse_memory(stream);
	stream->bytes_sent += len;
	*sent = len;
	stream_mark_sendable(stream);
	endpoint_schedule(connection->endpoint, &connection->task);
	return MQUIC_OK;
}

enum mquic_status mquic_stream_finish(struct mquic_stream *stream)
{
	enum mquic_status status;

	if (stream == NULL)
		return MQUIC_ERR_INVALID;
	status = stream_check_alive(stream);
	if (status != MQUIC_OK)
		return status;
	if (stream_is_reset(stream))
		return stream_refuse(stream, MQUIC_ERR_STATE,
				     "the stream cannot be finished: sending was given up (reset)");
	if (!stream_step_sending(stream, SENDING_FINISHING))
		return MQUIC_OK;
	stream_mark_sendable(stream);
	endpoint_schedule(stream->connection->endpoint, &stream->connection->task);
	return MQUIC_OK;
}

enum mquic_status mquic_stream_reset(struct mquic_stream *stream, uint64_t code)
{
	enum mquic_status status = stream_check_code(stream, code);

	if (status != MQUIC_OK)
		return status;
	if (!stream_step_sending(stream, SENDING_RESET_SENT))
		return MQUIC_OK;
	stream->code = code;
	list_remove(&stream->send_link);
	if (stream_is_open(stream) &&
	    ngtcp2_conn_shutdown_stream_write(connection_conn(stream->connection), 0, stream->id,
					      code) != 0)
		return stream_refuse_memory(stream);
	endpoint_schedule(stream->connection->endpoint, &stream->connection->task);
	return MQUIC_OK;
}

uint64_t mquic_stream_bytes_sent(const struct mquic_stream *stream)
{
	return stream == NULL ? 0 : stream->bytes_sent;
}

uint64_t mquic_stream_bytes_pending(const struct mquic_stream *stream)
{
	return stream == NULL ? 0 : stream->output.len;
}
