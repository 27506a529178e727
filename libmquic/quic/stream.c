/* SPDX-License-Identifier: MIT */
#include "quic/stream.h"

#include <stdlib.h>
#include <string.h>

#include "core/fork.h"

#define CODE_LIMIT ((uint64_t)1 << 62)

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

	if (connection == NULL || connection->conn == NULL)
		return;
	if (stream->input.len > 0)
		ngtcp2_conn_extend_max_offset(connection->conn, stream->input.len);
	if (stream->remote && ngtcp2_is_bidi_stream(stream->id))
		ngtcp2_conn_extend_max_streams_bidi(connection->conn, 1);
	endpoint_schedule(connection->endpoint, &connection->task);
}

void stream_destroy(struct mquic_stream *stream)
{
	struct mquic_connection *connection = stream->connection;

	give_credit_back(stream);
	if (connection != NULL && connection->conn != NULL && !stream->closed && stream->id >= 0)
		ngtcp2_conn_set_stream_user_data(connection->conn, stream->id, NULL);
	unlink_all(stream);
	fifo_clear(&stream->output);
	fifo_clear(&stream->input);
	free(stream);
}

void stream_detach(struct mquic_stream *stream)
{
	unlink_all(stream);
	stream->closed = true;
	stream->connection = NULL;
}

void stream_touch(struct mquic_stream *stream)
{
	if (!list_is_linked(&stream->touch_link))
		list_append(&stream->connection->streams.touched, &stream->touch_link);
}

void stream_stopped(struct mquic_stream *stream)
{
	list_remove(&stream->send_link);
	stream->send_reset = true;
	stream->send_stopped = true;
	stream->starved = true; /* whoever waits to send must learn that it is in vain */
	stream_touch(stream);
}

bool stream_has_output(const struct mquic_stream *stream)
{
	uint64_t end = stream->output_acked + stream->output.len;

	if (stream->send_reset || stream->closed)
		return false;
	return end > stream->output_sent || (stream->finish_wanted && !stream->finish_sent);
}

void stream_mark_sendable(struct mquic_stream *stream)
{
	if (stream->id < 0 || list_is_linked(&stream->send_link))
		return;
	list_append(&stream->connection->streams.sendable, &stream->send_link);
}

/* What was asked for before the stream had an identifier. */
static void opened(struct mquic_stream *stream)
{
	struct mquic_connection *connection = stream->connection;

	if (stream->send_reset)
		(void)ngtcp2_conn_shutdown_stream_write(connection->conn, 0, stream->id,
							stream->code);
	if (stream->input_reset)
		list_append(&connection->streams.stopping, &stream->place_link);
	if (stream_has_output(stream))
		stream_mark_sendable(stream);
}

void stream_stop_opened(struct mquic_connection *connection)
{
	struct list *node;

	/* Only after the first flight: ngtcp2 1.11 loses a STOP_SENDING that is queued before it.
	 */
	while ((node = list_take_first(&connection->streams.stopping)) != NULL) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, place_link);

		(void)ngtcp2_conn_shutdown_stream_read(connection->conn, 0, stream->id,
						       stream->stop_code);
	}
}

void stream_open_waiting(struct mquic_connection *connection)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->streams.waiting) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, place_link);

		if (ngtcp2_conn_open_bidi_stream(connection->conn, &stream->id, stream) != 0)
			return;
		list_remove(node);
		opened(stream);
	}
}

/* Whether the send buffer has emptied enough to be worth telling. */
static bool has_room(const struct mquic_stream *stream)
{
	return stream->send_reset || stream->closed ||
	       stream->output.len <= stream->connection->settings->send_buffer / 2;
}

static void tell_one(struct mquic_connection *connection, struct mquic_stream *stream)
{
	const struct connection_observer *observer = connection->telling.observer;
	void *self = connection->telling.self;

	if (!stream->owned && !stream->closed)
		return; /* accepting it tells */
	if (stream->owned && stream->tell_readable) {
		stream->tell_readable = false;
		observer->stream_readable(self, stream);
	}
	if (stream->owned && stream->tell_flushed) {
		stream->tell_flushed = false;
		observer->stream_flushed(self, stream);
	}
	if (stream->owned && stream->starved && has_room(stream)) {
		stream->starved = false;
		observer->stream_writable(self, stream);
	}
	if (stream->closed && !stream->close_told && stream->owned) {
		stream->close_told = true;
		observer->stream_closed(self, stream);
		return;
	}
	/* Nobody can ask for it any more: the handle was freed while bytes were under way. */
	if (stream->closed && !stream->owned && !list_is_linked(&stream->place_link))
		stream_destroy(stream);
}

void stream_tell(struct mquic_connection *connection)
{
	struct list *node;

	while ((node = list_take_first(&connection->streams.touched)) != NULL)
		tell_one(connection, list_entry(node, struct mquic_stream, touch_link));
}

void stream_end_all(struct mquic_connection *connection)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->streams.all) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, link);

		if (!stream->closed)
			stream->code = connection->end.code;
		stream->closed = true;
		list_remove(&stream->send_link);
		fifo_clear(&stream->output);
		stream_touch(stream);
	}
}

enum mquic_status mquic_stream_open(struct mquic_stream **stream,
				    struct mquic_connection *connection)
{
	struct mquic_stream *made;

	if (stream == NULL || connection == NULL)
		return MQUIC_ERR_INVALID;
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

	if (stream == NULL || connection == NULL)
		return MQUIC_ERR_INVALID;
	if (connection_check_fork(connection) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	node = list_take_first(&connection->streams.acceptable);
	if (node == NULL)
		return connection->state == CONNECTION_ENDED ? MQUIC_ERR_CLOSED : MQUIC_ERR_AGAIN;
	taken = list_entry(node, struct mquic_stream, place_link);
	taken->owned = true;
	if (taken->tell_readable || taken->starved || taken->closed) {
		stream_touch(taken);
		if (connection->endpoint != NULL)
			endpoint_schedule(connection->endpoint, &connection->task);
	}
	*stream = taken;
	return MQUIC_OK;
}

/* Nobody reads any more: what is there goes, and its credit back to the peer. */
static void discard_input(struct mquic_stream *stream)
{
	stream->discard = true;
	ngtcp2_conn_extend_max_offset(stream->connection->conn, stream->input.len);
	fifo_clear(&stream->input);
}

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
	if (connection->conn == NULL || stream->closed ||
	    (stream->id < 0 && !stream->finish_wanted)) {
		stream_destroy(stream);
		return;
	}
	if (!stream->finish_wanted)
		(void)mquic_stream_reset(stream, 0);
	if (stream->input_ended)
		discard_input(stream);
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

static bool is_over(const struct mquic_stream *stream)
{
	return stream->connection == NULL || stream->closed ||
	       stream->connection->state == CONNECTION_ENDED;
}

static bool is_forked(const struct mquic_stream *stream)
{
	return stream->connection != NULL && connection_check_fork(stream->connection) != MQUIC_OK;
}

static enum mquic_status refuse(struct mquic_stream *stream, enum mquic_status status,
				const char *sentence)
{
	return error_note(&stream->note, status, sentence);
}

/* For arguments that no state could make good; there may be no stream to say it of. */
static enum mquic_status misused(struct mquic_stream *stream, const char *sentence)
{
	return stream == NULL ? MQUIC_ERR_INVALID : refuse(stream, MQUIC_ERR_INVALID, sentence);
}

static enum mquic_status no_memory(struct mquic_stream *stream)
{
	return refuse(stream, MQUIC_ERR_MEMORY, "out of memory");
}

static enum mquic_status refuse_forked(struct mquic_stream *stream)
{
	return refuse(stream, MQUIC_ERR_FORKED, FORK_SENTENCE);
}

static enum mquic_status refuse_over(struct mquic_stream *stream)
{
	return refuse(stream, MQUIC_ERR_CLOSED,
		      stream->connection == NULL || stream->connection->state == CONNECTION_ENDED
			      ? "the stream is over, for its connection is; the event at the end "
				"of the connection says why"
			      : "the stream is over: both directions have ended");
}

/* MQUIC_OK while the stream can be asked to do something. */
static enum mquic_status check_alive(struct mquic_stream *stream)
{
	if (is_forked(stream))
		return refuse_forked(stream);
	return is_over(stream) ? refuse_over(stream) : MQUIC_OK;
}

/* MQUIC_OK while bytes may be queued. */
static enum mquic_status check_sending(struct mquic_stream *stream)
{
	if (is_forked(stream))
		return refuse_forked(stream);
	if (stream->send_stopped)
		return refuse(stream, MQUIC_ERR_CLOSED,
			      "the peer reads no more of this stream (STOP_SENDING)");
	if (is_over(stream))
		return refuse_over(stream);
	if (stream->send_reset)
		return refuse(stream, MQUIC_ERR_STATE,
			      "nothing can be sent: the stream was reset by this side");
	if (stream->finish_wanted)
		return refuse(stream, MQUIC_ERR_STATE,
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
		return misused(stream, "sending needs bytes, and a place for how many were taken");
	*sent = 0;
	connection = stream->connection;
	status = check_sending(stream);
	if (status != MQUIC_OK || len == 0)
		return status;
	room = stream->output.len < connection->settings->send_buffer
		       ? (size_t)connection->settings->send_buffer - stream->output.len
		       : 0;
	if (len > room) {
		stream->starved = true;
		len = room;
	}
	if (len == 0)
		return refuse(stream, MQUIC_ERR_AGAIN,
			      "the send buffer is full; an event tells when there is room");
	if (!fifo_append(&stream->output, data, len))
		return no_memory(stream);
	stream->bytes_sent += len;
	*sent = len;
	stream_mark_sendable(stream);
	endpoint_schedule(connection->endpoint, &connection->task);
	return MQUIC_OK;
}

enum mquic_status mquic_stream_peek(struct mquic_stream *stream, const uint8_t **data, size_t *len)
{
	struct fifo_span span;

	if (stream == NULL || data == NULL || len == NULL)
		return misused(stream, "looking needs a place for the bytes and for their number");
	*data = NULL;
	*len = 0;
	if (is_forked(stream))
		return refuse_forked(stream);
	if (stream->discard)
		return refuse(stream, MQUIC_ERR_CLOSED,
			      "nothing can be read: receiving was given up by this side");
	span = fifo_front(&stream->input);
	if (span.len > 0) {
		*data = span.data;
		*len = span.len;
		return MQUIC_OK;
	}
	if (stream->input_ended)
		return MQUIC_OK;
	if (stream->input_reset)
		return refuse(stream, MQUIC_ERR_CLOSED,
			      "the peer has given up sending on this stream (RESET_STREAM)");
	if (is_over(stream))
		return refuse_over(stream);
	return refuse(stream, MQUIC_ERR_AGAIN,
		      "nothing has come yet; an event tells when there is something to read");
}

enum mquic_status mquic_stream_consume(struct mquic_stream *stream, size_t len)
{
	struct mquic_connection *connection;

	if (stream == NULL || len > fifo_front(&stream->input).len)
		return misused(stream, "more cannot be consumed than the last peek has shown");
	if (is_forked(stream))
		return refuse_forked(stream);
	if (len == 0)
		return MQUIC_OK;
	fifo_drop(&stream->input, len);
	stream->bytes_received += len;
	connection = stream->connection;
	if (connection == NULL || connection->conn == NULL)
		return MQUIC_OK;
	ngtcp2_conn_extend_max_offset(connection->conn, len);
	if (!stream->closed && !stream->input_ended)
		(void)ngtcp2_conn_extend_max_stream_offset(connection->conn, stream->id, len);
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
		return misused(stream, "receiving needs a buffer with room, and a place for how "
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

enum mquic_status mquic_stream_finish(struct mquic_stream *stream)
{
	enum mquic_status status;

	if (stream == NULL)
		return MQUIC_ERR_INVALID;
	status = check_alive(stream);
	if (status != MQUIC_OK)
		return status;
	if (stream->send_reset)
		return refuse(stream, MQUIC_ERR_STATE,
			      "the stream cannot be finished: sending was given up (reset)");
	if (stream->finish_wanted)
		return MQUIC_OK;
	stream->finish_wanted = true;
	stream_mark_sendable(stream);
	endpoint_schedule(stream->connection->endpoint, &stream->connection->task);
	return MQUIC_OK;
}

enum mquic_status mquic_stream_reset(struct mquic_stream *stream, uint64_t code)
{
	enum mquic_status status;

	if (stream == NULL || code >= CODE_LIMIT)
		return misused(stream, "a code must be below 2^62");
	status = check_alive(stream);
	if (status != MQUIC_OK)
		return status;
	if (stream->send_reset)
		return MQUIC_OK;
	stream->send_reset = true;
	stream->code = code;
	list_remove(&stream->send_link);
	if (stream->id >= 0 &&
	    ngtcp2_conn_shutdown_stream_write(stream->connection->conn, 0, stream->id, code) != 0)
		return no_memory(stream);
	endpoint_schedule(stream->connection->endpoint, &stream->connection->task);
	return MQUIC_OK;
}

enum mquic_status mquic_stream_stop(struct mquic_stream *stream, uint64_t code)
{
	enum mquic_status status;

	if (stream == NULL || code >= CODE_LIMIT)
		return misused(stream, "a code must be below 2^62");
	status = check_alive(stream);
	if (status != MQUIC_OK)
		return status;
	if (stream->input_reset)
		return MQUIC_OK;
	stream->input_reset = true;
	stream->stop_code = code;
	discard_input(stream);
	if (stream->id >= 0 &&
	    ngtcp2_conn_shutdown_stream_read(stream->connection->conn, 0, stream->id, code) != 0)
		return no_memory(stream);
	endpoint_schedule(stream->connection->endpoint, &stream->connection->task);
	return MQUIC_OK;
}

const char *mquic_stream_error(const struct mquic_stream *stream)
{
	if (stream == NULL)
		return "no stream was given";
	return stream->note == NULL ? "" : stream->note;
}

uint64_t mquic_stream_bytes_sent(const struct mquic_stream *stream)
{
	return stream == NULL ? 0 : stream->bytes_sent;
}

uint64_t mquic_stream_bytes_received(const struct mquic_stream *stream)
{
	return stream == NULL ? 0 : stream->bytes_received;
}

uint64_t mquic_stream_bytes_pending(const struct mquic_stream *stream)
{
	return stream == NULL ? 0 : stream->output.len;
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
