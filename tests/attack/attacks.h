/* SPDX-License-Identifier: MIT */
/* What a client can do to be a burden: one row each. */
#ifndef ATTACK_ATTACKS_H
#define ATTACK_ATTACKS_H

#include "wire.h"

struct crowd;

/* One of the clients of an attack. */
struct client {
	struct hostile *peer; /* NULL: not there now */
	uint64_t streams;     /* it has opened, the first included */
	uint64_t count;       /* of what it has done */
};

struct attack {
	const char *name;
	const char *what;
	unsigned int clients;
	uint32_t rate; /* acts per second, 0: as many as can be */
	/* How far a client goes before the attack. */
	enum {
		REACH_NOTHING,
		REACH_HANDSHAKE,
		REACH_MQTT
	} reach;
	bool many_addresses;
	/* Fills a packet's frames, which are then sent; or does something else. */
	void (*fill)(struct client *client, struct octets *frames);
	void (*act)(struct crowd *crowd, struct client *client);
};

struct crowd {
	const struct attack *attack;
	struct hostile_identity identity;
	struct address target;
	struct client *clients;
	unsigned int count;
	uint32_t sources; /* addresses that were used so far */
	uint64_t ended;   /* connections that the server has closed */
	uint64_t refused; /* and those it has not let in */
	uint64_t last_code;
};

/* NULL: there is none of that name. */
const struct attack *attack_find(const char *name);
void attack_print_all(void);

/* attack.c: a peer that has said nothing yet, from the next address if the attack wants that. */
struct hostile *crowd_peer(struct crowd *crowd);

#endif
