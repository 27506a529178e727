/* SPDX-License-Identifier: MIT */
/* Reading the peer's certificate. What it says is the peer's word: any byte may be in it. */
#ifndef MQUIC_TLS_PEER_H
#define MQUIC_TLS_PEER_H

#include <gnutls/x509.h>

#include "tls/session.h"

/*
 * The certificate the peer showed, verified or not. *certificate is NULL if it showed none or
 * one that cannot be parsed. Free with gnutls_x509_crt_deinit(). MQUIC_ERR_MEMORY.
 */
enum mquic_status peer_certificate(struct tls_session *session, gnutls_x509_crt_t *certificate);

/*
 * The common name if there is exactly one and it is UTF-8 without NUL: a name that two readers
 * could read differently is no identity. NULL otherwise; free() it. MQUIC_ERR_MEMORY.
 */
enum mquic_status peer_common_name(gnutls_x509_crt_t certificate, char **name);

/* The subject as RFC 4514 text; NULL if empty or not UTF-8. free() it. MQUIC_ERR_MEMORY. */
enum mquic_status peer_subject(gnutls_x509_crt_t certificate, char **subject);

/* The subject as the certificate has it, in DER; free() it. MQUIC_ERR_MEMORY. */
enum mquic_status peer_subject_der(gnutls_x509_crt_t certificate, uint8_t **der, size_t *len);

/*
 * The subject alternative names as "DNS:...", "IP:...", "URI:..." and "email:..."; those of other
 * kinds and ill-formed ones are left out. Free each and the array. MQUIC_ERR_MEMORY.
 */
enum mquic_status peer_alt_names(gnutls_x509_crt_t certificate, char ***names, size_t *count);
void peer_alt_names_free(char **names, size_t count);

#endif
