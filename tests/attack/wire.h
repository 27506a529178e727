/* SPDX-License-Identifier: MIT */
/*
 * Sockets in place of the simulated network that the hostile peer (tests/hostile) was made for.
 * Each peer has one, on an address of its own where the attack wants that.
 */
#ifndef ATTACK_WIRE_H
#define ATTACK_WIRE_H

#include "hostile.h"

struct tally {
	uint64_t datagrams;
	uint64_t bytes;
};

/* What was sent so far. */
extern struct tally wire_tally;

/* Where everything goes instead of where it is addressed to, for what an attack costs alone. */
void wire_divert(bool divert);

/* A copy of the next datagram that is sent goes here, and not out; NULL: it goes out. */
void wire_capture(struct octets *into);

/* An address of 127.0.0.0/8 for the next socket that is made, 0: 127.0.0.1. */
void wire_source(uint32_t number);

/* A socket from the address, -1: the system has none. */
int wire_open(uint32_t number);
void wire_throw(int fd, const struct address *to, const void *data, size_t len);

/* Reads what has come for the peer, and answers as it does. */
void wire_read(struct hostile *peer);
/* Waits up to `timeout_ms` for something to come. */
void wire_wait(struct hostile *peer, int timeout_ms);
/* The peer has another port from now on. */
void wire_move(struct hostile *peer);
void wire_close(struct hostile *peer);

#endif
