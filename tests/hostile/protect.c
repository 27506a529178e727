/* SPDX-License-Identifier: MIT */
#include "protect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE 16

static void must(int rv)
{
	if (rv >= 0)
		return;
	(void)fprintf(stderr, "hostile: %s\n", gnutls_strerror(rv));
	abort();
}

static void expand(const uint8_t secret[PROTECT_SECRET], const char *label, uint8_t *to, size_t len)
{
	const gnutls_datum_t key = {(unsigned char *)(uintptr_t)secret, PROTECT_SECRET};
	struct octets info = {.len = 0};
	gnutls_datum_t datum;

	octets_number(&info, len, 2);
	octets_number(&info, 6 + strlen(label), 1);
	octets_put(&info, "tls13 ", 6);
	octets_put(&info, label, strlen(label));
	octets_number(&info, 0, 1);
	datum.data = info.data;
	datum.size = (unsigned int)info.len;
	must(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &key, &datum, to, len));
}

static void set_aead(struct protect_keys *keys)
{
	uint8_t key[16];
	const gnutls_datum_t datum = {key, sizeof(key)};

	expand(keys->secret, "quic key", key, sizeof(key));
	expand(keys->secret, "quic iv", keys->iv, sizeof(keys->iv));
	must(gnutls_aead_cipher_init(&keys->aead, GNUTLS_CIPHER_AES_128_GCM, &datum));
}

void protect_set(struct protect_keys *keys, const uint8_t secret[PROTECT_SECRET])
{
	uint8_t key[16];
	uint8_t zeros[16] = {0};
	const gnutls_datum_t datum = {key, sizeof(key)};
	const gnutls_datum_t iv = {zeros, sizeof(zeros)};

	protect_drop(keys);
	memcpy(keys->secret, secret, PROTECT_SECRET);
	set_aead(keys);
	expand(secret, "quic hp", key, sizeof(key));
	must(gnutls_cipher_init(&keys->mask, GNUTLS_CIPHER_AES_128_CBC, &datum, &iv));
	keys->ready = true;
}

void protect_set_initial(struct protect_keys *client, struct protect_keys *server,
			 const uint8_t *cid, size_t len)
{
	static const uint8_t salt[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
				       0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
	const gnutls_datum_t salted = {(unsigned char *)(uintptr_t)salt, sizeof(salt)};
	const gnutls_datum_t key = {(unsigned char *)(uintptr_t)cid, (unsigned int)len};
	uint8_t initial[PROTECT_SECRET];
	uint8_t secret[PROTECT_SECRET];

	must(gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &key, &salted, initial));
	expand(initial, "client in", secret, sizeof(secret));
	protect_set(client, secret);
	expand(initial, "server in", secret, sizeof(secret));
	protect_set(server, secret);
}

void protect_update(struct protect_keys *keys)
{
	uint8_t next[PROTECT_SECRET];

	if (!keys->ready)
		return;
	expand(keys->secret, "quic ku", next, sizeof(next));
	memcpy(keys->secret, next, sizeof(next));
	gnutls_aead_cipher_deinit(keys->aead);
	set_aead(keys);
}

void protect_drop(struct protect_keys *keys)
{
	if (!keys->ready)
		return;
	gnutls_aead_cipher_deinit(keys->aead);
	gnutls_cipher_deinit(keys->mask);
	keys->ready = false;
}

static void nonce_of(const struct protect_keys *keys, uint64_t number, uint8_t nonce[12])
{
	size_t i;

	memcpy(nonce, keys->iv, 12);
	for (i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(number >> (8 * i));
}

static void mask_of(struct protect_keys *keys, const uint8_t *sample, uint8_t mask[SAMPLE])
{
	uint8_t zeros[SAMPLE] = {0};

	gnutls_cipher_set_iv(keys->mask, zeros, sizeof(zeros));
	must(gnutls_cipher_encrypt2(keys->mask, sample, SAMPLE, mask, SAMPLE));
}

static uint8_t header_bits(uint8_t first)
{
	return first & 0x80 ? 0x0f : 0x1f;
}

void protect_seal(struct protect_keys *keys, struct octets *packet, size_t start, uint64_t number,
		  size_t number_len, const struct octets *payload)
{
	uint8_t *header = packet->data + start;
	size_t header_len = packet->len - start;
	size_t sealed_len = OCTETS_SIZE - packet->len;
	uint8_t nonce[12];
	uint8_t mask[SAMPLE];
	size_t i;

	if (sealed_len < payload->len + PROTECT_TAG + SAMPLE) {
		packet->len = start;
		return;
	}
	nonce_of(keys, number, nonce);
	must(gnutls_aead_cipher_encrypt(keys->aead, nonce, sizeof(nonce), header, header_len,
					PROTECT_TAG, payload->data, payload->len,
					header + header_len, &sealed_len));
	packet->len += sealed_len;
	/* A packet too short for its sample is sent as it is; who reads it must cope. */
	if (number_len + sealed_len < 4 + SAMPLE)
		return;
	mask_of(keys, header + header_len - number_len + 4, mask);
	header[0] ^= mask[0] & header_bits(header[0]);
	for (i = 0; i < number_len; i++)
		header[header_len - number_len + i] ^= mask[1 + i];
}

size_t protect_unmask(struct protect_keys *keys, uint8_t *packet, size_t number_at, size_t len)
{
	uint8_t mask[SAMPLE];
	size_t number_len;
	size_t i;

	if (len < number_at + 4 + SAMPLE)
		return 0;
	mask_of(keys, packet + number_at + 4, mask);
	packet[0] ^= mask[0] & header_bits(packet[0]);
	number_len = (packet[0] & 0x03U) + 1U;
	for (i = 0; i < number_len; i++)
		packet[number_at + i] ^= mask[1 + i];
	return number_len;
}

bool protect_open(struct protect_keys *keys, const uint8_t *packet, size_t header_len, size_t len,
		  uint64_t number, struct octets *payload)
{
	uint8_t nonce[12];

	nonce_of(keys, number, nonce);
	payload->len = OCTETS_SIZE;
	return gnutls_aead_cipher_decrypt(keys->aead, nonce, sizeof(nonce), packet, header_len,
					  PROTECT_TAG, packet + header_len, len - header_len,
					  payload->data, &payload->len) == 0;
}

void protect_retry(struct octets *packet, const uint8_t *cid, size_t len)
{
	static const uint8_t key[] = {0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a,
				      0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e};
	static const uint8_t nonce[] = {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63,
					0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb};
	const gnutls_datum_t datum = {(unsigned char *)(uintptr_t)key, sizeof(key)};
	struct octets pseudo = {.len = 0};
	gnutls_aead_cipher_hd_t aead;
	uint8_t tag[PROTECT_TAG];
	size_t tag_len = sizeof(tag);

	octets_number(&pseudo, len, 1);
	octets_put(&pseudo, cid, len);
	octets_put(&pseudo, packet->data, packet->len);
	must(gnutls_aead_cipher_init(&aead, GNUTLS_CIPHER_AES_128_GCM, &datum));
	must(gnutls_aead_cipher_encrypt(aead, nonce, sizeof(nonce), pseudo.data, pseudo.len,
					PROTECT_TAG, "", 0, tag, &tag_len));
	gnutls_aead_cipher_deinit(aead);
	octets_put(packet, tag, tag_len);
}
