/* SPDX-License-Identifier: MIT */
/* Apart, because it needs what speaks QUIC, and who only reads snapshots does not. */
#include <string.h>

#include "counters.h"
#include "resident.h"

void counters_take(struct counters *counters, const struct mquic_endpoint *endpoint,
		   uint64_t clients, uint64_t accepted)
{
	size_t i;

	memset(counters, 0, sizeof(*counters));
	counters->at[COUNTER_RESIDENT] = resident_bytes();
	counters->at[COUNTER_CLIENTS] = clients;
	counters->at[COUNTER_ACCEPTED] = accepted;
	for (i = COUNTERS_OWN; i < COUNTERS; i++)
		counters->at[i] = mquic_endpoint_statistic(endpoint, counter_rows[i].total);
}
