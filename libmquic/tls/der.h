/* SPDX-License-Identifier: MIT */
/* As much of DER (X.690) as is needed to cut one element off others. */
#ifndef MQUIC_TLS_DER_H
#define MQUIC_TLS_DER_H

#include <gnutls/gnutls.h>

#include <stdbool.h>

#define DER_SEQUENCE 0x30
/* "[n]" in ASN.1, with something inside. */
#define DER_CONTEXT(n) (0xa0 | (n))

/*
 * Takes the first element off `rest`; `content` points into the same bytes. False: there is none,
 * or it is cut off or not DER.
 */
bool der_take(gnutls_datum_t *rest, unsigned char *tag, gnutls_datum_t *content);

#endif
