/* SPDX-License-Identifier: MIT */
/*
 * A client's tickets (RFC 8446 section 4.6.1), each good for one connection: whoever watches two
 * of them that show the same ticket knows that they are one client's (appendix C.4).
 */
#ifndef MQUIC_TLS_TICKETS_H
#define MQUIC_TLS_TICKETS_H

#include "core/list.h"
#include "tls/tls.h"

/* More servers than one program talks to at a time; each ticket takes 1 to 2 kB. */
#define TICKETS_MOST 32

/* What GnuTLS keeps for one, the server's certificates among it: the longest chain fits. */
#define TICKET_SIZE_MOST 16384

struct tls_ticket {
	struct list link;
	uint8_t owner[TLS_SECRET_LEN]; /* see binding_owner() */
	uint64_t until_s;              /* good for so long, in seconds of the Epoch */
	uint64_t rtt_us;               /* round trip when it came, a hint for the next */
	size_t len;
	uint8_t data[];
};

/* The oldest first. */
struct tls_tickets {
	struct list list;
	size_t count;
};

/* Room for `len` bytes; NULL if out of memory. */
struct tls_ticket *ticket_new(size_t len);
/* Wipes it first. NULL is fine. */
void ticket_free(struct tls_ticket *ticket);

void tickets_init(struct tls_tickets *tickets);
void tickets_clear(struct tls_tickets *tickets);
/* Takes the ticket. Where there is no room the oldest goes. */
void tickets_put(struct tls_tickets *tickets, struct tls_ticket *ticket);
/* The newest of the owner's, the caller's from now on; those that are too old go. NULL: none. */
struct tls_ticket *tickets_take(struct tls_tickets *tickets, const uint8_t owner[TLS_SECRET_LEN],
				uint64_t now_s);

#endif
