/* SPDX-License-Identifier: MIT */
/* So many of something in a second, and no more. Zeroed: none was taken. */
#ifndef MQUIC_CORE_QUOTA_H
#define MQUIC_CORE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota {
	uint64_t second;
	unsigned int taken; /* in that second */
};

/* Takes one, if fewer than `most` were taken in this second. */
static inline bool quota_take(struct quota *quota, uint64_t now_ns, unsigned int most)
{
	uint64_t second = now_ns / 1000000000U;

	if (second != quota->second) {
		quota->second = second;
		quota->taken = 0;
	}
	if (quota->taken >= most)
		return false;
	quota->taken++;
	return true;
}

#endif
