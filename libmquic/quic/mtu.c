/* SPDX-License-Identifier: MIT */
/*
 * A path may at any time stop to carry what it carried before: a VPN comes up, a route changes.
 * ngtcp2 finds out how large packets may be once on each path, and never takes it back. So it is
 * given no more room than any path of QUIC has (RFC 9000 section 14.3, RFC 8899 section 4.3).
 *
 * Nor is it given more than its packets have already, as long as there is no bulk to send: it then
 * does not probe, for a probe that has no room is put off.
 *
 *     ALL SIZES ──the system refuses one, or none gets through──▶ 1200 BYTES ◀────────┐
 *         ▲                                                           │ a pause       │ lost:
 *         │                                                           ▼               │ a longer
 *         ├────────── arrived ─────────────────────────────── ONE LARGE PACKET ───────┘ one
 *         └── another path: ngtcp2 begins anew
 *
 * That one carries what was to be sent anyway: who has little to send needs no larger packets.
 * What is lost with it is sent again like all that is lost.
 */
#include "quic/mtu.h"
#include "quic/stream.h"

#define ALWAYS NGTCP2_MAX_UDP_PAYLOAD_SIZE
/* Shorter stalls have other reasons, such as a peer that has no processor time. */
#define PATIENCE_NS (500 * NGTCP2_MILLISECONDS)
#define FIRST_PAUSE (30 * NGTCP2_SECONDS)
/* As RFC 8899 section 5.1.1 recommends. */
#define LONG_PAUSE (600 * NGTCP2_SECONDS)
/* A packet that was no trial: the large one had to carry something else. */
#define SHORT_PAUSE NGTCP2_SECONDS

/* Less is free in a packet that more data would have filled. */
#define FULL_BUT 32

static void forget(struct quic_mtu *mtu)
{
	*mtu = (struct quic_mtu){.full = mtu->full};
}

static void fall_back(struct attempt *attempt)
{
	struct quic_mtu *mtu = &attempt->mtu;

	mtu->lost = ngtcp2_conn_get_path_max_tx_udp_payload_size(attempt->conn);
	mtu->pause_ns = FIRST_PAUSE;
	mtu->retry_ns = endpoint_now(attempt->connection->endpoint) + mtu->pause_ns;
	mtu->until_ns = 0;
	log_debug(endpoint_log(attempt->connection->endpoint),
		  "%s: packets of %zu bytes do not get through any more; from here on they have %d",
		  attempt->path.peer_text, mtu->lost, ALWAYS);
}

static void trial_failed(struct attempt *attempt)
{
	struct quic_mtu *mtu = &attempt->mtu;

	mtu->until_ns = 0;
	mtu->pause_ns = mtu->pause_ns < LONG_PAUSE / 2 ? 2 * mtu->pause_ns : LONG_PAUSE;
	mtu->retry_ns = endpoint_now(attempt->connection->endpoint) + mtu->pause_ns;
}

/* Bytes on their way longer than they should be, behind which large packets went in vain. */
static bool is_stuck(const struct attempt *attempt, const struct mquic_stream *stream,
		     uint64_t patience_ns)
{
	return !stream_is_closed(stream) && stream->output_sent > stream->output_acked &&
	       attempt->mtu.large_ns >= stream->moved_ns &&
	       endpoint_now(attempt->connection->endpoint) - stream->moved_ns > patience_ns;
}

/*
 * Large packets are lost again and again where a stream did not move for two probe timeouts. Small
 * ones may get through meanwhile, or none may: then nothing is lost by trying with them.
 */
static bool large_ones_are_lost(const struct attempt *attempt)
{
	uint64_t patience_ns = 2 * ngtcp2_conn_get_pto(attempt->conn);
	const struct list *node;

	if (patience_ns < PATIENCE_NS)
		patience_ns = PATIENCE_NS;
	for (node = attempt->connection->streams.all.next;
	     node != &attempt->connection->streams.all; node = node->next)
		if (is_stuck(attempt, list_entry(node, const struct mquic_stream, link),
			     patience_ns))
			return true;
	return false;
}

void mtu_look(struct attempt *attempt)
{
	struct quic_mtu *mtu = &attempt->mtu;

	if (mtu->lost == 0) {
		if (mtu->large_ns > 0 && large_ones_are_lost(attempt))
			fall_back(attempt);
		return;
	}
	if (ngtcp2_conn_get_path_max_tx_udp_payload_size(attempt->conn) != mtu->lost)
		forget(mtu); /* another path, or ngtcp2's own probe arrived */
	else if (mtu->until_ns != 0 && endpoint_now(attempt->connection->endpoint) >= mtu->until_ns)
		trial_failed(attempt);
}

/* Whether one large packet may go now, and can be filled. */
static bool is_trial_due(const struct attempt *attempt)
{
	const struct quic_mtu *mtu = &attempt->mtu;
	const struct mquic_stream *stream;

	if (mtu->until_ns != 0 || endpoint_now(attempt->connection->endpoint) < mtu->retry_ns ||
	    list_is_empty(&attempt->connection->streams.sendable))
		return false;
	stream = list_entry(attempt->connection->streams.sendable.next, const struct mquic_stream,
			    send_link);
	return stream->output_acked + stream->output.len >= stream->output_sent + mtu->lost;
}

size_t mtu_room(struct attempt *attempt, size_t wanted)
{
	size_t room = attempt->mtu.lost;

	if (room == 0 && attempt->mtu.full == MTU_BULK)
		return wanted;
	if (room == 0)
		room = ngtcp2_conn_get_path_max_tx_udp_payload_size(attempt->conn);
	else if (!is_trial_due(attempt))
		room = ALWAYS;
	return room < wanted ? room : wanted;
}

void mtu_sent(struct attempt *attempt, size_t len, const struct mquic_stream *last)
{
	struct quic_mtu *mtu = &attempt->mtu;
	size_t known = ngtcp2_conn_get_path_max_tx_udp_payload_size(attempt->conn);
	uint64_t now_ns = endpoint_now(attempt->connection->endpoint);

	if (mtu->full < MTU_BULK && last != NULL && len + FULL_BUT > known)
		mtu->full++;
	if (len <= ALWAYS || len > known)
		return; /* the latter is a probe of ngtcp2, whose loss tells of no change */
	mtu->large_ns = now_ns;
	if (mtu->lost == 0)
		return;
	if (last == NULL) {
		mtu->retry_ns = now_ns + SHORT_PAUSE;
		return;
	}
	/* Whatever is sent again goes later than that. */
	mtu->until_ns = now_ns + ngtcp2_conn_get_pto(attempt->conn);
	mtu->stream = last->id;
	mtu->end = last->output_sent;
	mtu->losses = ngtcp2_conn_get_stream_loss_count(attempt->conn, last->id);
}

void mtu_acknowledged(struct attempt *attempt, const struct mquic_stream *stream)
{
	struct quic_mtu *mtu = &attempt->mtu;

	if (mtu->until_ns == 0 || stream->id != mtu->stream || stream->output_acked < mtu->end)
		return;
	/* Smaller packets may have carried the bytes, if it was lost. */
	if (endpoint_now(attempt->connection->endpoint) >= mtu->until_ns ||
	    ngtcp2_conn_get_stream_loss_count(attempt->conn, stream->id) != mtu->losses)
		return;
	forget(mtu);
	log_debug(endpoint_log(attempt->connection->endpoint),
		  "%s: large packets get through again", attempt->path.peer_text);
}

bool mtu_refused(struct attempt *attempt, size_t len)
{
	if (len <= ALWAYS) {
		attempt->mtu.narrow = true;
		return false;
	}
	if (len > ngtcp2_conn_get_path_max_tx_udp_payload_size(attempt->conn))
		return true;
	if (attempt->mtu.lost == 0)
		fall_back(attempt);
	else if (attempt->mtu.until_ns != 0)
		trial_failed(attempt);
	return true;
}

void mtu_told(struct attempt *attempt)
{
	size_t largest;

	if (attempt->connection->state != CONNECTION_READY || attempt->mtu.lost != 0)
		return;
	largest = attempt->wire->largest(attempt->wire);
	if (largest > 0 && largest < ngtcp2_conn_get_path_max_tx_udp_payload_size(attempt->conn))
		fall_back(attempt);
}
