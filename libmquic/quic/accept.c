/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "quic/transport.h"

/* Share of the handshake limit from which on addresses must be proven (Retry). */
#define RETRY_SHARE 8

static void refuse(struct mquic_endpoint *endpoint, struct wire *wire,
		   const struct datagram *datagram, const ngtcp2_pkt_hd *hd, uint64_t code,
		   const char *reason)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	char from[ADDRESS_TEXT_SIZE];

	address_print(&datagram->remote, from);
	log_debug(&endpoint->log, "%s: refused: %s", from, reason);
	listener_reply(wire, datagram, packet,
		       token_write_refusal(packet, sizeof(packet), hd, code, reason));
}

void accept_retry(struct mquic_endpoint *endpoint, struct wire *wire,
		  const struct datagram *datagram, const ngtcp2_pkt_hd *hd)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	listener_reply(wire, datagram, packet,
		       token_write_retry(packet, sizeof(packet), &wire->listener->secrets, hd,
					 &datagram->remote, endpoint_now(endpoint)));
}

static bool retry_is_due(const struct mquic_endpoint *endpoint,
			 const struct mquic_settings *settings)
{
	if (settings->retry == MQUIC_RETRY_ADAPTIVE)
		return endpoint->handshakes > 0 &&
		       endpoint->handshakes >= settings->max_handshakes / RETRY_SHARE;
	return settings->retry == MQUIC_RETRY_ALWAYS;
}

static struct quic_address *find_address(const struct mquic_endpoint *endpoint,
					 const struct address *remote)
{
	uint8_t prefix[ADDRESS_PREFIX_MAX];
	size_t len = address_prefix(remote, prefix);
	struct table_entry *entry = table_find(&endpoint->addresses, prefix, len);

	return entry == NULL ? NULL : list_entry(entry, struct quic_address, entry);
}

/* Why a newcomer cannot be taken, NULL if it can. */
static const char *objection(const struct mquic_endpoint *endpoint,
			     const struct mquic_settings *settings, const struct address *remote)
{
	const struct quic_address *address = find_address(endpoint, remote);

	if (endpoint->server_connections >= settings->max_connections)
		return "too many connections";
	if (endpoint->handshakes >= settings->max_handshakes)
		return "too many handshakes";
	if (settings->max_connections_per_address > 0 && address != NULL &&
	    address->connections >= settings->max_connections_per_address)
		return "too many connections from this address";
	return NULL;
}

static bool count_address(struct mquic_connection *connection, const struct address *remote)
{
	struct mquic_endpoint *endpoint = connection->endpoint;
	struct quic_address *address = find_address(endpoint, remote);
	uint8_t prefix[ADDRESS_PREFIX_MAX];

	if (address == NULL) {
		address = calloc(1, sizeof(*address));
		if (address == NULL)
			return false;
		table_add(&endpoint->addresses, &address->entry, prefix,
			  address_prefix(remote, prefix));
	}
	address->connections++;
	connection->address = address;
	return true;
}

void accept_handshake_over(struct mquic_connection *connection)
{
	if (!connection->handshake_counted)
		return;
	connection->handshake_counted = false;
	connection->endpoint->handshakes--;
}

void accept_release(struct mquic_connection *connection)
{
	struct quic_address *address = connection->address;

	if (address == NULL)
		return;
	connection->address = NULL;
	connection->endpoint->server_connections--;
	if (--address->connections == 0) {
		table_remove(&connection->endpoint->addresses, &address->entry);
		free(address);
	}
}

static void admit(struct mquic_endpoint *endpoint, struct wire *wire,
		  const struct datagram *datagram, const ngtcp2_pkt_hd *hd,
		  const ngtcp2_cid *original)
{
	struct mquic_connection *connection = connection_new(endpoint);

	if (connection == NULL)
		return;
	connection->listener = wire->listener;
	connection->settings = wire->listener->settings;
	connection->credentials = tls_credentials_ref(wire->listener->credentials);
	connection->wire = wire;
	if (!count_address(connection, &datagram->remote)) {
		connection_destroy(connection);
		return;
	}
	endpoint->server_connections++;
	endpoint->handshakes++;
	connection->handshake_counted = true;
	if (transport_server(connection, hd, datagram, original) != MQUIC_OK) {
		connection_destroy(connection);
		return;
	}
	connection_read(connection, wire, datagram);
}

void accept_initial(struct mquic_endpoint *endpoint, struct wire *wire,
		    const struct datagram *datagram, const ngtcp2_pkt_hd *hd)
{
	const struct quic_listener *listener = wire->listener;
	const char *reason = objection(endpoint, listener->settings, &datagram->remote);
	ngtcp2_cid original;
	enum token_verdict verdict = token_check(&listener->secrets, hd, &datagram->remote,
						 endpoint_now(endpoint), &original);

	if (verdict == TOKEN_INVALID)
		refuse(endpoint, wire, datagram, hd, NGTCP2_INVALID_TOKEN, "invalid Retry token");
	else if (reason != NULL)
		refuse(endpoint, wire, datagram, hd, NGTCP2_CONNECTION_REFUSED, reason);
	else if (verdict == TOKEN_NONE && retry_is_due(endpoint, listener->settings))
		accept_retry(endpoint, wire, datagram, hd);
	else
		admit(endpoint, wire, datagram, hd, verdict == TOKEN_VALID ? &original : NULL);
}

void accept_tell(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;
	struct mquic_event *event;

	list_append(&endpoint->acceptable, &connection->accept_link);
	if (endpoint->acceptable_queued)
		return;
	event = event_new(MQUIC_EVENT_ACCEPTABLE);
	if (event == NULL) {
		connection_out_of_memory(connection);
		return;
	}
	event->owner = endpoint;
	event->queued = &endpoint->acceptable_queued;
	endpoint_push(endpoint, event);
}

enum mquic_status mquic_endpoint_accept(struct mquic_endpoint *endpoint,
					struct mquic_connection **connection)
{
	struct list *node;

	if (endpoint == NULL || connection == NULL)
		return MQUIC_ERR_INVALID;
	if (endpoint_check_fork(endpoint, &endpoint->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	node = list_take_first(&endpoint->acceptable);
	if (node == NULL)
		return MQUIC_ERR_AGAIN;
	*connection = list_entry(node, struct mquic_connection, accept_link);
	(*connection)->owned = true;
	/* Streams may have come before it was accepted: they are told now. */
	(*connection)->new_streams = !list_is_empty(&(*connection)->acceptable);
	endpoint_schedule(endpoint, &(*connection)->task);
	return MQUIC_OK;
}
