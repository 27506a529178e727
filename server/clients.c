/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "server/client.h"

#define DIAL_AGAIN_MS 1

void clients_init(struct clients *clients)
{
	queue_init(&clients->all);
	queue_init(&clients->dialing);
	speaker_init(&clients->speaker, clients->door);
}

/* ---- Both ways -------------------------------------------------------------- */

/*
 * Watches the socket for just what can be used. An ended socket is reported whatever it is
 * watched for, so one that must wait for the client leaves the set.
 */
static bool watch(struct client *client)
{
	uint32_t interest =
		(client->pending == NULL ? EPOLLIN : 0) | (client->broker_full ? EPOLLOUT : 0);
	struct epoll_event event = {.events = interest, .data.ptr = client};
	int operation = client->interest == 0 ? EPOLL_CTL_ADD
			: interest == 0       ? EPOLL_CTL_DEL
					      : EPOLL_CTL_MOD;

	if (interest == client->interest)
		return true;
	client->interest = interest;
	return epoll_ctl(client->clients->epoll_fd, operation, client->fd, &event) == 0;
}

/* After bytes have moved. May free the client. */
static void settle(struct client *client)
{
	if (!watch(client))
		client_turn_away(client, "the system has no room to watch another socket");
}

/* The client is gone: the broker sees the end behind the last byte, and answers by closing. */
static void leave(struct client *client)
{
	if (client->state != CLIENT_PIPING) {
		client_free(client);
		return;
	}
	client->state = CLIENT_LEAVING;
	mquic_relay_free(client->relay);
	client->relay = NULL;
	free(client->pending);
	client->pending = NULL;
	client->broker_full = false;
	shutdown(client->fd, SHUT_WR);
	if (!watch(client))
		client_free(client);
}

/* What the broker still has for a client that is gone is thrown away. May free the client. */
static void drain_broker(struct client *client)
{
	uint8_t *buffer = client->clients->buffer;
	ssize_t got = recv(client->fd, buffer, sizeof(client->clients->buffer), MSG_DONTWAIT);

	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		client_free(client);
}

static void dialed(struct client *client, int fd)
{
	queue_remove(&client->in_dialing);
	client->fd = fd;
	client->state = CLIENT_PIPING;
	if (client->pass.by_hand)
		client_present(client);
	client_pipe_to_broker(client);
	settle(client);
}

/* ---- What happens to it -------------------------------------------------- */

void client_event(struct client *client, enum mquic_event_type type)
{
	switch (type) {
	case MQUIC_EVENT_RELAY_CONNECT:
		client_connect_shown(client);
		break;
	case MQUIC_EVENT_RELAY_READABLE:
		if (client->state == CLIENT_PIPING) {
			client_pipe_to_broker(client);
			settle(client);
		}
		break;
	case MQUIC_EVENT_RELAY_WRITABLE:
		if (client->state == CLIENT_PIPING && client->pending != NULL &&
		    client_flush_pending(client))
			settle(client);
		break;
	case MQUIC_EVENT_RELAY_CLOSED:
		leave(client);
		break;
	default:
		break;
	}
}

void client_ready(struct client *client, uint32_t epoll_events)
{
	uint32_t ended = epoll_events & (EPOLLHUP | EPOLLERR);

	if (client->state == CLIENT_LEAVING) {
		drain_broker(client);
		return;
	}
	if (client->broker_full && (ended != 0 || (epoll_events & EPOLLOUT) != 0)) {
		client->broker_full = false;
		client_pipe_to_broker(client);
	}
	if (client->pending == NULL && (ended != 0 || (epoll_events & EPOLLIN) != 0) &&
	    !client_pipe_to_client(client))
		return;
	settle(client);
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
		dialed(client, fd);
	else
		client_refuse(client, &refusal);
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

void clients_turn_away(struct clients *clients)
{
	struct queue *link;
	struct queue *next;

	for (link = clients->all.next; link != &clients->all; link = next) {
		struct client *client = QUEUE_MEMBER(link, struct client, in_all);

		next = link->next;
		if (client->state == CLIENT_WAITING || client->state == CLIENT_DIALING)
			client_turn_away(client, "the broker is shutting down");
	}
}

void clients_free(struct clients *clients)
{
	while (!queue_is_empty(&clients->all))
		client_free(QUEUE_MEMBER(clients->all.next, struct client, in_all));
}
