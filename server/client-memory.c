/* SPDX-License-Identifier: MIT */
#include "client.h"

/* How often memory is counted: seldom, or often once half of what is allowed is taken. */
#define COUNT_SELDOM_MS 1000
#define COUNT_OFTEN_MS  100

static uint64_t memory_of_connection(const struct mquic_connection *connection)
{
	return mquic_connection_statistic(connection, MQUIC_STATISTIC_MEMORY);
}

uint64_t client_memory(const struct client *client)
{
	return sizeof(*client) + (client->pending != NULL ? client->pending_len : 0) +
	       memory_of_connection(mquic_relay_connection(client->relay));
}

static uint64_t count_memory(const struct clients *clients, uint64_t *count)
{
	const struct queue *link;
	uint64_t bytes = 0;

	*count = 0;
	for (link = clients->all.next; link != &clients->all; link = link->next) {
		bytes += client_memory(QUEUE_MEMBER(link, const struct client, in_all));
		++*count;
	}
	return bytes;
}

/*
 * Turns away clients that take more than `share` until the rest is within the limit. Of those that
 * do, the newest go first: who comes to a full house does not cost a resident the place.
 */
static void turn_away_above(struct clients *clients, uint64_t share)
{
	struct queue *link;
	struct queue *older;

	for (link = clients->all.previous;
	     link != &clients->all && clients->memory > clients->limits.memory; link = older) {
		struct client *client = QUEUE_MEMBER(link, struct client, in_all);
		uint64_t bytes = client_memory(client);

		older = link->previous;
		if (bytes <= share || client->relay == NULL)
			continue;
		clients->memory -= bytes;
		client_turn_away(client, CULPRIT_CALLER, MQUIC_CLOSE_OVERLOADED,
				 clients->limits.memory_reached);
	}
}

void clients_limit_memory(struct clients *clients, bool moved)
{
	uint64_t limit = clients->limits.memory;
	uint64_t count;
	uint64_t factor;

	clients->memory_moved |= moved;
	if (!clients->memory_moved || clients->now_ms < clients->count_memory_ms)
		return;
	clients->memory_moved = false;
	clients->memory = count_memory(clients, &count);
	/* With factor 1 it is enough: clients that take no more than a share each fit. */
	for (factor = 8; factor > 0 && clients->memory > limit; factor /= 2)
		turn_away_above(clients, factor * (limit / count));
	clients->count_memory_ms =
		clients->now_ms + (clients->memory > limit / 2 ? COUNT_OFTEN_MS : COUNT_SELDOM_MS);
}
