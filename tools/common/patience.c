/* SPDX-License-Identifier: MIT */
#include "patience.h"

#include "clock.h"

/* More than pings and probes of the path take; what carries less is no message on its way. */
#define ON_ITS_WAY 16384

void patience_renew(struct patience *patience)
{
	patience->since_ms = 0;
}

bool patience_is_over(struct patience *patience, bool waiting, uint64_t sent)
{
	uint64_t now_ms = clock_ms();

	if (!waiting || patience->limit_s == PATIENCE_FOREVER) {
		patience->since_ms = 0;
		return false;
	}
	if (patience->since_ms == 0 || sent - patience->sent >= ON_ITS_WAY) {
		patience->since_ms = now_ms;
		patience->sent = sent;
		return false;
	}
	return now_ms >= patience_deadline_ms(patience);
}

uint64_t patience_deadline_ms(const struct patience *patience)
{
	if (patience->since_ms == 0 || patience->limit_s == PATIENCE_FOREVER)
		return UINT64_MAX;
	return patience->since_ms + (uint64_t)patience->limit_s * 1000;
}
