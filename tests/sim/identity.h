/* SPDX-License-Identifier: MIT */
/* A self-signed certificate and its key in files, for peers that do not verify it. */
#ifndef MQUIC_TESTS_IDENTITY_H
#define MQUIC_TESTS_IDENTITY_H

#define IDENTITY_PATH 64

/* Paths of the files, made when first asked for and removed when the program ends. */
const char *identity_certificate(void);
const char *identity_key(void);

#endif
