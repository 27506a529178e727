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

#include "quic/body.h"
#include "quic/dial.h"
#include "quic/ending.h"
#include "quic/migrate.h"
#include "quic/pace.h"
#include "quic/transport.h"

static struct wire *open_wire(struct mquic_connection *connection)
{
	struct wire *wire;

	if (dial_open_wire(connection, &wire, &connection->peer) != MQUIC_OK)
		return NULL;
	wire->connection = connection;
	return wire;
}

static void drop_next_wire(struct mquic_connection *connection)
{
	if (connection->next_wire != NULL)
		connection->next_wire->free(connection->next_wire);
	connection->next_wire = NULL;
	connection->path_answer = PATH_UNKNOWN;
}

static void use_next_wire(struct mquic_connection *connection)
{
	connection->wire->free(connection->wire);
	connection->wire = connection->next_wire;
	connection->next_wire = NULL;
	connection->path_answer = PATH_UNKNOWN;
}

/* Moves on to the wire, which is the connection's from here on. An error of ngtcp2. */
static int begin(struct mquic_connection *connection, struct wire *wire, bool at_once)
{
	struct datagram addresses = {.local = wire->local, .remote = connection->peer};
	ngtcp2_path path = transport_path(wire, &addresses);
	uint64_t now_ns = endpoint_now(connection->endpoint);
	int code;

	/* Outside a turn each look at the clock shows another time, and ngtcp2 takes none that is
	 * before one it was told. */
	pace_look(connection, now_ns);
	code = at_once ? ngtcp2_conn_initiate_immediate_migration(connection->conn, &path, now_ns)
		       : ngtcp2_conn_initiate_migration(connection->conn, &path, now_ns);

	if (code != 0) {
		wire->free(wire);
		if (ngtcp2_err_is_fatal(code)) {
			connection->failure = code;
			endpoint_schedule(connection->endpoint, &connection->task);
		}
		return code;
	}
	drop_next_wire(connection);
	connection->next_wire = wire;
	if (at_once) {
		connection_set_peer(connection, &path);
		use_next_wire(connection);
	}
	endpoint_schedule(connection->endpoint, &connection->task);
	return 0;
}

static bool may_migrate(const struct mquic_connection *connection)
{
	return connection->listener == NULL && connection->state == CONNECTION_READY &&
	       connection->conn != NULL && connection->failure == 0;
}

/* Whether moving to the wire would change anything. */
static bool is_news(const struct mquic_connection *connection, const struct wire *wire,
		    bool at_once)
{
	const struct wire *next = connection->next_wire;

	if (address_same_host(&wire->local, &connection->wire->local))
		return false;
	return at_once || next == NULL || !address_same_host(&wire->local, &next->local);
}

/* Before the handshake is confirmed, and with a server that forbids it, there is no moving. */
static void give_up(struct mquic_connection *connection)
{
	connection_set_end(connection, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, EADDRNOTAVAIL,
			   "our address %s is gone, and this connection cannot move to another",
			   connection->local_text);
	connection_drop(connection);
}

void migrate_if_moved(struct mquic_connection *connection, bool cannot_send)
{
	struct wire *wire;
	bool at_once;

	if (!may_migrate(connection))
		return;
	wire = open_wire(connection);
	if (wire == NULL)
		return; /* no way at all now; there will be word of the next */
	at_once = cannot_send || !connection->wire->is_usable(connection->wire);
	if (!is_news(connection, wire, at_once)) {
		wire->free(wire);
		return;
	}
	if (begin(connection, wire, at_once) == NGTCP2_ERR_INVALID_STATE && at_once)
		give_up(connection);
}

void migrate_all_that_moved(struct quic_host *host)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &host->connections)
		migrate_if_moved(list_entry(node, struct mquic_connection, link), false);
}

void migrate_settle(struct mquic_connection *connection)
{
	if (connection->next_wire == NULL || connection->path_answer == PATH_UNKNOWN)
		return;
	if (connection->path_answer == PATH_FAILED) {
		drop_next_wire(connection);
		return;
	}
	use_next_wire(connection);
	log_debug(endpoint_log(connection->endpoint), "%s: reached from %s now",
		  connection->peer_text, connection->local_text);
}

void migrate_path_answered(struct mquic_connection *connection, const ngtcp2_path *path,
			   ngtcp2_path_validation_result result)
{
	bool valid = result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS;

	if (valid)
		connection_set_peer(connection, path);
	if (connection->listener != NULL) {
		if (valid)
			connection->wire = path->user_data;
	} else if (path->user_data == connection->next_wire) {
		connection->path_answer = valid ? PATH_VALID : PATH_FAILED;
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
	wire = open_wire(connection);
	if (wire == NULL)
		return error_set(&connection->error, MQUIC_ERR_SYSTEM, "%s",
				 endpoint_error(connection->endpoint)->text);
	code = begin(connection, wire, false);
	if (code == 0)
		return MQUIC_OK;
	if (code == NGTCP2_ERR_CONN_ID_BLOCKED || code == NGTCP2_ERR_INVALID_STATE)
		return error_set(&connection->error, MQUIC_ERR_AGAIN,
				 "the server does not allow a move, or not yet; try again later");
	return error_set(&connection->error, MQUIC_ERR_MEMORY, "out of memory");
}
