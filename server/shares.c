/* SPDX-License-Identifier: MIT */
#include "shares.h"

static uint64_t part(uint64_t limit, unsigned int workers)
{
	uint64_t rounded = limit / workers + (limit % workers != 0);

	return rounded > 0 ? rounded : 1;
}

void shares_divide(struct shares *limits, unsigned int workers)
{
	limits->connections = (uint32_t)part(limits->connections, workers);
	limits->handshakes = (uint32_t)part(limits->handshakes, workers);
	limits->memory = part(limits->memory, workers);
}
