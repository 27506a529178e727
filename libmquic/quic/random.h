/* SPDX-License-Identifier: MIT */
#ifndef MQUIC_QUIC_RANDOM_H
#define MQUIC_QUIC_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Unpredictable bytes; cannot fail. */
void random_fill(uint8_t *bytes, size_t len);

#endif
