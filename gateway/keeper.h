/* SPDX-License-Identifier: MIT */
/*
 * Who stands behind the server's door beside a broker: who a client is, how the broker gets to know
 * it, and the hand-off socket. The plugin at the other end of the channel is told of each client
 * before the broker can ask about it.
 *
 * A client is known by the token in its CONNECT, or, where there is no room for one, by its socket.
 * Then the plugin, in the broker's own thread, is the one who sends CONNECT: see the plugin's
 * identity.h.
 */
#ifndef GATEWAY_KEEPER_H
#define GATEWAY_KEEPER_H

#include <stdbool.h>

#include "channel.h"
#include "handoff.h"
#include "options.h"
#include "teller.h"
#include "token.h"
#include "../server/door.h"
#include "../server/queue.h"
#include "../server/worker.h"

/* What it knows of one listener. */
struct keeper_listener {
	const struct listener_options *options;
	struct handoff_terms terms; /* START: set before the first client comes */
	bool started;
	bool taken; /* the broker has asked about a client */
};

struct keeper {
	struct keeper_listener listeners[OPTIONS_LISTENERS_MAX];
	int channel;
	pid_t broker; /* whose the hand-off socket must be */
	int highest_fd;
	struct worker *worker; /* what the plugin wants is asked of it. NULL: not there yet */
	bool started;          /* one of the listeners */
	unsigned int unsaid;   /* lines that the channel had no room for */
	bool pong_due;         /* an answer, the same */
	struct queue leaving;  /* guests whose end the plugin has not been told */
	char token[TOKEN_TEXT_LEN + 1]; /* of the client announced last */
	uint8_t packet[CHANNEL_OPTION_MAX * 2 + 64];
	struct teller teller; /* for operators */
	struct door door;
};

/* Makes the door; the fields above `started` are the caller's. */
void keeper_init(struct keeper *keeper);

/* Tells it what its listeners are to be. `options` outlive it. */
void keeper_know(struct keeper *keeper, const struct options *options);

/* Reads what the plugin says. False: nothing can be told it for now; see struct door. */
bool keeper_attend(struct keeper *keeper, bool readable);

/* Frees those whose end cannot be told any more. */
void keeper_end(struct keeper *keeper);

#endif
