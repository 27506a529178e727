/* SPDX-License-Identifier: MIT */
/*
 * Tells operators of a worker's clients, on sockets that the plugin has handed over: a packet in a
 * turn, so that nobody waits for it, and never blocking.
 */
#ifndef GATEWAY_TELLER_H
#define GATEWAY_TELLER_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "control.h"
#include "../server/worker.h"

/* So many at a time; the next one is sent away. */
#define TELLER_READERS 4

struct teller_reader {
	int fd; /* -1: none */
	uint32_t worker;
	bool closes;       /* CLOSE, of the client ... */
	uint64_t told;     /* ... of this number; else clients up to it have been told */
	uint64_t until_ms; /* when it must have read some */
};

struct teller {
	struct teller_reader readers[TELLER_READERS];
	struct control_packet packet;
};

void teller_init(struct teller *teller);

/*
 * LIST or CLOSE: the socket becomes the teller's. It may come while a client is being served, so
 * nothing is done before the next turn.
 */
void teller_take(struct teller *teller, const struct channel_message *message);

/* Does what is asked: clients go, and each reader gets a packet. False: something is left. */
bool teller_go_on(struct teller *teller, struct worker *worker);

void teller_end(struct teller *teller);

#endif
