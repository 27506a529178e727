/* SPDX-License-Identifier: MIT */
/*
 * One client, from accepted connection to closed socket.
 *
 *  accept ─▶ WAITING ──CONNECT──▶ DIALING ──connected──▶ PIPING ──broker closed──▶ FINISHING
 *               │ gone or late       │ refused, late       │ gone, all read          │ delivered
 *               │                    │                     ▼                         │ or late
 *               │                    │                  LEAVING                      │
 *               ▼                    ▼                     ▼ broker closed           ▼
 *             ────────────────────────────────── freed ──────────────────────────────────
 *
 * RELAY_CLOSED ends each state; it comes only when all that the client sent has been read, so a
 * DISCONNECT is not lost. LEAVING gives the broker time to read it, too: were the socket closed
 * at once, the broker's next write would fail, and it would drop what it has not read. Only the
 * dial has a time limit of ours: the relay has the others. DIALING, PIPING and LEAVING have an
 * identity, for as long as the broker may ask; the latter two have the socket.
 *
 * The body of a client, shared by its files: client.c has its end, client-connect.c its coming,
 * client-upstream.c and client-downstream.c move its bytes, client-memory.c keeps all of them
 * small, and clients.c has them do that.
 */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include "server/clients.h"

enum client_state {
	CLIENT_WAITING,
	CLIENT_DIALING,
	CLIENT_PIPING,
	CLIENT_LEAVING,
	CLIENT_FINISHING,
};

struct client {
	struct clients *clients;
	struct mquic_relay *relay;
	struct door_pass pass; /* the user name in it is used at once */
	enum client_state state;
	int fd;              /* -1: no unix socket */
	uint32_t interest;   /* what epoll watches it for; 0: it is not in the set */
	bool broker_full;    /* the unix socket takes no more for now */
	bool broker_deaf;    /* nothing more will be written to it */
	bool broker_spoke;   /* at least one byte came back */
	bool held;           /* nothing but CONNECT is sent before the broker has answered */
	size_t connect_left; /* bytes of CONNECT that are not sent yet */
	bool proxy_due;      /* the PROXY header goes out with the first bytes */
	uint8_t *pending;    /* from the broker, not taken by the relay yet */
	size_t pending_at;
	size_t pending_len;
	uint64_t dial_until_ms;
	struct queue in_all;
	struct queue in_dialing;
};

/* ---- client.c ---- */

/* Closes the unix end, if there is one; the broker takes it for the end of the client. */
void client_hang_up(struct client *client);
void client_free(struct client *client);
void clients_say_refusal(struct clients *clients, const char *peer, const char *reason);
/* Tells the client why in CONNECTION_CLOSE, and frees it. */
void client_refuse(struct client *client, const struct door_refusal *refusal);
void client_turn_away(struct client *client, const char *reason);

/* ---- client-memory.c ---- */

/* Bytes it takes. */
uint64_t client_memory(const struct client *client);

/* ---- client-connect.c ---- */

/* CONNECT is here: announce the client and get in line for the unix socket. */
void client_connect_shown(struct client *client);

/* ---- client-upstream.c ---- */

/*
 * CONNECT, through the door. A new socket has room for all of it; where it has not, the broker
 * refuses what it gets of it.
 */
void client_present(struct client *client);
/*
 * Moves what the relay has until it has no more or the socket is full. Bounded: nothing is
 * received meanwhile, so there is at most a receive window. What the broker will not read is
 * thrown away, for the relay tells of the client's end only when all is read.
 */
void client_pipe_to_broker(struct client *client);

/* ---- client-downstream.c ---- */

/* One read, for the sake of the others. False: the client is in another state, or freed. */
bool client_pipe_to_client(struct client *client);
/* False: the client is freed. */
bool client_flush_pending(struct client *client);

#endif
