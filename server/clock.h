/* SPDX-License-Identifier: MIT */
/* The time that deadlines are set by. */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>

/* Milliseconds that have passed since some time before the program started. */
uint64_t clock_ms(void);

#endif
