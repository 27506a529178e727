/* SPDX-License-Identifier: MIT */
#include "quic/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "quic/attempt.h"
#include "quic/body.h"

/* How long an address may keep silent while others wait to be tried. */
#define PATIENCE_NS (500 * NGTCP2_MILLISECONDS)

static void patience_is_over(struct timer *timer, uint64_t now_ns)
{
	struct quic_candidates *candidates = list_entry(timer, struct quic_candidates, timer);

	(void)now_ns;
	candidates->impatient = true;
	connection_schedule(candidates->connection);
}

bool candidates_new(struct mquic_connection *connection, const char *host)
{
	struct quic_candidates *candidates = calloc(1, sizeof(*candidates));

	if (candidates == NULL)
		return false;
	candidates->connection = connection;
	candidates->timer.fire = patience_is_over;
	candidates->host = strdup(host);
	if (candidates->host == NULL || !timers_reserve(endpoint_timers(connection->endpoint))) {
		free(candidates->host);
		free(candidates);
		return false;
	}
	connection->candidates = candidates;
	return true;
}

void candidates_free(struct mquic_connection *connection)
{
	struct quic_candidates *candidates = connection->candidates;

	if (candidates == NULL)
		return;
	connection->candidates = NULL;
	timer_set(endpoint_timers(connection->endpoint), &candidates->timer, TIMER_NEVER);
	timers_release(endpoint_timers(connection->endpoint));
	free(candidates->host);
	free(candidates);
}

enum mquic_status candidates_try(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;
	struct quic_candidates *candidates = connection->candidates;
	enum mquic_status status = MQUIC_ERR_AGAIN;

	if (candidates == NULL || candidates->next >= candidates->found.count)
		return MQUIC_ERR_AGAIN;
	while (candidates->next < candidates->found.count) {
		status = attempt_dial(connection, &candidates->found.list[candidates->next++], 0);
		if (status != MQUIC_ERR_SYSTEM)
			break;
	}
	timer_set(endpoint_timers(endpoint), &candidates->timer,
		  candidates->next < candidates->found.count ? endpoint_now(endpoint) + PATIENCE_NS
							     : TIMER_NEVER);
	return status;
}
