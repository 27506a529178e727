/* SPDX-License-Identifier: MIT */
/*
 * What speaks QUIC: listeners, their clients, and the loop that serves them. One thread makes it,
 * has it listen and runs it, or hands it over to another one that does; what others may call any
 * time says so.
 *
 * Each listener has an endpoint of its own, so that what limits its clients limits no others.
 *
 *     add ──▶ CLOSED ──open──▶ OPEN ──shut──▶ SHUT, for good
 *                └─────────────shut────────────▲
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <stdbool.h>

#include "clients.h"
#include "counters.h"
#include "door.h"
#include "hostport.h"

struct worker;

#define WORKER_LISTENERS_MAX 16

/* `door` must outlive it. NULL: no memory, or no descriptor. */
struct worker *worker_new(const struct door *door, const struct client_limits *limits);

/* One more listener, of this number. False: no memory, or no descriptor. */
bool worker_add(struct worker *worker, const struct client_settings *settings);

/*
 * Has a listener listen on a UDP socket that is bound to this address, and reads the keys; nobody is
 * served yet, datagrams wait in the socket. False: worker_error() says why, and the socket stays the
 * caller's.
 */
bool worker_listen(struct worker *worker, unsigned int listener,
		   const struct mquic_settings *settings, const struct hostport *listen, int fd);

/* Sentence about the last call for this listener that failed; valid until the next one. */
const char *worker_error(const struct worker *worker, unsigned int listener);

/* Has the listener's clients served. */
void worker_open(struct worker *worker, unsigned int listener);

/* Turns its clients away, soon, and serves none any more. */
void worker_shut(struct worker *worker, unsigned int listener);

/* Says which certificates have expired or soon will; done again after a reload. */
void worker_say_expiring(struct worker *worker);

/* Serves clients until worker_stop(), then gives them half a second to take their last bytes. */
void worker_run(struct worker *worker);

/* Any time: ends worker_run(), or has it end at once. */
void worker_stop(struct worker *worker);

/* Any time: the same, and another worker takes its place: its clients are told to connect anew. */
void worker_leave(struct worker *worker);

/* Any time: whether it has been told to end. */
bool worker_is_stopped(const struct worker *worker);

/* Any time: has certificates and keys read again; the outcome is said. */
void worker_reload(struct worker *worker);

/* Any time: has worker_say_expiring() done once more. */
void worker_tell_expiring(struct worker *worker);

/* Has it keep its roll in this memory (roll.h), before it listens. The descriptor is closed. */
void worker_keep_roll(struct worker *worker, int fd);

/* Tells the clients on this roll, of one that has died, that they have to connect anew. */
void worker_take_orphans(struct worker *worker, int fd);

/* A snapshot of what it has counted. Of whoever runs it. */
void worker_count(const struct worker *worker, struct counters *counters);

/* Tells of clients, see clients_tell(). Of whoever runs it. */
size_t worker_list(const struct worker *worker, uint64_t after, struct client_facts *facts,
		   size_t most);

/* Turns a client away, see clients_close(). Of whoever runs it. */
bool worker_close_client(struct worker *worker, uint64_t number);

/* Frees a worker that does not run; NULL is fine. */
void worker_free(struct worker *worker);

#endif
