/* SPDX-License-Identifier: MIT */
/*
 * What a server says without state: Retry, version negotiation, refusal, stateless reset
 * (RFC 9000 sections 8.1.2, 6.1, 5.2.2, 10.3), and the secrets behind it.
 */
#ifndef MQUIC_QUIC_TOKEN_H
#define MQUIC_QUIC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/wire.h"

/* Length of the connection identifiers we choose. */
#define QUIC_CID_LEN 8

#define TOKEN_SECRET_LEN 32
#define RESET_TOKEN_LEN  16

struct ngtcp2_cid;
struct ngtcp2_pkt_hd;
struct tls_credentials;

/*
 * The one for resets is this server's alone: another that has it, too, would answer packets of our
 * clients with resets that they believe (RFC 9000 sections 10.3.2, 21.11). That for Retry is
 * derived from what workers of one server share, or from the private key: what it proves is true
 * for whoever has that. A token lives for seconds, so its secret need not change while we run.
 * Tokens for later connections (section 8.1.3) would get a secret of another label here; that each
 * of them is used once is for one place to know that all workers ask.
 */
struct token_secrets {
	uint8_t reset[TOKEN_SECRET_LEN];
	uint8_t retry[TOKEN_SECRET_LEN];
};

/*
 * Makes that for resets from the server's key for them and the address it listens on: not even two
 * servers of one machine that were given the same key have the same. False if crypto fails.
 */
bool token_reset_secret(struct token_secrets *secrets, const uint8_t key[TOKEN_SECRET_LEN],
			const struct address *local);
/* The same of that for Retry; `shared` is what the workers have in common, NULL: nothing. */
bool token_retry_secret(struct token_secrets *secrets, const uint8_t *shared,
			const struct tls_credentials *credentials);

/* The stateless reset token of a connection identifier of ours. False if crypto fails. */
bool token_reset(uint8_t token[RESET_TOKEN_LEN], const struct token_secrets *secrets,
		 const struct ngtcp2_cid *cid);

enum token_verdict {
	TOKEN_NONE,   /* none, or one that proves nothing */
	TOKEN_VALID,  /* the address is validated, *original is the first destination identifier */
	TOKEN_INVALID /* a Retry token that is not right */
};

/* Judges the token of an Initial packet from `remote`. */
enum token_verdict token_check(const struct token_secrets *secrets, const struct ngtcp2_pkt_hd *hd,
			       const struct address *remote, uint64_t now_ns,
			       struct ngtcp2_cid *original);

/* Each writes one packet that answers `datagram` and returns its length, 0 if it cannot. */
/* The client comes back to `scid`. */
size_t token_write_retry(uint8_t *packet, size_t size, const struct token_secrets *secrets,
			 const struct ngtcp2_pkt_hd *hd, const struct ngtcp2_cid *scid,
			 const struct address *remote, uint64_t now_ns);
size_t token_write_refusal(uint8_t *packet, size_t size, const struct ngtcp2_pkt_hd *hd,
			   uint64_t error_code, const char *reason);
size_t token_write_reset(uint8_t *packet, size_t size, const struct token_secrets *secrets,
			 const uint8_t *dcid, size_t trigger_len);
size_t token_write_version_negotiation(uint8_t *packet, size_t size, const uint8_t *dcid,
				       size_t dcid_len, const uint8_t *scid, size_t scid_len);

#endif
