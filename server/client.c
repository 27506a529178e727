/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <unistd.h>

#include "server/client.h"

/* Closes the unix end, if there is one; the broker takes it for the end of the client. */
void client_hang_up(struct client *client)
{
	const struct door *door = client->clients->door;

	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->interest = 0;
	if (client->pass.guest != NULL)
		door->gone(door->keeper, &client->pass);
	client->pass.guest = NULL;
}

void client_free(struct client *client)
{
	client_hang_up(client);
	if (client->state == CLIENT_DIALING)
		queue_remove(&client->in_dialing);
	queue_remove(&client->in_all);
	mquic_relay_free(client->relay);
	free(client->pending);
	free(client);
}

void clients_say_refusal(struct clients *clients, const char *peer, const char *reason)
{
	speaker_say_about_client(&clients->speaker, MQUIC_LOG_WARNING,
				 "QUIC client %s is turned away: %s", peer, reason);
}

/* Tells the client why in CONNECTION_CLOSE, and frees it. */
void client_refuse(struct client *client, const struct door_refusal *refusal)
{
	struct mquic_connection *connection = mquic_relay_connection(client->relay);

	clients_say_refusal(client->clients, mquic_connection_peer_address(connection),
			    refusal->reason);
	mquic_relay_close(client->relay, refusal->code, refusal->reason);
	client_free(client);
}

void client_turn_away(struct client *client, const char *reason)
{
	client_refuse(client, &(struct door_refusal){DOOR_CLOSE_OVERLOADED, reason});
}
