/* SPDX-License-Identifier: MIT */
/* What the hostile peer understands of the endpoint's packets. */
#include <string.h>

#include "peer.h"

#define SEEN_MAX 64

/* One packet of a datagram. */
struct packet {
	enum hostile_level level;
	size_t number_at;
	size_t len;
};

/* ---- Frames ------------------------------------------------------------------------ */

static void hear_crypto(struct hostile *peer, enum hostile_level level, uint64_t offset,
			const uint8_t *data, uint64_t len)
{
	struct hostile_stage *stage = &peer->stages[level];
	size_t start = stage->heard_taken;
	size_t end = start;
	uint64_t i;

	if (data == NULL || offset > sizeof(stage->heard) || len > sizeof(stage->heard) - offset)
		return;
	memcpy(stage->heard + offset, data, (size_t)len);
	for (i = offset; i < offset + len; i++)
		stage->heard_bits[i / 8] |= (uint8_t)(1U << i % 8);
	while (end < sizeof(stage->heard) && (stage->heard_bits[end / 8] & 1U << end % 8) != 0)
		end++;
	stage->heard_taken = end;
	if (end > start)
		peer_tls_read(peer, level, stage->heard + start, end - start);
}

static void hear_path(struct hostile *peer, enum frame_type type, const uint8_t *data)
{
	if (type == FRAME_PATH_RESPONSE)
		peer->path_responses++;
	else if (data != NULL && !peer->no_responses && !peer->mute)
		frame_path(&peer->stages[HOSTILE_APP].queue, FRAME_PATH_RESPONSE, data);
}

static void hear_close(struct hostile *peer, enum hostile_level level, uint64_t type,
		       struct octets_view *view)
{
	uint64_t code = view_varint(view);

	if (type == FRAME_CLOSE)
		(void)view_varint(view);
	(void)view_take(view, view_varint(view));
	if (view->failed || peer->closed)
		return;
	peer->closed = true;
	peer->closed_by_application = type == FRAME_CLOSE_APPLICATION;
	peer->close_code = code;
	peer->close_level = level;
}

static void hear_new_cid(struct hostile *peer, struct octets_view *view)
{
	size_t len;
	const uint8_t *cid;

	(void)view_varint(view);
	(void)view_varint(view);
	len = (size_t)view_number(view, 1);
	cid = view_take(view, len);
	(void)view_take(view, 16);
	if (view->failed || len > sizeof(peer->new_cids[0]) || peer->new_cid_count == 8)
		return;
	memcpy(peer->new_cids[peer->new_cid_count], cid, len);
	peer->new_cid_lens[peer->new_cid_count++] = len;
}

static void hear_ack(struct octets_view *view, bool ecn)
{
	uint64_t ranges;

	(void)view_varint(view);
	(void)view_varint(view);
	ranges = view_varint(view);
	(void)view_varint(view);
	for (; ranges > 0 && !view->failed; ranges--) {
		(void)view_varint(view);
		(void)view_varint(view);
	}
	if (!ecn)
		return;
	(void)view_varint(view);
	(void)view_varint(view);
	(void)view_varint(view);
}

static void hear_stream(struct hostile *peer, uint64_t type, struct octets_view *view)
{
	uint64_t len;

	(void)view_varint(view);
	if (type & 4)
		(void)view_varint(view);
	len = type & 2 ? view_varint(view) : view->left;
	(void)view_take(view, len);
	peer->stream_bytes += len;
}

/* How many numbers follow the type; -1: not a frame of nothing but numbers. */
static int numbers_of(uint64_t type)
{
	static const int8_t counts[] = {
		[FRAME_PADDING] = 0,
		[FRAME_PING] = 0,
		[FRAME_ACK] = -1,
		[FRAME_ACK_ECN] = -1,
		[FRAME_RESET_STREAM] = 3,
		[FRAME_STOP_SENDING] = 2,
		[FRAME_CRYPTO] = -1,
		[FRAME_NEW_TOKEN] = -1,
		[FRAME_STREAM] = -1,
		[0x09] = -1,
		[0x0a] = -1,
		[0x0b] = -1,
		[0x0c] = -1,
		[0x0d] = -1,
		[0x0e] = -1,
		[0x0f] = -1,
		[FRAME_MAX_DATA] = 1,
		[FRAME_MAX_STREAM_DATA] = 2,
		[0x12] = 1,
		[0x13] = 1,
		[FRAME_DATA_BLOCKED] = 1,
		[FRAME_STREAM_DATA_BLOCKED] = 2,
		[0x16] = 1,
		[0x17] = 1,
		[0x18] = -1,
		[FRAME_RETIRE_CONNECTION_ID] = 1,
		[FRAME_PATH_CHALLENGE] = -1,
		[FRAME_PATH_RESPONSE] = -1,
		[FRAME_CLOSE] = -1,
		[FRAME_CLOSE_APPLICATION] = -1,
		[FRAME_HANDSHAKE_DONE] = 0,
	};

	return type < sizeof(counts) ? counts[type] : -1;
}

static void hear_other(struct hostile *peer, enum hostile_level level, uint64_t type,
		       struct octets_view *view)
{
	uint64_t offset;
	uint64_t len;

	if (type >= FRAME_STREAM && type < FRAME_MAX_DATA) {
		hear_stream(peer, type, view);
		return;
	}
	switch (type) {
	case FRAME_ACK:
	case FRAME_ACK_ECN:
		hear_ack(view, type == FRAME_ACK_ECN);
		break;
	case FRAME_CRYPTO:
		offset = view_varint(view);
		len = view_varint(view);
		hear_crypto(peer, level, offset, view_take(view, len), len);
		break;
	case FRAME_NEW_TOKEN:
		(void)view_take(view, view_varint(view));
		break;
	case FRAME_NEW_CONNECTION_ID:
		hear_new_cid(peer, view);
		break;
	case FRAME_PATH_CHALLENGE:
	case FRAME_PATH_RESPONSE:
		hear_path(peer, (enum frame_type)type, view_take(view, 8));
		break;
	case FRAME_CLOSE:
	case FRAME_CLOSE_APPLICATION:
		hear_close(peer, level, type, view);
		break;
	default:
		view->failed = true;
		break;
	}
}

static bool wants_ack(uint64_t type)
{
	return type != FRAME_PADDING && type != FRAME_ACK && type != FRAME_ACK_ECN &&
	       type != FRAME_CLOSE && type != FRAME_CLOSE_APPLICATION;
}

static void hear_frames(struct hostile *peer, enum hostile_level level,
			const struct octets *payload)
{
	struct octets_view view = {payload->data, payload->len, false};

	while (view.left > 0 && !view.failed) {
		uint64_t type = view_varint(&view);
		int numbers = numbers_of(type);

		if (wants_ack(type))
			peer_space(peer, level)->ack_due = true;
		if (type == FRAME_HANDSHAKE_DONE)
			peer->handshake_dones++;
		if (type == FRAME_MAX_STREAMS_BIDI) {
			peer->max_streams = view_varint(&view);
			continue;
		}
		if (numbers < 0)
			hear_other(peer, level, type, &view);
		for (; numbers > 0; numbers--)
			(void)view_varint(&view);
	}
}

/* ---- Packets ----------------------------------------------------------------------- */

/* RFC 9000 appendix A.3. */
static uint64_t whole_number(const struct hostile_space *space, uint64_t cut, size_t len)
{
	uint64_t expected = space->any ? space->largest + 1 : 0;
	uint64_t window = (uint64_t)1 << (8 * len);
	uint64_t number = (expected & ~(window - 1)) | cut;

	if (number + window / 2 <= expected)
		return number + window;
	if (number > expected + window / 2 && number >= window)
		return number - window;
	return number;
}

/* False: it was here before. */
static bool note_number(struct hostile_space *space, uint64_t number)
{
	uint64_t behind;

	if (!space->any || number > space->largest) {
		uint64_t step = space->any ? number - space->largest : SEEN_MAX;

		space->seen = step < SEEN_MAX ? space->seen << step | 1 : 1;
		space->largest = number;
		space->any = true;
		return true;
	}
	behind = space->largest - number;
	if (behind >= SEEN_MAX || (space->seen >> behind & 1) != 0)
		return false;
	space->seen |= (uint64_t)1 << behind;
	return true;
}

static bool open_packet(struct hostile *peer, uint8_t *data, const struct packet *packet,
			uint64_t *number, struct octets *payload)
{
	struct protect_keys *keys = &peer->stages[packet->level].receive;
	struct hostile_space *space = peer_space(peer, packet->level);
	struct octets_view view = {data + packet->number_at, 4, false};
	size_t number_len;

	if (!keys->ready)
		return false;
	number_len = protect_unmask(keys, data, packet->number_at, packet->len);
	if (number_len == 0)
		return false;
	*number = whole_number(space, view_number(&view, number_len), number_len);
	if (packet->level == HOSTILE_APP && (data[0] >> 2 & 1) != peer->phase_received) {
		peer->phase_received = !peer->phase_received;
		protect_update(keys);
	}
	return protect_open(keys, data, packet->number_at + number_len, packet->len, *number,
			    payload);
}

static void take_packet(struct hostile *peer, uint8_t *data, const struct packet *packet)
{
	struct octets payload;
	uint64_t number;

	if (open_packet(peer, data, packet, &number, &payload) &&
	    note_number(peer_space(peer, packet->level), number))
		hear_frames(peer, packet->level, &payload);
}

/* A server's Retry: everything once more, to another identifier and with a token. */
static void take_retry(struct hostile *peer, const uint8_t *source, size_t source_len,
		       const uint8_t *token, size_t len)
{
	peer->retries++;
	if (peer->retried || len <= PROTECT_TAG)
		return;
	peer->retried = true;
	peer->token.len = 0;
	octets_put(&peer->token, token, len - PROTECT_TAG);
	memcpy(peer->destination, source, source_len);
	peer->destination_len = source_len;
	protect_set_initial(&peer->stages[HOSTILE_INITIAL].send,
			    &peer->stages[HOSTILE_INITIAL].receive, source, source_len);
	peer->stages[HOSTILE_INITIAL].crypto_sent = 0;
}

/* A client's first packet. */
static void meet(struct hostile *peer, const uint8_t *destination, size_t destination_len,
		 const uint8_t *source, size_t source_len)
{
	if (peer->original_len == 0) {
		memcpy(peer->original, destination, destination_len);
		peer->original_len = destination_len;
	}
	memcpy(peer->destination, source, source_len);
	peer->destination_len = source_len;
	if (peer->demand_retry && !peer->retried) {
		hostile_send_retry(peer);
		return;
	}
	protect_set_initial(&peer->stages[HOSTILE_INITIAL].receive,
			    &peer->stages[HOSTILE_INITIAL].send, destination, destination_len);
	peer_tls_open(peer);
}

static void learn_source(struct hostile *peer, const uint8_t *source, size_t source_len)
{
	if (peer->server || peer_space(peer, HOSTILE_INITIAL)->any)
		return;
	memcpy(peer->destination, source, source_len);
	peer->destination_len = source_len;
}

/* The length of one long packet, and what is to be done with it. */
static size_t take_long(struct hostile *peer, uint8_t *data, size_t len)
{
	struct octets_view view = {data, len, false};
	uint64_t first = view_number(&view, 1);
	uint64_t version = view_number(&view, 4);
	size_t destination_len = (size_t)view_number(&view, 1);
	const uint8_t *destination = view_take(&view, destination_len);
	size_t source_len = (size_t)view_number(&view, 1);
	const uint8_t *source = view_take(&view, source_len);
	unsigned int type = first >> 4 & 3;
	struct packet packet;

	if (view.failed || destination_len > 20 || source_len > 20)
		return len;
	if (version == 0) {
		peer->version_negotiations++;
		return len;
	}
	if (type == 3) {
		take_retry(peer, source, source_len, view.data, view.left);
		return len;
	}
	if (type == 0)
		(void)view_take(&view, view_varint(&view));
	packet.len = (size_t)view_varint(&view);
	packet.number_at = len - view.left;
	if (view.failed || packet.len > view.left)
		return len;
	packet.len += packet.number_at;
	packet.level = (enum hostile_level)type;
	if (peer->server && peer->tls == NULL && type == 0)
		meet(peer, destination, destination_len, source, source_len);
	learn_source(peer, source, source_len);
	take_packet(peer, data, &packet);
	return packet.len;
}

void peer_read(struct sim_host *probe, const struct datagram *datagram)
{
	struct hostile *peer = probe->user;
	struct packet packet = {HOSTILE_APP, 1 + peer->own_len, 0};
	struct octets copy;
	size_t at = 0;

	peer->datagrams++;
	peer->to = datagram->remote;
	copy.len = 0;
	octets_put(&copy, datagram->data, datagram->len);
	while (at < copy.len) {
		packet.len = copy.len - at;
		if (copy.data[at] & 0x80) {
			at += take_long(peer, copy.data + at, packet.len);
			continue;
		}
		if (packet.len > packet.number_at)
			take_packet(peer, copy.data + at, &packet);
		at = copy.len;
	}
	if (!peer->mute && !peer->closed)
		hostile_flush(peer);
}
