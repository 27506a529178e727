/* SPDX-License-Identifier: MIT */
/* What a worker is told: first of all, and of listeners. */
#ifndef MOSQUITTO_PLUGIN_ORDERS_H
#define MOSQUITTO_PLUGIN_ORDERS_H

#include "process.h"
#include "sockets.h"
#include "workers.h"

struct orders {
	const struct workers_order *common;
	const struct sockets *sockets;
	struct identities *identities;
	struct handoff_terms terms[OPTIONS_LISTENERS_MAX];
	uint32_t serving;   /* a bit for each listener whose terms are known, ... */
	uint32_t shut;      /* ... and for each that is closed again, and has no sockets */
	const char *secret; /* that all of them have */
};

/* Starts the program, and tells it all that it needs to listen. 0, or the error's number. */
int orders_start(const struct orders *orders, struct process *process);

/* Tells it what it is to do with each listener, as far as it does not know. */
void orders_tell_listeners(const struct orders *orders, struct process *process);

/* Tells it, once, that the broker asks about clients of this listener. */
void orders_tell_taken(unsigned int listener, struct process *process);

#endif
