/* SPDX-License-Identifier: MIT */
/* Dates in sentences about certificates. */
#ifndef MQUIC_TLS_DATE_H
#define MQUIC_TLS_DATE_H

#include <time.h>

#define TLS_DATE_SIZE 32

/* Writes "2026-11-28 00:40 UTC", and returns `text`. */
const char *tls_date(time_t when, char text[TLS_DATE_SIZE]);

#endif
