/* SPDX-License-Identifier: MIT */
/*
 * Publishers and subscribers in one thread. A message carries the time it was published; it is
 * done when every subscriber has it and, at QoS 1 and 2, when it is settled.
 */
#include "loads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const struct transport *transport;
	const struct options *options;
	struct client *clients; /* publishers, then subscribers */
	size_t client_count;
	uint8_t *payload;
	uint64_t target; /* messages to send in this phase */
	uint64_t sent;
	uint64_t delivered;
	uint64_t received;
	uint64_t connected;
	uint64_t subscribed;
	uint64_t next_ns;
	struct samples latency;
	bool leaving;
} flow;

static uint64_t settled(void)
{
	uint64_t received = flow.received / flow.options->subscribers;

	if (flow.options->qos == 0)
		return received;
	return flow.delivered < received ? flow.delivered : received;
}

static bool may_send(void)
{
	if (flow.sent == flow.target ||
	    flow.sent - settled() >= flow.options->window * flow.options->publishers)
		return false;
	return flow.options->gap_us == 0 || now_ns() >= flow.next_ns;
}

static void publish_due(void)
{
	while (may_send()) {
		struct client *client = &flow.clients[flow.sent % flow.options->publishers];
		uint64_t now = now_ns();

		memcpy(flow.payload, &now, sizeof(now));
		if (!flow.transport->publish(client, flow.options->topic, flow.payload,
					     flow.options->size, (int)flow.options->qos))
			return;
		flow.sent++;
		flow.next_ns = now + flow.options->gap_us * 1000;
	}
}

static void connected(struct client *client)
{
	flow.connected++;
	if (client->index >= flow.options->publishers)
		flow.transport->subscribe(client, flow.options->topic, (int)flow.options->qos);
}

static void subscribed(struct client *client)
{
	(void)client;
	flow.subscribed++;
}

static void message(struct client *client, const uint8_t *payload, size_t len)
{
	uint64_t sent_ns;

	(void)client;
	if (len != flow.options->size)
		fail("a message of %zu bytes came", len);
	memcpy(&sent_ns, payload, sizeof(sent_ns));
	samples_add(&flow.latency, now_ns() - sent_ns);
	flow.received++;
	publish_due();
}

static void delivered(struct client *client)
{
	(void)client;
	flow.delivered++;
	publish_due();
}

static void ended(struct client *client, const char *why)
{
	if (!flow.leaving)
		fail("client %zu is gone: %s", client->index, why != NULL ? why : "clean end");
}

static const struct client_events events = {
	.connected = connected,
	.subscribed = subscribed,
	.message = message,
	.delivered = delivered,
	.ended = ended,
};

static void run_until(const uint64_t *counter, uint64_t value)
{
	uint64_t end = now_ns() + flow.options->timeout_ms * 1000000;

	while (*counter < value) {
		if (now_ns() >= end)
			fail("time is up: %" PRIu64 " of %" PRIu64, *counter, value);
		flow.transport->run(100);
	}
}

/* Sends `count` messages and waits until they are settled. False if time is up. */
static bool phase(uint64_t count)
{
	uint64_t end = now_ns() + flow.options->timeout_ms * 1000000;

	flow.target = count;
	flow.sent = 0;
	flow.received = 0;
	flow.delivered = 0;
	while (settled() < flow.target && now_ns() < end) {
		publish_due();
		flow.transport->run(flow.options->gap_us == 0 ? 100 : 1);
	}
	return settled() == flow.target;
}

static void open_clients(void)
{
	const struct options *options = flow.options;
	char id[64];

	flow.client_count = options->publishers + options->subscribers;
	flow.clients = calloc(flow.client_count, sizeof(*flow.clients));
	flow.payload = calloc(1, options->size);
	if (flow.clients == NULL || flow.payload == NULL)
		fail("out of memory");
	for (size_t i = 0; i < flow.client_count; i++) {
		flow.clients[i].index = i;
		/* Several of these may be at one broker. */
		snprintf(id, sizeof(id), "bench-%" PRIu64 "-%zu", (uint64_t)getpid(), i);
		flow.transport->connect(&flow.clients[i], id);
	}
	run_until(&flow.connected, flow.client_count);
	run_until(&flow.subscribed, options->subscribers);
}

static bool measure(void)
{
	uint64_t cpu = cpu_ns();
	uint64_t start = now_ns();
	bool complete = phase(flow.options->count);

	printf("{\"seconds\":%.6f,\"cpu_us\":%.1f,\"sent\":%" PRIu64 ",\"received\":%" PRIu64
	       ",\"complete\":%s,",
	       (double)(now_ns() - start) / 1e9, (double)(cpu_ns() - cpu) / 1e3, flow.sent,
	       flow.received, complete ? "true" : "false");
	samples_print(&flow.latency, "latency");
	puts("}");
	fflush(stdout);
	return complete;
}

int load_flow(const struct transport *transport, const struct options *options)
{
	bool complete;

	flow.transport = transport;
	flow.options = options;
	if (options->size < sizeof(uint64_t) || options->publishers == 0 ||
	    options->subscribers == 0)
		fail("flow wants --size of at least 8, and clients on both sides");
	transport->init(options, &events);
	samples_init(&flow.latency, options->count * options->subscribers);
	open_clients();
	if (!phase(options->count / 10 < 2000 ? options->count / 10 : 2000))
		fail("time is up before the measurement");
	flow.latency.count = 0;
	control_ready();
	while (!control_told())
		transport->run(20);
	complete = measure();
	while (!control_told())
		transport->run(20);
	flow.leaving = true;
	for (size_t i = 0; i < flow.client_count; i++)
		transport->free(&flow.clients[i]);
	transport->fini();
	samples_free(&flow.latency);
	free(flow.payload);
	free(flow.clients);
	return complete ? 0 : 1;
}
