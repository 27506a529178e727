/* SPDX-License-Identifier: MIT */
#include "limiter.h"

bool limiter_spend(struct limiter *limiter, uint64_t now_ms)
{
	uint64_t earned = (now_ms - limiter->earned_ms) * limiter->per_s / 1000;

	if (earned > 0) {
		limiter->earned_ms = now_ms;
		limiter->credit = earned < limiter->at_once - limiter->credit
					  ? limiter->credit + (unsigned int)earned
					  : limiter->at_once;
	}
	if (limiter->credit == 0)
		return false;
	limiter->credit--;
	return true;
}
