/* SPDX-License-Identifier: MIT */
/* The QUIC clients of the worker and their unix sockets. All of this runs on the worker. */
#ifndef SERVER_CLIENTS_H
#define SERVER_CLIENTS_H

#include <stdint.h>

#include <mquic.h>

#include "client-facts.h"
#include "door.h"
#include "queue.h"
#include "roll.h"
#include "speaker.h"

struct client;

/* What is the same for all clients that come by one listener. */
struct client_settings {
	unsigned int listener; /* from 0, for the door */
	const char *name;      /* of the listener, in lines; NULL: it is the only one */
	uint64_t connect_timeout_ms;
	size_t connect_max; /* bytes */
	bool proxy_header;  /* the broker wants to be told the client's address */
};

struct client_limits {
	uint64_t memory;            /* bytes of all clients together */
	const char *memory_reached; /* the sentence about that limit. Static */
};

/* Everything the clients share. */
struct clients {
	const struct door *door;
	struct client_limits limits;
	struct speaker speaker;
	struct roll *roll; /* NULL: there is none */
	bool leaving;      /* who comes now is told with the others that wait, at the end */
	int epoll_fd;
	uint64_t numbered;        /* clients that have come so far */
	uint64_t now_ms;          /* the worker reads the clock once per turn */
	uint64_t memory;          /* bytes of all clients, when last counted */
	uint64_t count_memory_ms; /* when to count again */
	bool memory_moved;        /* something has happened since then */
	uint64_t renew_ms;        /* when to write the roll anew */
	struct queue all;
	struct queue dialing;  /* those that wait longest first */
	uint8_t buffer[65536]; /* one read of a unix socket */
};

/* Makes the lists empty; the fields above them are the caller's. */
void clients_init(struct clients *clients);

/* Takes over an accepted connection; closes it if that cannot be done. `settings` outlive it. */
void client_accept(struct clients *clients, const struct client_settings *settings,
		   struct mquic_connection *connection);

/* The relay's events; `client` is its user data. The client may be freed by it. */
void client_event(struct client *client, enum mquic_event_type type);

/* What RELAY_CLOSED, which comes next, tells of the end. `text` must last until that is over. */
void client_hears_end(struct client *client, const char *text);

/* The unix socket has something to read (EPOLLIN), room (EPOLLOUT) or ended. May free it. */
void client_ready(struct client *client, uint32_t epoll_events);

/* Dials for those that have no unix socket yet; some may have to wait for its backlog. */
void clients_dial(struct clients *clients);

/* Milliseconds until clients_dial() or clients_limit_memory() has something to do; -1: not yet. */
int clients_timeout_ms(const struct clients *clients);

/*
 * Keeps the memory of all clients below memory_limit: when it is reached, those that take more
 * than their share are turned away, the largest first. To be called once per turn; `moved` says
 * whether anything happened in it.
 */
void clients_limit_memory(struct clients *clients, bool moved);

/* Writes the roll anew, at most once a second. To be called when something has happened. */
void clients_renew_roll(struct clients *clients);

/*
 * Tells of at most `most` clients whose number is above `after`, in the order of their numbers;
 * returns how many there were.
 */
size_t clients_tell(const struct clients *clients, uint64_t after, struct client_facts *facts,
		    size_t most);

/* Turns a client away, because an operator wants that. False: there is none of this number. */
bool clients_close(struct clients *clients, uint64_t number);

/* The broker goes away: turns away those that it has not seen yet. */
void clients_turn_away(struct clients *clients);

/* The broker goes on with another worker: all that are here are to connect to that. */
void clients_send_away(struct clients *clients);

/* A listener is closed: turns away all that came by it. */
void clients_turn_away_from(struct clients *clients, unsigned int listener, const char *reason);

/* Cuts off and frees all that are left. */
void clients_free(struct clients *clients);

#endif
