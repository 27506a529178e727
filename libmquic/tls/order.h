/* SPDX-License-Identifier: MIT */
/*
 * Which TLS handshake messages a peer may send when (RFC 8446 section 4, RFC 9001 sections 4.1.3
 * and 6). GnuTLS and ngtcp2 each leave part of that to the other: a KeyUpdate installs keys twice
 * and aborts the program, a message at the wrong encryption level is taken for one at the right.
 */
#ifndef MQUIC_TLS_ORDER_H
#define MQUIC_TLS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tls.h"

/* Where CRYPTO frames come from; they never come in 0-RTT packets. */
enum tls_level {
	TLS_LEVEL_INITIAL,
	TLS_LEVEL_HANDSHAKE,
	TLS_LEVEL_1RTT
};

#define TLS_MESSAGE_HEADER 4

/* One side of a handshake, as far as it was received. */
struct tls_order {
	enum tls_role role; /* ours: the other one sends */
	enum tls_level level;
	uint8_t header[TLS_MESSAGE_HEADER];
	size_t header_len; /* of the message that is under way; 0: none is */
	uint32_t left;     /* of its body */
	bool finished;     /* the peer's Finished was seen */
};

void tls_order_init(struct tls_order *order, enum tls_role role);

/*
 * Looks at the next bytes of the peer, in order, before TLS sees them. Returns 0, or the alert to
 * end the connection with: then nothing of them may be used.
 */
uint8_t tls_order_check(struct tls_order *order, enum tls_level level, const uint8_t *data,
			size_t len);

#endif
