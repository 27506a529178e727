/* SPDX-License-Identifier: MIT */
/* Asks the plugin, and gathers what the workers answer. Their answers are not trusted. */
#ifndef TOOLS_STATUS_INQUIRY_H
#define TOOLS_STATUS_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>

#include "../gateway/control.h"
#include "status/choice.h"

struct found_client {
	unsigned int worker;
	struct client_facts facts; /* texts are fit for a terminal */
};

struct found {
	struct found_client *clients;
	size_t count;
};

/*
 * The clients that are meant, in any order. False: it has been said why. Call found_clear()
 * anyway.
 */
bool inquiry_list(const char *path, const struct choice *choice, struct found *found);

void found_clear(struct found *found);

enum inquiry_end {
	INQUIRY_CLOSED,
	INQUIRY_UNKNOWN, /* there is no such client */
	INQUIRY_FAILED   /* it has been said why */
};

/* Has a client sent away. */
enum inquiry_end inquiry_close(const char *path, unsigned int worker, unsigned int client);

/* Has all workers replaced. False: it has been said why. */
bool inquiry_restart(const char *path);

#endif
