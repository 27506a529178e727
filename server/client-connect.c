/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "server/client.h"

#define DIAL_LIMIT_MS 10000

void client_accept(struct clients *clients, struct mquic_connection *connection)
{
	const struct client_settings *settings = &clients->settings;
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL ||
	    mquic_relay_new(&client->relay, connection, settings->connect_timeout_ms,
			    settings->connect_max) != MQUIC_OK) {
		clients_say_refusal(clients, mquic_connection_peer_address(connection),
				    "out of memory");
		mquic_connection_close(connection, DOOR_CLOSE_OVERLOADED, "out of memory");
		mquic_connection_free(connection);
		free(client);
		return;
	}
	client->clients = clients;
	client->state = CLIENT_WAITING;
	client->fd = -1;
	client->proxy_due = settings->proxy_header;
	mquic_relay_set_userdata(client->relay, client);
	queue_append(&clients->all, &client->in_all);
	/* Newcomers must not cost those their place who are here. */
	clients->memory += client_memory(client);
	if (clients->memory > clients->settings.memory_limit)
		client_turn_away(client, clients->settings.memory_reached);
}

/* Has the door look at CONNECT, and puts what the broker is to know the client by into it. */
static bool announce(struct client *client, struct door_refusal *refusal)
{
	const struct door *door = client->clients->door;
	struct door_pass *pass = &client->pass;
	enum mquic_status status = MQUIC_OK;

	if (!door->announce(door->keeper, client->relay, pass, refusal))
		return false;
	client->held = pass->alone || pass->by_hand;
	if (pass->username != NULL)
		status = mquic_relay_set_username(client->relay, pass->username,
						  strlen(pass->username));
	client->connect_left = mquic_relay_connect_size(client->relay);
	if (status == MQUIC_OK)
		status = mquic_relay_open(client->relay);
	refusal->code = DOOR_CLOSE_OVERLOADED;
	refusal->reason =
		status == MQUIC_ERR_MEMORY ? "out of memory" : mquic_relay_error(client->relay);
	return status == MQUIC_OK;
}

/* CONNECT is here: announce the client and get in line for the unix socket. */
void client_connect_shown(struct client *client)
{
	struct door_refusal refusal;

	if (client->state != CLIENT_WAITING)
		return;
	if (!announce(client, &refusal)) {
		client_refuse(client, &refusal);
		return;
	}
	client->state = CLIENT_DIALING;
	client->dial_until_ms = client->clients->now_ms + DIAL_LIMIT_MS;
	queue_append(&client->clients->dialing, &client->in_dialing);
}
