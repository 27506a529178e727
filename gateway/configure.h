/* SPDX-License-Identifier: MIT */
/* What the plugin tells a worker first of all: options, sockets to listen on, its share. */
#ifndef GATEWAY_CONFIGURE_H
#define GATEWAY_CONFIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "channel.h"
#include "options.h"

struct configuration {
	struct options options;
	/* -1: not there, or somebody else's by now. A listener that has none is shut. */
	int sockets[OPTIONS_LISTENERS_MAX][OPTIONS_LISTEN_MAX];
	uint32_t places[OPTIONS_LISTENERS_MAX];
	struct option_line lines[OPTIONS_LINES_MAX];
	size_t line_count;
	int roll;        /* the same */
	uint32_t worker; /* from 0 */
	uint32_t workers;
	char secret[CHANNEL_SECRET_LEN + 1]; /* that all of them have */
};

void configuration_init(struct configuration *given);

/* Greets the plugin. False: that is of another version, or gone; `error` has a sentence. */
bool configuration_greet(int channel, char error[OPTIONS_ERROR_SIZE]);

/* Waits for all of it. False: `error` has a sentence. */
bool configuration_read(struct configuration *given, int channel, char error[OPTIONS_ERROR_SIZE]);

/* Whether a listener is to listen. */
bool configuration_has_sockets(const struct configuration *given, size_t listener);

/* What makes it one worker of several. False: out of memory, or the settings say why. */
bool configuration_apply(const struct configuration *given, struct mquic_settings *settings);

/* Frees what it holds, and closes the sockets. */
void configuration_clear(struct configuration *given);

#endif
