/* SPDX-License-Identifier: MIT */
/* So many at once, and so many per second after that. */
#ifndef SERVER_LIMITER_H
#define SERVER_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

struct limiter {
	unsigned int at_once;
	unsigned int per_s;
	unsigned int credit; /* what may be spent now; zero at first, like the next */
	uint64_t earned_ms;  /* until when it was earned */
};

/* Spends one; false if there is none left. */
bool limiter_spend(struct limiter *limiter, uint64_t now_ms);

#endif
