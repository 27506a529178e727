/* SPDX-License-Identifier: MIT */
/*
 * The UDP sockets of all workers, one for each worker at each address. They are open as long as the
 * broker runs, so that a worker's successor reads what came when it was gone, and no datagram goes
 * to another one: see server/steering.h.
 */
#ifndef MOSQUITTO_PLUGIN_SOCKETS_H
#define MOSQUITTO_PLUGIN_SOCKETS_H

#include <stdbool.h>

#include "../gateway/options.h"

struct sockets {
	int fds[OPTIONS_LISTENERS_MAX][OPTIONS_LISTEN_MAX][OPTIONS_WORKERS_MAX]; /* -1: none */
};

void sockets_init(struct sockets *sockets);

/* Binds all. False: `error` has a sentence, and some may be open. */
bool sockets_open(struct sockets *sockets, const struct options *options,
		  char error[OPTIONS_ERROR_SIZE]);

/* Those of one listener. */
void sockets_shut(struct sockets *sockets, unsigned int listener);

void sockets_close(struct sockets *sockets);

#endif
