/* SPDX-License-Identifier: MIT */
#include "quic/attempt.h"

#include <stdlib.h>

#include "quic/answer.h"
#include "quic/body.h"
#include "quic/client.h"
#include "quic/guard.h"

/* ---- Life ---- */

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	struct attempt *attempt = list_entry(timer, struct attempt, timer);

	pace_look(attempt, now_ns);
	if (attempt->record.failure == 0)
		attempt->record.failure = ngtcp2_conn_handle_expiry(attempt->conn, now_ns);
	connection_schedule(attempt->connection);
}

struct attempt *attempt_new(struct mquic_connection *connection, struct wire *wire)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));

	if (attempt == NULL)
		return NULL;
	if (!timers_reserve(endpoint_timers(connection->endpoint))) {
		free(attempt);
		return NULL;
	}
	attempt->connection = connection;
	attempt->wire = wire;
	attempt->timer.fire = timer_fired;
	held_init(&attempt->held);
	list_append(&connection->attempts, &attempt->link);
	connection->attempt = attempt;
	return attempt;
}

static void end_conn(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;

	if (attempt->conn == NULL)
		return;
	if (connection->attempt == attempt)
		facts_keep(connection);
	ngtcp2_conn_del(attempt->conn);
	attempt->conn = NULL;
}

void attempt_end(struct attempt *attempt)
{
	end_conn(attempt);
	tls_session_free(attempt->tls);
	attempt->tls = NULL;
	held_clear(&attempt->held);
	copies_free(attempt);
	if (attempt->connection->endpoint != NULL)
		timer_set(endpoint_timers(attempt->connection->endpoint), &attempt->timer,
			  TIMER_NEVER);
	if (attempt->wire != NULL && attempt->wire->attempt == attempt)
		attempt->wire->free(attempt->wire);
	attempt->wire = NULL;
	if (attempt->move.wire != NULL)
		attempt->move.wire->free(attempt->move.wire);
	attempt->move.wire = NULL;
}

/* The latest that is left carries the connection. */
static void forget(struct mquic_connection *connection, const struct attempt *attempt)
{
	if (connection->attempt != attempt)
		return;
	connection->attempt = list_is_empty(&connection->attempts)
				      ? NULL
				      : list_entry(connection->attempts.prev, struct attempt, link);
}

void attempt_free(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;

	attempt_end(attempt);
	if (connection->endpoint != NULL)
		timers_release(endpoint_timers(connection->endpoint));
	list_remove(&attempt->link);
	forget(connection, attempt);
	free(attempt);
}

/* ---- Dialing ---- */

enum mquic_status attempt_open_wire(struct mquic_connection *connection, struct wire **wire,
				    const struct address *remote)
{
	struct quic_host *host = connection->host;
	struct error *error = endpoint_error(connection->endpoint);
	const char *text = connection->settings->local_address;
	struct address local;
	enum mquic_status status;

	if (text == NULL)
		return host->open_wire(host, wire, NULL, remote);
	status = address_parse(&local, text, 0, error);
	if (status != MQUIC_OK)
		return status;
	if (local.of.any.sa_family != remote->of.any.sa_family)
		return error_set(error, MQUIC_ERR_SYSTEM,
				 "the server's address is not of the kind of %s, which is to be "
				 "dialed from",
				 text);
	return host->open_wire(host, wire, &local, remote);
}

static enum mquic_status explain(struct mquic_connection *connection, enum mquic_status status)
{
	struct error *error = endpoint_error(connection->endpoint);
	const char *name = client_server_name(connection);

	if (status == MQUIC_ERR_INVALID)
		return error_set(error, status,
				 "'%s' cannot be the name of a server; set one that can", name);
	if (status == MQUIC_ERR_MEMORY)
		return error_set(error, status, "out of memory for a connection");
	return error_set(error, status, "no TLS session can be made for '%s'", name);
}

enum mquic_status attempt_check(struct mquic_connection *connection)
{
	struct tls_session *session = NULL;
	enum mquic_status status = tls_session_new(&session, connection->credentials,
						   client_server_name(connection), NULL);

	tls_session_free(session);
	return status == MQUIC_OK ? MQUIC_OK : explain(connection, status);
}

enum mquic_status attempt_dial(struct mquic_connection *connection, const struct address *remote,
			       uint32_t version)
{
	struct attempt *attempt;
	struct wire *wire;
	enum mquic_status status = attempt_open_wire(connection, &wire, remote);

	if (status != MQUIC_OK)
		return status;
	attempt = attempt_new(connection, wire);
	if (attempt == NULL) {
		wire->free(wire);
		return explain(connection, MQUIC_ERR_MEMORY);
	}
	wire->attempt = attempt;
	status = client_begin(attempt, remote, version);
	if (status != MQUIC_OK) {
		attempt_free(attempt);
		return explain(connection, status);
	}
	connection_schedule(connection);
	return MQUIC_OK;
}

/* ---- Reading ---- */

/* A ClientHello in pieces, out of order: ngtcp2 wants the address proven first. */
static void demand_proof(struct attempt *attempt, struct wire *wire,
			 const struct datagram *datagram)
{
	ngtcp2_pkt_hd hd;

	if (ngtcp2_accept(&hd, datagram->data, datagram->len) == 0)
		answer_retry(attempt->connection->host, wire, datagram, &hd);
}

/* Hands packets to ngtcp2. */
static void feed(struct attempt *attempt, struct wire *wire, const struct datagram *datagram)
{
	ngtcp2_path path = path_of(wire, datagram);
	ngtcp2_pkt_info info = {.ecn = datagram->ecn};
	int code;

	pace_look(attempt, endpoint_now(attempt->connection->endpoint));
	code = guard_read(attempt, &path, &info, datagram);
	if (code == NGTCP2_ERR_RETRY) {
		demand_proof(attempt, wire, datagram);
		code = NGTCP2_ERR_DROP_CONN;
	}
	attempt->record.failure = code;
	attempt->record.news = true;
	unproven_heard(attempt, datagram);
	connection_schedule(attempt->connection);
}

void attempt_read(struct attempt *attempt, struct wire *wire, const struct datagram *datagram)
{
	struct mquic_connection *connection = attempt->connection;
	struct datagram now = *datagram;

	if (attempt->conn == NULL || attempt->record.failure != 0) {
		host_count(connection->host, MQUIC_TOTAL_DROPPED_LATE);
		return;
	}
	attempt->record.heard = true;
	attempt->mtu.narrow = false;
	connection->facts.counters.packets_received++;
	connection->facts.counters.bytes_received += datagram->len;
	if (!burden_allows(attempt) || copies_is_repeat(attempt, datagram))
		return;
	if (connection->listener == NULL)
		now.len = held_split(&attempt->held, datagram);
	if (now.len > 0)
		feed(attempt, wire, &now);
}

void attempt_read_held(struct attempt *attempt)
{
	struct datagram datagram;
	void *memory;

	while (attempt->record.failure == 0 && held_take(&attempt->held, &datagram, &memory)) {
		feed(attempt, attempt->wire, &datagram);
		free(memory);
	}
}

void attempt_unreachable(struct attempt *attempt, int code)
{
	struct mquic_connection *connection = attempt->connection;

	/* Later on it proves nothing: the idle timeout and stateless resets decide. */
	if (connection->state != CONNECTION_HANDSHAKE || connection->listener != NULL)
		return;
	attempt->record.unreachable = code;
	connection_schedule(connection);
}

void attempt_finish_tls(struct attempt *attempt)
{
	(void)tls_session_facts(attempt->tls, &attempt->connection->facts.tls);
	if (attempt->connection->listener == NULL)
		return; /* it may have a ticket to wait for */
	tls_session_grant(attempt->tls);
	attempt_drop_tls(attempt);
}

void attempt_drop_tls(struct attempt *attempt)
{
	tls_session_free(attempt->tls);
	attempt->tls = NULL;
	ngtcp2_conn_set_tls_native_handle(attempt->conn, NULL);
}
