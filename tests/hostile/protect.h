/* SPDX-License-Identifier: MIT */
/*
 * Packet protection (RFC 9001 section 5), once more and apart from ngtcp2's: always
 * TLS_AES_128_GCM_SHA256. Nothing is checked that a liar wants to send.
 */
#ifndef MQUIC_TESTS_PROTECT_H
#define MQUIC_TESTS_PROTECT_H

#include <gnutls/crypto.h>

#include "octets.h"

#define PROTECT_SECRET 32
#define PROTECT_TAG    16

/* Of one direction at one level. */
struct protect_keys {
	bool ready;
	gnutls_aead_cipher_hd_t aead;
	gnutls_cipher_hd_t mask;
	uint8_t iv[12];
	uint8_t secret[PROTECT_SECRET];
};

void protect_set(struct protect_keys *keys, const uint8_t secret[PROTECT_SECRET]);
/* The Initial keys of a connection identifier, section 5.2. */
void protect_set_initial(struct protect_keys *client, struct protect_keys *server,
			 const uint8_t *cid, size_t len);
/* The next key phase, section 6: all but the header's key. */
void protect_update(struct protect_keys *keys);
void protect_drop(struct protect_keys *keys);

/*
 * Adds a packet's payload to its header, whose last `number_len` bytes are the packet number, and
 * protects both. `start` is where the header begins.
 */
void protect_seal(struct protect_keys *keys, struct octets *packet, size_t start, uint64_t number,
		  size_t number_len, const struct octets *payload);

/* Unmasks the header; the length of the packet number. `number_at` counts from the start. */
size_t protect_unmask(struct protect_keys *keys, uint8_t *packet, size_t number_at, size_t len);
/* Opens the payload behind a header of `header_len` bytes; false if it is not of these keys. */
bool protect_open(struct protect_keys *keys, const uint8_t *packet, size_t header_len, size_t len,
		  uint64_t number, struct octets *payload);

/* A Retry packet's tag, section 5.8, over `packet`; `cid` is the original destination. */
void protect_retry(struct octets *packet, const uint8_t *cid, size_t len);

#endif
