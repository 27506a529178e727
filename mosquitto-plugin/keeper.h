/* SPDX-License-Identifier: MIT */
/*
 * The plugin behind the server's door: who a client is, how the broker gets to know it, and the
 * hand-off socket. All calls come from the QUIC thread, but for keeper_was_bypassed().
 */
#ifndef MOSQUITTO_PLUGIN_KEEPER_H
#define MOSQUITTO_PLUGIN_KEEPER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "../gateway/handoff.h"
#include "identity.h"
#include "log.h"
#include "../gateway/options.h"
#include "../server/door.h"
#include "../gateway/token.h"

struct keeper {
	const struct options *options;
	struct identities *identities;
	struct log_ring *log;
	int highest_fd;
	struct handoff_terms terms; /* to be set before the first client comes */
	atomic_bool bypassed;
	char token[TOKEN_TEXT_LEN + 1]; /* of the client announced last */
	struct door door;
};

/* Makes the door; the fields above it are the caller's. */
void keeper_init(struct keeper *keeper);

/* Any thread, any time: whether the broker has let a client in without asking the plugin. */
bool keeper_was_bypassed(const struct keeper *keeper);

#endif
