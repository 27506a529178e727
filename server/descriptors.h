/* SPDX-License-Identifier: MIT */
/* File descriptors: some per QUIC client, and programs that spin when there are none left. */
#ifndef SERVER_DESCRIPTORS_H
#define SERVER_DESCRIPTORS_H

#include <stdint.h>

/* Raises the soft limit to the hard one, which needs no privilege, and returns what holds. */
uint64_t descriptors_raise_files(void);

/*
 * How many QUIC clients fit that take `each` descriptors of this process: one for the socket to
 * the broker, and another one if its other end lives here, too. What is kept back serves
 * everything else, such as a broker's own clients, files and bridges.
 */
uint32_t descriptors_clients(uint64_t files, unsigned int each);

/*
 * The lowest free descriptor is always handed out, so a number above this one means that
 * nearly all are in use: give it back.
 */
int descriptors_highest_fd(uint64_t files);

#endif
