/* SPDX-License-Identifier: MIT */
/* The names that OpenSSL has for what may be in a subject. */
#ifndef GATEWAY_SUBJECT_NAMES_H
#define GATEWAY_SUBJECT_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Its short name for the attribute type whose encoded identifier that is; NULL: it has none. */
const char *subject_short_name(const uint8_t *oid, size_t len);

#endif
