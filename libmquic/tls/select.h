/* SPDX-License-Identifier: MIT */
/*
 * Which of its certificates a server shows: the one that is for the name in the client's hello
 * (RFC 6066 section 3), best by that very name, else by a wildcard, or else the first.
 *
 * GnuTLS would choose by itself among all that its credentials have, but it compares names octet by
 * octet, and puts some kinds of keys before others where no name decides.
 */
#ifndef MQUIC_TLS_SELECT_H
#define MQUIC_TLS_SELECT_H

#include <gnutls/x509.h>

#include "tls/credentials.h"

/* A certificate chain as it was read, the leaf first, with its key. */
struct identity {
	gnutls_x509_crt_t *chain;
	unsigned int chain_len;
	gnutls_x509_privkey_t key;
};

/* Adds copies of chain and key to what is chosen from; `path` is for sentences. */
enum mquic_status select_add(struct tls_credentials *credentials, const struct identity *identity,
			     const char *path, struct error *error);

void select_free(struct tls_credentials *credentials);

#endif
