/* SPDX-License-Identifier: MIT */
/* The PROXY protocol, version 2: tells whoever takes a connection whose bytes it carries. */
#ifndef SERVER_PROXY_H
#define SERVER_PROXY_H

#include <stddef.h>
#include <stdint.h>

/* The largest header proxy_header() writes. */
#define PROXY_HEADER_MAX 112

/*
 * Writes the PROXY protocol header, version 2, for a client with the addresses "192.0.2.1:4433"
 * or "[2001:db8::1]:4433", and returns its length; 0 if they are not such. It says that the client
 * has come by TLS 1.3, with `cipher` if that is not "". The broker of 2.1 must find the header in
 * one piece: send it together with the first bytes.
 */
size_t proxy_header(uint8_t header[PROXY_HEADER_MAX], const char *peer, const char *local,
		    const char *cipher);

#endif
