/* SPDX-License-Identifier: MIT */
/*
 * Who the clients behind the hand-off socket are. A table of the broker's thread alone; what the
 * workers tell comes to it over their channels.
 *
 *                  ┌──────show──────▶ SHOWN ───────take_shown──┐
 *                  │                                           ▼
 *        add ──▶ ANNOUNCED ────────────take────────────────▶ BOUND ────forget────▶ LOOSE
 *                  │              (one time)                   │    (DISCONNECT,      │
 *                  └───────────────────────────────────────────┴──── re-login) ───────┘
 *                             remove (its client is gone), drop (its worker is)
 *
 * A worker has one made per client before CONNECT reaches the broker, and removed when the client's
 * unix socket is closed. Each worker has those of its own alone. A BOUND one is found by the
 * broker's pointer for the client, which the broker may use again for another client: see login.c.
 *
 * A client is known by the token in its CONNECT, or, where there is no room for one, by its socket:
 * the broker asks about a client as soon as it has read the last byte of CONNECT, before it reads
 * from anybody else, and closes the socket at once if it does not get as far as that. So the
 * client it asks about is the one whose socket is open and empty, on which nothing was sent but
 * CONNECT. That cannot be anybody who has connected to the hand-off on his own. CONNECT is sent
 * here, for until it is sent the socket is empty as well, and might be anybody's.
 */
#ifndef MOSQUITTO_PLUGIN_IDENTITY_H
#define MOSQUITTO_PLUGIN_IDENTITY_H

#include <stdbool.h>

#include "../gateway/channel.h"
#include "../gateway/token.h"

struct mosquitto;
struct identities;

/* What the broker learns about a client, once. */
struct identity_facts {
	unsigned int listener; /* that it has come by; nobody but its worker says so */
	enum channel_kind kind;
	char *name;    /* the user name it is to have, NULL for none; the caller frees it */
	char peer[64]; /* its UDP address and port */
};

/*
 * Creates an empty table of at most so many clients of each of `workers`, which have numbers from 1
 * to OPTIONS_WORKERS_MAX. NULL: out of memory, or of randomness.
 */
struct identities *identities_new(size_t most, unsigned int workers);
/* Frees it and all in it. NULL is fine. */
void identities_free(struct identities *table);

/* Announces a client of a worker. False: no memory, no room, or the token is there already. */
bool identity_add(struct identities *table, unsigned int worker, const struct token *token,
		  const struct identity_facts *facts);
/* Forgets a client of this worker for good. */
void identity_remove(struct identities *table, unsigned int worker, const struct token *token);
/* Forgets all of this worker. */
void identities_drop(struct identities *table, unsigned int worker);

/*
 * Announces a client of this worker by its socket, which becomes the table's: sends `connect`, the
 * first bytes on it and nothing but CONNECT; none may follow before the broker has answered.
 * `client_id`, unless NULL, is what the broker must know it by. False: no such client, or the
 * socket did not take all of it; then it is shut down.
 */
bool identity_show(struct identities *table, unsigned int worker,
		   const struct channel_message *message);

/* Whether the broker has not asked about this client of the worker's and that listener's. */
bool identity_is_waiting(struct identities *table, unsigned int worker, unsigned int listener,
			 const struct token *token);
/* Whether the broker has ever asked about any of that listener. */
bool identities_were_taken(const struct identities *table, unsigned int listener);

/*
 * Uses up a token and binds its identity to the broker's client. False: unknown or used, and
 * nothing is changed.
 */
bool identity_take(struct identities *table, const struct token *token,
		   const struct mosquitto *client, struct identity_facts *facts);
/* The same for the one whose CONNECT the broker has just read, by its socket. */
bool identity_take_shown(struct identities *table, const struct mosquitto *client,
			 const char *client_id, struct identity_facts *facts);
/* What kind of client the broker's pointer stands for; false if it stands for none. */
bool identity_find(struct identities *table, const struct mosquitto *client,
		   enum channel_kind *kind);
/* The broker's pointer stands for nobody any more. */
void identity_forget(struct identities *table, const struct mosquitto *client);

#endif
