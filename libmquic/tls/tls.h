/* SPDX-License-Identifier: MIT */
/*
 * The TLS room: credentials, verification and what TLS knows of the peer. The only room that
 * includes <gnutls/...>. It drives no handshake: the QUIC room attaches a session to its
 * connection and feeds it (RFC 9001 section 4).
 */
#ifndef MQUIC_TLS_TLS_H
#define MQUIC_TLS_TLS_H

#include "core/error.h"
#include "core/settings.h"

#define TLS_SECRET_LEN 32

/* RFC 1035 section 2.3.4: no host name is longer; 253 and room for a dot and NUL. */
#define TLS_NAME_SIZE 256

enum tls_role {
	TLS_CLIENT,
	TLS_SERVER
};

/* Loaded files: trust, revocation lists, certificate, key, priorities. Shared, refcounted. */
struct tls_credentials;

/* One handshake and what came of it. */
struct tls_session;

/* What an earlier handshake has left for a later one. */
struct tls_ticket;

/* What TLS says of a finished handshake. Strings are owned; NULL: not there. */
struct tls_facts {
	char *version; /* "TLS1.3" */
	char *cipher;  /* "AES-128-GCM" */
	char *alpn;
	char *common_name; /* of the verified peer certificate */
	char *subject;
	uint8_t *subject_der;
	size_t subject_der_len;
	char **alt_names; /* "DNS:...", "IP:...", "URI:...", "email:..." */
	size_t alt_name_count;
	bool resumed;
};

/*
 * Reads the files that `settings` name. A server must have certificate and key, and an EC,
 * EdDSA or RSA key that belongs to the certificate. On failure the sentence in `error` names the
 * file and the fix. MQUIC_ERR_TLS, MQUIC_ERR_MEMORY.
 */
enum mquic_status tls_credentials_load(struct tls_credentials **credentials,
				       const struct mquic_settings *settings, enum tls_role role,
				       struct error *error);
struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials);
void tls_credentials_unref(struct tls_credentials *credentials);

/*
 * The sentence at `index` on what was loaded that has expired or does within `days`; what lives
 * shortly is told in the last quarter of its life. False past the last.
 */
bool tls_credentials_expiring(const struct tls_credentials *credentials, uint32_t days,
			      size_t index, struct error *sentence);

/*
 * A secret for `label` that outlives restarts, and is the same wherever the private key is: HKDF
 * over that, or random bytes if there is none. For Retry tokens (RFC 9000 section 8.1.3).
 */
enum mquic_status tls_credentials_secret(const struct tls_credentials *credentials,
					 const char *label, uint8_t secret[TLS_SECRET_LEN]);

/*
 * Server: tickets are granted and taken from now on, with keys that are derived from `root` and the
 * certificate, protocol and trust in use, and that change in time. Not where a client's certificate
 * is required, or settings say no. MQUIC_ERR_TLS.
 */
enum mquic_status tls_credentials_enable_tickets(struct tls_credentials *credentials,
						 const uint8_t root[TLS_SECRET_LEN]);

/*
 * Makes `secret` and the file agree: what the file has is read, and if there is no file one is made
 * of `secret`. `what` names its part in the sentence. MQUIC_ERR_SYSTEM: there is none, and none can
 * be made; `secret` is as it was. MQUIC_ERR_TLS: it cannot be read, or is something else.
 * MQUIC_ERR_MEMORY.
 */
enum mquic_status tls_secret_keep(uint8_t secret[TLS_SECRET_LEN], const char *what,
				  const char *path, struct error *error);
/* Whether any user of the machine may read or change the file. */
bool tls_secret_is_exposed(const char *path);
/* A secret for `label` out of another (HKDF). MQUIC_ERR_TLS. */
enum mquic_status tls_secret_derive(uint8_t secret[TLS_SECRET_LEN],
				    const uint8_t root[TLS_SECRET_LEN], const char *label);

/*
 * A TLS 1.3 session that sees `reference` in its session pointer, as ngtcp2's crypto helper
 * demands, and keeps a reference on `credentials`. A client sends and verifies `server_name`
 * (an address literal is verified but not sent); a server passes NULL. No agreed application
 * protocol ends the handshake on both sides. MQUIC_ERR_INVALID: `server_name` is no host name.
 * MQUIC_ERR_TLS, MQUIC_ERR_MEMORY.
 */
enum mquic_status tls_session_new(struct tls_session **session, struct tls_credentials *credentials,
				  const char *server_name, void *reference);
void tls_session_free(struct tls_session *session);

/*
 * The form of an international host name that DNS knows: "xn--brker-kua.example". False: there is
 * no other than `name`.
 */
bool tls_ascii_name(const char *name, char ascii[TLS_NAME_SIZE]);

/* The gnutls_session_t, for ngtcp2. */
void *tls_session_native(struct tls_session *session);

/* Client: tickets of the server at `port` are wanted; false: settings say no. */
bool tls_session_expect(struct tls_session *session, uint16_t port);
/* Client: whose they are, TLS_SECRET_LEN bytes; NULL: none are wanted. */
const uint8_t *tls_session_owner(const struct tls_session *session);
/* Client: offers to go on from an earlier handshake. The server may do so or not. */
void tls_session_offer(struct tls_session *session, const struct tls_ticket *ticket);
/* Client, after the handshake: the ticket that came, the caller's (tickets.h); NULL: none. */
struct tls_ticket *tls_session_take_ticket(struct tls_session *session);
/* Server, after the handshake: sends a ticket, unless the client has shown a certificate. */
void tls_session_grant(struct tls_session *session);

/* After the handshake: fills `facts`; free with tls_facts_clear(). MQUIC_ERR_MEMORY. */
enum mquic_status tls_session_facts(struct tls_session *session, struct tls_facts *facts);
void tls_facts_clear(struct tls_facts *facts);

/*
 * The alert to send when the handshake failed here with `alert`. GnuTLS calls every certificate
 * it refuses "bad"; the peer learns more from "unknown CA", "expired" or "revoked".
 */
uint8_t tls_session_alert(const struct tls_session *session, uint8_t alert);

/*
 * A sentence on why the handshake failed: the verdict on the peer's certificate if that was the
 * reason ("certificate is for other.example, not localhost: ..."), else what `alert` means, with the
 * usual fix. `sent`: the alert was ours, not the peer's. Returns MQUIC_ERR_TLS.
 */
enum mquic_status tls_session_explain(struct tls_session *session, uint8_t alert, bool sent,
				      struct error *error);

/*
 * The same once the session is gone: what `alert` means. A server judges a client's certificate
 * after the client's handshake is complete, so this is how a refused client learns of it.
 */
enum mquic_status tls_credentials_explain(const struct tls_credentials *credentials, uint8_t alert,
					  bool sent, struct error *error);

#endif
