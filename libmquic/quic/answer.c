/* SPDX-License-Identifier: MIT */
#include "quic/answer.h"

#include "quic/listener.h"
#include "quic/steer.h"

/* Stateless resets per second: enough after a restart, too few to be worth provoking. */
#define RESETS_PER_SECOND 500

/* Lines per second about clients that a limit keeps out. */
#define REFUSALS_PER_SECOND 2

/* Sends one packet back to where a datagram came from, and counts it as that; len 0: none. */
static void reply(struct quic_host *host, struct wire *wire, const struct datagram *to,
		  unsigned int statistic, const uint8_t *packet, size_t len)
{
	struct datagram datagram = {
		.local = to->local,
		.remote = to->remote,
		.data = packet,
		.len = len,
		.segment = len,
	};

	if (len == 0)
		return;
	host_count(host, statistic);
	(void)wire_transmit(wire, host, &datagram);
}

void answer_retry(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		  const ngtcp2_pkt_hd *hd)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];
	ngtcp2_cid scid;

	steer_choose(&scid, wire->listener->settings);
	reply(host, wire, datagram, MQUIC_TOTAL_RETRIES_SENT, packet,
	      token_write_retry(packet, sizeof(packet), &wire->listener->secrets, hd, &scid,
				&datagram->remote, endpoint_now(host->endpoint)));
}

static void say_refusal(const struct quic_host *host, const struct datagram *datagram,
			const char *reason)
{
	char from[ADDRESS_TEXT_SIZE];

	address_print(&datagram->remote, from);
	log_debug(endpoint_log(host->endpoint), "%s: refused: %s", from, reason);
}

/*
 * That a limit is reached is worth a line: whoever runs the server has set it, and its users see
 * nothing but a server that does not let them in. A flood of them is not.
 */
static void say_limit(struct quic_host *host, const struct datagram *datagram, const char *reason,
		      const char *setting)
{
	const struct log *log = endpoint_log(host->endpoint);
	char from[ADDRESS_TEXT_SIZE];
	uint64_t unsaid = host->unsaid;

	if (!quota_take(&host->refusals, endpoint_now(host->endpoint), REFUSALS_PER_SECOND)) {
		host->unsaid++;
		return;
	}
	host->unsaid = 0;
	address_print(&datagram->remote, from);
	if (unsaid == 0)
		log_info(log, "%s: refused: %s (%s)", from, reason, setting);
	else
		log_info(log, "%s: refused: %s (%s), as were %llu others since the last such line",
			 from, reason, setting, (unsigned long long)unsaid);
}

void answer_refusal(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_pkt_hd *hd, uint64_t code, const char *reason, const char *setting)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	if (setting == NULL)
		say_refusal(host, datagram, reason);
	else
		say_limit(host, datagram, reason, setting);
	reply(host, wire, datagram,
	      code == NGTCP2_INVALID_TOKEN ? MQUIC_TOTAL_TOKENS_REFUSED : MQUIC_TOTAL_REFUSALS_SENT,
	      packet, token_write_refusal(packet, sizeof(packet), hd, code, reason));
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
	if (host->totals[MQUIC_TOTAL_DROPPED_MISDIRECTED]++ == 0)
		log_warning(endpoint_log(host->endpoint),
			    "packets for another worker come here, and are dropped: let the "
			    "connection identifiers decide who gets them");
}

void answer_unknown(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_version_cid *ids)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	if (!steer_is_ours(ids->dcid, wire->listener->settings)) {
		count_misdirected(host);
		return;
	}
	host_count(host, MQUIC_TOTAL_DROPPED_UNKNOWN);
	if (may_reset(host))
		reply(host, wire, datagram, MQUIC_TOTAL_RESETS_SENT, packet,
		      token_write_reset(packet, sizeof(packet), &wire->listener->secrets, ids->dcid,
					datagram->len));
}

void answer_version(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_version_cid *ids)
{
	uint8_t packet[NGTCP2_MAX_UDP_PAYLOAD_SIZE];

	/* Never to a small datagram, or we would amplify (RFC 9000 section 6.1). */
	if (datagram->len < NGTCP2_MAX_UDP_PAYLOAD_SIZE)
		host_count(host, MQUIC_TOTAL_DROPPED_INVALID);
	else
		reply(host, wire, datagram, MQUIC_TOTAL_VERSION_NEGOTIATIONS_SENT, packet,
		      token_write_version_negotiation(packet, sizeof(packet), ids->dcid,
						      ids->dcidlen, ids->scid, ids->scidlen));
}
