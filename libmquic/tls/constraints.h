/* SPDX-License-Identifier: MIT */
/* For whom a CA may vouch: name constraints (RFC 5280 section 4.2.1.10). */
#ifndef MQUIC_TLS_CONSTRAINTS_H
#define MQUIC_TLS_CONSTRAINTS_H

#include <gnutls/x509.h>

#include <stdbool.h>

/*
 * Whether `issuer`, somewhere above `certificate`, may vouch for all of its names. Constraints
 * of kinds that are not compared, and those that cannot be read, allow no name of their kind.
 */
bool constraints_allow(gnutls_x509_crt_t issuer, gnutls_x509_crt_t certificate);

#endif
