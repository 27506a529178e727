/* SPDX-License-Identifier: MIT */
/* Rules of QUIC that ngtcp2 does not see to. */
#ifndef MQUIC_QUIC_GUARD_H
#define MQUIC_QUIC_GUARD_H

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/wire.h"

struct attempt;

/* ngtcp2_conn_read_pkt(), and what a packet is refused for in attempt->record.refused. */
int guard_read(struct attempt *attempt, const ngtcp2_path *path, const ngtcp2_pkt_info *info,
	       const struct datagram *datagram);
/* ngtcp2's callback for it. */
int guard_decrypt(uint8_t *to, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *keys,
		  const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len,
		  const uint8_t *header, size_t header_len);

#endif
