/* SPDX-License-Identifier: MIT */
/*
 * ngtcp2's pacer lets each byte wait its share of a round trip, also the first of a connection and
 * the first after silence: a small message then waits for the probes of the path's MTU that went
 * before it. Yet a flight of ten packets may go at once (RFC 9002 section 7.7).
 *
 * The wait begins when ngtcp2 is told of what was sent. Of a flight that begins when nothing is on
 * its way it is told later: beyond ten packets, or when so much time has passed that the wait is
 * over, with the time that makes it end just now.
 *
 *     nothing on its way ──▶ FLIGHT: all goes at once ──── ten packets, told ────▶ PACED, told
 *              ▲               └── as long as it would wait, nothing: told ──┐     of each turn
 *              └─────────────── all of it has arrived ◀──────────────────────┴────────┘
 */
#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/pace.h"

#define FLIGHT_BYTES (10 * NGTCP2_MAX_UDP_PAYLOAD_SIZE)

/* Share of a wait by which our reckoning may be off from ngtcp2's. */
#define MARGIN_SHARE 16

/* How long ngtcp2 waits for that many bytes: at five quarters of the window for each round trip. */
static uint64_t wait_for(const struct attempt *attempt, uint64_t bytes)
{
	ngtcp2_conn_info info;
	uint64_t round_trip_ns;
	uint64_t wait_ns;

	ngtcp2_conn_get_conn_info(attempt->conn, &info);
	if (info.cwnd == 0)
		return 0;
	round_trip_ns = info.min_rtt != UINT64_MAX ? info.smoothed_rtt : NGTCP2_MILLISECONDS;
	wait_ns = bytes * (round_trip_ns * 4 / 5 / info.cwnd);
	return wait_ns + wait_ns / MARGIN_SHARE;
}

static void tell(struct attempt *attempt, uint64_t when_ns)
{
	ngtcp2_conn_update_pkt_tx_time(attempt->conn, when_ns);
	attempt->pace.untold = 0;
}

void pace_look(struct attempt *attempt, uint64_t now_ns)
{
	struct quic_pace *pace = &attempt->pace;
	uint64_t wait_ns;

	if (pace->untold > 0 && attempt->conn != NULL) {
		wait_ns = wait_for(attempt, pace->untold);
		/* ngtcp2 takes no time that is before one it was told. */
		if (now_ns - pace->last_ns >= wait_ns)
			tell(attempt, now_ns - wait_ns);
	}
	pace->last_ns = now_ns;
}

/* BBR's own rate is what it measures by: nothing goes beside it but the first flight. */
void pace_begin(struct attempt *attempt)
{
	if (!attempt->pace.busy ||
	    attempt->connection->settings->congestion_control == MQUIC_CONGESTION_BBR)
		return;
	attempt->pace.busy = attempt_in_flight(attempt) > 0;
}

void pace_packet(struct attempt *attempt, size_t len)
{
	attempt->pace.untold += len;
}

void pace_sent(struct attempt *attempt, bool more)
{
	struct quic_pace *pace = &attempt->pace;

	pace->busy = pace->busy || more || pace->untold > FLIGHT_BYTES;
	if (pace->busy)
		tell(attempt, endpoint_now(attempt->connection->endpoint));
}
