/* SPDX-License-Identifier: MIT */
/*
 * Turns what streams and ngtcp2 have to send into packets, and packets of one size and path into
 * one GSO send. A turn sends at most ngtcp2's quantum; its pacer says when the next is due.
 */
#include <errno.h>

#include "quic/attempt.h"
#include "quic/mtu.h"
#include "quic/pace.h"
#include "quic/stream-send.h"
#include "quic/writer.h"

#define SPANS_PER_WRITE 16

/* Packets of one size, path and ECN mark that lie one behind the other. */
struct burst {
	struct attempt *attempt;
	uint8_t *start;
	size_t len;
	size_t segment;
	ngtcp2_path_storage path;
	uint8_t ecn;
};

/* One to be written. */
struct packet {
	uint8_t *to;
	size_t room;
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info;
	struct mquic_stream *last; /* whose new bytes are the last in it; NULL: there are none */
};

/* ngtcp2 may still name a wire that a client has left. */
static struct wire *wire_of(const struct attempt *attempt, const ngtcp2_path *path)
{
	if (path->user_data == NULL ||
	    (attempt->connection->listener == NULL && path->user_data != attempt->move.wire))
		return attempt->wire;
	return path->user_data;
}

static int burst_send(struct burst *burst)
{
	struct attempt *attempt = burst->attempt;
	struct wire *wire = wire_of(attempt, &burst->path.path);
	struct datagram datagram = {
		.ecn = burst->ecn,
		.data = burst->start,
		.len = burst->len,
		.segment = burst->segment,
	};
	int code;

	if (burst->len == 0)
		return 0;
	datagram.local = path_address(&burst->path.path.local);
	datagram.remote = path_address(&burst->path.path.remote);
	attempt->connection->facts.counters.bytes_sent += burst->len;
	attempt->connection->facts.counters.packets_sent +=
		(burst->len + burst->segment - 1) / burst->segment;
	burst->start += burst->len;
	burst->len = 0;
	copies_add(attempt, &datagram);
	code = wire_transmit(wire, attempt->connection->host, &datagram);
	if (code == EMSGSIZE && mtu_refused(attempt, burst->segment))
		return 0;
	return code;
}

/* Adds a packet that stands behind the burst; sends what cannot go together. */
static int burst_add(struct burst *burst, size_t len, const ngtcp2_path_storage *path, uint8_t ecn)
{
	int code = 0;

	if (burst->len > 0 && (len > burst->segment || ecn != burst->ecn ||
			       !ngtcp2_path_eq(&path->path, &burst->path.path)))
		code = burst_send(burst);
	if (burst->len == 0) {
		burst->segment = len;
		burst->ecn = ecn;
		ngtcp2_path_storage_zero(&burst->path);
		ngtcp2_path_copy(&burst->path.path, &path->path);
	}
	burst->len += len;
	/* Only the last packet of a GSO send may be shorter. */
	if (len < burst->segment && code == 0)
		code = burst_send(burst);
	return code;
}

/* The stream whose turn it is, NULL if none may send now. */
static struct mquic_stream *next_stream(struct attempt *attempt)
{
	if (list_is_empty(&attempt->connection->streams.sendable) ||
	    ngtcp2_conn_get_max_data_left(attempt->conn) == 0)
		return NULL;
	return list_entry(attempt->connection->streams.sendable.next, struct mquic_stream,
			  send_link);
}

static size_t collect(struct mquic_stream *stream, ngtcp2_vec vectors[SPANS_PER_WRITE], bool *last)
{
	struct fifo_span spans[SPANS_PER_WRITE];
	size_t count = fifo_spans(&stream->output, spans, SPANS_PER_WRITE);
	size_t total = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		vectors[i].base = (uint8_t *)(uintptr_t)spans[i].data;
		vectors[i].len = spans[i].len;
		total += spans[i].len;
	}
	*last = stream->output_sent + total == stream->output_acked + stream->output.len;
	return count;
}

/* ngtcp2 took `taken` bytes of the stream, and FIN with the last if it was offered. */
static void account(struct mquic_stream *stream, size_t taken, bool fin_offered)
{
	if (stream->output_sent == stream->output_acked)
		stream->moved_ns = endpoint_now(stream->connection->endpoint);
	fifo_advance(&stream->output, taken);
	stream->output_sent += taken;
	if (fin_offered && stream->output_sent == stream->output_acked + stream->output.len)
		(void)stream_step_sending(stream, SENDING_DATA_SENT);
	list_remove(&stream->send_link);
	/* Behind the others: streams take turns. */
	if (stream_has_output(stream))
		stream_mark_sendable(stream);
}

/* Offers ngtcp2 one stream, or none; what ngtcp2_conn_writev_stream() returned. */
static ngtcp2_ssize write_one(struct attempt *attempt, struct mquic_stream *stream,
			      struct packet *packet, uint64_t now_ns)
{
	ngtcp2_vec vectors[SPANS_PER_WRITE];
	uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
	ngtcp2_ssize taken = -1;
	ngtcp2_ssize written;
	size_t count = 0;
	bool fin = false;

	if (stream != NULL) {
		bool last;

		count = collect(stream, vectors, &last);
		fin = last && stream->sending == SENDING_FINISHING;
		flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
		if (fin)
			flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
	}
	written = ngtcp2_conn_writev_stream(
		attempt->conn, &packet->path.path, &packet->info, packet->to, packet->room, &taken,
		flags, stream == NULL ? -1 : stream->id, vectors, count, now_ns);
	if (stream != NULL && taken >= 0) {
		account(stream, (size_t)taken, fin);
		packet->last = stream;
	}
	return written;
}

/* Writes one packet, as full as the streams can make it. 0: nothing is due. */
static ngtcp2_ssize write_packet(struct attempt *attempt, struct packet *packet, uint64_t now_ns)
{
	ngtcp2_path_storage_zero(&packet->path);
	for (;;) {
		struct mquic_stream *stream = next_stream(attempt);
		ngtcp2_ssize written = write_one(attempt, stream, packet, now_ns);

		switch (written) {
		case NGTCP2_ERR_WRITE_MORE:
			continue;
		case NGTCP2_ERR_STREAM_SHUT_WR:
			/* STOP_SENDING; ngtcp2 has sent RESET_STREAM (RFC 9000 section 3.5). */
			stream_stopped(stream);
			continue;
		case NGTCP2_ERR_STREAM_DATA_BLOCKED: /* until more_stream_credit() */
		case NGTCP2_ERR_STREAM_NOT_FOUND:
			list_remove(&stream->send_link);
			continue;
		default:
			return written;
		}
	}
}

int writer_run(struct attempt *attempt)
{
	struct mquic_endpoint *endpoint = attempt->connection->endpoint;
	uint64_t now_ns = endpoint_now(endpoint);
	size_t largest = ngtcp2_conn_get_max_tx_udp_payload_size(attempt->conn);
	size_t known = ngtcp2_conn_get_path_max_tx_udp_payload_size(attempt->conn);
	size_t quantum = ngtcp2_conn_get_send_quantum(attempt->conn);
	struct burst burst = {.attempt = attempt, .start = attempt->connection->host->burst};
	size_t used = 0;
	bool probed = false;
	bool more = true;

	if (quantum > WIRE_BURST_BYTES)
		quantum = WIRE_BURST_BYTES;
	mtu_look(attempt);
	copies_begin(attempt);
	pace_begin(attempt);
	while (used == 0 || (used < quantum && used + largest <= WIRE_BURST_BYTES)) {
		struct packet packet = {.to = attempt->connection->host->burst + used};
		ngtcp2_ssize written;
		int code;

		packet.room = mtu_room(attempt, unproven_room(attempt, largest));
		written = write_packet(attempt, &packet, now_ns);
		if (written < 0) {
			(void)burst_send(&burst);
			return (int)written;
		}
		more = written > 0;
		if (!more)
			break;
		used += (size_t)written;
		unproven_sent(attempt, &packet.path.path, (size_t)written);
		mtu_sent(attempt, (size_t)written, packet.last);
		probed = probed || (size_t)written > known;
		pace_packet(attempt, (size_t)written);
		code = burst_add(&burst, (size_t)written, &packet.path, packet.info.ecn & 0x03);
		if (code != 0)
			attempt->record.unreachable = code;
	}
	if (burst.len > 0) {
		int code = burst_send(&burst);

		if (code != 0)
			attempt->record.unreachable = code;
	}
	copies_end(attempt);
	/*
	 * Probes of the path's MTU go when the handshake is confirmed and when one has arrived.
	 * What follows in the same instant, such as CONNACK, need not wait for them: the next turn
	 * pays.
	 */
	if (used > 0 && !probed)
		pace_sent(attempt, more);
	return 0;
}
