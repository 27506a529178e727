/* SPDX-License-Identifier: MIT */
/* What the plugin tells a worker first of all: options, and sockets to listen on. */
#ifndef GATEWAY_CONFIGURE_H
#define GATEWAY_CONFIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

/* More lines than there are options, several with addresses included. */
#define CONFIGURATION_LINES 128

struct configuration {
	struct options options;
	int sockets[OPTIONS_LISTEN_MAX]; /* -1: not there, or somebody else's by now */
	struct option_line lines[CONFIGURATION_LINES];
	size_t line_count;
};

void configuration_init(struct configuration *given);

/* Waits for all of it. False: `error` has a sentence. */
bool configuration_read(struct configuration *given, int channel, char error[OPTIONS_ERROR_SIZE]);

/* Frees what it holds, and closes the sockets. */
void configuration_clear(struct configuration *given);

#endif
