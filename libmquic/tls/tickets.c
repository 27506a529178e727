/* SPDX-License-Identifier: MIT */
#include "tls/tickets.h"

#include <stdlib.h>
#include <string.h>

struct tls_ticket *ticket_new(size_t len)
{
	struct tls_ticket *ticket = calloc(1, sizeof(*ticket) + len);

	if (ticket != NULL)
		ticket->len = len;
	return ticket;
}

/* Who has it can talk to the server in our place, and, from its name, to who trusts that. */
void ticket_free(struct tls_ticket *ticket)
{
	if (ticket != NULL)
		explicit_bzero(ticket->data, ticket->len);
	free(ticket);
}

void tickets_init(struct tls_tickets *tickets)
{
	list_init(&tickets->list);
	tickets->count = 0;
}

static void drop(struct tls_tickets *tickets, struct tls_ticket *ticket)
{
	list_remove(&ticket->link);
	tickets->count--;
}

static struct tls_ticket *at(struct list *node)
{
	return list_entry(node, struct tls_ticket, link);
}

static void free_oldest(struct tls_tickets *tickets)
{
	struct tls_ticket *oldest = at(tickets->list.next);

	drop(tickets, oldest);
	ticket_free(oldest);
}

void tickets_clear(struct tls_tickets *tickets)
{
	while (tickets->count > 0)
		free_oldest(tickets);
}

void tickets_put(struct tls_tickets *tickets, struct tls_ticket *ticket)
{
	if (tickets->count == TICKETS_MOST)
		free_oldest(tickets);
	list_append(&tickets->list, &ticket->link);
	tickets->count++;
}

struct tls_ticket *tickets_take(struct tls_tickets *tickets, const uint8_t owner[TLS_SECRET_LEN],
				uint64_t now_s)
{
	struct tls_ticket *found = NULL;
	struct list *node;
	struct list *following;

	list_for_each (node, following, &tickets->list) {
		struct tls_ticket *ticket = at(node);

		if (ticket->until_s <= now_s) {
			drop(tickets, ticket);
			ticket_free(ticket);
		} else if (memcmp(ticket->owner, owner, TLS_SECRET_LEN) == 0) {
			found = ticket;
		}
	}
	if (found != NULL)
		drop(tickets, found);
	return found;
}
