/* SPDX-License-Identifier: MIT */
/*
 * One UDP address for several workers, each of which has a socket of its own: the kernel looks into
 * each datagram for the worker that its connection identifier names, as mquic.h says at
 * mquic_settings_set_workers(). It needs no privilege.
 *
 * Sockets count in the order in which they were bound, and that changes when one of them is closed
 * for good. So whoever makes them keeps them open as long as there are workers, and hands a copy
 * to each. When a worker dies, the datagrams for it wait in its socket; its successor gets the same
 * one and reads them, and no other worker is bothered.
 *
 * Datagrams from one port of a client that the kernel has glued together (GRO) go where the first
 * of them goes; a client that uses one port for several connections to us may lose a packet then,
 * and sends it again.
 */
#ifndef SERVER_STEERING_H
#define SERVER_STEERING_H

#include <stdbool.h>

/* As many as an octet can name. */
#define STEERING_MAX 256

/*
 * Adds to fds[0], a UDP socket that is bound and alone at its address, count - 1 others and stores
 * them behind it: fds[i] is for worker i. They are closed at exec. False: errno says why, the
 * others are closed again, and the first is as good as before.
 */
bool steering_split(int *fds, unsigned int count);

#endif
