/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "quic/accept.h"
#include "quic/body.h"
#include "quic/closing.h"
#include "quic/demux.h"
#include "quic/dial.h"
#include "quic/ending.h"
#include "quic/guard.h"
#include "quic/migrate.h"
#include "quic/notify.h"
#include "quic/pace.h"
#include "quic/stopped.h"
#include "quic/stream-open.h"
#include "quic/stream-tell.h"
#include "quic/stream.h"
#include "quic/transport.h"
#include "quic/writer.h"

/* Lines per second about handshakes that failed. */
#define FAILURES_PER_SECOND 5

static void run(struct task *task);
static void timer_fired(struct timer *timer, uint64_t now_ns);

struct mquic_connection *connection_new(struct quic_host *host)
{
	struct mquic_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->telling.last_event = event_new(MQUIC_EVENT_CONNECTION_CLOSED);
	if (connection->telling.last_event == NULL ||
	    !timers_reserve(endpoint_timers(host->endpoint))) {
		mquic_event_free(connection->telling.last_event);
		free(connection);
		return NULL;
	}
	memory_init(&connection->memory);
	held_init(&connection->held);
	connection->target.kind = TARGET_CONNECTION;
	connection->endpoint = host->endpoint;
	connection->host = host;
	connection->telling.observer = connection_events();
	connection->telling.self = connection;
	connection->started_ns = endpoint_now(host->endpoint);
	connection->timer.fire = timer_fired;
	connection->task.run = run;
	list_init(&connection->target.routes);
	list_init(&connection->streams.all);
	list_init(&connection->streams.sendable);
	list_init(&connection->streams.touched);
	list_init(&connection->streams.waiting);
	list_init(&connection->streams.stopping);
	list_init(&connection->streams.acceptable);
	list_append(&host->connections, &connection->link);
	return connection;
}

void connection_strip(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;

	if (connection->conn != NULL) {
		ngtcp2_conn_get_conn_info(connection->conn, &connection->facts.last_info);
		ngtcp2_conn_del(connection->conn);
		connection->conn = NULL;
	}
	tls_session_free(connection->tls);
	connection->tls = NULL;
	held_clear(&connection->held);
	timer_set(endpoint_timers(endpoint), &connection->timer, TIMER_NEVER);
	route_remove_all(connection->host, &connection->target);
	if (connection->wire != NULL && connection->wire->connection == connection)
		connection->wire->free(connection->wire);
	connection->wire = NULL;
	if (connection->next_wire != NULL)
		connection->next_wire->free(connection->next_wire);
	connection->next_wire = NULL;
}

void connection_drop(struct mquic_connection *connection)
{
	if (connection->state == CONNECTION_ENDED)
		return;
	connection->state = CONNECTION_ENDED;
	connection_strip(connection);
	dial_free(connection);
	admission_leave(connection);
	endpoint_schedule(connection->endpoint, &connection->task);
}

/* Owned streams stay with their owners, closed; the others go. */
static void let_streams_go(struct mquic_connection *connection)
{
	while (!list_is_empty(&connection->streams.all)) {
		struct mquic_stream *stream =
			list_entry(connection->streams.all.next, struct mquic_stream, link);

		if (connection->endpoint != NULL)
			event_queue_purge(endpoint_events(connection->endpoint), stream);
		if (!stream->owned) {
			stream_destroy(stream);
			continue;
		}
		stream_detach(stream);
	}
}

void connection_destroy(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;

	if (endpoint != NULL) {
		connection_drop(connection);
		event_queue_purge(endpoint_events(endpoint), connection);
		timers_release(endpoint_timers(endpoint));
	}
	let_streams_go(connection);
	list_remove(&connection->task.link);
	list_remove(&connection->accept_link);
	list_remove(&connection->link);
	mquic_event_free(connection->telling.last_event);
	tls_facts_clear(&connection->facts.tls);
	tls_credentials_unref(connection->credentials);
	if (connection->listener == NULL)
		mquic_settings_free(connection->settings);
	free(connection);
}

void connection_out_of_memory(struct mquic_connection *connection)
{
	if (connection->failure != 0 || connection->state == CONNECTION_ENDED)
		return;
	connection->failure = NGTCP2_ERR_NOMEM;
	endpoint_schedule(connection->endpoint, &connection->task);
}

void connection_set_peer(struct mquic_connection *connection, const ngtcp2_path *path)
{
	connection->peer = transport_address(&path->remote);
	connection->local = transport_address(&path->local);
	address_print(&connection->peer, connection->peer_text);
	address_print(&connection->local, connection->local_text);
}

/* Hands packets to ngtcp2; the task does what follows from them. */
static void feed(struct mquic_connection *connection, struct wire *wire,
		 const struct datagram *datagram)
{
	ngtcp2_path path = transport_path(wire, datagram);
	ngtcp2_pkt_info info = {.ecn = datagram->ecn};
	int code;

	pace_look(connection, endpoint_now(connection->endpoint));
	code = guard_read(connection, &path, &info, datagram);
	if (code == NGTCP2_ERR_RETRY) {
		ngtcp2_pkt_hd hd;

		/* A ClientHello in pieces, out of order: ngtcp2 wants the address proven first. */
		if (ngtcp2_accept(&hd, datagram->data, datagram->len) == 0)
			accept_retry(connection->host, wire, datagram, &hd);
		code = NGTCP2_ERR_DROP_CONN;
	}
	connection->failure = code;
	connection->news = true;
	unproven_heard(connection, datagram);
	endpoint_schedule(connection->endpoint, &connection->task);
}

void connection_read(struct mquic_connection *connection, struct wire *wire,
		     const struct datagram *datagram)
{
	struct datagram now = *datagram;

	if (connection->conn == NULL || connection->failure != 0)
		return;
	connection->heard = true;
	connection->mtu.narrow = false;
	connection->facts.counters.packets_received++;
	connection->facts.counters.bytes_received += datagram->len;
	if (connection->listener == NULL)
		now.len = held_split(&connection->held, datagram);
	if (now.len > 0)
		feed(connection, wire, &now);
}

/* ngtcp2 is past the handshake: now for what came before it was. */
static void read_held(struct mquic_connection *connection)
{
	struct datagram datagram;
	void *memory;

	while (connection->failure == 0 && held_take(&connection->held, &datagram, &memory)) {
		feed(connection, connection->wire, &datagram);
		free(memory);
	}
}

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	struct mquic_connection *connection = list_entry(timer, struct mquic_connection, timer);

	pace_look(connection, now_ns);
	if (connection->failure == 0)
		connection->failure = ngtcp2_conn_handle_expiry(connection->conn, now_ns);
	endpoint_schedule(connection->endpoint, &connection->task);
}

/* A quarter of the memory of an idle connection is TLS state that QUIC needs no more. */
static void finish_tls(struct mquic_connection *connection)
{
	(void)tls_session_facts(connection->tls, &connection->facts.tls);
	tls_session_free(connection->tls);
	connection->tls = NULL;
	ngtcp2_conn_set_tls_native_handle(connection->conn, NULL);
}

static void finish_handshake(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;

	connection->telling.handshake_told = true;
	connection->state = CONNECTION_READY;
	connection->facts.counters.handshake_us =
		(endpoint_now(endpoint) - connection->started_ns) / NGTCP2_MICROSECONDS;
	finish_tls(connection);
	dial_free(connection);
	log_debug(endpoint_log(endpoint), "%s: connected, %s %s", connection->peer_text,
		  mquic_connection_tls_version(connection), mquic_connection_cipher(connection));
	if (connection->listener != NULL)
		accept_tell(connection);
	connection->telling.observer->ready(connection->telling.self);
}

/* Tells what ngtcp2's callbacks recorded. Telling may end the connection. */
static void tell(struct mquic_connection *connection)
{
	if (connection->handshake_done && !connection->telling.handshake_told)
		finish_handshake(connection);
	if (connection->conn != NULL && connection->state == CONNECTION_READY)
		stream_open_waiting(connection);
	if (connection->streams.fresh && connection->owned) {
		connection->streams.fresh = false;
		connection->telling.observer->stream_acceptable(connection->telling.self);
	}
	stream_tell(connection);
}

/* A client that does not get in is worth a line, a flood of them is not. */
static bool may_log_failure(struct quic_host *host)
{
	uint64_t second = endpoint_now(host->endpoint) / NGTCP2_SECONDS;

	if (second != host->failure_second) {
		host->failure_second = second;
		host->failures = 0;
	}
	return host->failures++ < FAILURES_PER_SECOND;
}

static void log_end(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;

	if (connection->listener != NULL && !connection->telling.handshake_told &&
	    may_log_failure(connection->host))
		log_info(endpoint_log(endpoint), "%s: handshake failed: %s", connection->peer_text,
			 connection->end.text);
	else
		log_debug(endpoint_log(endpoint), "%s: over: %s", connection->peer_text,
			  connection->end.text);
}

static void finish(struct mquic_connection *connection)
{
	connection->telling.end_told = true;
	stream_end_all(connection);
	stream_tell(connection);
	log_end(connection);
	if (connection->owned)
		connection->telling.observer->ended(connection->telling.self, &connection->end);
	else
		connection_destroy(connection); /* nobody has accepted it */
}

/* Whatever scheduled it meanwhile is done, unless writing brought news or left something to say. */
static void rest(struct mquic_connection *connection)
{
	bool more = !list_is_empty(&connection->streams.touched) ||
		    !list_is_empty(&connection->streams.stopping) || connection->failure != 0;

	list_remove(&connection->task.link);
	stream_stop_opened(connection);
	if (more)
		endpoint_schedule(connection->endpoint, &connection->task);
}

static void cannot_send(struct mquic_connection *connection, int code)
{
	if (connection->state == CONNECTION_HANDSHAKE)
		demux_unreachable(connection, code);
	else
		migrate_if_moved(connection, true);
}

static void run(struct task *task)
{
	struct mquic_connection *connection = list_entry(task, struct mquic_connection, task);
	int failure = connection->failure;
	int unreachable = 0;

	pace_look(connection, endpoint_now(connection->endpoint));
	if (connection->news && connection->conn != NULL)
		stream_ask_stopped(connection);
	connection->news = false;
	/* What came before a failure is told first: bytes and FIN may stand before the close. */
	if (connection->state != CONNECTION_ENDED)
		tell(connection);
	if (connection->conn != NULL && failure != 0)
		connection_fail(connection, failure);
	if (connection->conn != NULL)
		migrate_settle(connection);
	if (connection->conn != NULL)
		unreachable = writer_run(connection);
	if (connection->conn != NULL) {
		timer_set(endpoint_timers(connection->endpoint), &connection->timer,
			  ngtcp2_conn_get_expiry(connection->conn));
		rest(connection);
		read_held(connection);
		/* Only now: what is tried next starts with a task of its own. */
		if (unreachable != 0)
			cannot_send(connection, unreachable);
	} else if (connection->state == CONNECTION_ENDED && !connection->telling.end_told) {
		finish(connection);
	}
}

void connection_observe(struct mquic_connection *connection,
			const struct connection_observer *observer, void *self)
{
	connection->telling.observer = observer == NULL ? connection_events() : observer;
	connection->telling.self = observer == NULL ? connection : self;
	if (connection->endpoint == NULL)
		return;
	event_queue_purge(endpoint_events(connection->endpoint), connection);
	connection->streams.fresh = !list_is_empty(&connection->streams.acceptable);
	if (connection->streams.fresh)
		endpoint_schedule(connection->endpoint, &connection->task);
}

enum mquic_status connection_check_fork(struct mquic_connection *connection)
{
	if (connection->endpoint == NULL)
		return MQUIC_OK; /* and nothing is left to be done with it */
	return endpoint_check_fork(connection->endpoint, &connection->error);
}

bool connection_is_torn(const struct mquic_connection *connection)
{
	return connection->endpoint != NULL && endpoint_is_torn(connection->endpoint);
}

bool connection_is_over(const struct mquic_connection *connection)
{
	return connection->state == CONNECTION_ENDED;
}

struct mquic_endpoint *connection_endpoint(const struct mquic_connection *connection)
{
	return connection->endpoint;
}

void connection_set_keep_alive_ms(struct mquic_connection *connection, uint64_t interval_ms)
{
	if (connection->conn != NULL)
		ngtcp2_conn_set_keep_alive_timeout(connection->conn,
						   interval_ms * NGTCP2_MILLISECONDS);
}

void connection_set_held(struct mquic_connection *connection, size_t bytes)
{
	connection->memory.held = bytes;
}

enum mquic_status mquic_connection_close(struct mquic_connection *connection, uint64_t code,
					 const char *reason)
{
	size_t len = reason == NULL ? 0 : strlen(reason);
	ngtcp2_ccerr error;
	enum mquic_status status;

	if (connection == NULL)
		return MQUIC_ERR_INVALID;
	status = connection_check_fork(connection);
	if (status != MQUIC_OK)
		return status;
	if (code >= (uint64_t)1 << 62 || len > 256)
		return error_set(&connection->error, MQUIC_ERR_INVALID,
				 "a close code is below 2^62 and a reason at most 256 bytes");
	if (connection->state == CONNECTION_ENDED)
		return error_set(&connection->error, MQUIC_ERR_CLOSED,
				 "the connection is over already");
	connection_set_end(connection, MQUIC_OK, MQUIC_ORIGIN_LOCAL, code, "%s",
			   len > 0 ? reason : "closed by us");
	ngtcp2_ccerr_default(&error);
	ngtcp2_ccerr_set_application_error(&error, code, (const uint8_t *)reason, len);
	closing_start(connection, &error);
	connection_drop(connection);
	return MQUIC_OK;
}

void mquic_connection_free(struct mquic_connection *connection)
{
	if (connection == NULL || connection_is_torn(connection))
		return;
	(void)mquic_connection_close(connection, 0, NULL);
	connection->owned = false;
	connection_destroy(connection);
}
