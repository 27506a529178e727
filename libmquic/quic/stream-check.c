/* SPDX-License-Identifier: MIT */
/* Whether a stream can be asked to do something, and the sentence if it cannot. */
#include "quic/stream-check.h"

#include "core/fork.h"

/* Codes are of 62 bits (RFC 9000 section 16). */
#define CODE_LIMIT ((uint64_t)1 << 62)

bool stream_is_over(const struct mquic_stream *stream)
{
	return stream->connection == NULL || stream_is_closed(stream) ||
	       stream->connection->state == CONNECTION_ENDED;
}

bool stream_is_forked(const struct mquic_stream *stream)
{
	return stream->connection != NULL && connection_check_fork(stream->connection) != MQUIC_OK;
}

enum mquic_status stream_refuse(struct mquic_stream *stream, enum mquic_status status,
				const char *sentence)
{
	return error_note(&stream->note, status, sentence);
}

enum mquic_status stream_misused(struct mquic_stream *stream, const char *sentence)
{
	return stream == NULL ? MQUIC_ERR_INVALID
			      : stream_refuse(stream, MQUIC_ERR_INVALID, sentence);
}

enum mquic_status stream_refuse_memory(struct mquic_stream *stream)
{
	return stream_refuse(stream, MQUIC_ERR_MEMORY, "out of memory");
}

enum mquic_status stream_refuse_forked(struct mquic_stream *stream)
{
	return stream_refuse(stream, MQUIC_ERR_FORKED, FORK_SENTENCE);
}

enum mquic_status stream_refuse_over(struct mquic_stream *stream)
{
	return stream_refuse(
		stream, MQUIC_ERR_CLOSED,
		stream->connection == NULL || stream->connection->state == CONNECTION_ENDED
			? "the stream is over, for its connection is; the event at the end "
			  "of the connection says why"
			: "the stream is over: both directions have ended");
}

enum mquic_status stream_check_alive(struct mquic_stream *stream)
{
	if (stream_is_forked(stream))
		return stream_refuse_forked(stream);
	return stream_is_over(stream) ? stream_refuse_over(stream) : MQUIC_OK;
}

enum mquic_status stream_check_code(struct mquic_stream *stream, uint64_t code)
{
	if (stream == NULL || code >= CODE_LIMIT)
		return stream_misused(stream, "a code must be below 2^62");
	return stream_check_alive(stream);
}
