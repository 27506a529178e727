/* SPDX-License-Identifier: MIT */
/*
 * The socket of mquic-status. Only the broker's user and root may ask there, and no more than a few
 * at a time; what is asked goes to the workers, with the socket of who asks: see the gateway's
 * control.h. On the broker's thread.
 */
#ifndef MOSQUITTO_PLUGIN_CONTROL_H
#define MOSQUITTO_PLUGIN_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "workers.h"

/* Those that have come and have not asked yet. */
#define CONTROL_VISITORS 4

struct control {
	const char *path;
	int fd;      /* -1: none */
	bool opened; /* or failed to be, which was said */
	uint64_t next_ms;
	struct {
		int fd; /* -1: none */
		uint64_t until_ms;
	} visitors[CONTROL_VISITORS];
};

void control_init(struct control *control);

/* In each round of the broker's loop, while clients are served. */
void control_tick(struct control *control, struct workers *workers);

/* Takes the socket away. */
void control_end(struct control *control);

#endif
