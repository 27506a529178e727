/* SPDX-License-Identifier: MIT */
/*
 * A packet full of frames of two bytes costs a hundred times as much as one that is full of bytes
 * for a program, and no rule of QUIC forbids it: DATA_BLOCKED, PING, bytes that were there before.
 * A peer that sends nothing else, as fast as it can, keeps its connection's neighbours waiting (RFC
 * 9000 section 21.9). So a packet has some frames free, as many as several streams at work need;
 * what is beyond is owed, time pays for it, and while more is owed than a burst may cost, packets
 * are lost before they are decrypted. Who has sent them in good faith sends them again, slower.
 */
#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/burden.h"

#define FREE_FRAMES 20
#define OWED_MOST   4096
#define NS_FOR_ONE  20000

static void pay(struct quic_burden *burden, uint64_t now_ns)
{
	uint64_t paid = (now_ns - burden->paid_ns) / NS_FOR_ONE;

	burden->paid_ns += paid * NS_FOR_ONE;
	burden->owed -= paid < burden->owed ? paid : burden->owed;
	if (burden->owed == 0)
		burden->paid_ns = now_ns;
}

static void complain(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;

	log_info(endpoint_log(connection->endpoint),
		 "%s: sends packets with more small frames than can be of use; some are dropped",
		 mquic_connection_peer_address(connection));
}

bool burden_allows(struct attempt *attempt)
{
	struct quic_burden *burden = &attempt->burden;

	if (burden->owed <= OWED_MOST)
		return true;
	pay(burden, endpoint_now(attempt->connection->endpoint));
	if (burden->owed <= OWED_MOST)
		return true;
	host_count(attempt->connection->host, MQUIC_TOTAL_DROPPED_BUSY);
	if (burden->dropped++ == 0)
		complain(attempt);
	return false;
}

void burden_add(struct attempt *attempt, size_t frames)
{
	struct quic_burden *burden = &attempt->burden;

	if (frames <= FREE_FRAMES)
		return;
	pay(burden, endpoint_now(attempt->connection->endpoint));
	burden->owed += frames - FREE_FRAMES;
}
