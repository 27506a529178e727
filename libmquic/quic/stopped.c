/* SPDX-License-Identifier: MIT */
/*
 * How a STOP_SENDING of the peer is noticed (RFC 9000 section 3.5). ngtcp2 tells of it since 1.24.
 * Before, it answers with RESET_STREAM and says nothing until somebody wants to write, which on an
 * idle stream is nobody: it is asked after each read then, stream by stream.
 */
#include "quic/stopped.h"
#include "quic/stream-send.h"

#ifdef STREAM_TELLS_STOP

int stream_stop_received(ngtcp2_conn *conn, int64_t id, uint64_t code, void *user_data,
			 void *stream_user_data)
{
	struct mquic_stream *stream = stream_user_data;

	(void)conn;
	(void)id;
	(void)user_data;
	/* Behind FIN it asks for nothing that is not done. */
	if (stream != NULL && stream_may_send(stream)) {
		stream->code = code;
		stream_stopped(stream);
	}
	return 0;
}

void stream_note_stop(struct mquic_connection *connection, int64_t id, uint64_t code)
{
	(void)connection;
	(void)id;
	(void)code;
}

void stream_ask_stopped(struct mquic_connection *connection)
{
	(void)connection;
}

#else

/* So many streams are looked at for one frame: a packet has room for hundreds of frames. */
#define LOOKED_AT_MAX 64

void stream_note_stop(struct mquic_connection *connection, int64_t id, uint64_t code)
{
	struct list *all = &connection->streams.all;
	struct list *node = all->prev;
	size_t i;

	for (i = 0; i < LOOKED_AT_MAX && node != all; i++, node = node->prev) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, link);

		if (stream->id == id && stream_may_send(stream))
			stream->code = code;
	}
}

/*
 * Offers more bytes than a stream can carry. ngtcp2 looks first whether the stream takes any, and
 * then refuses: nothing is written and nothing changes. Where a size is too small to say so, it is
 * none and there is no room for a packet, which writes nothing either.
 */
static bool is_stopped(struct mquic_connection *connection, int64_t id)
{
	const ngtcp2_vec endless = {.base = NULL, .len = SIZE_MAX};
	size_t count = SIZE_MAX > NGTCP2_MAX_VARINT ? 1 : 0;
	ngtcp2_pkt_info info;
	uint8_t room[1];

	return ngtcp2_conn_writev_stream(connection_conn(connection), NULL, &info, room,
					 sizeof(room), NULL, NGTCP2_WRITE_STREAM_FLAG_NONE, id,
					 &endless, count, endpoint_now(connection->endpoint)) ==
	       NGTCP2_ERR_STREAM_SHUT_WR;
}

void stream_ask_stopped(struct mquic_connection *connection)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->streams.all) {
		struct mquic_stream *stream = list_entry(node, struct mquic_stream, link);

		/* After FIN or a reset of ours ngtcp2 takes no bytes, too. */
		if (stream_is_open(stream) && stream_may_send(stream) &&
		    is_stopped(connection, stream->id))
			stream_stopped(stream);
	}
}

#endif
