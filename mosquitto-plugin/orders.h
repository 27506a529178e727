/* SPDX-License-Identifier: MIT */
/* What a worker is told first of all. */
#ifndef MOSQUITTO_PLUGIN_ORDERS_H
#define MOSQUITTO_PLUGIN_ORDERS_H

#include "process.h"
#include "sockets.h"
#include "workers.h"

struct orders {
	const struct workers_order *common;
	const struct sockets *sockets;
	const char *secret; /* that all of them have */
};

/* Starts the program, and tells it all that it needs to listen. 0, or the error's number. */
int orders_start(const struct orders *orders, struct process *process);

#endif
