/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "client.h"

struct client *client_new(struct clients *clients, const struct client_settings *settings,
			  struct mquic_connection *connection)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL ||
	    mquic_relay_new(&client->relay, connection, settings->connect_timeout_ms,
			    settings->connect_max) != MQUIC_OK) {
		free(client);
		return NULL;
	}
	client->clients = clients;
	client->settings = settings;
	client->number = ++clients->numbered;
	client->state = CLIENT_WAITING;
	client->fd = -1;
	client->place = roll_enter(clients->roll, connection);
	client->proxy_due = settings->proxy_header;
	client->accepted_ms = clients->now_ms;
	packets_init(&client->from_client);
	packets_init(&client->from_broker);
	mquic_relay_set_userdata(client->relay, client);
	queue_append(&clients->all, &client->in_all);
	speaker_say(&clients->speaker, MQUIC_LOG_DEBUG, "client %llu: WAITING, from %s",
		    (unsigned long long)client->number, mquic_connection_peer_address(connection));
	return client;
}

/* Puts what the broker is to know the client by into CONNECT, and lets the bytes flow. */
static enum mquic_status open_relay(struct client *client)
{
	const char *name = client->pass.username;
	enum mquic_status status = MQUIC_OK;

	if (name != NULL)
		status = mquic_relay_set_username(client->relay, name, strlen(name));
	client->connect_left = mquic_relay_connect_size(client->relay);
	return status == MQUIC_OK ? mquic_relay_open(client->relay) : status;
}

void client_announce(struct client *client)
{
	const struct door *door = client->clients->door;
	struct door_refusal refusal;
	enum mquic_status status;

	client->pass.listener = client->settings->listener;
	if (!door->announce(door->keeper, client->relay, &client->pass, &refusal)) {
		client_refuse(client, CULPRIT_CALLER, &refusal);
		return;
	}
	/* Out of memory it goes by its own name, in that one line. */
	if (client->pass.known_as != NULL)
		client->user = strdup(client->pass.known_as);
	client->held = client->pass.alone || client->pass.by_hand;
	status = open_relay(client);
	if (status == MQUIC_ERR_MEMORY)
		client_give_up(client, CULPRIT_SYSTEM, MQUIC_CLOSE_OVERLOADED, "out of memory");
	else if (status != MQUIC_OK)
		client_give_up(client, CULPRIT_PEER, MQUIC_CLOSE_OVERLOADED,
			       mquic_relay_error(client->relay));
}
