/* SPDX-License-Identifier: MIT */
/*
 * One client, from accepted connection to closed socket.
 *
 *  accept ─▶ WAITING ──CONNECT──▶ DIALING ──connected──▶ PIPING ──broker closed──▶ FINISHING
 *               │ gone or late       │ refused, late       │ gone, all read          │ delivered
 *               │                    │                     ▼                         │ or late
 *               │                    │                  LEAVING                      │
 *               ▼                    ▼                     ▼ broker closed           ▼
 *             ────────────────────────────────── freed ──────────────────────────────────
 *
 * RELAY_CLOSED ends each state; it comes only when all that the client sent has been read, so a
 * DISCONNECT is not lost. LEAVING gives the broker time to read it, too: were the socket closed
 * at once, the broker's next write would fail, and it would drop what it has not read. Only the
 * dial has a time limit of ours: the relay has the others. DIALING, PIPING and LEAVING have an
 * identity, for as long as the broker may ask; the latter two have the socket.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "server/client.h"
#include "server/proxy.h"

#define DIAL_AGAIN_MS 1
#define DIAL_LIMIT_MS 10000

/* How often memory is counted: seldom, or often once half of what is allowed is taken. */
#define COUNT_SELDOM_MS 1000
#define COUNT_OFTEN_MS  100

enum client_state {
	CLIENT_WAITING,
	CLIENT_DIALING,
	CLIENT_PIPING,
	CLIENT_LEAVING,
	CLIENT_FINISHING,
};

struct client {
	struct clients *clients;
	struct mquic_relay *relay;
	struct door_pass pass; /* the user name in it is used at once */
	enum client_state state;
	int fd;              /* -1: no unix socket */
	uint32_t interest;   /* what epoll watches it for; 0: it is not in the set */
	bool broker_full;    /* the unix socket takes no more for now */
	bool broker_deaf;    /* nothing more will be written to it */
	bool broker_spoke;   /* at least one byte came back */
	bool held;           /* nothing but CONNECT is sent before the broker has answered */
	size_t connect_left; /* bytes of CONNECT that are not sent yet */
	bool proxy_due;      /* the PROXY header goes out with the first bytes */
	uint8_t *pending;    /* from the broker, not taken by the relay yet */
	size_t pending_at;
	size_t pending_len;
	uint64_t dial_until_ms;
	struct queue in_all;
	struct queue in_dialing;
};

/* ---- Membership ---------------------------------------------------------- */

void clients_init(struct clients *clients)
{
	queue_init(&clients->all);
	queue_init(&clients->dialing);
	speaker_init(&clients->speaker, clients->door);
}

/* Closes the unix end, if there is one; the broker takes it for the end of the client. */
static void hang_up(struct client *client)
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

static void client_free(struct client *client)
{
	hang_up(client);
	if (client->state == CLIENT_DIALING)
		queue_remove(&client->in_dialing);
	queue_remove(&client->in_all);
	mquic_relay_free(client->relay);
	free(client->pending);
	free(client);
}

static void log_refusal(struct clients *clients, const char *peer, const char *reason)
{
	speaker_say_about_client(&clients->speaker, MQUIC_LOG_WARNING,
				 "QUIC client %s is turned away: %s", peer, reason);
}

/* Tells the client why in CONNECTION_CLOSE, and frees it. */
static void refuse(struct client *client, const struct door_refusal *refusal)
{
	struct mquic_connection *connection = mquic_relay_connection(client->relay);

	log_refusal(client->clients, mquic_connection_peer_address(connection), refusal->reason);
	mquic_relay_close(client->relay, refusal->code, refusal->reason);
	client_free(client);
}

static void turn_away(struct client *client, const char *reason)
{
	refuse(client, &(struct door_refusal){DOOR_CLOSE_OVERLOADED, reason});
}

/* ---- Memory -------------------------------------------------------------- */

static uint64_t memory_of_connection(const struct mquic_connection *connection)
{
	return mquic_connection_statistic(connection, MQUIC_STATISTIC_MEMORY);
}

static uint64_t memory_of(const struct client *client)
{
	return sizeof(*client) + (client->pending != NULL ? client->pending_len : 0) +
	       memory_of_connection(mquic_relay_connection(client->relay));
}

static uint64_t count_memory(const struct clients *clients, uint64_t *count)
{
	const struct queue *link;
	uint64_t bytes = 0;

	*count = 0;
	for (link = clients->all.next; link != &clients->all; link = link->next) {
		bytes += memory_of(QUEUE_MEMBER(link, const struct client, in_all));
		++*count;
	}
	return bytes;
}

/* Turns away clients that take more than `share` until the rest is within the limit. */
static void turn_away_above(struct clients *clients, uint64_t share)
{
	struct queue *link;
	struct queue *next;

	for (link = clients->all.next;
	     link != &clients->all && clients->memory > clients->settings.memory_limit;
	     link = next) {
		struct client *client = QUEUE_MEMBER(link, struct client, in_all);
		uint64_t bytes = memory_of(client);

		next = link->next;
		if (bytes <= share || client->relay == NULL)
			continue;
		clients->memory -= bytes;
		turn_away(client, clients->settings.memory_reached);
	}
}

void clients_limit_memory(struct clients *clients, bool moved)
{
	uint64_t limit = clients->settings.memory_limit;
	uint64_t count;
	uint64_t factor;

	clients->memory_moved |= moved;
	if (!clients->memory_moved || clients->now_ms < clients->count_memory_ms)
		return;
	clients->memory_moved = false;
	clients->memory = count_memory(clients, &count);
	/* With factor 1 it is enough: clients that take no more than a share each fit. */
	for (factor = 8; factor > 0 && clients->memory > limit; factor /= 2)
		turn_away_above(clients, factor * (limit / count));
	clients->count_memory_ms =
		clients->now_ms + (clients->memory > limit / 2 ? COUNT_OFTEN_MS : COUNT_SELDOM_MS);
}

/* ---- WAITING ------------------------------------------------------------- */

void client_accept(struct clients *clients, struct mquic_connection *connection)
{
	const struct client_settings *settings = &clients->settings;
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL ||
	    mquic_relay_new(&client->relay, connection, settings->connect_timeout_ms,
			    settings->connect_max) != MQUIC_OK) {
		log_refusal(clients, mquic_connection_peer_address(connection), "out of memory");
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
	clients->memory += memory_of(client);
	if (clients->memory > clients->settings.memory_limit)
		turn_away(client, clients->settings.memory_reached);
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
static void connect_shown(struct client *client)
{
	struct door_refusal refusal;

	if (client->state != CLIENT_WAITING)
		return;
	if (!announce(client, &refusal)) {
		refuse(client, &refusal);
		return;
	}
	client->state = CLIENT_DIALING;
	client->dial_until_ms = client->clients->now_ms + DIAL_LIMIT_MS;
	queue_append(&client->clients->dialing, &client->in_dialing);
}

/* ---- Bytes to the broker ------------------------------------------------- */

struct first_bytes {
	uint8_t header[PROXY_HEADER_MAX];
	struct iovec parts[2];
	struct msghdr message;
};

/* The first bytes, with the client's address in front where the broker wants it. */
static size_t make_first(const struct client *client, const uint8_t *data, size_t len,
			 struct first_bytes *first)
{
	const struct mquic_connection *connection = mquic_relay_connection(client->relay);
	size_t header_len = 0;

	if (client->proxy_due)
		header_len = proxy_header(first->header, mquic_connection_peer_address(connection),
					  mquic_connection_local_address(connection));
	first->parts[0] = (struct iovec){first->header, header_len};
	first->parts[1] = (struct iovec){(void *)(uintptr_t)data, len};
	first->message = (struct msghdr){.msg_iov = first->parts, .msg_iovlen = 2};
	return header_len;
}

/* In one send. */
static ssize_t send_first(struct client *client, const uint8_t *data, size_t len)
{
	struct first_bytes first;
	size_t header_len = make_first(client, data, len, &first);
	ssize_t sent = sendmsg(client->fd, &first.message, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0)
		return sent;
	client->proxy_due = false;
	/* A new socket has room for more than a header; without one the broker hangs up. */
	return sent > (ssize_t)header_len ? sent - (ssize_t)header_len : 0;
}

/* The broker has got so many bytes. */
static void consume(struct client *client, size_t len)
{
	client->connect_left -= len < client->connect_left ? len : client->connect_left;
	mquic_relay_consume(client->relay, len);
}

/* Writes once. What was not taken comes later (`broker_full`) or never (`broker_deaf`). */
static void send_some(struct client *client, const uint8_t *data, size_t len)
{
	ssize_t sent = client->proxy_due ? send_first(client, data, len)
					 : send(client->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent >= 0) {
		consume(client, (size_t)sent);
		return;
	}
	client->broker_full = errno == EAGAIN || errno == EINTR;
	client->broker_deaf = !client->broker_full;
}

/*
 * CONNECT, through the door. A new socket has room for all of it; where it has not, the broker
 * refuses what it gets of it.
 */
static void present(struct client *client)
{
	const struct door *door = client->clients->door;
	struct first_bytes first;
	const uint8_t *data;
	size_t len;

	if (mquic_relay_peek(client->relay, &data, &len) != MQUIC_OK)
		return;
	make_first(client, data, len, &first);
	client->proxy_due = false;
	if (door->present(door->keeper, &client->pass, client->relay, client->fd, &first.message))
		consume(client, len);
	else
		client->broker_deaf = true;
}

/*
 * Moves what the relay has until it has no more or the socket is full. Bounded: nothing is
 * received meanwhile, so there is at most a receive window. What the broker will not read is
 * thrown away, for the relay tells of the client's end only when all is read.
 */
static void pipe_to_broker(struct client *client)
{
	const uint8_t *data;
	size_t len;

	while (!client->broker_full && !(client->held && client->connect_left == 0) &&
	       mquic_relay_peek(client->relay, &data, &len) == MQUIC_OK) {
		if (len == 0) {
			/* The client has finished; the broker answers by closing its end. */
			shutdown(client->fd, SHUT_WR);
			client->broker_deaf = true;
			break;
		}
		if (client->broker_deaf)
			mquic_relay_consume(client->relay, len);
		else
			send_some(client, data, len);
	}
}

/* ---- Bytes to the client ------------------------------------------------- */

/* The broker has hung up before it said anything. `unread`: before it had read all of CONNECT. */
static void broker_silent(struct client *client, bool unread)
{
	const struct door *door = client->clients->door;
	struct door_refusal refusal = {DOOR_CLOSE_NORMAL, NULL};

	if (door->silent != NULL && door->silent(door->keeper, &client->pass, unread, &refusal)) {
		refuse(client, &refusal);
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
	refuse(client, &refusal);
}

/* The broker has closed its end: what is queued is delivered, then the connection ends. */
static void broker_closed(struct client *client, bool unread)
{
	if (!client->broker_spoke) {
		broker_silent(client, unread || client->connect_left > 0);
		return;
	}
	hang_up(client);
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
static bool pipe_to_client(struct client *client)
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
		refuse(client, &refusal);
		return false;
	}
	if (!write_to_client(client, buffer, (size_t)got, &written) ||
	    !keep_pending(client, buffer + written, (size_t)got - written)) {
		turn_away(client, "out of memory");
		return false;
	}
	if (was_held)
		pipe_to_broker(client);
	return true;
}

/* False: the client is freed. */
static bool flush_pending(struct client *client)
{
	size_t written = 0;

	if (!write_to_client(client, client->pending + client->pending_at,
			     client->pending_len - client->pending_at, &written)) {
		turn_away(client, "out of memory");
		return false;
	}
	client->pending_at += written;
	if (client->pending_at == client->pending_len) {
		free(client->pending);
		client->pending = NULL;
	}
	return true;
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
		turn_away(client, "the system has no room to watch another socket");
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
		present(client);
	pipe_to_broker(client);
	settle(client);
}

/* ---- What happens to it -------------------------------------------------- */

void client_event(struct client *client, enum mquic_event_type type)
{
	switch (type) {
	case MQUIC_EVENT_RELAY_CONNECT:
		connect_shown(client);
		break;
	case MQUIC_EVENT_RELAY_READABLE:
		if (client->state == CLIENT_PIPING) {
			pipe_to_broker(client);
			settle(client);
		}
		break;
	case MQUIC_EVENT_RELAY_WRITABLE:
		if (client->state == CLIENT_PIPING && client->pending != NULL &&
		    flush_pending(client))
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
		pipe_to_broker(client);
	}
	if (client->pending == NULL && (ended != 0 || (epoll_events & EPOLLIN) != 0) &&
	    !pipe_to_client(client))
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
		refuse(client, &refusal);
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
			turn_away(client, "the broker is shutting down");
	}
}

void clients_free(struct clients *clients)
{
	while (!queue_is_empty(&clients->all))
		client_free(QUEUE_MEMBER(clients->all.next, struct client, in_all));
}
