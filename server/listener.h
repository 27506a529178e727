/* SPDX-License-Identifier: MIT */
/*
 * A listener: the addresses of one endpoint, and what is the same for all clients that come by them.
 * Of the worker, on whose thread all of this runs.
 *
 *     CLOSED ──listener_open()──▶ OPEN ──listener_shut()──▶ SHUT
 *        └──────────────────listener_shut()──────────────────▲
 *
 * CLOSED, it may listen, and serves nobody: datagrams wait in its sockets. SHUT, it has no endpoint.
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>

#include "clients.h"
#include "counters.h"
#include "hostport.h"

enum listener_state {
	LISTENER_CLOSED,
	LISTENER_OPEN,
	LISTENER_SHUT,
};

struct listener {
	enum listener_state state;
	struct clients *clients;
	struct mquic_endpoint *endpoint;
	struct client_settings settings;
	bool is_ready; /* its endpoint has something to do in this turn */
};

/* False: no memory, or no descriptor; there is nothing to free then. */
bool listener_init(struct listener *listener, struct clients *clients,
		   const struct client_settings *settings);

/* See worker_listen(). */
bool listener_listen(struct listener *listener, const struct mquic_settings *settings,
		     const struct hostport *listen, int fd);

/* Puts the endpoint into the set that is waited on, with the listener for its mark. */
void listener_open(struct listener *listener);

/* Turns its clients away and frees its endpoint; what that had counted is added to `gone`. */
void listener_shut(struct listener *listener, struct counters *gone);

/* Does what there is to be done, if it is ready. False: the system refuses. */
bool listener_process(struct listener *listener);

/* Handles all events; what clients were sent leaves with that. */
void listener_drain(struct listener *listener);

/* Reads certificates and keys again, and says what came of it. */
void listener_reload(struct listener *listener);

/* Clients would be the first to notice otherwise, and none of them can mend it. */
void listener_say_expiring(struct listener *listener);

#endif
