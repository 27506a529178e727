/* SPDX-License-Identifier: MIT */
/* Addresses with ports: parsing, printing, and where a name leads. */
#ifndef MQUIC_CORE_ADDRESS_H
#define MQUIC_CORE_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/error.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} of;
	socklen_t len; /* 0: none */
};

/* "[2001:db8:0:0:0:0:0:1%enp0s31f6]:65535" and then some. */
#define ADDRESS_TEXT_SIZE 80

#define ADDRESS_PREFIX_MAX 9

/* Where a name may be reached at most. */
#define ADDRESS_CANDIDATES 8

struct addresses {
	struct address list[ADDRESS_CANDIDATES];
	size_t count;
};

/* A numeric address; MQUIC_ERR_INVALID with a sentence otherwise. */
enum mquic_status address_parse(struct address *address, const char *text, uint16_t port,
				struct error *error);

/*
 * Has the system look up a host name, which blocks: resolve.h is for those who may not. Stores the
 * addresses in the order to try: as the system sorts them (RFC 6724), families taking turns (RFC
 * 8305 section 4). Returns what getaddrinfo() does, with errno for EAI_SYSTEM. In any thread.
 */
int address_find(struct addresses *found, const char *host, uint16_t port);

/* "192.0.2.1:4433" or "[2001:db8::1]:4433". */
void address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

/* Whatever the ports. */
bool address_same_host(const struct address *a, const struct address *b);

bool address_equal(const struct address *a, const struct address *b);

uint16_t address_port(const struct address *address);

/* What counts as one place for limits: an IPv4 address or an IPv6 /64. Returns its length. */
size_t address_prefix(const struct address *address, uint8_t prefix[ADDRESS_PREFIX_MAX]);

#endif
