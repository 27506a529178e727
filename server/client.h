/* SPDX-License-Identifier: MIT */
/*
 * One client, from accepted connection to closed socket.
 *
 *  accept ─▶ WAITING ──CONNECT──▶ DIALING ──connected──▶ PIPING ──broker closed──▶ FINISHING
 *               │ gone or late       │ refused, late       │ gone, all read          │ delivered
 *               │                    │                     ▼                         │ or late
 *               │                    │                  LEAVING                      │
 *               ▼                    ▼                     ▼ broker closed           ▼
 *             ─────────────────────────────────── OVER ──────────────────────────────────
 *
 * RELAY_CLOSED ends each state; it comes only when all that the client sent has been read, so a
 * DISCONNECT is not lost. LEAVING gives the broker time to read it, too: were the socket closed
 * at once, the broker's next write would fail, and it would drop what it has not read. Only the
 * dial has a time limit of ours: the relay has the others. DIALING, PIPING and LEAVING have what
 * the door made of the client, for as long as the broker may ask; the latter two have the socket.
 *
 * The body of a client, shared by its files. client-connect.c, client-upstream.c and
 * client-downstream.c move it along and record what they find; client.c makes the steps.
 * client-memory.c and clients.c look after all of them.
 */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include "clients.h"
#include "packets.h"

enum client_state {
	CLIENT_WAITING,
	CLIENT_DIALING,
	CLIENT_PIPING,
	CLIENT_LEAVING,
	CLIENT_FINISHING,
	CLIENT_OVER,
};

/* Who erred when a client is turned away. */
enum client_culprit {
	CULPRIT_CALLER, /* whoever stands behind the door has refused it, or set a limit */
	CULPRIT_PEER,   /* the client */
	CULPRIT_BROKER,
	CULPRIT_SYSTEM,
};

/* Why it is to be turned away; without a reason it is not. */
struct client_end {
	enum client_culprit culprit;
	struct door_refusal refusal;
};

struct client {
	struct clients *clients;
	const struct client_settings *settings; /* of its listener */
	uint64_t number;                        /* in log lines */
	struct mquic_relay *relay;
	struct door_pass pass; /* the user name in it is used at once */
	enum client_state state;
	struct client_end end; /* recorded by whoever finds it, the first one first */
	uint32_t place;        /* on the roll, as long as it is connected */
	int fd;                /* -1: no unix socket */
	uint32_t interest;     /* what epoll watches it for; 0: it is not in the set */
	bool broker_full;      /* the unix socket takes no more for now */
	bool broker_deaf;      /* nothing more will be written to it */
	bool broker_spoke;     /* at least one byte came back */
	bool broker_ended;     /* and no more will */
	bool held;             /* nothing but CONNECT is sent before the broker has answered */
	bool proxy_due;        /* the PROXY header goes out with the first bytes */
	size_t connect_left;   /* bytes of CONNECT that are not sent yet */
	uint8_t *pending;      /* from the broker, not taken by the relay yet */
	size_t pending_at;
	size_t pending_len;
	uint64_t dial_until_ms;
	uint64_t accepted_ms;
	char *user;                 /* the user name the door knows it by; NULL: its own */
	const char *parting;        /* how its connection ended, until the next event */
	struct packets from_client; /* that the broker has got */
	struct packets from_broker;
	struct queue in_all;
	struct queue in_dialing;
};

/* ---- client-end.c ---- */

/* Records why the client is to be turned away; what was recorded before stays. */
void client_give_up(struct client *client, enum client_culprit culprit, uint64_t code,
		    const char *reason);
/* The same of what the door has said. */
void client_refuse(struct client *client, enum client_culprit culprit,
		   const struct door_refusal *refusal);

static inline bool client_is_given_up(const struct client *client)
{
	return client->end.refusal.reason != NULL;
}

/* Says that somebody was turned away. */
void clients_say_refusal(struct clients *clients, const char *peer, const char *reason);

/* ---- client-connect.c ---- */

/* A client of this connection; NULL: no memory, and the connection is still the caller's. */
struct client *client_new(struct clients *clients, const struct client_settings *settings,
			  struct mquic_connection *connection);
/* CONNECT is here: has the door look at it, and opens the relay. */
void client_announce(struct client *client);

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

/* One read, for the sake of the others. */
void client_pipe_to_client(struct client *client);
/* What did not fit into the relay. */
void client_flush_pending(struct client *client);

/* ---- client-memory.c ---- */

/* Bytes it takes. */
uint64_t client_memory(const struct client *client);

/* ---- client-report.c ---- */

/* Says who has left, how far it came and why; `why` is that unless something else is known. */
void client_report(struct client *client, const char *why);

/* ---- client.c ---- */

/* It has a socket to the broker. May free it. */
void client_connected(struct client *client, int fd);
/* An operator wants it to go; one of MQTT 5 is told so in its words. Frees it, soon or at once. */
void client_send_away(struct client *client, const char *reason);
/* Tells the client why it is turned away in CONNECTION_CLOSE, and frees it. */
void client_turn_away(struct client *client, enum client_culprit culprit, uint64_t code,
		      const char *reason);
/* Frees it, its connection and its socket. */
void client_free(struct client *client);

#endif
