/* SPDX-License-Identifier: MIT */
/*
 * What mquic-status asks, over a SOCK_SEQPACKET socket that the plugin has beside the hand-off
 * socket: one request in one packet, in the byte order of the machine. The plugin looks at who asks
 * and hands the socket to the workers, which answer on it themselves; so the broker has no work
 * with ten thousand clients.
 *
 *     mquic-status                          plugin                  worker, each
 *        ├──── request ───────────────────────▶│──── the socket ───────▶│
 *        │◀─── ASKED: how many ────────────────┤                        │
 *        │◀─── CLIENTS, … , DONE, or CLOSED, or UNKNOWN ────────────────┤
 *
 * Answers of several come in any order. The socket ends when all have let go of it. A worker may
 * have been taken over by a client, so what it answers is checked like anything from the network.
 */
#ifndef GATEWAY_CONTROL_H
#define GATEWAY_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../server/client-facts.h"

/* The socket's name: the hand-off socket's, and this. */
#define CONTROL_SUFFIX ".control"

/* Another one with each change of what goes over it. */
#define CONTROL_VERSION 2

enum control_wish {
	CONTROL_LIST = 1,
	CONTROL_CLOSE,
	CONTROL_RESTART /* replace all workers; the plugin answers itself: CLOSED, or UNKNOWN */
};

struct control_request {
	uint32_t version;
	uint32_t wish;   /* enum control_wish */
	uint32_t worker; /* CLOSE: whose client, from 1 */
	uint32_t client; /* CLOSE: its number */
};

enum control_kind {
	CONTROL_ASKED = 1, /* of the plugin; count: workers */
	CONTROL_CLIENTS,   /* count: that many facts follow the head */
	CONTROL_DONE,      /* the worker has told of all */
	CONTROL_CLOSED,
	CONTROL_UNKNOWN /* there is no such client */
};

/* So many fit into one packet. */
#define CONTROL_CLIENTS_MAX 64

struct control_answer {
	uint32_t version;
	uint32_t kind; /* enum control_kind */
	uint32_t worker;
	uint32_t count;
};

struct control_packet {
	struct control_answer head;
	struct client_facts clients[CONTROL_CLIENTS_MAX];
};

/* False: these bytes are no request. */
bool control_read_request(struct control_request *request, const void *bytes, size_t len);

/*
 * Looks at an answer of so many bytes: all texts end within their fields. False: it is none, or of
 * another version.
 */
bool control_check_answer(const struct control_packet *packet, size_t len);

#endif
