/* SPDX-License-Identifier: MIT */
/* The emulator's parts: the network, the TUN device of each host, what is due and when. */
#ifndef EMULATOR_H
#define EMULATOR_H

#include "heap.h"
#include "nat.h"
#include "net.h"

#define PLAN_STEPS 64

enum step_kind {
	STEP_DOWN,
	STEP_UP,
	STEP_REBIND
};

struct step {
	uint64_t after_ns; /* since the first packet */
	enum step_kind kind;
	char name[2 * NET_NAME];
};

struct emulator {
	struct net net;
	struct nat nats[NET_NODES];
	int tuns[NET_NODES]; /* -1: a switch */
	struct heap heap;
	struct step plan[PLAN_STEPS];
	int plan_count;
	int plan_done;
	uint64_t first_ns; /* when the first packet came after a reset; 0: none yet */
	uint64_t no_route;
	uint64_t unmapped; /* refused by a NAT */
	bool quit;
};

uint64_t now_ns(void);

/* forward.c: reads what a host sends, moves what is due, carries out the plan. */
void emulator_read(struct emulator *emulator, int node, uint64_t at_ns);
void emulator_move(struct emulator *emulator, uint64_t at_ns);
/* When something is due next; UINT64_MAX: nothing. */
uint64_t emulator_next_ns(const struct emulator *emulator);
void emulator_reset(struct emulator *emulator, uint64_t seed);

/* control.c: carries out one command line and answers on standard output. */
void emulator_command(struct emulator *emulator, char *line);

/* tun.c: makes the device `name` in the network namespace; a descriptor, or -1 with errno. */
int tun_open(const char *netns, const char *name);

#endif
