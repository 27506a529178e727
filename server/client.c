/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define DIAL_LIMIT_MS 10000

/* ---- Steps ------------------------------------------------------------------- */

static const char *state_name(enum client_state state)
{
	static const char *const names[] = {
		[CLIENT_WAITING] = "WAITING",     [CLIENT_DIALING] = "DIALING",
		[CLIENT_PIPING] = "PIPING",       [CLIENT_LEAVING] = "LEAVING",
		[CLIENT_FINISHING] = "FINISHING", [CLIENT_OVER] = "OVER",
	};

	return names[state];
}

static const char *culprit_name(enum client_culprit culprit)
{
	static const char *const names[] = {
		[CULPRIT_CALLER] = "caller",
		[CULPRIT_PEER] = "peer",
		[CULPRIT_BROKER] = "broker",
		[CULPRIT_SYSTEM] = "system",
	};

	return names[culprit];
}

static void say_step(const struct client *client, enum client_state to)
{
	struct speaker *speaker = &client->clients->speaker;
	unsigned long long number = client->number;
	const char *from = state_name(client->state);

	if (client_is_given_up(client))
		speaker_say(speaker, MQUIC_LOG_DEBUG, "client %llu: %s → %s (%s: %s)", number, from,
			    state_name(to), culprit_name(client->end.culprit),
			    client->end.refusal.reason);
	else
		speaker_say(speaker, MQUIC_LOG_DEBUG, "client %llu: %s → %s", number, from,
			    state_name(to));
}

/* All changes of state. */
static void step(struct client *client, enum client_state to)
{
	if (speaker_wants(&client->clients->speaker, MQUIC_LOG_DEBUG))
		say_step(client, to);
	client->state = to;
}

/* ---- The end ------------------------------------------------------------------- */

/* Closes the unix end, if there is one; the broker takes it for the end of the client. */
static void hang_up(struct client *client)
{
	const struct door *door = client->clients->door;

	if (client->pass.guest != NULL)
		door->gone(door->keeper, &client->pass);
	client->pass.guest = NULL;
	/* Closed, it stays in the set as long as another process has it, as a door may see to. */
	if (client->interest != 0)
		epoll_ctl(client->clients->epoll_fd, EPOLL_CTL_DEL, client->fd, NULL);
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->interest = 0;
}

void client_free(struct client *client)
{
	if (client->state == CLIENT_DIALING)
		queue_remove(&client->in_dialing);
	step(client, CLIENT_OVER);
	hang_up(client);
	queue_remove(&client->in_all);
	roll_leave(client->clients->roll, client->place);
	mquic_relay_free(client->relay);
	free(client->pending);
	free(client->user);
	free(client);
}

/* Does what was recorded. */
static void turn_away(struct client *client)
{
	const struct door_refusal *refusal = &client->end.refusal;
	struct mquic_connection *connection = mquic_relay_connection(client->relay);

	clients_say_refusal(client->clients, mquic_connection_peer_address(connection),
			    refusal->reason);
	if (client->state != CLIENT_WAITING)
		client_report(client, refusal->reason);
	mquic_relay_close(client->relay, refusal->code, refusal->reason);
	client_free(client);
}

void client_turn_away(struct client *client, enum client_culprit culprit, uint64_t code,
		      const char *reason)
{
	client_give_up(client, culprit, code, reason);
	turn_away(client);
}

/* ---- After each move ------------------------------------------------------------ */

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

/* What is queued is delivered, then the connection ends. */
static void deliver_rest(struct client *client, const char *reason)
{
	hang_up(client);
	step(client, CLIENT_FINISHING);
	if (mquic_relay_finish(client->relay, reason) != MQUIC_OK)
		client_free(client);
}

/* The broker has closed its end. */
static void finish(struct client *client)
{
	const struct door *door = client->clients->door;
	const char *reason =
		door->hung_up == NULL ? NULL : door->hung_up(door->keeper, &client->pass);

	client_report(client, reason != NULL ? reason : "the broker hung up");
	deliver_rest(client, reason);
}

/*
 * DISCONNECT in the broker's place, which MQTT 5 has for this (3.14.2.1). False: there is no place
 * for it, for the broker has not let the client in, or some of a packet is still to come.
 */
static bool say_goodbye(struct client *client)
{
	static const uint8_t disconnect[] = {0xe0, 2, 0x98 /* administrative action */, 0};
	size_t written = 0;

	return client->state == CLIENT_PIPING && mquic_relay_protocol(client->relay) == 5 &&
	       client->from_broker.connack == 0 && client->from_broker.state == PACKETS_FIRST &&
	       client->pending == NULL &&
	       mquic_relay_write(client->relay, disconnect, sizeof(disconnect), &written) ==
		       MQUIC_OK &&
	       written == sizeof(disconnect);
}

void client_send_away(struct client *client, const char *reason)
{
	if (!say_goodbye(client)) {
		client_turn_away(client, CULPRIT_CALLER, MQUIC_CLOSE_OVERLOADED, reason);
		return;
	}
	client_report(client, reason);
	deliver_rest(client, reason);
}

/* Acts on what was recorded when bytes moved. May free the client. */
static void settle(struct client *client)
{
	if (!client_is_given_up(client) && client->broker_ended) {
		finish(client);
		return;
	}
	if (!client_is_given_up(client) && !watch(client))
		client_give_up(client, CULPRIT_SYSTEM, MQUIC_CLOSE_OVERLOADED,
			       "the system has no room to watch another socket");
	if (client_is_given_up(client))
		turn_away(client);
}

/* ---- What happens to it --------------------------------------------------------- */

/* CONNECT is here: announce the client and get in line for the unix socket. */
static void get_in_line(struct client *client)
{
	client_announce(client);
	if (client_is_given_up(client)) {
		turn_away(client);
		return;
	}
	step(client, CLIENT_DIALING);
	client->dial_until_ms = client->clients->now_ms + DIAL_LIMIT_MS;
	queue_append(&client->clients->dialing, &client->in_dialing);
}

void client_connected(struct client *client, int fd)
{
	queue_remove(&client->in_dialing);
	client->fd = fd;
	step(client, CLIENT_PIPING);
	if (client->pass.by_hand)
		client_present(client);
	client_pipe_to_broker(client);
	settle(client);
}

/* The client is gone: the broker sees the end behind the last byte, and answers by closing. */
static void leave(struct client *client)
{
	if (client->state != CLIENT_FINISHING)
		client_report(client,
			      client->parting != NULL ? client->parting : "the connection is over");
	if (client->state != CLIENT_PIPING) {
		client_free(client);
		return;
	}
	step(client, CLIENT_LEAVING);
	roll_leave(client->clients->roll, client->place);
	client->place = ROLL_NONE;
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

static void write_on(struct client *client)
{
	if (client->state != CLIENT_PIPING || client->pending == NULL)
		return;
	client_flush_pending(client);
	settle(client);
}

static void read_on(struct client *client)
{
	if (client->state != CLIENT_PIPING)
		return;
	client_pipe_to_broker(client);
	settle(client);
}

void client_hears_end(struct client *client, const char *text)
{
	client->parting = text;
}

void client_event(struct client *client, enum mquic_event_type type)
{
	switch (type) {
	case MQUIC_EVENT_RELAY_CONNECT:
		if (client->state == CLIENT_WAITING)
			get_in_line(client);
		break;
	case MQUIC_EVENT_RELAY_READABLE:
		read_on(client);
		break;
	case MQUIC_EVENT_RELAY_WRITABLE:
		write_on(client);
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
	if (client->pending == NULL && (ended != 0 || (epoll_events & EPOLLIN) != 0))
		client_pipe_to_client(client);
	settle(client);
}
