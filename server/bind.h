/* SPDX-License-Identifier: MIT */
/* UDP sockets to listen on, for whoever hands them to a worker. */
#ifndef SERVER_BIND_H
#define SERVER_BIND_H

#include "hostport.h"

/* A UDP socket bound to this address alone, close-on-exec; -1: errno says why. */
int bind_udp(const struct hostport *hostport);

#endif
