/* SPDX-License-Identifier: MIT */
/*
 * What a worker says. It may have been taken over by a client: what it says of clients goes for its
 * own clients, of names for those that a client of its could have, and there is no end of it that
 * the broker would wait for.
 */
#ifndef MOSQUITTO_PLUGIN_INBOX_H
#define MOSQUITTO_PLUGIN_INBOX_H

#include <stdbool.h>

#include "identity.h"
#include "process.h"

struct inbox {
	struct identities *identities;
	/* Where certificates say who clients are: names come without a password. A listener's bit. */
	uint32_t by_certificate;
	uint8_t packet[CHANNEL_PACKET_MAX];
};

/*
 * Reads what is there, no more than `most` messages: lines go to the log, clients to the table, the
 * rest is recorded in the process. False: it has ended, or is to be (`broken`).
 */
bool inbox_read(struct inbox *inbox, struct process *process, unsigned int most);

#endif
