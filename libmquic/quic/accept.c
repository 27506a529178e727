/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "quic/accept.h"
#include "quic/admission.h"
#include "quic/body.h"
#include "quic/closing.h"
#include "quic/ending.h"
#include "quic/server.h"

static void refuse(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		   const ngtcp2_pkt_hd *hd, uint64_t code, const char *reason)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	char from[ADDRESS_TEXT_SIZE];

	address_print(&datagram->remote, from);
	log_debug(endpoint_log(host->endpoint), "%s: refused: %s", from, reason);
	wire_reply(wire, datagram, packet,
		   token_write_refusal(packet, sizeof(packet), hd, code, reason));
}

void accept_retry(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		  const ngtcp2_pkt_hd *hd)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	wire_reply(wire, datagram, packet,
		   token_write_retry(packet, sizeof(packet), &wire->listener->secrets, hd,
				     &datagram->remote, endpoint_now(host->endpoint)));
}

/* Makes room for a newcomer, see admission.c. An honest client is told, and tries again. */
static void give_way(struct mquic_connection *connection, const char *why)
{
	connection_set_end(connection, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_LOCAL,
			   NGTCP2_CONNECTION_REFUSED, "%s; this one gave way to another", why);
	closing_dismiss(connection, NGTCP2_CONNECTION_REFUSED, why);
	connection_drop(connection);
}

static void admit(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		  const ngtcp2_pkt_hd *hd, const ngtcp2_cid *original)
{
	struct mquic_connection *connection = connection_new(host);

	if (connection == NULL)
		return;
	connection->listener = wire->listener;
	connection->settings = wire->listener->settings;
	connection->credentials = tls_credentials_ref(wire->listener->credentials);
	connection->wire = wire;
	if (!admission_enter(connection, &datagram->remote,
			     original == NULL ? ADDRESS_UNPROVEN : ADDRESS_PROVEN)) {
		connection_destroy(connection);
		return;
	}
	if (transport_server(connection, hd, datagram, original) != MQUIC_OK) {
		connection_destroy(connection);
		return;
	}
	connection_read(connection, wire, datagram);
}

void accept_initial(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_pkt_hd *hd)
{
	const struct quic_listener *listener = wire->listener;
	ngtcp2_cid original;
	enum token_verdict verdict = token_check(&listener->secrets, hd, &datagram->remote,
						 endpoint_now(host->endpoint), &original);
	bool proven = verdict == TOKEN_VALID;
	struct admission admission = admission_judge(host, listener->settings, &datagram->remote,
						     proven ? ADDRESS_PROVEN : ADDRESS_UNPROVEN);

	if (verdict == TOKEN_INVALID) {
		refuse(host, wire, datagram, hd, NGTCP2_INVALID_TOKEN, "invalid Retry token");
	} else if (admission.retry) {
		accept_retry(host, wire, datagram, hd);
	} else if (admission.objection != NULL && admission.gives_way == NULL) {
		refuse(host, wire, datagram, hd, NGTCP2_CONNECTION_REFUSED, admission.objection);
	} else {
		if (admission.gives_way != NULL)
			give_way(admission.gives_way, admission.objection);
		admit(host, wire, datagram, hd, proven ? &original : NULL);
	}
}

void accept_tell(struct mquic_connection *connection)
{
	struct quic_host *host = connection->host;
	struct mquic_event *event;

	list_append(&host->acceptable, &connection->accept_link);
	if (host->acceptable_queued)
		return;
	event = event_new(MQUIC_EVENT_ACCEPTABLE);
	if (event == NULL) {
		connection_out_of_memory(connection);
		return;
	}
	event->owner = host;
	event->queued = &host->acceptable_queued;
	endpoint_push(host->endpoint, event);
}

enum mquic_status mquic_endpoint_accept(struct mquic_endpoint *endpoint,
					struct mquic_connection **connection)
{
	struct quic_host *host;
	struct list *node;

	if (endpoint == NULL || connection == NULL)
		return MQUIC_ERR_INVALID;
	if (endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	host = host_of(endpoint);
	node = host == NULL ? NULL : list_take_first(&host->acceptable);
	if (node == NULL)
		return MQUIC_ERR_AGAIN;
	*connection = list_entry(node, struct mquic_connection, accept_link);
	(*connection)->owned = true;
	connection_set_waiting(*connection, false); /* its new owner may know better */
	/* Streams may have come before it was accepted: they are told now. */
	(*connection)->streams.fresh = !list_is_empty(&(*connection)->streams.acceptable);
	endpoint_schedule(endpoint, &(*connection)->task);
	return MQUIC_OK;
}
