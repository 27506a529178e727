/* SPDX-License-Identifier: MIT */
/*
 * One direction of an emulated link. Time comes in as an argument and goes out as a due time:
 * nothing here reads a clock or touches a socket.
 *
 * The order is that of Mininet's TCLink, netem below HTB: a packet may be lost, must find room
 * among the queued ones (those being delayed count), is delayed, and then waits for the token
 * bucket. Every random choice is a function of (seed, link, direction, packet number), so two
 * transports that send the same number of packets lose the same ones.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_params {
	double rate_bps;    /* 0: no limit */
	double loss;        /* 0 to 1; with bursts, the loss in the good state */
	double burst_enter; /* Gilbert-Elliott: chance per packet to enter the bad state */
	double burst_leave; /* ... and to leave it */
	double burst_loss;  /* loss in the bad state */
	double reorder;     /* share of packets that skip the delay */
	uint64_t delay_ns;
	uint64_t jitter_ns; /* uniform, up to this much more or less; keeps the order */
	uint32_t queue_packets;
	uint32_t bucket_bytes; /* what an idle link sends at once */
};

enum link_verdict {
	LINK_PASS,
	LINK_LOST,
	LINK_FULL,
	LINK_DOWN
};

struct link_half {
	uint64_t seed;
	uint32_t id; /* link number and direction */
	bool bad;    /* Gilbert-Elliott state */
	uint32_t queued;
	uint64_t number;     /* packets offered */
	uint64_t free_at_ns; /* when an empty bucket would be paid for */
	uint64_t last_ready_ns;
	uint64_t passed;
	uint64_t lost;
	uint64_t full;
	uint64_t down;
};

/* Defaults: no limit, no delay, no loss, 1000 packets, 15000 bytes. */
void link_params_init(struct link_params *params);

/*
 * Sets `name` ("rate_bps", "delay_ms", "jitter_ms", "loss", "burst_enter", "burst_leave",
 * "burst_loss", "reorder", "queue", "bucket"); false if the name or value makes no sense.
 */
bool link_params_set(struct link_params *params, const char *name, double value);

void link_half_reset(struct link_half *half, uint64_t seed, uint32_t id);

/*
 * Offers a packet of `bytes` at `now_ns`. On LINK_PASS it is at the other end at `*due_ns`;
 * call link_leave() then.
 */
enum link_verdict link_offer(struct link_half *half, const struct link_params *params, bool up,
			     uint64_t now_ns, size_t bytes, uint64_t *due_ns);
void link_leave(struct link_half *half);

/* A number in [0, 1) that depends on the arguments alone. */
double link_chance(uint64_t seed, uint32_t id, uint32_t purpose, uint64_t number);

#endif
