/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* A datagram of any size that comes over loopback. */
#define LARGEST 65536
/* Read before what is to be sent goes on. */
#define READ_MOST 32

struct line {
	struct sim_host host;
	uint32_t number;
	int fd;
};

struct tally wire_tally;

static struct {
	struct octets *capture;
	struct address sink;
	uint32_t source;
	bool diverted;
} wire;

static struct line *line_of(struct sim_host *probe)
{
	return list_entry(probe, struct line, host);
}

/* 127.0.0.1, then 127.1.0.1 and so on: all of them are this machine. */
static struct address source_address(uint32_t number)
{
	struct address address = {.len = sizeof(address.of.in)};

	address.of.in.sin_family = AF_INET;
	address.of.in.sin_addr.s_addr =
		htonl(INADDR_LOOPBACK + (number % 250 << 16) + (number / 250 % 250 << 8));
	return address;
}

int wire_open(uint32_t number)
{
	struct address address = source_address(number);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, &address.of.any, address.len) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void must_be_open(int fd)
{
	if (fd >= 0)
		return;
	perror("attack: a socket");
	exit(2);
}

/* Nobody reads there, and the kernel drops what has no room. */
void wire_divert(bool divert)
{
	static int fd = -1;

	if (fd < 0) {
		fd = wire_open(0);
		must_be_open(fd);
		wire.sink.len = sizeof(wire.sink.of);
		(void)getsockname(fd, &wire.sink.of.any, &wire.sink.len);
	}
	wire.diverted = divert;
}

void wire_capture(struct octets *into)
{
	wire.capture = into;
}

void wire_source(uint32_t number)
{
	wire.source = number;
}

void wire_throw(int fd, const struct address *to, const void *data, size_t len)
{
	const struct address *address = wire.diverted ? &wire.sink : to;

	wire_tally.datagrams++;
	wire_tally.bytes += len;
	(void)sendto(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, &address->of.any, address->len);
}

/* ---- What the peer thinks is a simulation ---------------------------------------------- */

struct sim_host *sim_probe_new(struct sim *sim, unsigned int number, uint16_t port)
{
	struct line *line = calloc(1, sizeof(*line));

	(void)sim;
	(void)number;
	(void)port;
	if (line == NULL)
		abort();
	line->number = wire.source;
	line->fd = wire_open(line->number);
	must_be_open(line->fd);
	return &line->host;
}

void sim_send(struct sim_host *probe, const struct address *to, const uint8_t *data, size_t len)
{
	if (wire.capture != NULL) {
		wire.capture->len = 0;
		octets_put(wire.capture, data, len);
		wire.capture = NULL;
		return;
	}
	wire_throw(line_of(probe)->fd, to, data, len);
}

uint64_t sim_random(struct sim *sim)
{
	uint64_t value = 0;

	(void)sim;
	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		abort();
	return value;
}

/* ---- The peer's socket ------------------------------------------------------------------ */

void wire_read(struct hostile *peer)
{
	static uint8_t data[LARGEST];
	struct datagram datagram = {.data = data};
	int i;

	for (i = 0; i < READ_MOST; i++) {
		ssize_t len;

		datagram.remote.len = sizeof(datagram.remote.of);
		len = recvfrom(line_of(peer->probe)->fd, data, sizeof(data), MSG_DONTWAIT,
			       &datagram.remote.of.any, &datagram.remote.len);
		if (len < 0)
			return;
		datagram.len = (size_t)len;
		datagram.segment = datagram.len;
		peer->probe->on_datagram(peer->probe, &datagram);
	}
}

void wire_wait(struct hostile *peer, int timeout_ms)
{
	struct pollfd watched = {.fd = line_of(peer->probe)->fd, .events = POLLIN};

	(void)poll(&watched, 1, timeout_ms);
}

void wire_move(struct hostile *peer)
{
	struct line *line = line_of(peer->probe);

	close(line->fd);
	line->fd = wire_open(line->number);
	must_be_open(line->fd);
}

void wire_close(struct hostile *peer)
{
	struct line *line = line_of(peer->probe);

	hostile_free(peer);
	close(line->fd);
	free(line);
}
