/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client.h"

/* The broker has hung up before it said anything. `unread`: before it had read all of CONNECT. */
static void broker_silent(struct client *client, bool unread)
{
	const struct door *door = client->clients->door;
	struct door_refusal refusal = {MQUIC_CLOSE_NORMAL, NULL};

	if (door->silent != NULL && door->silent(door->keeper, &client->pass, unread, &refusal)) {
		client_refuse(client, CULPRIT_BROKER, &refusal);
	} else if (unread) {
		client_give_up(client, CULPRIT_BROKER, MQUIC_CLOSE_OVERLOADED,
			       "the broker hung up before it read CONNECT");
	} else if (mquic_relay_protocol(client->relay) == 0) {
		client_give_up(client, CULPRIT_PEER, MQUIC_CLOSE_NORMAL,
			       "CONNECT is malformed, or of a version the broker does not know");
	} else {
		client_give_up(client, CULPRIT_BROKER, MQUIC_CLOSE_NORMAL,
			       "the broker does not take this CONNECT, and gives no reason");
	}
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

/* The broker's first words. False: the door does not let them through. */
static bool hear_answer(struct client *client, const uint8_t *data, size_t len)
{
	const struct door *door = client->clients->door;
	struct door_refusal refusal;

	client->broker_spoke = true;
	client->held = false;
	if (door->answered == NULL ||
	    door->answered(door->keeper, &client->pass, data, len, &refusal))
		return true;
	client_refuse(client, CULPRIT_CALLER, &refusal);
	return false;
}

/* What the relay does not take waits. */
static void carry(struct client *client, const uint8_t *data, size_t len)
{
	size_t written = 0;

	if (!write_to_client(client, data, len, &written) ||
	    !keep_pending(client, data + written, len - written))
		client_give_up(client, CULPRIT_SYSTEM, MQUIC_CLOSE_OVERLOADED, "out of memory");
}

void client_pipe_to_client(struct client *client)
{
	uint8_t *buffer = client->clients->buffer;
	ssize_t got = recv(client->fd, buffer, sizeof(client->clients->buffer), MSG_DONTWAIT);
	bool was_held = client->held;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client->broker_ended = true;
		if (!client->broker_spoke)
			broker_silent(client, got < 0 || client->connect_left > 0);
		return;
	}
	packets_follow(&client->from_broker, buffer, (size_t)got);
	if (!client->broker_spoke && !hear_answer(client, buffer, (size_t)got))
		return;
	carry(client, buffer, (size_t)got);
	if (was_held && !client_is_given_up(client))
		client_pipe_to_broker(client);
}

void client_flush_pending(struct client *client)
{
	size_t written = 0;

	if (!write_to_client(client, client->pending + client->pending_at,
			     client->pending_len - client->pending_at, &written)) {
		client_give_up(client, CULPRIT_SYSTEM, MQUIC_CLOSE_OVERLOADED, "out of memory");
		return;
	}
	client->pending_at += written;
	if (client->pending_at == client->pending_len) {
		free(client->pending);
		client->pending = NULL;
	}
}
