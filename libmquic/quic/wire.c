/* SPDX-License-Identifier: MIT */
#include "quic/wire.h"

void wire_reply(struct wire *wire, const struct datagram *to, const uint8_t *packet, size_t len)
{
	struct datagram datagram = {
		.local = to->local,
		.remote = to->remote,
		.data = packet,
		.len = len,
		.segment = len,
	};

	if (len > 0)
		(void)wire->send(wire, &datagram);
}
