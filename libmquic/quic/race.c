/* SPDX-License-Identifier: MIT */
#include "quic/race.h"

#include <errno.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/candidates.h"
#include "quic/closing.h"

/* The Connection Attempt Delay that RFC 8305 section 8 recommends. */
#define DELAY_NS (250 * NGTCP2_MILLISECONDS)

static void set_timer(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;
	struct quic_candidates *candidates = connection->candidates;
	bool more = !candidates->judged && candidates->next < candidates->answer.found.count;

	timer_set(endpoint_timers(endpoint), &candidates->timer,
		  more ? endpoint_now(endpoint) + DELAY_NS : TIMER_NEVER);
}

enum mquic_status race_next(struct mquic_connection *connection)
{
	struct quic_candidates *candidates = connection->candidates;
	const struct addresses *found = &candidates->answer.found;
	enum mquic_status status = MQUIC_ERR_AGAIN;

	while (candidates->next < found->count) {
		status = attempt_dial(connection, &found->list[candidates->next++], 0);
		if (status != MQUIC_ERR_SYSTEM)
			break;
	}
	candidates->patient = false;
	set_timer(connection);
	return status;
}

void race_look(struct mquic_connection *connection)
{
	struct quic_candidates *candidates = connection->candidates;

	if (!candidates->impatient)
		return;
	candidates->impatient = false;
	/* A server that has answered may take a little more, once: Retry costs a round trip. */
	if (connection->attempt->record.heard && !candidates->patient) {
		candidates->patient = true;
		set_timer(connection);
		return;
	}
	(void)race_next(connection); /* if it cannot be, the others go on */
}

static bool is_judgement(const struct quic_end *end)
{
	switch (end->origin) {
	case MQUIC_ORIGIN_TLS:
	case MQUIC_ORIGIN_PEER:
	case MQUIC_ORIGIN_LOCAL: /* out of memory */
		return true;
	case MQUIC_ORIGIN_TRANSPORT:
		return end->status == MQUIC_ERR_REFUSED;
	case MQUIC_ORIGIN_MQTT:
	case MQUIC_ORIGIN_SYSTEM:
		break;
	}
	return false;
}

/* How much an end tells of what is to be mended; 0 is nothing. */
static unsigned int worth(const struct quic_end *end, bool heard)
{
	if (end->text[0] == '\0')
		return 0;
	if (end->origin == MQUIC_ORIGIN_TLS)
		return 8;
	if (is_judgement(end))
		return 7;
	if (end->origin == MQUIC_ORIGIN_TRANSPORT && end->status != MQUIC_ERR_TIMEOUT)
		return 6;
	if (end->status == MQUIC_ERR_REFUSED)
		return 5;
	if (end->code == EMSGSIZE)
		return 4;
	if (end->status == MQUIC_ERR_TIMEOUT)
		return heard ? 3 : 2;
	return 1; /* no way there: ordinary for a family that this machine does not have */
}

/* Of two that are worth the same, the first: its address was to be preferred. */
static void keep_end(struct quic_candidates *candidates, struct quic_end *end, bool heard)
{
	unsigned int worth_now = worth(end, heard);

	if (worth_now > candidates->best_worth) {
		candidates->best = *end;
		candidates->best_worth = worth_now;
	}
	*end = (struct quic_end){.status = MQUIC_OK};
}

bool race_goes_on(struct attempt *lost)
{
	struct mquic_connection *connection = lost->connection;
	struct quic_candidates *candidates = connection->candidates;

	log_debug(endpoint_log(connection->endpoint), "%s: given up: %s", lost->path.peer_text,
		  connection->end.text);
	if (is_judgement(&connection->end))
		candidates->judged = true;
	keep_end(candidates, &connection->end, lost->record.heard);
	if (!candidates->judged)
		(void)race_next(connection);
	if (lost->link.next == lost->link.prev) {
		connection->end = candidates->best;
		return false;
	}
	attempt_free(lost);
	return true;
}

static void dismiss_silent(struct mquic_connection *connection, bool any_heard)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->attempts) {
		struct attempt *attempt = list_entry(node, struct attempt, link);

		if (attempt->record.heard)
			continue;
		closing_dismiss(attempt, NGTCP2_NO_ERROR, "another address has answered");
		if (any_heard)
			attempt_free(attempt);
	}
}

static bool is_any_heard(const struct mquic_connection *connection)
{
	const struct list *node;

	for (node = connection->attempts.next; node != &connection->attempts; node = node->next)
		if (list_entry(node, struct attempt, link)->record.heard)
			return true;
	return false;
}

bool race_settle(struct mquic_connection *connection)
{
	struct quic_candidates *candidates = connection->candidates;
	bool any_heard;

	if (!candidates->judged)
		return true;
	set_timer(connection);
	any_heard = is_any_heard(connection);
	dismiss_silent(connection, any_heard);
	if (!any_heard)
		connection->end = candidates->best;
	return any_heard;
}
