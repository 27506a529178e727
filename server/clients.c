/* SPDX-License-Identifier: MIT */
#include "client.h"

#define DIAL_AGAIN_MS 1

/* How old a note of the roll may be of a client that has changed its address. */
#define RENEW_MS 1000

void clients_init(struct clients *clients)
{
	queue_init(&clients->all);
	queue_init(&clients->dialing);
	speaker_init(&clients->speaker, clients->door);
}

void client_accept(struct clients *clients, const struct client_settings *settings,
		   struct mquic_connection *connection)
{
	struct client *client = client_new(clients, settings, connection);

	if (client == NULL) {
		clients_say_refusal(clients, mquic_connection_peer_address(connection),
				    "out of memory");
		mquic_connection_close(connection, MQUIC_CLOSE_OVERLOADED, "out of memory");
		mquic_connection_free(connection);
		return;
	}
	/* Newcomers must not cost those their place who are here. */
	clients->memory += client_memory(client);
	if (clients->memory > clients->limits.memory)
		client_turn_away(client, CULPRIT_CALLER, MQUIC_CLOSE_OVERLOADED,
				 clients->limits.memory_reached);
}

static bool dial_first(struct clients *clients)
{
	const struct door *door = clients->door;
	struct door_refusal refusal;
	struct client *client;
	enum door_dial outcome;
	int fd;

	if (queue_is_empty(&clients->dialing))
		return false;
	client = QUEUE_MEMBER(clients->dialing.next, struct client, in_dialing);
	outcome = door->dial(door->keeper, &client->pass, &fd, &refusal);
	if (outcome == DOOR_BUSY && clients->now_ms < client->dial_until_ms)
		return false;
	if (outcome == DOOR_CONNECTED)
		client_connected(client, fd);
	else
		client_turn_away(client, CULPRIT_BROKER, refusal.code, refusal.reason);
	return true;
}

void clients_dial(struct clients *clients)
{
	while (dial_first(clients))
		;
}

int clients_timeout_ms(const struct clients *clients)
{
	if (!queue_is_empty(&clients->dialing))
		return DIAL_AGAIN_MS;
	if (!clients->memory_moved)
		return -1;
	return clients->count_memory_ms > clients->now_ms
		       ? (int)(clients->count_memory_ms - clients->now_ms)
		       : 0;
}

void clients_renew_roll(struct clients *clients)
{
	const struct queue *link;

	if (clients->roll == NULL || clients->now_ms < clients->renew_ms)
		return;
	clients->renew_ms = clients->now_ms + RENEW_MS;
	for (link = clients->all.next; link != &clients->all; link = link->next) {
		const struct client *client = QUEUE_MEMBER(link, const struct client, in_all);

		if (client->relay != NULL)
			roll_renew(clients->roll, client->place,
				   mquic_relay_connection(client->relay));
	}
}

void clients_turn_away(struct clients *clients)
{
	struct queue *link;
	struct queue *next;

	for (link = clients->all.next; link != &clients->all; link = next) {
		struct client *client = QUEUE_MEMBER(link, struct client, in_all);

		next = link->next;
		if (client->state == CLIENT_WAITING || client->state == CLIENT_DIALING)
			client_turn_away(client, CULPRIT_CALLER, MQUIC_CLOSE_OVERLOADED,
					 "the broker is shutting down");
	}
}

/* They stay on the roll: the next worker tells those whom the word has not reached. */
void clients_send_away(struct clients *clients)
{
	struct queue *link;
	struct queue *next;

	for (link = clients->all.next; link != &clients->all; link = next) {
		struct client *client = QUEUE_MEMBER(link, struct client, in_all);

		next = link->next;
		client->place = ROLL_NONE;
		if (client->state != CLIENT_LEAVING && client->state != CLIENT_FINISHING)
			client_turn_away(client, CULPRIT_CALLER, MQUIC_CLOSE_OVERLOADED,
					 "this worker is replaced: connect again");
	}
}

/* Those that are only to have their last bytes do not get them: what carries them goes, too. */
void clients_turn_away_from(struct clients *clients, unsigned int listener, const char *reason)
{
	struct queue *link;
	struct queue *next;

	for (link = clients->all.next; link != &clients->all; link = next) {
		struct client *client = QUEUE_MEMBER(link, struct client, in_all);

		next = link->next;
		if (client->settings->listener != listener || client->state == CLIENT_LEAVING)
			continue;
		if (client->state == CLIENT_FINISHING)
			client_free(client);
		else
			client_turn_away(client, CULPRIT_CALLER, MQUIC_CLOSE_OVERLOADED, reason);
	}
}

void clients_free(struct clients *clients)
{
	while (!queue_is_empty(&clients->all))
		client_free(QUEUE_MEMBER(clients->all.next, struct client, in_all));
}
