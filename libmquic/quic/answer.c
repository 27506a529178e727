/* SPDX-License-Identifier: MIT */
#include "quic/answer.h"

#include "quic/listener.h"
#include "quic/steer.h"

/* Stateless resets per second: enough after a restart, too few to be worth provoking. */
#define RESETS_PER_SECOND 500

void answer_retry(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		  const ngtcp2_pkt_hd *hd)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_cid scid;

	steer_choose(&scid, wire->listener->settings);
	wire_reply(wire, datagram, packet,
		   token_write_retry(packet, sizeof(packet), &wire->listener->secrets, hd, &scid,
				     &datagram->remote, endpoint_now(host->endpoint)));
}

void answer_refusal(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_pkt_hd *hd, uint64_t code, const char *reason)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	char from[ADDRESS_TEXT_SIZE];

	address_print(&datagram->remote, from);
	log_debug(endpoint_log(host->endpoint), "%s: refused: %s", from, reason);
	wire_reply(wire, datagram, packet,
		   token_write_refusal(packet, sizeof(packet), hd, code, reason));
}

static bool may_reset(struct quic_host *host)
{
	return quota_take(&host->resets, endpoint_now(host->endpoint), RESETS_PER_SECOND);
}

/*
 * Another worker of the same keys may know the connection, and its client would believe a reset
 * (RFC 9000 section 21.11). It comes here only if nobody steers.
 */
static void count_misdirected(struct quic_host *host)
{
	if (host->misdirected++ == 0)
		log_warning(endpoint_log(host->endpoint),
			    "packets for another worker come here, and are dropped: let the "
			    "connection identifiers decide who gets them");
}

void answer_unknown(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_version_cid *ids)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	if (!steer_is_ours(ids->dcid, wire->listener->settings))
		count_misdirected(host);
	else if (may_reset(host))
		wire_reply(wire, datagram, packet,
			   token_write_reset(packet, sizeof(packet), &wire->listener->secrets,
					     ids->dcid, datagram->len));
}

void answer_version(struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_version_cid *ids)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	/* Never to a small datagram, or we would amplify (RFC 9000 section 6.1). */
	if (datagram->len >= NGTCP2_MAX_UDP_PAYLOAD_SIZE)
		wire_reply(wire, datagram, packet,
			   token_write_version_negotiation(packet, sizeof(packet), ids->dcid,
							   ids->dcidlen, ids->scid, ids->scidlen));
}
