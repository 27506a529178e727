/* SPDX-License-Identifier: MIT */
/*
 * The loop of mquic-tunnel: listeners, the endpoint and every pipe share one epoll.
 */
#ifndef TUNNEL_TUNNEL_H
#define TUNNEL_TUNNEL_H

#include <mquic.h>

#include <stdbool.h>
#include <stdint.h>

/* Room for "[address%interface]:port". */
#define ADDRESS_NAME 80

struct pipe;
struct listener;

struct tunnel {
	const char *host; /* where to connect to */
	uint16_t port;
	uint32_t max_connections;
	struct mquic_settings *settings;

	struct mquic_endpoint *endpoint;
	int epoll;
	struct listener *listeners;
	struct pipe *pipes;
	struct pipe *dead; /* to be freed when the current batch of descriptors is through */
	uint32_t connections;
	uint64_t accept_again_ms; /* 0: accepting */
	bool short_of_files;      /* and it has been said */
	uint64_t expire_ms;       /* when to call pipe_expire(); 0: no pipe is leaving */
};

/* Makes the endpoint; false after saying why not. tunnel_free() in any case. */
bool tunnel_open(struct tunnel *tunnel);
/*
 * Listens at "ADDRESS:PORT", "[ADDRESS]:PORT" or "PORT" (loopback), and says so; warns when
 * it can be reached from outside. False after saying what is wrong.
 */
bool tunnel_listen(struct tunnel *tunnel, const char *where);
/*
 * Carries bytes until a signal comes, then delivers what clients have sent so far, unless a second
 * one comes; false if the system fails.
 */
bool tunnel_run(struct tunnel *tunnel);
void tunnel_free(struct tunnel *tunnel);

#endif
