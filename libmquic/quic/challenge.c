/* SPDX-License-Identifier: MIT */
/*
 * PATH_RESPONSE is acknowledged and counts as on its way, but ngtcp2 sets no timer for it, up to
 * 1.24 at least. Two of them fill a congestion window that losses have made as small as it gets; are
 * these lost, nothing else may go that would tell so, and the connection stands still for good.
 *
 * So one PATH_CHALLENGE is answered at a time, and a PING follows: that has a timer, and its
 * acknowledgement shows that what went before it is lost.
 *
 *     NONE ──PATH_CHALLENGE──▶ CAME ──something went──▶ ANSWERED ──and more──▶ NONE
 *
 * A PING is had of ngtcp2 as its keep-alive, of the shortest interval there is.
 */
#include "quic/challenge.h"

#include "quic/attempt.h"
#include "quic/body.h"

bool challenge_take(struct attempt *attempt)
{
	struct quic_challenge *challenge = &attempt->challenge;
	uint64_t now_ns = endpoint_now(attempt->connection->endpoint);

	/* One that cannot be answered must not keep the next from it. */
	if (challenge->state != CHALLENGE_NONE &&
	    now_ns - challenge->since_ns < ngtcp2_conn_get_pto(attempt->conn))
		return false;
	if (challenge->state == CHALLENGE_NONE)
		challenge->state = CHALLENGE_CAME;
	challenge->since_ns = now_ns;
	return true;
}

uint64_t challenge_begin(const struct attempt *attempt)
{
	return attempt->challenge.state == CHALLENGE_NONE ? 0 : attempt_in_flight(attempt);
}

void challenge_end(struct attempt *attempt, uint64_t before)
{
	struct quic_challenge *challenge = &attempt->challenge;

	if (challenge->state == CHALLENGE_NONE || attempt_in_flight(attempt) <= before)
		return;
	if (challenge->state == CHALLENGE_CAME) {
		challenge->state = CHALLENGE_ANSWERED;
		ngtcp2_conn_set_keep_alive_timeout(attempt->conn, 1);
	} else {
		challenge->state = CHALLENGE_NONE;
		ngtcp2_conn_set_keep_alive_timeout(attempt->conn, challenge->keep_alive_ns);
	}
}

void challenge_keep_alive(struct attempt *attempt, uint64_t interval_ns)
{
	attempt->challenge.keep_alive_ns = interval_ns;
	if (attempt->challenge.state != CHALLENGE_ANSWERED)
		ngtcp2_conn_set_keep_alive_timeout(attempt->conn, interval_ns);
}
