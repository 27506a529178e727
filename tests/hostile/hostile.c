/* SPDX-License-Identifier: MIT */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>

#include "peer.h"

/* Room enough that an Initial of this size is large enough, whatever its header is like. */
#define PACKET_MOST 1350
#define OVERHEAD    80

/* ---- Life --------------------------------------------------------------------------- */

static struct hostile *new (struct sim *sim, const struct hostile_identity *identity,
			    unsigned int number, uint16_t port, bool server)
{
	struct hostile *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		abort();
	peer->sim = sim;
	peer->identity = identity;
	peer->server = server;
	peer->alpn = "mqtt";
	peer->probe = sim_probe_new(sim, number, port);
	peer->probe->user = peer;
	peer->probe->on_datagram = peer_read;
	peer->own_len = HOSTILE_CID;
	peer->token_len = 32;
	memset(peer->own, server ? 0x5e : 0xc1, sizeof(peer->own));
	memset(peer->retry_source, 0x7e, HOSTILE_CID);
	return peer;
}

struct hostile *hostile_client_new(struct sim *sim, const struct hostile_identity *identity,
				   unsigned int number, uint16_t port, const struct address *to)
{
	struct hostile *peer = new (sim, identity, number, port, false);
	size_t i;

	peer->to = *to;
	for (i = 0; i < 8; i++)
		peer->original[i] = (uint8_t)sim_random(sim);
	peer->original_len = 8;
	memcpy(peer->destination, peer->original, 8);
	peer->destination_len = 8;
	protect_set_initial(&peer->stages[HOSTILE_INITIAL].send,
			    &peer->stages[HOSTILE_INITIAL].receive, peer->original, 8);
	return peer;
}

struct hostile *hostile_server_new(struct sim *sim, const struct hostile_identity *identity,
				   unsigned int number, uint16_t port)
{
	return new (sim, identity, number, port, true);
}

void hostile_free(struct hostile *peer)
{
	int level;

	if (peer == NULL)
		return;
	if (peer->tls != NULL)
		gnutls_deinit(peer->tls);
	for (level = 0; level < HOSTILE_LEVELS; level++) {
		protect_drop(&peer->stages[level].send);
		protect_drop(&peer->stages[level].receive);
	}
	peer->probe->on_datagram = NULL;
	free(peer);
}

struct hostile_space *peer_space(struct hostile *peer, enum hostile_level level)
{
	return &peer->spaces[level == HOSTILE_EARLY ? HOSTILE_APP : level];
}

/* ---- Packets -------------------------------------------------------------------------- */

static void long_header(struct hostile *peer, enum hostile_level level,
			const struct hostile_lie *lie, size_t number_len, size_t rest)
{
	struct octets *to = &peer->datagram;
	unsigned int first = 0xc0U | (unsigned int)level << 4 | (unsigned int)(number_len - 1);

	first ^= (lie->reserved & 3U) << 2 | (lie->type_bits & 3U) << 4;
	octets_number(to, lie->no_fixed_bit ? first & ~0x40U : first, 1);
	octets_number(to, lie->version == 0 ? 1 : lie->version, 4);
	octets_number(to, peer->destination_len, 1);
	octets_put(to, lie->other_destination ? peer->retry_source : peer->destination,
		   lie->other_destination ? HOSTILE_CID : peer->destination_len);
	octets_number(to, peer->own_len, 1);
	octets_put(to, peer->own, peer->own_len);
	if (level == HOSTILE_INITIAL) {
		octets_varint(to, peer->token.len);
		octets_put(to, peer->token.data, peer->token.len);
	}
	octets_wide_varint(to, (uint64_t)((int64_t)(number_len + rest) + lie->length_step), 2);
}

static void short_header(struct hostile *peer, const struct hostile_lie *lie, size_t number_len)
{
	unsigned int first = 0x40U | (unsigned int)(number_len - 1) | (lie->reserved & 3U) << 3;

	if (peer->phase_sent != lie->other_phase)
		first |= 4;
	octets_number(&peer->datagram, lie->no_fixed_bit ? first & ~0x40U : first, 1);
	octets_put(&peer->datagram, lie->other_destination ? peer->retry_source : peer->destination,
		   lie->other_destination ? HOSTILE_CID : peer->destination_len);
}

void hostile_packet(struct hostile *peer, enum hostile_level level, const struct octets *frames,
		    const struct hostile_lie *lie)
{
	static const struct hostile_lie none;
	struct hostile_space *space = peer_space(peer, level);
	struct protect_keys *keys = &peer->stages[level].send;
	size_t start = peer->datagram.len;
	size_t number_len;
	uint64_t number;

	if (lie == NULL)
		lie = &none;
	number_len = lie->number_len == 0 ? 4 : 1 + (lie->number_len - 1U) % 4U;
	number = space->next_number + (uint64_t)lie->number_step;
	if (!keys->ready)
		return;
	if (level == HOSTILE_APP)
		short_header(peer, lie, number_len);
	else
		long_header(peer, level, lie, number_len, frames->len + PROTECT_TAG);
	octets_number(&peer->datagram, number, number_len);
	protect_seal(keys, &peer->datagram, start, number, number_len, frames);
	if (lie->spoilt && peer->datagram.len > start)
		peer->datagram.data[peer->datagram.len - 1] ^= 1;
	if (number >= space->next_number)
		space->next_number = number + 1;
}

void hostile_send_raw(struct hostile *peer, const uint8_t *data, size_t len)
{
	if (len > 0)
		sim_send(peer->probe, &peer->to, data, len);
}

void hostile_send(struct hostile *peer)
{
	hostile_send_raw(peer, peer->datagram.data, peer->datagram.len);
	peer->datagram.len = 0;
}

void hostile_say(struct hostile *peer, const struct octets *frames)
{
	hostile_packet(peer, HOSTILE_APP, frames, NULL);
	hostile_send(peer);
}

void hostile_send_retry(struct hostile *peer)
{
	struct octets *to = &peer->datagram;

	peer->retried = true;
	to->len = 0;
	octets_number(to, 0xf0, 1);
	octets_number(to, 1, 4);
	octets_number(to, peer->destination_len, 1);
	octets_put(to, peer->destination, peer->destination_len);
	octets_number(to, HOSTILE_CID, 1);
	octets_put(to, peer->retry_source, HOSTILE_CID);
	octets_zeros(to, peer->token_len);
	protect_retry(to, peer->original, peer->original_len);
	hostile_send(peer);
}

/* ---- What is due ------------------------------------------------------------------------ */

/* Ranges of what came, the newest first (RFC 9000 section 19.3). */
static void write_ack(struct octets *to, const struct hostile_space *space)
{
	uint64_t ranges[64][2]; /* gap and length, each less one */
	size_t count = 0;
	unsigned int bit = 0;

	while (bit < 64 && count < 64 && space->seen >> bit != 0) {
		unsigned int gap = bit;
		unsigned int first;

		while ((space->seen >> bit & 1) == 0)
			bit++;
		first = bit;
		while (bit < 64 && (space->seen >> bit & 1) != 0)
			bit++;
		ranges[count][0] = first - gap - 1U;
		ranges[count++][1] = bit - first - 1U;
	}
	if (count == 0)
		return;
	FRAME(to, FRAME_ACK, space->largest, 0, count - 1, ranges[0][1]);
	for (bit = 1; bit < count; bit++)
		FRAME(to, ranges[bit][0], ranges[bit][1]);
}

static bool crypto_due(const struct hostile *peer, const struct hostile_stage *stage)
{
	return !peer->no_crypto && stage->crypto_sent < stage->crypto.len;
}

static bool is_due(struct hostile *peer, enum hostile_level level)
{
	const struct hostile_stage *stage = &peer->stages[level];

	if (!stage->send.ready)
		return false;
	return stage->queue.len > 0 || crypto_due(peer, stage) ||
	       (level != HOSTILE_EARLY && !peer->no_acks && peer_space(peer, level)->ack_due);
}

static void write_crypto(struct hostile_stage *stage, struct octets *to, size_t room)
{
	size_t len = stage->crypto.len - stage->crypto_sent;

	if (room < to->len + 16)
		return;
	if (len > room - to->len - 16)
		len = room - to->len - 16;
	frame_crypto(to, stage->crypto_sent, stage->crypto.data + stage->crypto_sent, len);
	stage->crypto_sent += len;
}

/* The frames of the level's next packet. */
static void collect(struct hostile *peer, enum hostile_level level, struct octets *to, size_t room)
{
	struct hostile_stage *stage = &peer->stages[level];
	struct hostile_space *space = peer_space(peer, level);

	to->len = 0;
	if (!is_due(peer, level))
		return;
	if (space->ack_due && !peer->no_acks && level != HOSTILE_EARLY) {
		write_ack(to, space);
		space->ack_due = false;
	}
	if (crypto_due(peer, stage))
		write_crypto(stage, to, room);
	if (stage->queue.len > 0) {
		octets_put(to, stage->queue.data, stage->queue.len);
		stage->queue.len = 0;
	}
}

/* A packet with what is due at the level, added to the datagram. */
static bool write_level(struct hostile *peer, enum hostile_level level)
{
	size_t room = PACKET_MOST - OVERHEAD - peer->token.len;
	struct octets frames;

	collect(peer, level, &frames, room);
	if (frames.len == 0)
		return false;
	/* A datagram with an Initial must be large (RFC 9000 section 14.1). */
	if (level == HOSTILE_INITIAL && frames.len < room)
		octets_zeros(&frames, room - frames.len);
	hostile_packet(peer, level, &frames, &peer->lies[level]);
	if (peer->split || level == HOSTILE_APP)
		hostile_send(peer);
	return true;
}

/* One datagram, or several if packets are not to share one. */
static bool write_datagram(struct hostile *peer)
{
	bool any = write_level(peer, HOSTILE_INITIAL);

	any = write_level(peer, HOSTILE_EARLY) || any;
	any = write_level(peer, HOSTILE_HANDSHAKE) || any;
	any = write_level(peer, HOSTILE_APP) || any;
	if (peer->datagram.len > 0)
		hostile_send(peer);
	return any;
}

void hostile_flush(struct hostile *peer)
{
	int i;

	if (peer->app_first)
		(void)write_level(peer, HOSTILE_APP);
	for (i = 0; i < 16 && write_datagram(peer); i++)
		;
}

void hostile_start(struct hostile *peer)
{
	peer_tls_open(peer);
	peer_tls_start(peer);
	hostile_flush(peer);
}

void hostile_queue(struct hostile *peer, enum hostile_level level, const struct octets *frames)
{
	octets_put(&peer->stages[level].queue, frames->data, frames->len);
}

void hostile_say_tls(struct hostile *peer, enum hostile_level level, const void *data, size_t len)
{
	octets_put(&peer->stages[level].crypto, data, len);
}

void hostile_resend(struct hostile *peer, enum hostile_level level)
{
	peer->stages[level].crypto_sent = 0;
	hostile_flush(peer);
}

void hostile_update_keys(struct hostile *peer)
{
	protect_update(&peer->stages[HOSTILE_APP].send);
	peer->phase_sent = !peer->phase_sent;
}

void hostile_use_new_cid(struct hostile *peer)
{
	if (peer->new_cid_count == 0)
		return;
	peer->destination_len = peer->new_cid_lens[0];
	memcpy(peer->destination, peer->new_cids[0], peer->destination_len);
	peer->new_cid_count--;
	memmove(peer->new_cids[0], peer->new_cids[1], sizeof(peer->new_cids) - 20);
	memmove(peer->new_cid_lens, peer->new_cid_lens + 1,
		sizeof(peer->new_cid_lens) - sizeof(peer->new_cid_lens[0]));
}
