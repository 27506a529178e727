/* SPDX-License-Identifier: MIT */
/*
 * A network of endpoints without sockets, on a clock of its own: thousands of simulated seconds
 * pass in real milliseconds, and one seed makes one course of events. Randomness that the library
 * asks of the system comes from the seed, too.
 *
 *     host ──up──▶ ┐        ┌ ──down──▶ host
 *     host ──up──▶ ┴ middle ┴ ──down──▶ probe (a bare address, for packets made by hand)
 *
 * Between events the simulator turns every endpoint until nothing is left to do at this instant,
 * then jumps to the next deadline or arrival. An endpoint that never comes to rest ends the
 * program: it would spin in real life.
 */
#ifndef MQUIC_TESTS_SIM_H
#define MQUIC_TESTS_SIM_H

#include "mquic.h"
#include "quic/body.h"

#define SIM_MS     ((uint64_t)1000000)
#define SIM_SECOND (1000 * SIM_MS)

/* One direction of a host's access line. All zero: perfect. Chances are per thousand. */
struct sim_link {
	uint64_t delay_ns;
	uint64_t jitter_ns; /* up to this much more for each packet, which reorders them */
	unsigned int loss;
	unsigned int duplicate;
	unsigned int mark; /* congestion experienced, on packets that can carry ECN */
	bool bleach;       /* ECN marks are wiped */
	uint64_t rate;     /* bytes per second, 0: no limit */
	size_t queue;      /* bytes that may wait for it; more are dropped */
	size_t mtu;        /* larger packets vanish, 0: none do */
	bool tells;        /* the host's system refuses them instead */
	size_t known;      /* what the host's system takes the MTU for, 0: nothing is known */

	/* what became of it */
	uint64_t packets; /* offered */
	uint64_t bytes;
	uint64_t lost; /* for any reason */
	uint64_t marked;
	uint64_t free_at_ns; /* when the last packet will have left */
};

struct sim;

struct sim_host {
	struct list link;
	struct sim *sim;
	struct mquic_endpoint *endpoint; /* NULL: a probe, or switched off */
	struct quic_host *quic;          /* its half of QUIC */
	unsigned int number;             /* 10.0.0.number, behind NAT 192.0.2.number */
	struct list wires;
	struct sim_link up;
	struct sim_link down;
	uint16_t next_port;
	int send_error; /* what the system says to sending; 0: nothing */
	int open_error; /* and to opening a wire */
	/* Gets each event, which is freed behind its back. */
	void (*on_event)(struct sim_host *host, struct mquic_event *event);
	uint64_t (*clock)(const struct sim *sim); /* in place of the simulation's; NULL: that */
	/* Sees each datagram before the endpoint does, which does not get it if this is true. */
	bool (*intercept)(struct sim_host *host, const struct datagram *datagram);
	/* A probe gets each datagram. */
	void (*on_datagram)(struct sim_host *host, const struct datagram *datagram);
	void *user;
};

struct sim *sim_new(uint64_t seed);
/* Frees hosts, their endpoints, and what is in the air. Handles are their owners'. */
void sim_free(struct sim *sim);

/*
 * A host with an endpoint, or a probe without. Numbers are 1 to 254, each used once. What the
 * endpoint dials goes over a wire of the host: mquic_connection_dial(..., "10.0.0.2", port).
 */
struct sim_host *sim_host_new(struct sim *sim, unsigned int number);
struct sim_host *sim_probe_new(struct sim *sim, unsigned int number, uint16_t port);

/* Frees the endpoint without a word to anybody, as a power cut does, and makes a new one. */
void sim_restart(struct sim_host *host);

enum mquic_status sim_listen(struct sim_host *host, const struct mquic_settings *settings,
			     uint16_t port);

/* Moves the host's wires to other ports as seen from outside; packets to the old ones are lost. */
void sim_rebind(struct sim_host *host);

/*
 * Gives the host another number. What it opens from now on is there; wires it has go on only if
 * the old address stays. Nobody is told.
 */
void sim_move(struct sim_host *host, unsigned int number, bool old_stays);

/* 10.0.0.number:port. */
struct address sim_address(unsigned int number, uint16_t port);
/* Where a host's first wire is seen from outside. */
struct address sim_seen_from_outside(const struct sim_host *host);

/* A datagram arrives at `to` at once, whoever `from` is. */
void sim_inject(struct sim *sim, const struct address *from, const struct address *to,
		const uint8_t *data, size_t len);

/* A probe hands a datagram to its line. */
void sim_send(struct sim_host *probe, const struct address *to, const uint8_t *data, size_t len);

/* Called with every packet that a host hands to its line. */
typedef void (*sim_tap)(void *user, const struct sim_host *from, const struct datagram *datagram);
void sim_set_tap(struct sim *sim, sim_tap tap, void *user);

/* Whether the simulator itself allocates now: an allocator that fails on purpose must spare it. */
bool sim_is_allocating(void);

uint64_t sim_now(const struct sim *sim);
uint64_t sim_random(struct sim *sim);
/* 0 to bound - 1. */
uint64_t sim_below(struct sim *sim, uint64_t bound);

/* Does what is due now; the clock stands still. */
void sim_settle(struct sim *sim);
/* Lets time pass. */
void sim_run(struct sim *sim, uint64_t duration_ns);
/* Lets time pass until `done`; false if that was not within `limit_ns`. */
bool sim_until(struct sim *sim, bool (*done)(void *argument), void *argument, uint64_t limit_ns);

#endif
