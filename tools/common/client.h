/* SPDX-License-Identifier: MIT */
/*
 * One session that mquic-pub and mquic-sub talk through: it is set up from the options, says
 * with -d what happens, comes back after a loss, and ends cleanly on signals.
 *
 *                       CONNECTED
 *     CONNECTING ──────────────────────▶ CONNECTED ──client_close──▶ CLOSING ──▶ OVER
 *        ▲  │ refused, or never connected    │ lost                               ▲
 *        │  ├────────────────────────────────┼────────────────────────────────────┘
 *   later│  │ not reached again              │
 *        │  ▼                                │
 *      WAITING ◀─────────────────────────────┘
 */
#ifndef TOOLS_CLIENT_H
#define TOOLS_CLIENT_H

#include "client-options.h"

#include <mquic.h>

#define CLIENT_NO_DEADLINE UINT64_MAX

enum client_state {
	CLIENT_CONNECTING = 1,
	CLIENT_CONNECTED,
	CLIENT_WAITING,
	CLIENT_CLOSING,
	CLIENT_OVER
};

struct client {
	const struct client_options *options;
	struct mquic_endpoint *endpoint;
	struct mquic_session *session;
	enum client_state state;
	int result; /* exit code, once it is over */
	bool was_connected;
	unsigned int failures; /* attempts in a row that failed */
	uint64_t started_us;   /* when this attempt began */
	uint64_t deadline_ms;  /* WAITING: next attempt; CLOSING: patience ends */
	char name[128];        /* client_name()'s */
};

/* Sets up and starts to connect; false after saying why not. client_free() in any case. */
bool client_open(struct client *client, const struct client_options *options);
void client_free(struct client *client);

/*
 * Waits until something is due, `fd` (-1: none) can be read, or clock_ms() reaches
 * `deadline_ms`. Returns whether `fd` can be read. Pull all events afterwards.
 */
bool client_wait(struct client *client, int fd, uint64_t deadline_ms);
/* The next event, after the client itself has looked at it; NULL: none. */
struct mquic_event *client_next_event(struct client *client);
/* Parts from the broker; the program's exit code will be `result`. */
void client_close(struct client *client, int result);
/* The same with exit code 1, and without waiting long for the goodbye to arrive. */
void client_give_up(struct client *client);
/* Whether a signal came that ends the program. */
bool client_interrupted(void);

/* What debug lines call the client. Valid until the next call. */
const char *client_name(struct client *client);

#endif
