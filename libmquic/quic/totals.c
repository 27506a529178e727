/* SPDX-License-Identifier: MIT */
#include "quic/totals.h"

#include "quic/body.h"

/* RFC 7301 section 3.2. */
#define ALERT_NO_PROTOCOL 120

/*
 * RFC 8446 section 6.2: a bad, unsupported, revoked, expired or unknown certificate, an unknown
 * CA, a bad OCSP response, and none where one is required.
 */
static const uint8_t certificate_alerts[] = {42, 43, 44, 45, 46, 48, 113, 116};

static enum mquic_total reason_of_alert(uint64_t alert)
{
	size_t i;

	if (alert == ALERT_NO_PROTOCOL)
		return MQUIC_TOTAL_FAILED_ALPN;
	for (i = 0; i < sizeof(certificate_alerts); i++)
		if (alert == certificate_alerts[i])
			return MQUIC_TOTAL_FAILED_CERTIFICATE;
	return MQUIC_TOTAL_FAILED_TLS;
}

static enum mquic_total reason_of_transport(const struct quic_end *end)
{
	/* What an application says before the handshake is over (RFC 9000 section 10.2.3). */
	if (end->status == MQUIC_OK || end->code == NGTCP2_APPLICATION_ERROR)
		return MQUIC_TOTAL_FAILED_CLOSED;
	if (end->status != MQUIC_ERR_PROTOCOL)
		return MQUIC_TOTAL_FAILED_OTHER;
	/* A list of versions without ours is no error that has a code. */
	return end->code == 0 || end->code == NGTCP2_VERSION_NEGOTIATION_ERROR
		       ? MQUIC_TOTAL_FAILED_VERSION
		       : MQUIC_TOTAL_FAILED_PROTOCOL;
}

static enum mquic_total reason_of(const struct quic_end *end)
{
	if (end->status == MQUIC_ERR_TIMEOUT)
		return MQUIC_TOTAL_FAILED_TIMEOUT;
	if (end->origin == MQUIC_ORIGIN_SYSTEM)
		return MQUIC_TOTAL_FAILED_UNREACHABLE;
	if (end->status == MQUIC_ERR_REFUSED)
		return MQUIC_TOTAL_FAILED_REFUSED;
	if (end->origin == MQUIC_ORIGIN_TLS)
		return reason_of_alert(end->code);
	if (end->origin == MQUIC_ORIGIN_TRANSPORT)
		return reason_of_transport(end);
	if (end->status != MQUIC_OK)
		return MQUIC_TOTAL_FAILED_OTHER;
	return end->origin == MQUIC_ORIGIN_PEER ? MQUIC_TOTAL_FAILED_CLOSED
						: MQUIC_TOTAL_FAILED_ABANDONED;
}

void totals_begun(struct mquic_connection *connection)
{
	connection->facts.counted = true;
	connection->host->totals[MQUIC_TOTAL_CONNECTIONS]++;
	host_count(connection->host, MQUIC_TOTAL_HANDSHAKES_BEGUN);
}

void totals_done(struct mquic_connection *connection)
{
	host_count(connection->host, MQUIC_TOTAL_HANDSHAKES_DONE);
}

void totals_resumed(struct mquic_connection *connection)
{
	if (connection->facts.tls.resumed)
		host_count(connection->host, MQUIC_TOTAL_HANDSHAKES_RESUMED);
}

static void count_failure(struct quic_host *host, const struct quic_end *end)
{
	static const uint8_t culprits[] = {
		[LOG_CALLER] = MQUIC_TOTAL_FAILED_BY_CALLER,
		[LOG_PEER] = MQUIC_TOTAL_FAILED_BY_PEER,
		[LOG_SYSTEM] = MQUIC_TOTAL_FAILED_BY_SYSTEM,
		[LOG_MQUIC] = MQUIC_TOTAL_FAILED_BY_MQUIC,
	};

	host_count(host, MQUIC_TOTAL_HANDSHAKES_FAILED);
	host_count(host, culprits[end->culprit]);
	host_count(host, reason_of(end));
}

void totals_ended(struct mquic_connection *connection)
{
	struct quic_host *host = connection->host;

	if (!connection->facts.counted)
		return;
	host->totals[MQUIC_TOTAL_CONNECTIONS]--;
	host->totals[MQUIC_TOTAL_PACKETS_LOST] += connection->facts.counters.packets_lost;
	if (!connection->telling.handshake_told)
		count_failure(host, &connection->end);
}
