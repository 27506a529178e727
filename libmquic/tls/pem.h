/* SPDX-License-Identifier: MIT */
/* What people keep in files for certificates and keys, beside plain PEM. */
#ifndef MQUIC_TLS_PEM_H
#define MQUIC_TLS_PEM_H

#include "tls/file.h"

/*
 * As tls_file_read(), with OpenSSL's TRUSTED CERTIFICATEs made plain ones. One that OpenSSL would
 * trust for some uses only is refused: those limits are not known here.
 */
enum mquic_status tls_pem_read(gnutls_datum_t *content, const char *what, const char *path,
			       size_t limit, struct error *error);

/* Whether there is a certificate in it. */
bool tls_pem_has_certificate(const gnutls_datum_t *content);

/*
 * What the file holds that is neither certificate nor key as we take them, with the fix: "holds a
 * certificate request: ...". NULL if it is nothing known.
 */
const char *tls_pem_mistaken(const gnutls_datum_t *content);

#endif
