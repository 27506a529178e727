/* SPDX-License-Identifier: MIT */
/*
 * The graph: hosts and switches, the links between them, and which way leads where. Routes are
 * the shortest over links and switches that are up, found again at each change, so a mesh heals
 * around a failure.
 */
#ifndef NET_H
#define NET_H

#include "link.h"

#define NET_NODES 64
#define NET_LINKS 128
#define NET_NAME  16

struct net_node {
	char name[NET_NAME];
	int address; /* 10.77.ADDRESS.0/24 is this host; 0: a switch */
	bool up;
};

struct net_link {
	char name[2 * NET_NAME];
	int ends[2];
	bool up;
	struct link_params params;
	struct link_half halves[2]; /* [0] from ends[0] to ends[1] */
};

struct net {
	struct net_node nodes[NET_NODES];
	struct net_link links[NET_LINKS];
	int node_count;
	int link_count;
	/* The link to take from a node towards the host with an address; -1: no way. */
	int16_t routes[NET_NODES][256];
};

/* Adds a node, returns its number, or -1 if there is no room or the name is taken. */
int net_add_node(struct net *net, const char *name, int address);
/* Adds the link "A-B" between two known nodes; returns its number or -1. */
int net_add_link(struct net *net, const char *from, const char *to);
/* Number of the node or link with that name, or -1. */
int net_find_node(const struct net *net, const char *name);
int net_find_link(const struct net *net, const char *name);
/* Takes a link or node down or up and finds the routes again; false if the name is unknown. */
bool net_set_up(struct net *net, const char *name, bool up);
/* Everything up, all counters at 0, a new seed. */
void net_reset(struct net *net, uint64_t seed);
/* Finds the routes; net_reset() and net_set_up() do it too. */
void net_route(struct net *net);

#endif
