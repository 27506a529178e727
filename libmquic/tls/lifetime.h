/* SPDX-License-Identifier: MIT */
/*
 * When what was loaded ends: our certificates, the CAs that were named, revocation lists. Whoever
 * runs a server for years must hear of it before clients do.
 */
#ifndef MQUIC_TLS_LIFETIME_H
#define MQUIC_TLS_LIFETIME_H

#include <gnutls/x509.h>
#include <time.h>

#include "tls/credentials.h"

/* A file or directory with more CAs is a distribution's bundle, which renews itself. */
#define LIFETIME_MOST_OF_FILE 16

/* All in all; what is loaded later is not watched. */
#define LIFETIME_MOST 64

struct lifetime {
	char *what; /* "the certificate /etc/broker.crt" */
	const char *fix;
	time_t starts;
	time_t ends;
};

/* Keeps the times of our own chain, the leaf first. False: out of memory. */
bool lifetime_add_chain(struct tls_credentials *credentials, const gnutls_x509_crt_t *chain,
			unsigned int count, const char *path);

/* The same of CAs, in PEM; what cannot be read is left out. */
bool lifetime_add_authorities(struct tls_credentials *credentials, const gnutls_datum_t *pem,
			      const char *path);

/* The same of revocation lists. */
bool lifetime_add_lists(struct tls_credentials *credentials, const gnutls_x509_crl_t *lists,
			unsigned int count, const char *path);

/* Leaves the first `count`. */
void lifetime_forget(struct tls_credentials *credentials, size_t count);

void lifetime_free(struct tls_credentials *credentials);

#endif
