/* SPDX-License-Identifier: MIT */
/* Every datagram's first step: whose is it? */
#include "quic/demux.h"

#include <errno.h>

#include "quic/attempt.h"
#include "quic/closing.h"
#include "quic/host.h"
#include "quic/listener.h"
#include "quic/udp.h"

void demux_receive(struct quic_host *host, struct wire *wire, const struct datagram *datagram)
{
	host_count(host, MQUIC_TOTAL_DATAGRAMS_RECEIVED);
	host->totals[MQUIC_TOTAL_BYTES_RECEIVED] += datagram->len;
	if (datagram->len == 0)
		return;
	/* A client's socket has one peer and one connection: whatever comes is for that, also a
	 * stateless reset, whose identifier means nothing. */
	if (wire->attempt != NULL)
		attempt_read(wire->attempt, wire, datagram);
	else if (wire->closing != NULL)
		closing_read(wire->closing, datagram);
	else if (wire->listener != NULL)
		listener_receive(host, wire, datagram);
}

static void failed(struct quic_host *host, struct wire *wire, int code)
{
	(void)host;
	if (wire->attempt == NULL)
		return;
	/*
	 * Anybody can forge a router's word: it may make packets smaller, but end nothing (RFC
	 * 9000 section 14.2.1).
	 */
	if (code == EMSGSIZE)
		mtu_told(wire->attempt);
	else
		attempt_unreachable(wire->attempt, code);
}

const struct udp_reader demux_reader = {
	.receive = demux_receive,
	.failed = failed,
};
