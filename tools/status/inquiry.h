/* SPDX-License-Identifier: MIT */
/* Asks the plugin, and gathers what the workers answer. Their answers are not trusted. */
#ifndef TOOLS_STATUS_INQUIRY_H
#define TOOLS_STATUS_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>

#include "../gateway/control.h"

struct found_client {
	unsigned int worker;
	struct client_facts facts; /* texts are fit for a terminal */
};

struct found {
	struct found_client *clients;
	size_t count;
};

/* All clients, by worker and number. False: it has been said why. Call found_clear() anyway. */
bool inquiry_list(const char *path, struct found *found);

void found_clear(struct found *found);

/* Has a client sent away. False: it has been said why. */
bool inquiry_close(const char *path, unsigned int worker, unsigned int client);

#endif
