/* SPDX-License-Identifier: MIT */
/*
 * A client that speaks from a new address may get three times the bytes that came from there until
 * the address is proven (RFC 9000 sections 8.1 and 9.3). ngtcp2 sees to that, but 1.11 stops its
 * loss timer when the last of these bytes is spent, and starts it again only with the next packet
 * it sends. If what was on its way to the old address fills the congestion window, there is no
 * next packet: it sends nothing, PATH_CHALLENGE included, until the idle timeout.
 *
 * So the last byte is never offered. The timer goes on, its probe waits, and leaves when more
 * comes from the client.
 */
#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/transport.h"
#include "quic/unproven.h"

static bool is_path(const ngtcp2_path *path, struct address *local, struct address *remote)
{
	const ngtcp2_path other = {
		.local = {&local->of.any, local->len},
		.remote = {&remote->of.any, remote->len},
	};

	return local->len > 0 && ngtcp2_path_eq(path, &other);
}

static bool is_unproven(struct attempt *attempt, const ngtcp2_path *path)
{
	return is_path(path, &attempt->unproven.local, &attempt->unproven.remote);
}

/* Whether the path in use is not proven; then it is the one that is counted. */
static bool is_limited(struct attempt *attempt)
{
	const ngtcp2_path *path;

	if (attempt->connection->listener == NULL || attempt->connection->state != CONNECTION_READY)
		return false;
	path = ngtcp2_conn_get_path(attempt->conn);
	if (is_path(path, &attempt->path.local, &attempt->path.peer))
		return false;
	if (!is_unproven(attempt, path)) {
		attempt->unproven.local = path_address(&path->local);
		attempt->unproven.remote = path_address(&path->remote);
		attempt->unproven.received = 0;
		attempt->unproven.sent = 0;
	}
	return true;
}

void unproven_heard(struct attempt *attempt, const struct datagram *datagram)
{
	if (is_limited(attempt) && address_equal(&datagram->remote, &attempt->unproven.remote))
		attempt->unproven.received += datagram->len;
}

size_t unproven_room(struct attempt *attempt, size_t wanted)
{
	uint64_t left;

	if (!is_limited(attempt))
		return wanted;
	left = 3 * attempt->unproven.received;
	left -= left < attempt->unproven.sent ? left : attempt->unproven.sent;
	if (left > wanted)
		return wanted;
	/* ngtcp2 writes nothing into so little, but looks after its timers. */
	return left > 1 ? (size_t)left - 1 : 1;
}

void unproven_sent(struct attempt *attempt, const ngtcp2_path *path, size_t len)
{
	if (is_unproven(attempt, path))
		attempt->unproven.sent += len;
}
