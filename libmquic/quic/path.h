/* SPDX-License-Identifier: MIT */
/* The two ends of a path, as ngtcp2 has them and as we do. */
#ifndef MQUIC_QUIC_PATH_H
#define MQUIC_QUIC_PATH_H

#include <ngtcp2/ngtcp2.h>

#include "quic/wire.h"

/* The last that was proven. */
struct quic_path {
	struct address peer;
	struct address local;
	char peer_text[ADDRESS_TEXT_SIZE];
	char local_text[ADDRESS_TEXT_SIZE];
};

void path_set(struct quic_path *path, const ngtcp2_path *from);

/* The addresses of a datagram as ngtcp2 wants them; points into the datagram. */
ngtcp2_path path_of(struct wire *wire, const struct datagram *datagram);
/* The other way round. */
struct address path_address(const ngtcp2_addr *from);

#endif
