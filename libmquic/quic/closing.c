/* SPDX-License-Identifier: MIT */
/*
 * The closing and draining periods (RFC 9000 section 10.2). ngtcp2's part of a connection is
 * tens of kilobytes; what must outlive it is one packet, its path and its identifiers.
 */
#include <stdlib.h>
#include <string.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/closing.h"
#include "quic/transport.h"

/* Beyond this many the oldest goes early; its late packets then meet a stateless reset. */
#define CLOSINGS_MAX 4096
#define PACKET_MAX   1280

/*
 * How long a server stays closing at least. Three PTO are not enough where packets are lost: the
 * peer tries ever less often, and a stateless reset would not tell it why.
 */
#define SERVER_CLOSING_NS (3 * 1000000000ULL)

struct quic_closing {
	struct quic_target target;
	struct list link; /* host->closings */
	struct quic_host *host;
	struct wire *wire;
	bool owns_wire; /* a client's socket lives on here */
	struct timer timer;
	struct datagram reply; /* len 0: draining, says nothing */
	unsigned int heard;
	uint8_t packet[];
};

struct quic_closing *closing_of_target(struct quic_target *target)
{
	return list_entry(target, struct quic_closing, target);
}

struct quic_closing *closing_of_link(struct list *link)
{
	return list_entry(link, struct quic_closing, link);
}

void closing_free(struct quic_closing *closing)
{
	struct quic_host *host = closing->host;

	timer_set(endpoint_timers(host->endpoint), &closing->timer, TIMER_NEVER);
	timers_release(endpoint_timers(host->endpoint));
	route_remove_all(host, &closing->target);
	list_remove(&closing->link);
	host->closing_count--;
	if (closing->owns_wire)
		closing->wire->free(closing->wire);
	free(closing);
}

static void expired(struct timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	closing_free(list_entry(timer, struct quic_closing, timer));
}

/* Moves identifiers and, on a client, the socket over. NULL without memory: nothing remains. */
static struct quic_closing *remember(struct attempt *attempt, const struct datagram *reply)
{
	struct quic_host *host = attempt->connection->host;
	struct quic_closing *closing;

	if (host->closing_count >= CLOSINGS_MAX)
		closing_free(closing_of_link(host->closings.next));
	closing = calloc(1, sizeof(*closing) + reply->len);
	if (closing == NULL)
		return NULL;
	if (!timers_reserve(endpoint_timers(host->endpoint))) {
		free(closing);
		return NULL;
	}
	closing->host = host;
	closing->target.kind = TARGET_CLOSING;
	list_init(&closing->target.routes);
	route_move_all(&attempt->connection->target, &closing->target);
	closing->wire = attempt->wire;
	if (attempt->wire->attempt == attempt) {
		attempt->wire->attempt = NULL;
		attempt->wire->closing = closing;
		closing->owns_wire = true;
		attempt->wire = NULL;
	}
	closing->reply = *reply;
	if (reply->len > 0)
		memcpy(closing->packet, reply->data, reply->len);
	closing->reply.data = closing->packet;
	closing->timer.fire = expired;
	list_append(&host->closings, &closing->link);
	host->closing_count++;
	return closing;
}

static void keep(struct attempt *attempt, const struct datagram *reply)
{
	uint64_t period_ns = 3 * ngtcp2_conn_get_pto(attempt->conn);
	struct quic_closing *closing = remember(attempt, reply);

	if (closing == NULL)
		return;
	if (reply->len > 0 && !closing->owns_wire && period_ns < SERVER_CLOSING_NS)
		period_ns = SERVER_CLOSING_NS;
	timer_set(endpoint_timers(closing->host->endpoint), &closing->timer,
		  endpoint_now(closing->host->endpoint) + period_ns);
}

/* Sends CONNECTION_CLOSE, and shows what it sent. False if nothing can be said. */
static bool send_close(struct attempt *attempt, const ngtcp2_ccerr *error,
		       uint8_t packet[PACKET_MAX], struct datagram *reply)
{
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info = {0};
	ngtcp2_ssize written;

	*reply = (struct datagram){.data = packet};
	ngtcp2_path_storage_zero(&path);
	written = ngtcp2_conn_write_connection_close(attempt->conn, &path.path, &info, packet,
						     PACKET_MAX, error,
						     endpoint_now(attempt->connection->endpoint));
	if (written <= 0)
		return false; /* before any key, or over the amplification limit */
	reply->len = (size_t)written;
	reply->segment = reply->len;
	reply->local = path_address(&path.path.local);
	reply->remote = path_address(&path.path.remote);
	attempt->connection->facts.counters.bytes_sent += reply->len;
	attempt->connection->facts.counters.packets_sent++;
	(void)wire_transmit(attempt->wire, attempt->connection->host, reply);
	return true;
}

void closing_start(struct attempt *attempt, const ngtcp2_ccerr *error)
{
	uint8_t packet[PACKET_MAX];
	struct datagram reply;

	if (send_close(attempt, error, packet, &reply))
		keep(attempt, &reply);
}

void closing_dismiss(struct attempt *attempt, uint64_t code, const char *reason)
{
	uint8_t packet[PACKET_MAX];
	struct datagram reply;
	ngtcp2_ccerr error;

	ngtcp2_ccerr_set_transport_error(&error, code, (const uint8_t *)reason, strlen(reason));
	(void)send_close(attempt, &error, packet, &reply);
}

void closing_drain(struct attempt *attempt)
{
	const struct datagram nothing = {.len = 0};

	keep(attempt, &nothing);
}

void closing_read(struct quic_closing *closing, const struct datagram *datagram)
{
	(void)datagram;
	host_count(closing->host, MQUIC_TOTAL_DROPPED_LATE);
	if (closing->reply.len == 0)
		return;
	/* Said again to the 1st, 2nd, 4th, 8th ... late packet (section 10.2.1). */
	closing->heard++;
	if ((closing->heard & (closing->heard - 1)) == 0)
		(void)wire_transmit(closing->wire, closing->host, &closing->reply);
}
