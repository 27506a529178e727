/* SPDX-License-Identifier: MIT */
/* Clients as an operator looks at them, and sends one away. */
#include <stdio.h>
#include <string.h>

#include "client.h"

/* One that only waits for the broker or for its last bytes is none to look at. */
static bool is_here(const struct client *client)
{
	return client->state == CLIENT_WAITING || client->state == CLIENT_DIALING ||
	       client->state == CLIENT_PIPING;
}

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
}

static void tell(const struct client *client, struct client_facts *facts)
{
	const struct mquic_connection *connection = mquic_relay_connection(client->relay);
	const char *user =
		client->user != NULL ? client->user : mquic_relay_username(client->relay, NULL);

	memset(facts, 0, sizeof(*facts));
	facts->number = client->number;
	facts->age_ms = client->clients->now_ms - client->accepted_ms;
	facts->rtt_us = mquic_connection_statistic(connection, MQUIC_STATISTIC_SMOOTHED_RTT_US);
	facts->sent = mquic_connection_statistic(connection, MQUIC_STATISTIC_PACKETS_SENT);
	facts->received = mquic_connection_statistic(connection, MQUIC_STATISTIC_PACKETS_RECEIVED);
	facts->lost = mquic_connection_statistic(connection, MQUIC_STATISTIC_PACKETS_LOST);
	facts->bytes_sent = mquic_connection_statistic(connection, MQUIC_STATISTIC_BYTES_SENT);
	facts->bytes_received =
		mquic_connection_statistic(connection, MQUIC_STATISTIC_BYTES_RECEIVED);
	facts->queued = mquic_connection_statistic(connection, MQUIC_STATISTIC_BYTES_QUEUED);
	if (client->pending != NULL)
		facts->queued += client->pending_len - client->pending_at;
	facts->memory = client_memory(client);
	facts->streams = (uint32_t)mquic_connection_statistic(connection, MQUIC_STATISTIC_STREAMS);
	facts->protocol = (uint32_t)mquic_relay_protocol(client->relay);
	copy(facts->address, sizeof(facts->address), mquic_connection_peer_address(connection));
	copy(facts->cipher, sizeof(facts->cipher), mquic_connection_cipher(connection));
	copy(facts->id, sizeof(facts->id), mquic_relay_client_id(client->relay, NULL));
	copy(facts->user, sizeof(facts->user), user);
}

size_t clients_tell(const struct clients *clients, uint64_t after, struct client_facts *facts,
		    size_t most)
{
	const struct queue *link;
	size_t count = 0;

	for (link = clients->all.next; link != &clients->all && count < most; link = link->next) {
		const struct client *client = QUEUE_MEMBER(link, const struct client, in_all);

		if (client->number > after && is_here(client))
			tell(client, &facts[count++]);
	}
	return count;
}

bool clients_close(struct clients *clients, uint64_t number)
{
	struct queue *link;

	for (link = clients->all.next; link != &clients->all; link = link->next) {
		struct client *client = QUEUE_MEMBER(link, struct client, in_all);

		if (client->number != number || !is_here(client))
			continue;
		client_send_away(client, "an operator has closed the connection");
		return true;
	}
	return false;
}
