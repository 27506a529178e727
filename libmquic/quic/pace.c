/* SPDX-License-Identifier: MIT */
/*
 * ngtcp2's pacer lets each byte wait its share of a round trip, also the first of a connection and
 * the first after silence: a small message then waits for the probes of the path's MTU that went
 * before it. Yet a flight of ten packets may go at once (RFC 9002 section 7.7).
 *
 * It gives credit, though, for the time by which it is called too late (newer versions take half of
 * a wait off for it, 1.11 all). So it is called late where nothing waits to be sent, by no more
 * than brings the credit to that flight:
 *
 *     sent ──── the pacer waits ────▶ may send again ──── nothing to send: credit ────▶ next
 */
#include "quic/transport.h"

#define FLIGHT_BYTES (10 * NGTCP2_MAX_UDP_PAYLOAD_SIZE)

/* How long it waits for that many bytes: at five quarters of the window for each round trip. */
static uint64_t wait_of(const ngtcp2_conn_info *info, uint64_t round_trip_ns, uint64_t bytes)
{
	return info->cwnd == 0 ? 0 : bytes * (round_trip_ns * 4 / 5 / info->cwnd);
}

/* BBR's own rate is what it measures by: it has no credit but that of the first round trip. */
static bool may_save_up(const struct mquic_connection *connection, bool measured)
{
	return !connection->pace.held &&
	       (!measured || connection->settings->congestion_control != MQUIC_CONGESTION_BBR);
}

void pace_begin(struct mquic_connection *connection)
{
	struct quic_pace *pace = &connection->pace;
	uint64_t now_ns = endpoint_now(connection->endpoint);

	if (pace->until_ns > now_ns) {
		pace->held = pace->held || pace->stirred || !list_is_empty(&connection->sendable);
	} else {
		pace->credit_ns += pace->until_ns == 0 ? 0 : now_ns - pace->until_ns;
		pace->until_ns = 0;
		pace->held = false;
	}
	pace->stirred = false;
}

void pace_stir(struct mquic_connection *connection)
{
	connection->pace.stirred = true;
}

/* ngtcp2 has taken what it can from the wait; a small rest it keeps. */
static void spend(struct quic_pace *pace, uint64_t wait_ns, uint64_t waits_ns)
{
	uint64_t spent_ns = wait_ns > waits_ns ? wait_ns - waits_ns : 0;

	if (spent_ns == 0 && pace->credit_ns >= NGTCP2_MILLISECONDS)
		pace->credit_ns = 0; /* it has begun anew, on another path */
	pace->credit_ns -= spent_ns < pace->credit_ns ? spent_ns : pace->credit_ns;
}

void pace_packet(struct mquic_connection *connection, size_t len)
{
	connection->pace.bytes += len;
}

void pace_sent(struct mquic_connection *connection, bool more)
{
	struct quic_pace *pace = &connection->pace;
	uint64_t now_ns = endpoint_now(connection->endpoint);
	uint64_t others_ns = ngtcp2_conn_get_expiry(connection->conn);
	uint64_t flight_ns;
	size_t bytes = pace->bytes;
	ngtcp2_conn_info info;
	bool measured;

	pace->bytes = 0;
	ngtcp2_conn_update_pkt_tx_time(connection->conn, now_ns);
	pace->until_ns = ngtcp2_conn_get_expiry(connection->conn);
	pace->late_ns = 0;
	if (pace->until_ns >= others_ns) {
		pace->until_ns = 0; /* it does not show when that is */
		return;
	}
	ngtcp2_conn_get_conn_info(connection->conn, &info);
	measured = info.min_rtt != UINT64_MAX;
	spend(pace, wait_of(&info, measured ? info.smoothed_rtt : NGTCP2_MILLISECONDS, bytes),
	      pace->until_ns - now_ns);
	flight_ns = wait_of(&info, info.smoothed_rtt, FLIGHT_BYTES);
	if (more || pace->credit_ns >= flight_ns || !may_save_up(connection, measured))
		return;
	pace->late_ns = pace->until_ns + flight_ns - pace->credit_ns;
	if (pace->late_ns > others_ns)
		pace->late_ns = others_ns;
}

uint64_t pace_expiry(const struct mquic_connection *connection)
{
	const struct quic_pace *pace = &connection->pace;
	uint64_t expiry_ns = ngtcp2_conn_get_expiry(connection->conn);

	/* While it holds something back it is called in time. */
	if (pace->held || pace->late_ns == 0 || expiry_ns != pace->until_ns)
		return expiry_ns;
	return pace->late_ns;
}
