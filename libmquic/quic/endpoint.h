/* SPDX-License-Identifier: MIT */
/*
 * The endpoint: sockets, clock, timers, tasks and events of everything made on it.
 *
 * Work that is due soon is a task: it runs before process returns, or before the event queue is
 * reported empty. Sending is such a task, so that one turn of the caller's loop leaves in as few
 * packets as it can.
 */
#ifndef MQUIC_QUIC_ENDPOINT_H
#define MQUIC_QUIC_ENDPOINT_H

#include "core/event.h"
#include "core/list.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/settings.h"
#include "core/timer.h"
#include "quic/table.h"
#include "quic/token.h"
#include "quic/wire.h"

struct tls_credentials;
struct udp_batch;
struct watch;

/* Room for one burst of packets: the most that one GSO send may carry. */
#define ENDPOINT_BURST_BYTES 65000

/* Whether a client has shown that it receives at the address it sends from. */
enum address_proof {
	ADDRESS_UNPROVEN,
	ADDRESS_PROVEN,
	ADDRESS_PROOFS
};

/* Connections that may give way to newcomers: handshakes by the proof of their address ... */
#define CROWD_KINDS (ADDRESS_PROOFS + 1)
/* ... and those that are complete, and have said nothing yet that would deserve a place. */
#define CROWD_WAITING ADDRESS_PROOFS

/* Sizes of crowds, by powers of two: more handshakes than 2^20 are not allowed. */
#define CROWD_LEVELS 21

/* Something to do once before the loop sleeps. Embedded in its owner. */
struct task {
	struct list link;
	void (*run)(struct task *task);
};

/* Something above this room that must know when the endpoint is freed. */
struct endpoint_child {
	struct list link;
	void (*orphan)(struct endpoint_child *child);
};

/* One listening address. Connections point to it; it lives as long as the endpoint. */
struct quic_listener {
	struct list link;
	struct mquic_settings *settings;
	struct tls_credentials *credentials;
	struct wire *wire;
	uint8_t reset_key[TOKEN_SECRET_LEN]; /* kept in a file, if there is one */
	struct token_secrets secrets;
};

struct mquic_endpoint {
	struct error error;
	struct error expiring; /* what mquic_endpoint_expiring() has shown */
	struct log log;
	void *userdata;

	struct loop loop;
	struct timers timers;
	struct event_queue events;
	struct list tasks;
	struct list task_marker; /* bounds a round: what is scheduled meanwhile stands behind it */
	uint64_t now_ns;
	bool processing; /* now_ns is the time of this turn */
	/* Reads the time; CLOCK_MONOTONIC but in simulations. */
	uint64_t (*clock)(void *argument);
	void *clock_argument;
	/* Opens a wire to `remote` to dial over; a UDP socket but in simulations. */
	enum mquic_status (*open_wire)(struct mquic_endpoint *endpoint, struct wire **wire,
				       const struct address *local,
				       const struct address *remote);

	struct watch *watch; /* for addresses that change; NULL while nothing was dialed */
	struct list children; /* of struct endpoint_child */
	struct list listeners;
	struct list connections; /* all that have a transport */
	struct list closings;
	size_t closing_count;
	struct list acceptable; /* handshake complete, not yet accepted */
	bool acceptable_queued;
	struct table routes;    /* connection identifiers of the server side */
	struct table addresses; /* connections per client address */
	struct list crowds[CROWD_KINDS][CROWD_LEVELS]; /* of struct quic_crowd */
	uint32_t server_connections;
	uint32_t handshakes; /* of the server side, in flight */
	uint64_t reset_second; /* stateless resets are limited per second */
	unsigned int resets;
	uint64_t failure_second; /* so are log lines about failed handshakes */
	unsigned int failures;

	struct udp_batch *batch;
	uint8_t *burst; /* ENDPOINT_BURST_BYTES */
};

/* MQUIC_OK, or in a child of fork() MQUIC_ERR_FORKED with a sentence. */
enum mquic_status endpoint_check_fork(const struct mquic_endpoint *endpoint, struct error *error);

/*
 * Whether this is a child that was forked off in the middle of a turn: no list of the endpoint can
 * be relied on then, and what is on it is best left where it is.
 */
bool endpoint_is_torn(const struct mquic_endpoint *endpoint);

/* The time of this turn, or of now between turns; never goes back. */
uint64_t endpoint_now(struct mquic_endpoint *endpoint);

/* Queues the task unless it waits already, and makes the descriptor readable. */
void endpoint_schedule(struct mquic_endpoint *endpoint, struct task *task);

/* Queues an event and makes the descriptor readable. */
void endpoint_push(struct mquic_endpoint *endpoint, struct mquic_event *event);

/* Adds a listener on a wire that is given, which the endpoint then owns. */
enum mquic_status endpoint_listen_on_wire(struct mquic_endpoint *endpoint,
					  const struct mquic_settings *settings,
					  struct wire *wire);

/* One turn without sockets: fires timers at the current time and runs tasks. */
void endpoint_turn(struct mquic_endpoint *endpoint);

#endif
