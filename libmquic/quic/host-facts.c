/* SPDX-License-Identifier: MIT */
/* What can be asked of an endpoint: the counts of its host. */
#include "quic/body.h"

/* What of it the connections know that are there now. */
static uint64_t sum(const struct quic_host *host, enum mquic_total statistic)
{
	const struct list *node;
	uint64_t total = 0;

	for (node = host->connections.next; node != &host->connections; node = node->next) {
		const struct mquic_connection *connection =
			list_entry(node, struct mquic_connection, link);

		if (statistic == MQUIC_TOTAL_MEMORY)
			total += memory_of(connection);
		else if (connection->state != CONNECTION_ENDED)
			total += facts_lost(connection);
	}
	return total;
}

uint64_t mquic_endpoint_statistic(const struct mquic_endpoint *endpoint, enum mquic_total statistic)
{
	const struct quic_host *host = endpoint == NULL ? NULL : host_of(endpoint);

	if (host == NULL || (unsigned int)statistic >= HOST_TOTALS)
		return 0;
	if ((statistic == MQUIC_TOTAL_MEMORY || statistic == MQUIC_TOTAL_PACKETS_LOST) &&
	    !endpoint_is_torn(endpoint))
		return host->totals[statistic] + sum(host, statistic);
	return host->totals[statistic];
}
