/* SPDX-License-Identifier: MIT */
/*
 * A client whose address changes takes its connections along (RFC 9000 section 9).
 *
 *     ONE WIRE ──another address, or asked to──▶ A SECOND, validated ──answered──▶ ONE WIRE
 *         ▲                                          │
 *         └────────────── no answer in time ─────────┘
 *
 * Until the peer has answered on the new path the old one stays in use, so that trying costs
 * nothing. Only where the old one carries nothing any more is it left at once.
 */
#include <errno.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/migrate.h"
#include "quic/pace.h"

static struct wire *open_wire(struct attempt *attempt)
{
	struct wire *wire;

	if (attempt_open_wire(attempt->connection, &wire, &attempt->path.peer) != MQUIC_OK)
		return NULL;
	wire->attempt = attempt;
	return wire;
}

static void drop_next_wire(struct attempt *attempt)
{
	if (attempt->move.wire != NULL)
		attempt->move.wire->free(attempt->move.wire);
	attempt->move.wire = NULL;
	attempt->move.answer = PATH_UNKNOWN;
}

static void use_next_wire(struct attempt *attempt)
{
	attempt->wire->free(attempt->wire);
	attempt->wire = attempt->move.wire;
	attempt->move.wire = NULL;
	attempt->move.answer = PATH_UNKNOWN;
}

/* Moves on to the wire, which is the attempt's from here on. An error of ngtcp2. */
static int begin(struct attempt *attempt, struct wire *wire, bool at_once)
{
	struct datagram addresses = {.local = wire->local, .remote = attempt->path.peer};
	ngtcp2_path path = path_of(wire, &addresses);
	uint64_t now_ns = endpoint_now(attempt->connection->endpoint);
	int code;

	/* Outside a turn each look at the clock shows another time, and ngtcp2 takes none that is
	 * before one it was told. */
	pace_look(attempt, now_ns);
	code = at_once ? ngtcp2_conn_initiate_immediate_migration(attempt->conn, &path, now_ns)
		       : ngtcp2_conn_initiate_migration(attempt->conn, &path, now_ns);

	if (code != 0) {
		wire->free(wire);
		if (ngtcp2_err_is_fatal(code)) {
			attempt->record.failure = code;
			connection_schedule(attempt->connection);
		}
		return code;
	}
	drop_next_wire(attempt);
	attempt->move.wire = wire;
	if (at_once) {
		path_set(&attempt->path, &path);
		use_next_wire(attempt);
	}
	connection_schedule(attempt->connection);
	return 0;
}

static bool may_migrate(const struct mquic_connection *connection)
{
	return connection->listener == NULL && connection->state == CONNECTION_READY &&
	       connection->attempt->record.failure == 0;
}

/* Whether moving to the wire would change anything. */
static bool is_news(const struct attempt *attempt, const struct wire *wire, bool at_once)
{
	const struct wire *next = attempt->move.wire;

	if (address_same_host(&wire->local, &attempt->wire->local))
		return false;
	return at_once || next == NULL || !address_same_host(&wire->local, &next->local);
}

bool migrate_if_moved(struct mquic_connection *connection, bool cannot_send)
{
	struct attempt *attempt = connection->attempt;
	struct wire *wire;
	bool at_once;

	if (!may_migrate(connection))
		return true;
	wire = open_wire(attempt);
	if (wire == NULL)
		return true; /* no way at all now; there will be word of the next */
	at_once = cannot_send || !attempt->wire->is_usable(attempt->wire);
	if (!is_news(attempt, wire, at_once)) {
		wire->free(wire);
		return true;
	}
	return begin(attempt, wire, at_once) != NGTCP2_ERR_INVALID_STATE || !at_once;
}

void migrate_settle(struct attempt *attempt)
{
	if (attempt->move.wire == NULL || attempt->move.answer == PATH_UNKNOWN)
		return;
	if (attempt->move.answer == PATH_FAILED) {
		drop_next_wire(attempt);
		return;
	}
	use_next_wire(attempt);
	log_debug(endpoint_log(attempt->connection->endpoint), "%s: reached from %s now",
		  attempt->path.peer_text, attempt->path.local_text);
}

void migrate_path_answered(struct attempt *attempt, const ngtcp2_path *path,
			   ngtcp2_path_validation_result result)
{
	bool valid = result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS;

	if (valid) {
		path_set(&attempt->path, path);
		host_count(attempt->connection->host, MQUIC_TOTAL_MIGRATIONS);
	}
	if (attempt->connection->listener != NULL) {
		if (valid)
			attempt->wire = path->user_data;
	} else if (path->user_data == attempt->move.wire) {
		attempt->move.answer = valid ? PATH_VALID : PATH_FAILED;
	}
}

enum mquic_status mquic_connection_migrate(struct mquic_connection *connection)
{
	struct wire *wire;
	int code;

	if (connection == NULL)
		return MQUIC_ERR_INVALID;
	if (connection_check_fork(connection) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (connection->state == CONNECTION_ENDED)
		return error_set(&connection->error, MQUIC_ERR_CLOSED, "the connection is over");
	if (!may_migrate(connection))
		return error_set(&connection->error, MQUIC_ERR_STATE,
				 "only a dialed connection whose handshake is complete can move");
	wire = open_wire(connection->attempt);
	if (wire == NULL)
		return error_set(&connection->error, MQUIC_ERR_SYSTEM, "%s",
				 endpoint_error(connection->endpoint)->text);
	code = begin(connection->attempt, wire, false);
	if (code == 0)
		return MQUIC_OK;
	if (code == NGTCP2_ERR_CONN_ID_BLOCKED || code == NGTCP2_ERR_INVALID_STATE)
		return error_set(&connection->error, MQUIC_ERR_AGAIN,
				 "the server does not allow a move, or not yet; try again later");
	return error_set(&connection->error, MQUIC_ERR_MEMORY, "out of memory");
}
