/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_CLOCK_H
#define TOOLS_CLOCK_H

#include <stdint.h>

/* Monotonic time. */
uint64_t clock_us(void);
uint64_t clock_ms(void);

#endif
