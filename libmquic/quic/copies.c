/* SPDX-License-Identifier: MIT */
/*
 * Whoever waits for a handshake has no better news of a loss than silence, so that one lost packet
 * costs a probe timeout, several round trips. A flight of the handshake therefore goes twice, the
 * second time a little later, so that no burst of losses takes both, and only if nothing of it was
 * acknowledged meanwhile: where round trips are short nothing goes twice.
 *
 *     NOTHING ──a flight that wants an answer──▶ WAITING ──20 ms, no answer──▶ SENT TWICE
 *        ▲                                          │ answered                      │
 *        └──────────────────────────────────────────┴───────────────────────────────┘
 *                   OVER: the flight after the handshake is answered, too
 *
 * Packets are repeated as they were: for the peer the second is a duplicate, to be dropped (RFC
 * 9000 section 12.3), and for whoever watches the path one that the path has made.
 *
 * A server may send three times what it got until the client's address is proven, and ngtcp2, which
 * does the counting, may spend all of that. So copies of the server's go for those of the client: a
 * datagram that is the client's first once more is kept from ngtcp2, and what it allows is ours.
 */
#include "quic/copies.h"

#include <string.h>

#include "quic/attempt.h"
#include "quic/body.h"

/* A flight of more datagrams is no small one. */
#define FLIGHT_MAX 4

#define DELAY_NS (20 * NGTCP2_MILLISECONDS)

struct copied_flight {
	struct address local;
	struct address remote;
	uint8_t ecn;
	size_t count; /* of datagrams; above FLIGHT_MAX: too many, none is kept */
	size_t sent;  /* of them, once more */
	size_t lens[FLIGHT_MAX];
	uint8_t bytes[FLIGHT_MAX][NGTCP2_MAX_UDP_PAYLOAD_SIZE];
};

static bool is_server(const struct attempt *attempt)
{
	return attempt->connection->listener != NULL;
}

static bool is_idle(const struct attempt *attempt)
{
	return attempt->copies.over ||
	       attempt->connection->settings->redundancy == MQUIC_REDUNDANCY_OFF;
}

/* Kept like what ngtcp2 keeps, so that limits know of it. */
static struct copied_flight *new_flight(struct attempt *attempt)
{
	const ngtcp2_mem *memory = &attempt->connection->memory.allocator;

	return memory->malloc(sizeof(struct copied_flight), memory->user_data);
}

static void forget(struct attempt *attempt)
{
	const ngtcp2_mem *memory = &attempt->connection->memory.allocator;

	memory->free(attempt->copies.flight, memory->user_data);
	attempt->copies.flight = NULL;
}

void copies_free(struct attempt *attempt)
{
	forget(attempt);
	attempt->copies.over = true;
}

/* ---- Of a client whose address is not proven ------------------------------------- */

/* Whether ngtcp2 waits for nothing but the leave to send more. */
static bool is_ngtcp2_held(const struct attempt *attempt)
{
	const struct quic_counters *counters = &attempt->connection->facts.counters;

	return counters->bytes_sent + 2 * NGTCP2_MAX_UDP_PAYLOAD_SIZE >
	       3 * counters->bytes_received;
}

/* Whether there is something that could go once more. */
static bool waits(const struct copied_flight *flight)
{
	return flight != NULL && flight->count <= FLIGHT_MAX && flight->sent < flight->count;
}

bool copies_is_repeat(struct attempt *attempt, const struct datagram *datagram)
{
	struct quic_copies *copies = &attempt->copies;
	const uint8_t *tag = datagram->data + datagram->len - COPIES_TAG_LEN;

	if (!is_server(attempt) || is_idle(attempt) || datagram->len < COPIES_TAG_LEN ||
	    attempt->connection->state != CONNECTION_HANDSHAKE)
		return false;
	if (!copies->knows_first) {
		copies->knows_first = true;
		memcpy(copies->first, tag, COPIES_TAG_LEN);
		return false;
	}
	if (memcmp(copies->first, tag, COPIES_TAG_LEN) != 0 || !waits(copies->flight) ||
	    is_ngtcp2_held(attempt))
		return false;
	copies->allowed += 3 * datagram->len;
	connection_schedule(attempt->connection);
	return true;
}

/* Whether that many bytes more may go to where the flight went. */
static bool may_send(struct attempt *attempt, size_t len)
{
	if (!is_server(attempt) || attempt->connection->state == CONNECTION_READY ||
	    attempt->connection->place.kind == ADDRESS_PROVEN)
		return true;
	if (attempt->copies.allowed < len)
		return false;
	attempt->copies.allowed -= len;
	return true;
}

/* ---- Sending ------------------------------------------------------------------------ */

static void send_again(struct attempt *attempt, size_t which)
{
	struct mquic_connection *connection = attempt->connection;
	struct copied_flight *flight = attempt->copies.flight;
	struct datagram datagram = {
		.local = flight->local,
		.remote = flight->remote,
		.ecn = flight->ecn,
		.data = flight->bytes[which],
		.len = flight->lens[which],
		.segment = flight->lens[which],
	};

	connection->facts.counters.bytes_sent += datagram.len;
	connection->facts.counters.packets_sent++;
	host_count(connection->host, MQUIC_TOTAL_COPIES_SENT);
	(void)wire_transmit(attempt->wire, connection->host, &datagram);
}

static void send_due(struct attempt *attempt)
{
	struct copied_flight *flight = attempt->copies.flight;

	while (flight->sent < flight->count && may_send(attempt, flight->lens[flight->sent]))
		send_again(attempt, flight->sent++);
}

void copies_begin(struct attempt *attempt)
{
	struct quic_copies *copies = &attempt->copies;

	if (is_idle(attempt))
		return;
	copies->before = attempt_in_flight(attempt);
	if (copies->flight == NULL)
		return;
	if (copies->before < copies->after) {
		forget(attempt);
		copies->over = copies->last;
	} else if (waits(copies->flight) &&
		   endpoint_now(attempt->connection->endpoint) >= copies->due_ns) {
		send_due(attempt);
	}
}

/* ---- Keeping -------------------------------------------------------------------------- */

static void keep_packet(struct copied_flight *flight, const uint8_t *data, size_t len)
{
	if (flight->count >= FLIGHT_MAX || len > NGTCP2_MAX_UDP_PAYLOAD_SIZE) {
		flight->count = FLIGHT_MAX + 1;
		return;
	}
	memcpy(flight->bytes[flight->count], data, len);
	flight->lens[flight->count++] = len;
}

/* The place for it, NULL if it is not to be kept. */
static struct copied_flight *open_flight(struct attempt *attempt, const struct datagram *datagram)
{
	struct quic_copies *copies = &attempt->copies;

	if (copies->flight == NULL) {
		copies->flight = new_flight(attempt);
		if (copies->flight == NULL)
			return NULL;
		copies->flight->local = datagram->local;
		copies->flight->remote = datagram->remote;
		copies->flight->ecn = datagram->ecn;
		copies->flight->count = 0;
		copies->flight->sent = 0;
		copies->due_ns = UINT64_MAX;
	}
	return address_equal(&copies->flight->remote, &datagram->remote) ? copies->flight : NULL;
}

void copies_add(struct attempt *attempt, const struct datagram *datagram)
{
	struct copied_flight *flight;
	size_t at = 0;

	if (is_idle(attempt))
		return;
	flight = open_flight(attempt, datagram);
	for (; flight != NULL && at < datagram->len; at += datagram->segment) {
		size_t left = datagram->len - at;

		keep_packet(flight, datagram->data + at,
			    left < datagram->segment ? left : datagram->segment);
	}
}

void copies_end(struct attempt *attempt)
{
	struct quic_copies *copies = &attempt->copies;
	uint64_t after;

	if (is_idle(attempt) || copies->flight == NULL)
		return;
	after = attempt_in_flight(attempt);
	if (after > copies->before) {
		copies->after = after;
		copies->last = attempt->connection->state == CONNECTION_READY;
		if (copies->due_ns == UINT64_MAX)
			copies->due_ns = endpoint_now(attempt->connection->endpoint) + DELAY_NS;
	} else if (copies->due_ns == UINT64_MAX) {
		/* Acknowledgements alone, which nobody answers. */
		forget(attempt);
	}
}

uint64_t copies_next(const struct attempt *attempt)
{
	const struct quic_copies *copies = &attempt->copies;

	if (is_idle(attempt) || !waits(copies->flight) ||
	    copies->due_ns <= endpoint_now(attempt->connection->endpoint))
		return UINT64_MAX;
	return copies->due_ns;
}
