/* SPDX-License-Identifier: MIT */
/* What QUIC wants of the system for a UDP socket. */
#ifndef MQUIC_QUIC_UDP_OPTIONS_H
#define MQUIC_QUIC_UDP_OPTIONS_H

#include <stdbool.h>

#include "core/address.h"

/* Before an IPv6 socket is bound: it shall take IPv6 alone. */
void udp_options_keep_ipv4_out(int fd);

/*
 * Sets all that make a socket better: large buffers, GRO, ECN marks, no fragments. True if it must
 * be told the source address of each datagram, because it is bound to all.
 */
bool udp_options_set(int fd, const struct address *local, bool connected);

#endif
