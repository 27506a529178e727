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
	uint64_t told;     /* clients up to this number */
	uint64_t until_ms; /* when it must have read some */
};

struct teller {
	struct teller_reader readers[TELLER_READERS];
	struct control_packet packet;
};

void teller_init(struct teller *teller);

/* LIST: its socket becomes the teller's. */
void teller_list(struct teller *teller, const struct channel_message *message);

/* CLOSE: does it, says so, and closes the socket. */
void teller_close(struct worker *worker, const struct channel_message *message);

/* The next packet to each. False: something is left to be told. */
bool teller_go_on(struct teller *teller, const struct worker *worker);

void teller_end(struct teller *teller);

#endif
