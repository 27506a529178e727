/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "client.h"
#include "proxy.h"

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
					  mquic_connection_local_address(connection),
					  mquic_connection_cipher(connection));
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
static void consume(struct client *client, const uint8_t *data, size_t len)
{
	packets_follow(&client->from_client, data, len);
	client->connect_left -= len < client->connect_left ? len : client->connect_left;
	mquic_relay_consume(client->relay, len);
}

/* Writes once. What was not taken comes later (`broker_full`) or never (`broker_deaf`). */
static void send_some(struct client *client, const uint8_t *data, size_t len)
{
	ssize_t sent = client->proxy_due ? send_first(client, data, len)
					 : send(client->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent >= 0) {
		consume(client, data, (size_t)sent);
		return;
	}
	client->broker_full = errno == EAGAIN || errno == EINTR;
	client->broker_deaf = !client->broker_full;
}

void client_present(struct client *client)
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
		consume(client, data, len);
	else
		client->broker_deaf = true;
}

void client_pipe_to_broker(struct client *client)
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
