/* SPDX-License-Identifier: MIT */
/*
 * Who the clients behind the hand-off socket are. The one table both threads use, under one
 * mutex that is never held while anything else is called.
 *
 *     worker: new ──▶ ANNOUNCED ──main: take──▶ BOUND ──main: forget──▶ LOOSE
 *                         │       (one time)      │    (DISCONNECT,       │
 *                         └───────────────────────┴──── re-login) ────────┘
 *                                       worker: free
 *
 * The worker makes one per client before CONNECT reaches the broker and frees it when the
 * client's unix socket is closed, so there are never more than clients, and no token outlives
 * its client. A BOUND one is found by the broker's pointer for the client, which the broker
 * may use again for another client: see login.c.
 */
#ifndef MOSQUITTO_PLUGIN_IDENTITY_H
#define MOSQUITTO_PLUGIN_IDENTITY_H

#include <stdbool.h>

#include "token.h"

struct mosquitto;
struct identity;
struct identities;

enum identity_kind {
	IDENTITY_CLIENT,      /* its own user name and password decide */
	IDENTITY_CERTIFICATE, /* its certificate has decided: the common name is the user name */
	IDENTITY_REFUSED,     /* a certificate without a usable name where one is demanded */
};

/* What the broker's thread learns about a client, once. */
struct identity_facts {
	enum identity_kind kind;
	char *common_name; /* the caller frees it; NULL unless IDENTITY_CERTIFICATE */
	char peer[64];	   /* its UDP address and port */
};

/* Creates an empty table; NULL: out of memory. */
struct identities *identities_new(void);
/* Frees it; all identities must be freed before. NULL is fine. */
void identities_free(struct identities *table);

/* Worker: announces a client under a new token. NULL: no memory or no randomness. */
struct identity *identity_new(struct identities *table, enum identity_kind kind,
			      const char *common_name, const char *peer);
/* Worker: forgets the client for good; NULL is fine. */
void identity_free(struct identities *table, struct identity *identity);
/* Worker: the token to announce it with. */
const struct token *identity_token(const struct identity *identity);

/*
 * Main thread: uses up a token and binds its identity to the broker's client. False: unknown
 * or used, and nothing is changed.
 */
bool identity_take(struct identities *table, const struct token *token,
		   const struct mosquitto *client, struct identity_facts *facts);
/* Main thread: what kind of client the broker's pointer stands for; false if it stands for none. */
bool identity_find(struct identities *table, const struct mosquitto *client,
		   enum identity_kind *kind);
/* Main thread: the broker's pointer stands for nobody any more. */
void identity_forget(struct identities *table, const struct mosquitto *client);

#endif
