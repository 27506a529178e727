/* SPDX-License-Identifier: MIT */
/* What the observer of a connection hears of its streams. */
#include "quic/stream-tell.h"

/* Whether the send buffer has emptied enough to be worth telling. */
static bool has_room(const struct mquic_stream *stream)
{
	return stream_is_reset(stream) || stream_is_closed(stream) ||
	       stream->output.len <= stream->connection->settings->send_buffer / 2;
}

static void tell_one(struct mquic_connection *connection, struct mquic_stream *stream)
{
	const struct connection_observer *observer = connection->telling.observer;
	void *self = connection->telling.self;

	if (!stream->owned && !stream_is_closed(stream))
		return; /* accepting it tells */
	if (stream->owned && stream->news.readable) {
		stream->news.readable = false;
		observer->stream_readable(self, stream);
	}
	if (stream->owned && stream->news.flushed) {
		stream->news.flushed = false;
		observer->stream_flushed(self, stream);
	}
	if (stream->owned && stream->news.room_wanted && has_room(stream)) {
		stream->news.room_wanted = false;
		observer->stream_writable(self, stream);
	}
	if (stream->owned && stream_live(stream, STREAM_TOLD)) {
		observer->stream_closed(self, stream);
		return;
	}
	/* Nobody can ask for it any more: the handle was freed while bytes were under way. */
	if (stream_is_closed(stream) && !stream->owned && !list_is_linked(&stream->place_link))
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

		if (stream_live(stream, STREAM_CLOSED))
			stream->code = connection->end.code;
		list_remove(&stream->send_link);
		fifo_clear(&stream->output);
		stream_touch(stream);
	}
}
