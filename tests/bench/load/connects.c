/* SPDX-License-Identifier: MIT */
/* Clients that come and go, and clients that come and stay. */
#include "loads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	const struct transport *transport;
	const struct options *options;
	struct client *clients;
	uint64_t started;
	uint64_t connected;
	uint64_t ended;
	uint64_t turned_away;  /* not let in, and not dialed again yet */
	uint64_t turned_twice; /* how often that was */
	struct samples handshake;
	struct samples connack;
	bool stay;
} crowd;

static void connected(struct client *client)
{
	crowd.connected++;
	samples_add(&crowd.handshake, client->handshake_ns - client->started_ns);
	samples_add(&crowd.connack, client->connack_ns - client->started_ns);
	if (!crowd.stay)
		crowd.transport->disconnect(client);
}

static void subscribed(struct client *client)
{
	(void)client;
}

static void message(struct client *client, const uint8_t *payload, size_t len)
{
	(void)client;
	(void)payload;
	(void)len;
}

static void delivered(struct client *client)
{
	(void)client;
}

static void ended(struct client *client, const char *why)
{
	if (crowd.options->again != 0 && client->connack_ns == 0) {
		crowd.turned_away++;
		return;
	}
	if (crowd.stay || client->connack_ns == 0)
		fail("client %zu is gone: %s", client->index, why != NULL ? why : "clean end");
	crowd.ended++;
}

static const struct client_events events = {
	.connected = connected,
	.subscribed = subscribed,
	.message = message,
	.delivered = delivered,
	.ended = ended,
};

/* How many are under way: not connected yet, or, when they do not stay, not gone. */
static uint64_t busy(void)
{
	return crowd.started - (crowd.stay ? crowd.connected : crowd.ended);
}

static void dial(struct client *client)
{
	char id[64];

	/* Several processes may share a broker. */
	snprintf(id, sizeof(id), "bench-%" PRIu64 "-%zu", (uint64_t)getpid(), client->index);
	crowd.transport->connect(client, id);
}

static void start_one(uint64_t first)
{
	struct client *client = &crowd.clients[first + crowd.started];

	client->index = (size_t)(first + crowd.started++);
	dial(client);
}

/* Those who were turned away come again; the time since they first came counts. */
static void start_again(uint64_t first)
{
	for (uint64_t i = 0; i < crowd.started && crowd.turned_away > 0; i++) {
		struct client *client = &crowd.clients[first + i];
		uint64_t started_ns = client->started_ns;

		if (!client->ended)
			continue;
		crowd.transport->free(client);
		client->ended = false;
		dial(client);
		client->started_ns = started_ns;
		crowd.turned_away--;
		crowd.turned_twice++;
	}
}

/* Ended clients are freed here, outside their own callbacks. */
static void reap(uint64_t first, uint64_t *reaped)
{
	while (!crowd.stay && *reaped < crowd.started && crowd.clients[first + *reaped].ended)
		crowd.transport->free(&crowd.clients[first + (*reaped)++]);
}

static void phase(uint64_t first, uint64_t count)
{
	uint64_t end = now_ns() + crowd.options->timeout_ms * 1000000;
	uint64_t reaped = 0;

	crowd.started = 0;
	crowd.connected = 0;
	crowd.ended = 0;
	while (crowd.started < count || busy() > 0) {
		if (now_ns() >= end)
			fail("time is up: %" PRIu64 " of %" PRIu64 " connected", crowd.connected,
			     count);
		while (crowd.started < count && busy() < crowd.options->at_once)
			start_one(first);
		crowd.transport->run(100);
		start_again(first);
		reap(first, &reaped);
	}
	reap(first, &reaped);
}

static void begin(const struct transport *transport, const struct options *options, uint64_t extra)
{
	crowd.transport = transport;
	crowd.options = options;
	if (options->at_once == 0)
		fail("--at-once is at least 1");
	crowd.clients = calloc(options->count + extra, sizeof(*crowd.clients));
	if (crowd.clients == NULL)
		fail("out of memory");
	samples_init(&crowd.handshake, options->count + extra);
	samples_init(&crowd.connack, options->count + extra);
	transport->init(options, &events);
}

static void print_times(void)
{
	samples_print(&crowd.handshake, "handshake");
	putchar(',');
	samples_print(&crowd.connack, "connack");
	puts("}");
	fflush(stdout);
}

static void finish(void)
{
	crowd.transport->fini();
	samples_free(&crowd.handshake);
	samples_free(&crowd.connack);
	free(crowd.clients);
}

int load_connects(const struct transport *transport, const struct options *options)
{
	const uint64_t warm_up = options->at_once;
	uint64_t cpu;
	uint64_t start;

	begin(transport, options, warm_up);
	phase(0, warm_up);
	crowd.handshake.count = 0;
	crowd.connack.count = 0;
	control_ready();
	while (!control_told())
		transport->run(20);
	cpu = cpu_ns();
	start = now_ns();
	phase(warm_up, options->count);
	printf("{\"seconds\":%.6f,\"cpu_us\":%.1f,", (double)(now_ns() - start) / 1e9,
	       (double)(cpu_ns() - cpu) / 1e3);
	print_times();
	while (!control_told())
		transport->run(20);
	finish();
	return 0;
}

int load_idle(const struct transport *transport, const struct options *options)
{
	uint64_t start;

	crowd.stay = true;
	begin(transport, options, 0);
	control_ready();
	while (!control_told())
		transport->run(20);
	start = now_ns();
	phase(0, options->count);
	printf("{\"seconds\":%.6f,\"turned_away\":%" PRIu64 ",", (double)(now_ns() - start) / 1e9,
	       crowd.turned_twice);
	print_times();
	while (!control_told())
		transport->run(100);
	crowd.stay = false;
	for (uint64_t i = 0; i < options->count; i++)
		transport->free(&crowd.clients[i]);
	finish();
	return 0;
}
