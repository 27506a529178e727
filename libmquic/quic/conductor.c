/* SPDX-License-Identifier: MIT */
#include "quic/conductor.h"

#include <errno.h>
#include <string.h>

#include "quic/acceptable.h"
#include "quic/admission.h"
#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/candidates.h"
#include "quic/closing.h"
#include "quic/ending.h"
#include "quic/race.h"
#include "quic/resume.h"
#include "quic/stopped.h"
#include "quic/stream-open.h"
#include "quic/stream-tell.h"
#include "quic/stream.h"
#include "quic/totals.h"
#include "quic/writer.h"

/* Lines per second about handshakes that failed. */
#define FAILURES_PER_SECOND 5

/* ---- The way out ---- */

/* All attempts but the one that carries the connection go, with or without a word to the peer. */
static void free_rivals(struct mquic_connection *connection, bool with_word)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &connection->attempts) {
		struct attempt *attempt = list_entry(node, struct attempt, link);

		if (attempt == connection->attempt)
			continue;
		if (with_word)
			closing_dismiss(attempt, NGTCP2_NO_ERROR, "another address is used");
		attempt_free(attempt);
	}
}

void conductor_drop(struct mquic_connection *connection)
{
	if (connection->state == CONNECTION_ENDED)
		return;
	state_step(connection, CONNECTION_ENDED);
	free_rivals(connection, false);
	if (connection->attempt != NULL)
		attempt_end(connection->attempt);
	totals_ended(connection);
	route_remove_all(connection->host, &connection->target);
	candidates_free(connection);
	admission_leave(connection);
	connection_schedule(connection);
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

void conductor_destroy(struct mquic_connection *connection)
{
	if (connection->endpoint != NULL) {
		conductor_drop(connection);
		event_queue_purge(endpoint_events(connection->endpoint), connection);
	}
	let_streams_go(connection);
	if (connection->attempt != NULL)
		attempt_free(connection->attempt);
	connection_free(connection);
}

void conductor_give_way(struct mquic_connection *connection, const char *why)
{
	ending_set(connection, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_LOCAL, NGTCP2_CONNECTION_REFUSED,
		   "%s; this one gave way to another", why);
	connection->end.culprit = LOG_PEER; /* our caller has only set the limit */
	closing_dismiss(connection->attempt, NGTCP2_CONNECTION_REFUSED, why);
	conductor_drop(connection);
}

/* ---- Attempts that fail ---- */

/* The server has offered a version of QUIC in place of ours. ngtcp2 reports one offer of an
 * address, and none that lists the version we came with (RFC 9000 section 6.2, RFC 9368 section
 * 4). */
static bool try_offered(struct attempt *attempt)
{
	uint32_t offered = attempt->record.offered;
	struct address peer = attempt->path.peer;

	if (offered == 0 || attempt_dial(attempt->connection, &peer, offered) != MQUIC_OK)
		return false;
	attempt_free(attempt);
	return true;
}

/* Why is in connection->end. */
static void lose(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;

	if (connection->candidates == NULL || !race_goes_on(attempt))
		conductor_drop(connection);
}

/* What follows from an error of ngtcp2: another version, or why is kept, the peer is told, and it
 * is another's turn, or the end. */
static void fail(struct attempt *attempt, int ngtcp2_error)
{
	ngtcp2_ccerr error;

	if (ngtcp2_error == NGTCP2_ERR_RECV_VERSION_NEGOTIATION && try_offered(attempt))
		return;
	switch (ending_of(attempt, ngtcp2_error, &error)) {
	case ENDING_IS_SAID:
		closing_start(attempt, &error);
		break;
	case ENDING_DRAINS:
		closing_drain(attempt);
		break;
	case ENDING_SILENT:
		break;
	}
	lose(attempt);
}

static void fail_to_reach(struct attempt *attempt, int code)
{
	struct mquic_connection *connection = attempt->connection;

	if (connection->listener != NULL)
		return;
	ending_set_unreachable(attempt, code);
	log_debug(endpoint_log(connection->endpoint), "%s: unreachable", attempt->path.peer_text);
	lose(attempt);
}

/* Before the handshake is confirmed, and with a server that forbids it, there is no moving. */
static void follow_move(struct mquic_connection *connection, bool cannot_send)
{
	if (migrate_if_moved(connection, cannot_send))
		return;
	ending_set(connection, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, EADDRNOTAVAIL,
		   "our address %s is gone, and this connection cannot move to another",
		   connection->attempt->path.local_text);
	conductor_drop(connection);
}

void conductor_follow_moves(struct quic_host *host)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &host->connections)
		follow_move(list_entry(node, struct mquic_connection, link), false);
}

/* The system has answered, or does not: a name has led to addresses, or to none. */
static void resolve(struct mquic_connection *connection)
{
	const struct quic_candidates *candidates = connection->candidates;
	enum mquic_status status;

	if (!candidates->answered && !candidates->impatient)
		return;
	if (!candidates_are_found(connection)) {
		conductor_drop(connection);
		return;
	}
	state_step(connection, CONNECTION_HANDSHAKE);
	connection->started_ns = endpoint_now(connection->endpoint);
	status = race_next(connection);
	if (status == MQUIC_OK)
		return;
	ending_set(connection, status,
		   status == MQUIC_ERR_SYSTEM ? MQUIC_ORIGIN_SYSTEM : MQUIC_ORIGIN_LOCAL, 0, "%s",
		   endpoint_error(connection->endpoint)->text);
	conductor_drop(connection);
}

/* ---- Telling ---- */

/* Its handshake is the first that is complete: it carries the connection. */
static void adopt(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;
	struct mquic_endpoint *endpoint = connection->endpoint;

	connection->attempt = attempt;
	free_rivals(connection, true);
	connection->telling.handshake_told = true;
	state_step(connection, CONNECTION_READY);
	totals_done(connection);
	connection->facts.counters.handshake_us =
		(endpoint_now(endpoint) - connection->started_ns) / NGTCP2_MICROSECONDS;
	attempt_finish_tls(attempt);
	candidates_free(connection);
	totals_resumed(connection);
	log_debug(endpoint_log(endpoint), "%s: connected, %s %s, %s handshake",
		  attempt->path.peer_text, mquic_connection_tls_version(connection),
		  mquic_connection_cipher(connection),
		  mquic_connection_resumed(connection) ? "resumed" : "full");
	if (connection->listener != NULL)
		acceptable_add(connection);
	connection->telling.observer->ready(connection->telling.self);
}

/* Tells what ngtcp2's callbacks recorded. Telling may end the connection. */
static void tell(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;

	if (attempt->record.handshake_done && !connection->telling.handshake_told)
		adopt(attempt);
	if (connection->state == CONNECTION_READY)
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
	return quota_take(&host->failures, endpoint_now(host->endpoint), FAILURES_PER_SECOND);
}

static void log_end(struct mquic_connection *connection)
{
	const struct log *log = endpoint_log(connection->endpoint);

	if (connection->listener != NULL && !connection->telling.handshake_told &&
	    may_log_failure(connection->host))
		log_info(log, "%s: handshake failed: %s", mquic_connection_peer_address(connection),
			 connection->end.text);
	else
		log_debug(log, "%s: over: %s", mquic_connection_peer_address(connection),
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
		conductor_destroy(connection); /* nobody has accepted it */
}

/* ---- The task ---- */

/*
 * Whatever scheduled it meanwhile is done, unless writing brought news or left something to say. Of
 * several attempts only this one's record counts: nobody writes in another's during its turn, and
 * those that are new have theirs in this run as well.
 */
static void rest(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;
	bool more = !list_is_empty(&connection->streams.touched) ||
		    !list_is_empty(&connection->streams.stopping) || attempt->record.failure != 0;

	list_remove(&connection->task.link);
	stream_stop_opened(connection);
	if (more)
		connection_schedule(connection);
}

static void cannot_send(struct attempt *attempt)
{
	int code = attempt->record.unreachable;

	attempt->record.unreachable = 0;
	if (code == 0)
		return;
	if (attempt->connection->state == CONNECTION_HANDSHAKE)
		fail_to_reach(attempt, code);
	else
		follow_move(attempt->connection, true);
}

static void send_due(struct attempt *attempt)
{
	uint64_t before;
	uint64_t expiry_ns;
	uint64_t copy_ns;
	int code;

	migrate_settle(attempt);
	before = challenge_begin(attempt);
	code = writer_run(attempt);
	if (code != 0) {
		fail(attempt, code);
		return;
	}
	challenge_end(attempt, before);
	expiry_ns = ngtcp2_conn_get_expiry(attempt->conn);
	copy_ns = copies_next(attempt);
	timer_set(endpoint_timers(attempt->connection->endpoint), &attempt->timer,
		  copy_ns < expiry_ns ? copy_ns : expiry_ns);
	rest(attempt);
	attempt_read_held(attempt);
	/* Only now: what is tried next starts with a task of its own. */
	cannot_send(attempt);
}

/* Acts on what was recorded. The attempt may be gone afterwards. */
static void turn(struct attempt *attempt)
{
	struct mquic_connection *connection = attempt->connection;
	int failure = attempt->record.failure;

	pace_look(attempt, endpoint_now(connection->endpoint));
	if (attempt->record.news)
		stream_ask_stopped(connection);
	attempt->record.news = false;
	/* What came before a failure is told first: bytes and FIN may stand before the close. */
	tell(attempt);
	if (connection->state == CONNECTION_ENDED)
		return;
	if (attempt->tls != NULL && connection->state == CONNECTION_READY && resume_settle(attempt))
		attempt_drop_tls(attempt);
	/* A system's word of an unreachable peer counts only while nothing proves the contrary. */
	if (connection->state == CONNECTION_READY)
		attempt->record.unreachable = 0;
	if (failure != 0)
		fail(attempt, failure);
	else if (attempt->record.unreachable != 0)
		cannot_send(attempt);
	else
		send_due(attempt);
}

/* An attempt goes by its own turn, and the others with a step to another state. */
static void turn_all(struct mquic_connection *connection)
{
	struct list *node;

	if (connection->candidates != NULL)
		race_look(connection);
	node = connection->attempts.next;
	while (connection->state == CONNECTION_HANDSHAKE && node != &connection->attempts) {
		struct attempt *attempt = list_entry(node, struct attempt, link);

		node = node->next;
		turn(attempt);
	}
	if (connection->state == CONNECTION_HANDSHAKE && connection->candidates != NULL &&
	    !race_settle(connection))
		conductor_drop(connection);
}

static void run(struct task *task)
{
	struct mquic_connection *connection = list_entry(task, struct mquic_connection, task);

	if (connection->state == CONNECTION_READY)
		turn(connection->attempt);
	else if (connection->state == CONNECTION_RESOLVING)
		resolve(connection);
	else
		turn_all(connection);
	if (connection->state == CONNECTION_ENDED && !connection->telling.end_told)
		finish(connection);
}

struct mquic_connection *conductor_new(struct quic_host *host)
{
	struct mquic_connection *connection = connection_new(host);

	if (connection == NULL)
		return NULL;
	connection_observe(connection, NULL, NULL);
	connection->task.run = run;
	return connection;
}

/* ---- What its owner asks for ---- */

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
	ending_set(connection, MQUIC_OK, MQUIC_ORIGIN_LOCAL, code, "%s",
		   len > 0 ? reason : "closed by us");
	ngtcp2_ccerr_default(&error);
	ngtcp2_ccerr_set_application_error(&error, code, (const uint8_t *)reason, len);
	free_rivals(connection, true);
	if (connection->attempt != NULL)
		closing_start(connection->attempt, &error);
	conductor_drop(connection);
	return MQUIC_OK;
}

void mquic_connection_free(struct mquic_connection *connection)
{
	if (connection == NULL || connection_is_torn(connection))
		return;
	(void)mquic_connection_close(connection, 0, NULL);
	connection->owned = false;
	conductor_destroy(connection);
}
