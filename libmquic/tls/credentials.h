/* SPDX-License-Identifier: MIT */
/* Inside of struct tls_credentials, and the steps that fill it. Only for this room. */
#ifndef MQUIC_TLS_CREDENTIALS_H
#define MQUIC_TLS_CREDENTIALS_H

#include <gnutls/gnutls.h>

#include "tls/tls.h"

struct lifetime;
struct selectable;

struct tls_credentials {
	unsigned int references; /* one thread at a time, like everything of an endpoint */
	enum tls_role role;
	gnutls_certificate_credentials_t native;
	gnutls_priority_t priority;      /* shared: one per session would cost 8 KB each */
	uint8_t root[TLS_SECRET_LEN];    /* what tls_credentials_secret() derives from */
	uint8_t binding[TLS_SECRET_LEN]; /* see tls/binding.h */
	uint8_t ticket_key[64];          /* a server's, as GnuTLS wants it */
	char *alpn;
	struct lifetime *lifetimes; /* of certificates and lists, see tls/lifetime.h */
	size_t lifetime_count;
	struct selectable *selectables; /* certificates to choose from, if several, tls/select.h */
	size_t selectable_count;
	char *trust;   /* whom we trust, for sentences: "the CA file /etc/ca.crt" */
	int keylog_fd; /* -1: none */
	bool has_trust;
	bool has_identity;
	bool require_certificate;
	bool insecure;
	bool resumes;
	bool has_ticket_key;
};

/* Adds the CAs and revocation lists that `settings` name; a client's default is the system's. */
enum mquic_status tls_trust_load(struct tls_credentials *credentials,
				 const struct mquic_settings *settings, struct error *error);

/* Adds the revocation lists of a file, each signed by one of the CAs that were added before. */
enum mquic_status tls_revocation_load(struct tls_credentials *credentials, const char *path,
				      struct error *error);

/* Adds certificate chains and keys; `root` comes from the first key, or is random without one. */
enum mquic_status tls_identity_load(struct tls_credentials *credentials,
				    const struct mquic_settings *settings, struct error *error);

#endif
