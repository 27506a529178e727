/* SPDX-License-Identifier: MIT */
/* A numeric address and a port, as "192.0.2.1:14567" or "[2001:db8::1]:14567". */
#ifndef SERVER_HOSTPORT_H
#define SERVER_HOSTPORT_H

#include <stdbool.h>
#include <stdint.h>

#define HOSTPORT_TEXT_SIZE 80

struct hostport {
	char host[64]; /* without brackets; IPv6 may have a zone, as in "fe80::1%eth0" */
	uint16_t port;
	bool is_ipv6; /* it was in brackets */
};

/* Cuts the text in two, and checks the port but not the address; false: it is neither form. */
bool hostport_parse(const char *text, struct hostport *out);

/* Whether the address is one of its family; without a zone, for that is a name. */
bool hostport_is_numeric(const struct hostport *hostport);

/* Writes it as one text again. */
void hostport_text(const struct hostport *hostport, char text[HOSTPORT_TEXT_SIZE]);

#endif
