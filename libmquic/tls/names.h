/* SPDX-License-Identifier: MIT */
/* Whom a server's certificate is for (RFC 9525). */
#ifndef MQUIC_TLS_NAMES_H
#define MQUIC_TLS_NAMES_H

#include "tls/session.h"

#include <gnutls/x509-ext.h>

/*
 * Parses the subject alternative names; *list is NULL if there are none. Free with
 * gnutls_subject_alt_names_deinit(). False: they cannot be read, or out of memory.
 */
bool names_read(gnutls_x509_crt_t certificate, gnutls_subject_alt_names_t *list);

enum names_fit {
	NAMES_NONE,
	NAMES_WILDCARD,
	NAMES_EXACT
};

/* How well the DNS names among these fit the host name, which is in ASCII. */
enum names_fit names_fit(gnutls_subject_alt_names_t list, const char *host);

/*
 * Whether the certificate is for what the session dialed: a host name must be among the DNS
 * names, an address, byte by byte, among the IP addresses (RFC 9525 sections 6.3 and 6.5).
 */
bool names_cover(gnutls_x509_crt_t certificate, const struct tls_session *session);

#endif
