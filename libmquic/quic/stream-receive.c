/* SPDX-License-Identifier: MIT */
/* The receiving part of a stream. */
#include "quic/stream-receive.h"

#include <string.h>

#include "quic/stream-check.h"

void stream_discard_input(struct mquic_stream *stream)
{
	(void)stream_step_receiving(stream, RECEIVING_GIVEN_UP);
	if (stream->input.len > 0)
		ngtcp2_conn_extend_max_offset(connection_conn(stream->connection),
					      stream->input.len);
	fifo_clear(&stream->input);
}

enum mquic_status mquic_stream_peek(struct mquic_stream *stream, const uint8_t **data, size_t *len)
{
	struct fifo_span span;

	if (stream == NULL || data == NULL || len == NULL)
		return stream_misused(stream,
				      "looking needs a place for the bytes and for their number");
	*data = NULL;
	*len = 0;
	if (stream_is_forked(stream))
		return stream_refuse_forked(stream);
	if (stream->receiving == RECEIVING_GIVEN_UP)
		return stream_refuse(stream, MQUIC_ERR_CLOSED,
				     "nothing can be read: receiving was given up by this side");
	span = fifo_front(&stream->input);
	if (span.len > 0) {
		*data = span.data;
		*len = span.len;
		return MQUIC_OK;
	}
	if (stream_has_ended(stream)) {
		(void)stream_step_receiving(stream, RECEIVING_DATA_READ);
		return MQUIC_OK;
	}
	if (stream->receiving == RECEIVING_RESET_RECVD)
		return stream_refuse(stream, MQUIC_ERR_CLOSED,
				     "the peer has given up sending on this stream (RESET_STREAM)");
	if (stream_is_over(stream))
		return stream_refuse_over(stream);
	return stream_refuse(
		stream, MQUIC_ERR_AGAIN,
		"nothing has come yet; an event tells when there is something to read");
}

enum mquic_status mquic_stream_consume(struct mquic_stream *stream, size_t len)
{
	struct mquic_connection *connection;

	if (stream == NULL || len > fifo_front(&stream->input).len)
		return stream_misused(stream,
				      "more cannot be consumed than the last peek has shown");
	if (stream_is_forked(stream))
		return stream_refuse_forked(stream);
	if (len == 0)
		return MQUIC_OK;
	fifo_drop(&stream->input, len);
	stream->bytes_received += len;
	connection = stream->connection;
	if (connection == NULL || connection_conn(connection) == NULL)
		return MQUIC_OK;
	ngtcp2_conn_extend_max_offset(connection_conn(connection), len);
	if (stream_is_open(stream) && !stream_has_ended(stream))
		(void)ngtcp2_conn_extend_max_stream_offset(connection_conn(connection), stream->id,
							   len);
	endpoint_schedule(connection->endpoint, &connection->task);
	return MQUIC_OK;
}

enum mquic_status mquic_stream_recv(struct mquic_stream *stream, uint8_t *buffer, size_t size,
				    size_t *received)
{
	const uint8_t *data;
	size_t len;
	enum mquic_status status;

	if (stream == NULL || buffer == NULL || received == NULL || size == 0)
		return stream_misused(stream,
				      "receiving needs a buffer with room, and a place for how "
				      "many bytes came");
	*received = 0;
	while (*received < size) {
		status = mquic_stream_peek(stream, &data, &len);
		if (status != MQUIC_OK || len == 0)
			return *received > 0 ? MQUIC_OK : status;
		if (len > size - *received)
			len = size - *received;
		memcpy(buffer + *received, data, len);
		*received += len;
		(void)mquic_stream_consume(stream, len);
	}
	return MQUIC_OK;
}

enum mquic_status mquic_stream_stop(struct mquic_stream *stream, uint64_t code)
{
	enum mquic_status status = stream_check_code(stream, code);

	if (status != MQUIC_OK)
		return status;
	if (stream->receiving == RECEIVING_RESET_RECVD || stream->receiving == RECEIVING_GIVEN_UP)
		return MQUIC_OK;
	stream->stop_code = code;
	stream_discard_input(stream);
	if (stream_is_open(stream) &&
	    ngtcp2_conn_shutdown_stream_read(connection_conn(stream->connection), 0, stream->id,
					     code) != 0)
		return stream_refuse_memory(stream);
	endpoint_schedule(stream->connection->endpoint, &stream->connection->task);
	return MQUIC_OK;
}

uint64_t mquic_stream_bytes_received(const struct mquic_stream *stream)
{
	return stream == NULL ? 0 : stream->bytes_received;
}
