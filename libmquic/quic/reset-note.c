/* SPDX-License-Identifier: MIT */
/*
 * What a server's successor needs to end a connection that it does not have: a stateless reset (RFC
 * 9000 section 10.3) is what the peer believes, and it need not say anything for that first. A note
 * may be garbage, of whoever had the server's memory in hand.
 */
#include <string.h>

#include "quic/body.h"
#include "quic/listener.h"
#include "quic/steer.h"

/* As long as what a client that is asked for nothing sends by itself. */
#define TRIGGER_LEN 43

struct note {
	uint8_t cid[QUIC_CID_LEN]; /* the one the peer sends to */
	struct address local;
	struct address peer;
};

_Static_assert(sizeof(struct note) <= MQUIC_RESET_NOTE_MAX, "mquic.h promises it");

/* What the peer chose itself has no token. */
static const struct table_entry *heard(const struct mquic_connection *connection)
{
	const struct quic_route *route = connection->target.heard;

	return route == NULL || route->entry.key_len != QUIC_CID_LEN ? NULL : &route->entry;
}

size_t mquic_connection_reset_note(const struct mquic_connection *connection, uint8_t *note,
				   size_t size)
{
	const struct table_entry *entry = connection == NULL ? NULL : heard(connection);
	struct note made;

	if (entry == NULL || note == NULL || size < sizeof(made) || connection->attempt == NULL)
		return 0;
	memset(&made, 0, sizeof(made));
	memcpy(made.cid, entry->key, sizeof(made.cid));
	made.local = connection->attempt->path.local;
	made.peer = connection->attempt->path.peer;
	memcpy(note, &made, sizeof(made));
	return sizeof(made);
}

static bool is_address(const struct address *address)
{
	size_t len = address->of.any.sa_family == AF_INET    ? sizeof(address->of.in)
		     : address->of.any.sa_family == AF_INET6 ? sizeof(address->of.in6)
							     : 0;

	return len != 0 && address->len == len && address_port(address) != 0;
}

static bool is_sound(const struct note *note)
{
	return is_address(&note->local) && is_address(&note->peer) &&
	       note->local.of.any.sa_family == note->peer.of.any.sa_family;
}

/* That address, or all addresses with that port. */
static const struct quic_listener *find_listener(const struct quic_host *host,
						 const struct address *local)
{
	const struct quic_listener *found = NULL;
	const struct list *node;

	for (node = host->listeners.next; node != &host->listeners; node = node->next) {
		const struct quic_listener *listener = list_entry(node, struct quic_listener, link);
		const struct address *own = &listener->wire->local;

		if (address_equal(own, local))
			return listener;
		if (own->of.any.sa_family == local->of.any.sa_family &&
		    address_port(own) == address_port(local))
			found = listener;
	}
	return found;
}

static enum mquic_status refuse(struct mquic_endpoint *endpoint, const char *text)
{
	return error_set(endpoint_error(endpoint), MQUIC_ERR_INVALID, "%s", text);
}

static enum mquic_status send_reset(struct quic_host *host, const struct note *note)
{
	const struct quic_listener *listener = find_listener(host, &note->local);
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	struct datagram datagram = {.local = note->local, .remote = note->peer, .data = packet};

	if (listener == NULL)
		return refuse(host->endpoint, "nothing listens at the address of this reset note");
	if (!steer_is_ours(note->cid, listener->settings) ||
	    table_find(&host->routes, note->cid, sizeof(note->cid)) != NULL)
		return refuse(host->endpoint, "this reset note is about a connection that lives");
	datagram.len = token_write_reset(packet, sizeof(packet), &listener->secrets, note->cid,
					 TRIGGER_LEN);
	datagram.segment = datagram.len;
	if (datagram.len == 0)
		return refuse(host->endpoint, "no reset can be made of this note");
	host_count(host, MQUIC_TOTAL_RESETS_SENT);
	(void)wire_transmit(listener->wire, host, &datagram);
	return MQUIC_OK;
}

enum mquic_status mquic_endpoint_send_reset(struct mquic_endpoint *endpoint, const uint8_t *note,
					    size_t len)
{
	struct quic_host *host;
	struct note read;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (note == NULL || len != sizeof(read))
		return refuse(endpoint, "these bytes are no reset note");
	memcpy(&read, note, sizeof(read));
	if (!is_sound(&read))
		return refuse(endpoint, "these bytes are no reset note");
	host = host_of(endpoint);
	return host == NULL ? refuse(endpoint, "nothing listens at the address of this reset note")
			    : send_reset(host, &read);
}
