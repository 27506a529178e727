/* SPDX-License-Identifier: MIT */
#include "emulator.h"

#include <stdlib.h>
#include <unistd.h>

/* Packets taken from one host in a row before others get their turn. */
#define READ_BATCH 64

/* The host that 10.77.ADDRESS.x belongs to, or -1. */
static int destination(const struct emulator *emulator, const struct packet *packet)
{
	const uint8_t *address = packet->data + 16;

	if (packet->len < 20 || packet->data[0] >> 4 != 4 || address[0] != 10 || address[1] != 77)
		return -1;
	for (int i = 0; i < emulator->net.node_count; i++)
		if (emulator->net.nodes[i].address == address[2] && address[2] != 0)
			return i;
	return -1;
}

static void deliver(struct emulator *emulator, struct packet *packet)
{
	struct nat *nat = &emulator->nats[packet->host];

	if (nat->active && !nat_inward(nat, packet->data, packet->len))
		emulator->unmapped++;
	else if (write(emulator->tuns[packet->host], packet->data, packet->len) < 0)
		emulator->no_route++;
	heap_recycle(&emulator->heap, packet);
}

/* Sends a packet that is at `node` on its way; takes the packet. */
static void hop(struct emulator *emulator, struct packet *packet, int node, uint64_t at_ns)
{
	struct net *net = &emulator->net;
	int number = net->routes[node][net->nodes[packet->host].address];
	struct net_link *link;

	if (number < 0 || !net->nodes[node].up) {
		emulator->no_route++;
		heap_recycle(&emulator->heap, packet);
		return;
	}
	link = &net->links[number];
	packet->link = number;
	packet->way = link->ends[0] == node ? 0 : 1;
	if (link_offer(&link->halves[packet->way], &link->params, link->up, at_ns, packet->len,
		       &packet->due_ns) != LINK_PASS ||
	    !heap_push(&emulator->heap, packet))
		heap_recycle(&emulator->heap, packet);
}

static void start(struct emulator *emulator, struct packet *packet, int node, uint64_t at_ns)
{
	struct nat *nat = &emulator->nats[node];

	if (emulator->first_ns == 0)
		emulator->first_ns = at_ns;
	packet->host = destination(emulator, packet);
	if (packet->host < 0 || packet->host == node) {
		heap_recycle(&emulator->heap, packet);
	} else if (nat->active && !nat_outward(nat, packet->data, packet->len)) {
		emulator->unmapped++;
		heap_recycle(&emulator->heap, packet);
	} else {
		hop(emulator, packet, node, at_ns);
	}
}

void emulator_read(struct emulator *emulator, int node, uint64_t at_ns)
{
	for (int i = 0; i < READ_BATCH; i++) {
		struct packet *packet = heap_packet(&emulator->heap);
		ssize_t len;

		if (packet == NULL)
			return;
		len = read(emulator->tuns[node], packet->data, sizeof(packet->data));
		if (len <= 0) {
			heap_recycle(&emulator->heap, packet);
			return;
		}
		packet->len = (size_t)len;
		start(emulator, packet, node, at_ns);
	}
}

static void carry_out(struct emulator *emulator, const struct step *step)
{
	if (step->kind == STEP_REBIND)
		nat_rebind(&emulator->nats[net_find_node(&emulator->net, step->name)]);
	else
		net_set_up(&emulator->net, step->name, step->kind == STEP_UP);
}

static uint64_t plan_next_ns(const struct emulator *emulator)
{
	if (emulator->first_ns == 0 || emulator->plan_done == emulator->plan_count)
		return UINT64_MAX;
	return emulator->first_ns + emulator->plan[emulator->plan_done].after_ns;
}

/* A packet goes on at the time it was due, not now, so that delays do not add up. */
static void arrive(struct emulator *emulator, struct packet *packet)
{
	struct net_link *link = &emulator->net.links[packet->link];
	int node = link->ends[1 - packet->way];

	link_leave(&link->halves[packet->way]);
	if (node == packet->host && emulator->net.nodes[node].up)
		deliver(emulator, packet);
	else
		hop(emulator, packet, node, packet->due_ns);
}

void emulator_move(struct emulator *emulator, uint64_t at_ns)
{
	while (emulator_next_ns(emulator) <= at_ns) {
		const struct packet *first = heap_first(&emulator->heap);

		if (first == NULL || plan_next_ns(emulator) <= first->due_ns)
			carry_out(emulator, &emulator->plan[emulator->plan_done++]);
		else
			arrive(emulator, heap_pop(&emulator->heap));
	}
}

uint64_t emulator_next_ns(const struct emulator *emulator)
{
	const struct packet *first = heap_first(&emulator->heap);
	uint64_t planned = plan_next_ns(emulator);

	return first == NULL || planned < first->due_ns ? planned : first->due_ns;
}

void emulator_reset(struct emulator *emulator, uint64_t seed)
{
	heap_clear(&emulator->heap);
	net_reset(&emulator->net, seed);
	for (int i = 0; i < NET_NODES; i++)
		nat_reset(&emulator->nats[i]);
	emulator->first_ns = 0;
	emulator->plan_done = 0;
	emulator->no_route = 0;
	emulator->unmapped = 0;
}
