/* SPDX-License-Identifier: MIT */
#include "client.h"

void client_refuse(struct client *client, enum client_culprit culprit,
		   const struct door_refusal *refusal)
{
	if (!client_is_given_up(client))
		client->end = (struct client_end){culprit, *refusal};
}

void client_give_up(struct client *client, enum client_culprit culprit, uint64_t code,
		    const char *reason)
{
	client_refuse(client, culprit, &(struct door_refusal){code, reason});
}

void clients_say_refusal(struct clients *clients, const char *peer, const char *reason)
{
	speaker_say_about_client(&clients->speaker, MQUIC_LOG_WARNING,
				 "QUIC client %s is turned away: %s", peer, reason);
}
