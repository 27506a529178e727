/* SPDX-License-Identifier: MIT */
/*
 * Bounded reading of PEM files. What a path names may be anything: a directory, a FIFO nobody
 * writes to, an endless device. None of them may hang us or exhaust memory.
 */
#ifndef MQUIC_TLS_FILE_H
#define MQUIC_TLS_FILE_H

#include <gnutls/gnutls.h>

#include "core/error.h"

/* A certificate chain or key is a few KiB, a distribution's CA bundle a quarter of a MiB. */
#define TLS_FILE_LIMIT   ((size_t)1 << 20)
#define TLS_BUNDLE_LIMIT ((size_t)16 << 20)

/*
 * Reads a regular file of at most `limit` bytes and puts a NUL behind it. `what` names its part
 * in the sentence: "CA file", "key file". Free with tls_file_free(). MQUIC_ERR_TLS,
 * MQUIC_ERR_MEMORY.
 */
enum mquic_status tls_file_read(gnutls_datum_t *content, const char *what, const char *path,
				size_t limit, struct error *error);

/* Wipes, then frees: the content may be a key. NULL data is fine. */
void tls_file_free(gnutls_datum_t *content);

bool tls_file_contains(const gnutls_datum_t *content, const char *text);
unsigned int tls_file_count(const gnutls_datum_t *content, const char *text);

/* The path, or its end if it is so long that it would push the fix out of a sentence. */
const char *tls_file_shown(const char *path);

/* Sets "out of memory" and returns MQUIC_ERR_MEMORY. */
enum mquic_status tls_no_memory(struct error *error);

#endif
