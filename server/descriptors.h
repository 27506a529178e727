/* SPDX-License-Identifier: MIT */
/* File descriptors: two per QUIC client, and a broker that spins when there are none left. */
#ifndef SERVER_DESCRIPTORS_H
#define SERVER_DESCRIPTORS_H

#include <stdint.h>

/* Raises the soft limit to the hard one, which needs no privilege, and returns what holds. */
uint64_t descriptors_raise_files(void);

/*
 * How many QUIC clients fit: both ends of their unix sockets live in this process. What is kept
 * back serves the broker's own clients, files and bridges.
 */
uint32_t descriptors_clients(uint64_t files);

/*
 * The lowest free descriptor is always handed out, so a number above this one means that
 * nearly all are in use: give it back.
 */
int descriptors_highest_fd(uint64_t files);

#endif
