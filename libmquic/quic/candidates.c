/* SPDX-License-Identifier: MIT */
#include "quic/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "quic/body.h"
#include "quic/ending.h"
#include "tls/tickets.h"

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
	candidates->until_ns = connection->started_ns +
			       connection->settings->handshake_timeout_ms * NGTCP2_MILLISECONDS;
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
	lookup_cancel(&candidates->lookup);
	timer_set(endpoint_timers(connection->endpoint), &candidates->timer, TIMER_NEVER);
	timers_release(endpoint_timers(connection->endpoint));
	free(candidates->host);
	ticket_free(candidates->ticket);
	free(candidates);
}

bool candidates_are_numeric(struct mquic_connection *connection, uint16_t port)
{
	struct quic_candidates *candidates = connection->candidates;
	struct addresses *found = &candidates->answer.found;
	struct error no_address;

	if (address_parse(&found->list[0], candidates->host, port, &no_address) != MQUIC_OK)
		return false;
	found->count = 1;
	return true;
}

static void answered(struct lookup *lookup, const struct resolve_answer *answer)
{
	struct quic_candidates *candidates = list_entry(lookup, struct quic_candidates, lookup);

	candidates->answer = *answer;
	candidates->answered = true;
	connection_schedule(candidates->connection);
}

/*
 * As it is first: /etc/hosts and mDNS know names in any script, DNS knows them in their xn-- form
 * (RFC 5891 section 4).
 */
bool candidates_look_up(struct mquic_connection *connection, uint16_t port)
{
	struct mquic_endpoint *endpoint = connection->endpoint;
	struct quic_candidates *candidates = connection->candidates;
	const char *host = candidates->host;
	char ascii[TLS_NAME_SIZE];
	const char *other = tls_ascii_name(host, ascii) ? ascii : NULL;

	candidates->lookup.done = answered;
	timer_set(endpoint_timers(endpoint), &candidates->timer, candidates->until_ns);
	return lookup_start(&candidates->lookup, endpoint_resolver(endpoint), host, other, port);
}

static void answer_is_no_address(struct mquic_connection *connection)
{
	const struct quic_candidates *candidates = connection->candidates;
	const struct resolve_answer *answer = &candidates->answer;
	struct error error;
	enum mquic_status status = resolve_explain(answer, candidates->host, &error);
	bool system = status == MQUIC_ERR_SYSTEM;

	ending_set(connection, status,
		   status == MQUIC_ERR_MEMORY ? MQUIC_ORIGIN_LOCAL : MQUIC_ORIGIN_SYSTEM,
		   system ? (uint64_t)answer->system : 0, "%s", error.text);
}

static void answer_is_late(struct mquic_connection *connection)
{
	ending_set(connection, MQUIC_ERR_RESOLVE, MQUIC_ORIGIN_SYSTEM, 0,
		   "host '%s' could not be looked up within %llu ms: is this machine's network up, "
		   "and does its DNS server answer?",
		   connection->candidates->host,
		   (unsigned long long)connection->settings->handshake_timeout_ms);
}

bool candidates_are_found(struct mquic_connection *connection)
{
	const struct quic_candidates *candidates = connection->candidates;

	if (!candidates->answered || endpoint_now(connection->endpoint) >= candidates->until_ns)
		answer_is_late(connection);
	else if (candidates->answer.found.count == 0)
		answer_is_no_address(connection);
	else
		return true;
	return false;
}
