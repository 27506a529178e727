/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/client.h"

/* The broker has hung up before it said anything. `unread`: before it had read all of CONNECT. */
static void broker_silent(struct client *client, bool unread)
{
	const struct door *door = client->clients->door;
	struct door_refusal refusal = {DOOR_CLOSE_NORMAL, NULL};

	if (door->silent != NULL && door->silent(door->keeper, &client->pass, unread, &refusal)) {
		client_refuse(client, &refusal);
		return;
	}
	if (unread) {
		refusal.code = DOOR_CLOSE_OVERLOADED;
		refusal.reason = "the broker hung up before it read CONNECT";
	} else if (mquic_relay_protocol(client->relay) == 0) {
		refusal.reason = "CONNECT is malformed, or of a version the broker does not know";
	} else {
		refusal.reason = "the broker does not take this CONNECT, and gives no reason";
	}
	client_refuse(client, &refusal);
}

/* The broker has closed its end: what is queued is delivered, then the connection ends. */
static void broker_closed(struct client *client, bool unread)
{
	if (!client->broker_spoke) {
		broker_silent(client, unread || client->connect_left > 0);
		return;
	}
	client_hang_up(client);
	client->state = CLIENT_FINISHING;
	if (mquic_relay_finish(client->relay) != MQUIC_OK)
		client_free(client);
}

/* Keeps what the relay did not take. */
static bool keep_pending(struct client *client, const uint8_t *data, size_t len)
{
	if (len == 0)
		return true;
	client->pending = malloc(len);
	if (client->pending == NULL)
		return false;
	memcpy(client->pending, data, len);
	client->pending_at = 0;
	client->pending_len = len;
	return true;
}

/*
 * Gives bytes to the relay; `*written` of them are done with. False: the client cannot be given all
 * that it is to get, and so gets no more at all.
 */
static bool write_to_client(struct client *client, const uint8_t *data, size_t len, size_t *written)
{
	switch (mquic_relay_write(client->relay, data, len, written)) {
	case MQUIC_OK:
	case MQUIC_ERR_AGAIN:
		return true;
	case MQUIC_ERR_CLOSED:
	case MQUIC_ERR_STATE:
		*written = len; /* the client reads no more: its end is on its way */
		return true;
	default:
		return false;
	}
}

/* Whether the door lets the broker's first words through. */
static bool hears_answer(struct client *client, const uint8_t *data, size_t len,
			 struct door_refusal *refusal)
{
	const struct door *door = client->clients->door;

	client->broker_spoke = true;
	client->held = false;
	return door->answered == NULL ||
	       door->answered(door->keeper, &client->pass, data, len, refusal);
}

/* One read, for the sake of the others. False: the client is in another state, or freed. */
bool client_pipe_to_client(struct client *client)
{
	uint8_t *buffer = client->clients->buffer;
	ssize_t got = recv(client->fd, buffer, sizeof(client->clients->buffer), MSG_DONTWAIT);
	bool was_held = client->held;
	struct door_refusal refusal;
	size_t written = 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0) {
		broker_closed(client, got < 0);
		return false;
	}
	if (!client->broker_spoke && !hears_answer(client, buffer, (size_t)got, &refusal)) {
		client_refuse(client, &refusal);
		return false;
	}
	if (!write_to_client(client, buffer, (size_t)got, &written) ||
	    !keep_pending(client, buffer + written, (size_t)got - written)) {
		client_turn_away(client, "out of memory");
		return false;
	}
	if (was_held)
		client_pipe_to_broker(client);
	return true;
}

/* False: the client is freed. */
bool client_flush_pending(struct client *client)
{
	size_t written = 0;

	if (!write_to_client(client, client->pending + client->pending_at,
			     client->pending_len - client->pending_at, &written)) {
		client_turn_away(client, "out of memory");
		return false;
	}
	client->pending_at += written;
	if (client->pending_at == client->pending_len) {
		free(client->pending);
		client->pending = NULL;
	}
	return true;
}
