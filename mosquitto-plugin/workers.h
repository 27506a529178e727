/* SPDX-License-Identifier: MIT */
/*
 * The workers beside the broker: programs that speak QUIC. They are started, fed, watched, and
 * started again when they end. All of this is the broker's thread; nothing waits but the start of
 * the first and the end.
 */
#ifndef MOSQUITTO_PLUGIN_WORKERS_H
#define MOSQUITTO_PLUGIN_WORKERS_H

#include <stdbool.h>

#include "identity.h"
#include "../gateway/handoff.h"
#include "../gateway/options.h"
#include "../server/counters.h"

struct workers;

/* What each of them is told. It must outlive them. */
struct workers_order {
	const struct options *options;
	const struct option_line *lines;
	int line_count;
	bool broker_2_1;
};

/*
 * Binds the UDP addresses, starts the program and waits until it has read its keys; nobody is served
 * yet, datagrams wait in the sockets. NULL: `error` has a sentence.
 */
struct workers *workers_new(const struct workers_order *order, struct identities *identities,
			    char error[OPTIONS_ERROR_SIZE]);

/* Has a listener's clients served, from now on. `terms`: what the self-test has found. */
void workers_serve(struct workers *workers, unsigned int listener,
		   const struct handoff_terms *terms);

/* Has none of a listener's clients served, for good, and its addresses free. */
void workers_shut(struct workers *workers, unsigned int listener);

/* In each round of the broker's loop: what they have said, and whether they are there. */
void workers_tick(struct workers *workers);

/* Reads what they have said by now: the announcement of the client that the broker asks about. */
void workers_read(struct workers *workers);

/* The broker has asked about a client of this listener. To be called before it answers that. */
void workers_taken(struct workers *workers, unsigned int listener);

/* Whether the broker has let a client of the listener in without asking the plugin about it. */
bool workers_were_bypassed(const struct workers *workers, unsigned int listener);

/* Has all replaced, one after the other; the log tells of it. False: they are, or none serves. */
bool workers_replace(struct workers *workers);

/* Has certificates and keys read again; the outcome is logged. */
void workers_reload(struct workers *workers);

/* Has them say which certificates have expired or soon will, as they do at the start. */
void workers_tell_expiring(struct workers *workers);

/* The channel to one of them, from 1 to OPTIONS_WORKERS_MAX; -1: there is none now. */
int workers_channel(const struct workers *workers, unsigned int number);

/* Has them tell what they have counted. */
void workers_count(struct workers *workers);

/* Whether all that could be asked have told. */
bool workers_have_counted(const struct workers *workers);

/*
 * What they have told, and what those had counted that are gone: first of all together, then of
 * each, up to 1 + OPTIONS_WORKERS_MAX. How many workers there are.
 */
size_t workers_counters(const struct workers *workers, struct counters counters[]);

/* Ends all connections and the programs; takes two seconds at the most. */
void workers_stop(struct workers *workers);

/* Frees what is left of them; NULL is fine. */
void workers_free(struct workers *workers);

#endif
