/* SPDX-License-Identifier: MIT */
/* When to come back after a connection ended, and whether at all: mquic_reconnect_*(). */
#ifndef MQUIC_SESSION_RECONNECT_H
#define MQUIC_SESSION_RECONNECT_H

#include <stdint.h>

/* mquic_reconnect_pause_ms() with a number from 0 to UINT32_MAX in place of one by chance. */
uint64_t reconnect_pause_ms(uint32_t failures, uint32_t first_ms, uint32_t longest_ms,
			    uint32_t chance);

#endif
