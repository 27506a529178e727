/* SPDX-License-Identifier: MIT */
/* Who a client is, as far as its certificate or its CONNECT says. */
#ifndef GATEWAY_GUEST_H
#define GATEWAY_GUEST_H

#include <stdbool.h>

#include <mquic.h>

#include "channel.h"
#include "options.h"
#include "token.h"
#include "../server/queue.h"

/* What the door makes of a client. */
struct guest {
	struct queue in_leaving;
	unsigned int listener;
	struct token token;
	enum channel_kind kind;
	bool announced;
	char *name; /* until it is announced */
	char peer[64];
};

/* One for the client behind the relay, not announced yet. NULL: no memory. */
struct guest *guest_identify(const struct listener_options *options,
			     const struct mquic_relay *relay);

void guest_free(struct guest *guest);

#endif
