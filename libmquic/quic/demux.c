/* SPDX-License-Identifier: MIT */
/* Every datagram's first step: whose is it, and what to say to one that is nobody's. */
#include <errno.h>
#include <string.h>

#include "quic/transport.h"
#include "quic/udp.h"

/* Stateless resets per second: enough after a restart, too few to be worth provoking. */
#define RESETS_PER_SECOND 500

void demux_reply(struct wire *wire, const struct datagram *to, const uint8_t *packet, size_t len)
{
	struct datagram datagram = {
		.local = to->local,
		.remote = to->remote,
		.data = packet,
		.len = len,
		.segment = len,
	};

	if (len > 0)
		(void)wire->send(wire, &datagram);
}

static bool may_reset(struct mquic_endpoint *endpoint)
{
	uint64_t second = endpoint_now(endpoint) / NGTCP2_SECONDS;

	if (second != endpoint->reset_second) {
		endpoint->reset_second = second;
		endpoint->resets = 0;
	}
	return endpoint->resets++ < RESETS_PER_SECOND;
}

/* A packet of a connection that is not ours any more (RFC 9000 section 10.3). */
static void answer_unknown(struct mquic_endpoint *endpoint, struct wire *wire,
			   const struct datagram *datagram, const ngtcp2_version_cid *ids)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	if (may_reset(endpoint))
		demux_reply(wire, datagram, packet,
			    token_write_reset(packet, sizeof(packet), &wire->listener->secrets,
					      ids->dcid, datagram->len));
}

static void answer_version(struct wire *wire, const struct datagram *datagram,
			   const ngtcp2_version_cid *ids)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	/* Never to a small datagram, or we would amplify (RFC 9000 section 6.1). */
	if (datagram->len >= NGTCP2_MAX_UDP_PAYLOAD_SIZE)
		demux_reply(wire, datagram, packet,
			    token_write_version_negotiation(packet, sizeof(packet), ids->dcid,
							    ids->dcidlen, ids->scid,
							    ids->scidlen));
}

static void to_target(struct table_entry *entry, const struct datagram *datagram)
{
	struct quic_target *target = list_entry(entry, struct quic_route, entry)->target;

	if (target->kind == TARGET_CLOSING)
		closing_read(closing_of_target(target), datagram);
	else
		connection_read(list_entry(target, struct mquic_connection, target), datagram);
}

/* Version 0 alone does not tell: version negotiation packets have it too, and get no answer. */
static bool is_short(const struct datagram *datagram)
{
	return (datagram->data[0] & 0x80) == 0;
}

static void to_listener(struct mquic_endpoint *endpoint, struct wire *wire,
			const struct datagram *datagram)
{
	ngtcp2_version_cid ids;
	struct table_entry *entry;
	ngtcp2_pkt_hd hd;
	int code;

	code = ngtcp2_pkt_decode_version_cid(&ids, datagram->data, datagram->len, QUIC_CID_LEN);
	if (code == NGTCP2_ERR_VERSION_NEGOTIATION) {
		answer_version(wire, datagram, &ids);
		return;
	}
	if (code != 0)
		return;
	entry = table_find(&endpoint->routes, ids.dcid, ids.dcidlen);
	if (entry != NULL)
		to_target(entry, datagram);
	else if (is_short(datagram))
		answer_unknown(endpoint, wire, datagram, &ids);
	else if (datagram->len >= NGTCP2_MAX_UDP_PAYLOAD_SIZE &&
		 ngtcp2_accept(&hd, datagram->data, datagram->len) == 0)
		accept_initial(endpoint, wire, datagram, &hd);
}

void demux_receive(struct mquic_endpoint *endpoint, struct wire *wire,
		   const struct datagram *datagram)
{
	if (datagram->len == 0)
		return;
	/* A client's socket has one peer and one connection: whatever comes is for that, also a
	 * stateless reset, whose identifier means nothing. */
	if (wire->connection != NULL)
		connection_read(wire->connection, datagram);
	else if (wire->closing != NULL)
		closing_read(wire->closing, datagram);
	else if (wire->listener != NULL)
		to_listener(endpoint, wire, datagram);
}

void demux_failed(struct mquic_endpoint *endpoint, struct wire *wire, int code)
{
	struct mquic_connection *connection = wire->connection;

	/* Later on it proves nothing: the idle timeout and stateless resets decide. */
	if (connection == NULL || connection->state != CONNECTION_HANDSHAKE)
		return;
	if (dial_next(connection))
		return;
	if (code == ECONNREFUSED)
		connection_set_end(connection, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM,
				   (uint64_t)code,
				   "nothing listens on UDP %s; is the server's QUIC listener "
				   "running, and is the port right?",
				   connection->peer_text);
	else
		connection_set_end(connection, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM,
				   (uint64_t)code, "UDP %s cannot be reached: %s",
				   connection->peer_text, strerror(code));
	log_debug(&endpoint->log, "%s: unreachable", connection->peer_text);
	connection_drop(connection);
}

const struct udp_reader demux_reader = {
	.receive = demux_receive,
	.failed = demux_failed,
};
