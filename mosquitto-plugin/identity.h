/* SPDX-License-Identifier: MIT */
/*
 * Who the clients behind the hand-off socket are. The one table both threads use, under one
 * mutex that is never held while anything else is called, but for one send that cannot wait.
 *
 *                  ┌──worker: show──▶ SHOWN ──main: take_shown──┐
 *                  │                                            ▼
 *     worker: new ──▶ ANNOUNCED ────────main: take──────────▶ BOUND ──main: forget──▶ LOOSE
 *                         │          (one time)                 │    (DISCONNECT,      │
 *                         └─────────────────────────────────────┴──── re-login) ───────┘
 *                                       worker: free
 *
 * The worker makes one per client before CONNECT reaches the broker and frees it when the
 * client's unix socket is closed, so there are never more than clients, and no token outlives
 * its client. A BOUND one is found by the broker's pointer for the client, which the broker
 * may use again for another client: see login.c.
 *
 * A client is known by the token in its CONNECT, or, where there is no room for one, by its socket:
 * the broker asks about a client as soon as it has read the last byte of CONNECT, before it reads
 * from anybody else, and closes the socket at once if it does not get as far as that. So the
 * client it asks about is the one whose socket is open and empty, on which nothing was sent but
 * CONNECT. That cannot be anybody who has connected to the hand-off on his own.
 */
#ifndef MOSQUITTO_PLUGIN_IDENTITY_H
#define MOSQUITTO_PLUGIN_IDENTITY_H

#include <stdbool.h>

#include "../gateway/token.h"

struct mosquitto;
struct msghdr;
struct identity;
struct identities;

enum identity_kind {
	IDENTITY_CLIENT,      /* its own user name and password decide */
	IDENTITY_CERTIFICATE, /* its certificate has decided, which has the user name in it */
	IDENTITY_REFUSED,     /* a certificate without a usable name where one is demanded */
};

/* What the broker's thread learns about a client, once. */
struct identity_facts {
	enum identity_kind kind;
	char *name;    /* the user name it is to have, NULL for none; the caller frees it */
	char peer[64]; /* its UDP address and port */
};

/* Creates an empty table; NULL: out of memory. */
struct identities *identities_new(void);
/* Frees it; all identities must be freed before. NULL is fine. */
void identities_free(struct identities *table);

/* Worker: announces a client under a new token. NULL: no memory or no randomness. */
struct identity *identity_new(struct identities *table, enum identity_kind kind, const char *name,
			      const char *peer);
/* Worker: forgets the client for good, before its socket is closed; NULL is fine. */
void identity_free(struct identities *table, struct identity *identity);
/* Worker: the user name it is to have, NULL for none; only before the broker is told of it. */
const char *identity_name(const struct identity *identity);
/* Worker: the token to announce it with. */
const struct token *identity_token(const struct identity *identity);

/*
 * Worker: announces a client by its socket instead. Sends `connect`, the first bytes on it and
 * nothing but CONNECT; none may follow before the broker has answered. `client_id`, unless NULL,
 * is what the broker must know it by. False: the socket did not take all of it, or no memory.
 */
bool identity_show(struct identities *table, struct identity *identity, int fd,
		   const struct msghdr *connect, const char *client_id);

/* Worker: whether the broker has asked about it. */
bool identity_was_taken(struct identities *table, const struct identity *identity);
/* Whether the broker has ever asked about any. */
bool identities_were_taken(struct identities *table);

/*
 * Main thread: uses up a token and binds its identity to the broker's client. False: unknown
 * or used, and nothing is changed.
 */
bool identity_take(struct identities *table, const struct token *token,
		   const struct mosquitto *client, struct identity_facts *facts);
/* Main thread: the same for the one whose CONNECT the broker has just read, by its socket. */
bool identity_take_shown(struct identities *table, const struct mosquitto *client,
			 const char *client_id, struct identity_facts *facts);
/* Main thread: what kind of client the broker's pointer stands for; false if it stands for none. */
bool identity_find(struct identities *table, const struct mosquitto *client,
		   enum identity_kind *kind);
/* Main thread: the broker's pointer stands for nobody any more. */
void identity_forget(struct identities *table, const struct mosquitto *client);

#endif
