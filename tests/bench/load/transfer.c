/* SPDX-License-Identifier: MIT */
/*
 * What a device does that wakes up: connect, send `count` messages, be done when the last is
 * acknowledged. Prints times from the start of the connect; -1 for what did not happen.
 * With --hold=1 it waits to be told, so that several start together.
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
	struct client client;
	uint8_t *payload;
	uint64_t sent;
	uint64_t delivered;
	uint64_t delivered_ns;
	uint64_t next_ns;
	uint64_t longest_gap_ns; /* without an acknowledgement, since CONNACK */
	char why[128];
	bool leaving;
} transfer;

static bool may_send(void)
{
	if (transfer.client.connack_ns == 0 || transfer.sent == transfer.options->count ||
	    transfer.sent - transfer.delivered >= transfer.options->window)
		return false;
	return transfer.options->gap_us == 0 || now_ns() >= transfer.next_ns;
}

static void publish_due(void)
{
	while (may_send()) {
		if (!transfer.transport->publish(&transfer.client, transfer.options->topic,
						 transfer.payload, transfer.options->size,
						 (int)transfer.options->qos))
			return;
		transfer.sent++;
		transfer.next_ns = now_ns() + transfer.options->gap_us * 1000;
	}
}

static void connected(struct client *client)
{
	transfer.delivered_ns = client->connack_ns;
	publish_due();
}

static void note_gap(uint64_t now)
{
	if (transfer.client.connack_ns != 0 &&
	    now - transfer.delivered_ns > transfer.longest_gap_ns)
		transfer.longest_gap_ns = now - transfer.delivered_ns;
}

static void delivered(struct client *client)
{
	uint64_t now = now_ns();

	(void)client;
	note_gap(now);
	transfer.delivered_ns = now;
	transfer.delivered++;
	publish_due();
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

static void ended(struct client *client, const char *why)
{
	(void)client;
	if (!transfer.leaving && why != NULL)
		snprintf(transfer.why, sizeof(transfer.why), "%s", why);
}

static const struct client_events events = {
	.connected = connected,
	.subscribed = subscribed,
	.message = message,
	.delivered = delivered,
	.ended = ended,
};

static bool complete(void)
{
	return transfer.client.connack_ns != 0 && transfer.delivered == transfer.options->count;
}

static double since_start_ms(uint64_t at_ns)
{
	return at_ns == 0 ? -1 : (double)(at_ns - transfer.client.started_ns) / 1e6;
}

static void report(void)
{
	for (char *c = transfer.why; *c != '\0'; c++)
		if (*c == '"' || *c == '\\')
			*c = '\'';
	printf("{\"handshake_ms\":%.3f,\"connack_ms\":%.3f,\"done_ms\":%.3f,\"acked\":%" PRIu64
	       ",\"longest_gap_ms\":%.3f,\"ended\":\"%s\"}\n",
	       since_start_ms(transfer.client.handshake_ns),
	       since_start_ms(transfer.client.connack_ns),
	       complete() ? since_start_ms(transfer.delivered_ns) : -1, transfer.delivered,
	       (double)transfer.longest_gap_ns / 1e6, transfer.why);
	fflush(stdout);
}

int load_transfer(const struct transport *transport, const struct options *options)
{
	uint64_t end;
	char id[32];

	transfer.transport = transport;
	transfer.options = options;
	if (options->qos == 0)
		fail("transfer wants --qos of 1 or 2");
	transfer.payload = malloc(options->size + 1);
	if (transfer.payload == NULL)
		fail("out of memory");
	memset(transfer.payload, 'x', options->size);
	transport->init(options, &events);
	if (options->hold != 0)
		control_ready();
	while (options->hold != 0 && !control_told())
		transport->run(1);
	end = now_ns() + options->timeout_ms * 1000000;
	/* Several of these may be at one broker. */
	snprintf(id, sizeof(id), "bench-%" PRIu64, (uint64_t)getpid());
	transport->connect(&transfer.client, id);
	while (!complete() && !transfer.client.ended && now_ns() < end) {
		publish_due();
		transport->run(options->gap_us == 0 ? 100 : 1);
	}
	if (!complete())
		note_gap(now_ns());
	report();
	transfer.leaving = true;
	transport->free(&transfer.client);
	transport->fini();
	free(transfer.payload);
	return 0;
}
