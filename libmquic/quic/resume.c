/* SPDX-License-Identifier: MIT */
#include "quic/resume.h"

#include <time.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "tls/ticket-file.h"
#include "tls/tickets.h"

/* How long from its dialing a connection waits for a ticket: servers send it at once, if ever. */
#define PATIENCE_NS (10 * NGTCP2_SECONDS)

/* Of TLS messages after the handshake: GnuTLS would keep up to 16 MB of one that has no end. */
#define BYTES_MOST 16384

/*
 * Of the round trip that is expected. The server's work is in it, and on a busy machine more than
 * on the last day; what is sent again in vain costs 1200 bytes.
 */
#define LEAST_RTT (20 * NGTCP2_MILLISECONDS)
#define MOST_RTT  (2 * NGTCP2_SECONDS)

static uint64_t now_s(void)
{
	time_t now = time(NULL);

	return now < 0 ? 0 : (uint64_t)now;
}

/* In the log, and no more: all that comes of it is a full handshake. */
static void complain(const struct mquic_connection *connection, const struct error *problem)
{
	if (problem->text[0] != '\0')
		log_warning(endpoint_log(connection->endpoint), "%s", problem->text);
}

static struct tls_ticket *take(struct mquic_connection *connection, const uint8_t *owner)
{
	const char *path = connection->settings->ticket_file;
	struct tls_ticket *ticket;
	struct error problem;

	if (path == NULL)
		return tickets_take(&connection->host->tickets, owner, now_s());
	ticket = ticket_file_take(path, owner, now_s(), &problem);
	complain(connection, &problem);
	return ticket;
}

/* One for the connection, whatever addresses it tries. */
static const struct tls_ticket *ticket_of(struct mquic_connection *connection,
					  const struct tls_session *tls)
{
	struct quic_candidates *candidates = connection->candidates;

	if (!candidates->ticket_asked)
		candidates->ticket = take(connection, tls_session_owner(tls));
	candidates->ticket_asked = true;
	return candidates->ticket;
}

static ngtcp2_duration expected_rtt(const struct tls_ticket *ticket)
{
	ngtcp2_duration rtt = ticket->rtt_us * NGTCP2_MICROSECONDS;

	if (rtt > MOST_RTT)
		return MOST_RTT;
	return rtt < LEAST_RTT ? LEAST_RTT : rtt;
}

void resume_offer(struct attempt *attempt, const struct address *remote, ngtcp2_settings *settings)
{
	const struct tls_ticket *ticket;

	if (!tls_session_expect(attempt->tls, address_port(remote)))
		return;
	ticket = ticket_of(attempt->connection, attempt->tls);
	if (ticket == NULL)
		return;
	tls_session_offer(attempt->tls, ticket);
	if (ticket->rtt_us > 0)
		settings->initial_rtt = expected_rtt(ticket);
}

static void keep(struct attempt *attempt, struct tls_ticket *ticket)
{
	struct mquic_connection *connection = attempt->connection;
	const char *path = connection->settings->ticket_file;
	struct error problem;
	ngtcp2_conn_info info;

	ngtcp2_conn_get_conn_info(attempt->conn, &info);
	ticket->rtt_us = info.smoothed_rtt / NGTCP2_MICROSECONDS;
	if (path == NULL) {
		tickets_put(&connection->host->tickets, ticket);
		return;
	}
	ticket_file_put(path, ticket, &problem);
	complain(connection, &problem);
}

bool resume_wants(struct attempt *attempt, size_t len)
{
	attempt->record.ticket_bytes += len;
	return attempt->tls != NULL && attempt->record.ticket_bytes <= BYTES_MOST;
}

static bool may_still_come(const struct attempt *attempt)
{
	const struct mquic_connection *connection = attempt->connection;

	return tls_session_owner(attempt->tls) != NULL &&
	       attempt->record.ticket_bytes <= BYTES_MOST &&
	       endpoint_now(connection->endpoint) - connection->started_ns < PATIENCE_NS;
}

bool resume_settle(struct attempt *attempt)
{
	struct tls_ticket *ticket = tls_session_take_ticket(attempt->tls);

	if (ticket == NULL)
		return !may_still_come(attempt);
	keep(attempt, ticket);
	return true;
}
