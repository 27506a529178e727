/* SPDX-License-Identifier: MIT */
#include "quic/token.h"

#include <string.h>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/random.h"
#include "tls/tls.h"

/* A client answers a Retry within a round trip or two. */
#define RETRY_LIFETIME (10 * NGTCP2_SECONDS)

_Static_assert(TOKEN_SECRET_LEN == TLS_SECRET_LEN, "secrets come from the TLS room");
_Static_assert(RESET_TOKEN_LEN == NGTCP2_STATELESS_RESET_TOKENLEN, "RFC 9000 section 10.3");

bool token_reset_secret(struct token_secrets *secrets, const uint8_t key[TOKEN_SECRET_LEN],
			const struct address *local)
{
	char label[32 + ADDRESS_TEXT_SIZE] = "mquic stateless reset ";
	size_t len = strlen(label);

	address_print(local, label + len);
	return tls_secret_derive(secrets->reset, key, label) == MQUIC_OK;
}

bool token_retry_secret(struct token_secrets *secrets, const uint8_t *shared,
			const struct tls_credentials *credentials)
{
	static const char label[] = "mquic retry token";

	if (shared != NULL)
		return tls_secret_derive(secrets->retry, shared, label) == MQUIC_OK;
	return tls_credentials_secret(credentials, label, secrets->retry) == MQUIC_OK;
}

bool token_reset(uint8_t token[RESET_TOKEN_LEN], const struct token_secrets *secrets,
		 const struct ngtcp2_cid *cid)
{
	return ngtcp2_crypto_generate_stateless_reset_token(token, secrets->reset,
							    sizeof(secrets->reset), cid) == 0;
}

enum token_verdict token_check(const struct token_secrets *secrets, const struct ngtcp2_pkt_hd *hd,
			       const struct address *remote, uint64_t now_ns,
			       struct ngtcp2_cid *original)
{
	if (hd->tokenlen == 0 || hd->token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2)
		return TOKEN_NONE;
	if (ngtcp2_crypto_verify_retry_token2(original, hd->token, hd->tokenlen, secrets->retry,
					      sizeof(secrets->retry), hd->version, &remote->of.any,
					      remote->len, &hd->dcid, RETRY_LIFETIME, now_ns) != 0)
		return TOKEN_INVALID;
	return TOKEN_VALID;
}

size_t token_write_retry(uint8_t *packet, size_t size, const struct token_secrets *secrets,
			 const struct ngtcp2_pkt_hd *hd, const struct ngtcp2_cid *scid,
			 const struct address *remote, uint64_t now_ns)
{
	uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2];
	ngtcp2_ssize token_len;
	ngtcp2_ssize written;

	token_len = ngtcp2_crypto_generate_retry_token2(
		token, secrets->retry, sizeof(secrets->retry), hd->version, &remote->of.any,
		remote->len, scid, &hd->dcid, now_ns);
	if (token_len < 0)
		return 0;
	written = ngtcp2_crypto_write_retry(packet, size, hd->version, &hd->scid, scid, &hd->dcid,
					    token, (size_t)token_len);
	return written > 0 ? (size_t)written : 0;
}

size_t token_write_refusal(uint8_t *packet, size_t size, const struct ngtcp2_pkt_hd *hd,
			   uint64_t error_code, const char *reason)
{
	ngtcp2_ssize written = ngtcp2_crypto_write_connection_close(
		packet, size, hd->version, &hd->scid, &hd->dcid, error_code,
		(const uint8_t *)reason, strlen(reason));

	return written > 0 ? (size_t)written : 0;
}

size_t token_write_reset(uint8_t *packet, size_t size, const struct token_secrets *secrets,
			 const uint8_t *dcid, size_t trigger_len)
{
	uint8_t token[RESET_TOKEN_LEN];
	uint8_t noise[64];
	ngtcp2_cid cid;
	ngtcp2_ssize written;
	size_t len;

	/* Shorter than what provoked it, so that two endpoints never reset each other for ever. */
	if (trigger_len <= NGTCP2_MIN_STATELESS_RESET_RANDLEN + RESET_TOKEN_LEN)
		return 0;
	len = trigger_len - RESET_TOKEN_LEN - 1;
	if (len > sizeof(noise))
		len = sizeof(noise);
	ngtcp2_cid_init(&cid, dcid, QUIC_CID_LEN);
	if (!token_reset(token, secrets, &cid))
		return 0;
	random_fill(noise, len);
	written = ngtcp2_pkt_write_stateless_reset(packet, size, token, noise, len);
	return written > 0 ? (size_t)written : 0;
}

size_t token_write_version_negotiation(uint8_t *packet, size_t size, const uint8_t *dcid,
				       size_t dcid_len, const uint8_t *scid, size_t scid_len)
{
	const uint32_t versions[] = {NGTCP2_PROTO_VER_V1, NGTCP2_PROTO_VER_V2};
	uint8_t unused;
	ngtcp2_ssize written;

	random_fill(&unused, 1);
	written = ngtcp2_pkt_write_version_negotiation(packet, size, unused, scid, scid_len, dcid,
						       dcid_len, versions,
						       sizeof(versions) / sizeof(versions[0]));
	return written > 0 ? (size_t)written : 0;
}
