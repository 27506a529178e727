/* SPDX-License-Identifier: MIT */
#include "quic/wire.h"

#include "quic/host.h"

int wire_transmit(struct wire *wire, struct quic_host *host, const struct datagram *datagram)
{
	host->totals[MQUIC_TOTAL_DATAGRAMS_SENT] +=
		(datagram->len + datagram->segment - 1) / datagram->segment;
	host->totals[MQUIC_TOTAL_BYTES_SENT] += datagram->len;
	return wire->send(wire, datagram);
}
