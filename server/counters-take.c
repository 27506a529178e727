/* SPDX-License-Identifier: MIT */
/* Apart, because it needs what speaks QUIC, and who only reads snapshots does not. */
#include "counters.h"

void counters_take(struct counters *counters, const struct mquic_endpoint *endpoint)
{
	size_t i;

	for (i = COUNTERS_OWN; i < COUNTERS; i++)
		counters->at[i] += mquic_endpoint_statistic(endpoint, counter_rows[i].total);
}
