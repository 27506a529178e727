/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <stdio.h>
#include <string.h>

int net_find_node(const struct net *net, const char *name)
{
	for (int i = 0; i < net->node_count; i++)
		if (strcmp(net->nodes[i].name, name) == 0)
			return i;
	return -1;
}

int net_find_link(const struct net *net, const char *name)
{
	for (int i = 0; i < net->link_count; i++)
		if (strcmp(net->links[i].name, name) == 0)
			return i;
	return -1;
}

int net_add_node(struct net *net, const char *name, int address)
{
	struct net_node *node = &net->nodes[net->node_count];

	if (net->node_count == NET_NODES || strlen(name) >= NET_NAME ||
	    net_find_node(net, name) >= 0)
		return -1;
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->address = address;
	node->up = true;
	return net->node_count++;
}

int net_add_link(struct net *net, const char *from, const char *to)
{
	struct net_link *link = &net->links[net->link_count];
	int a = net_find_node(net, from);
	int b = net_find_node(net, to);

	if (net->link_count == NET_LINKS || a < 0 || b < 0 || a == b)
		return -1;
	snprintf(link->name, sizeof(link->name), "%s-%s", from, to);
	link->ends[0] = a;
	link->ends[1] = b;
	link->up = true;
	link_params_init(&link->params);
	return net->link_count++;
}

/* Breadth first from the host outwards: a node's route is the link it was reached by. */
static void route_to(struct net *net, int host)
{
	int queue[NET_NODES];
	int head = 0;
	int tail = 0;
	int address = net->nodes[host].address;
	bool seen[NET_NODES] = {false};

	queue[tail++] = host;
	seen[host] = true;
	while (head < tail) {
		int at = queue[head++];

		for (int i = 0; i < net->link_count; i++) {
			const struct net_link *link = &net->links[i];
			int other = link->ends[0] == at ? link->ends[1] : link->ends[0];

			if ((link->ends[0] != at && link->ends[1] != at) || !link->up ||
			    !net->nodes[other].up || seen[other])
				continue;
			seen[other] = true;
			net->routes[other][address] = (int16_t)i;
			/* Hosts do not forward. */
			if (net->nodes[other].address == 0)
				queue[tail++] = other;
		}
	}
}

void net_route(struct net *net)
{
	memset(net->routes, -1, sizeof(net->routes));
	for (int i = 0; i < net->node_count; i++)
		if (net->nodes[i].address != 0 && net->nodes[i].up)
			route_to(net, i);
}

bool net_set_up(struct net *net, const char *name, bool up)
{
	int node = net_find_node(net, name);
	int link = net_find_link(net, name);

	if (node >= 0)
		net->nodes[node].up = up;
	else if (link >= 0)
		net->links[link].up = up;
	else
		return false;
	net_route(net);
	return true;
}

void net_reset(struct net *net, uint64_t seed)
{
	for (int i = 0; i < net->node_count; i++)
		net->nodes[i].up = true;
	for (int i = 0; i < net->link_count; i++) {
		net->links[i].up = true;
		for (uint32_t way = 0; way < 2; way++)
			link_half_reset(&net->links[i].halves[way], seed, (uint32_t)i * 2 + way);
	}
	net_route(net);
}
