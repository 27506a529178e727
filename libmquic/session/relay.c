/* SPDX-License-Identifier: MIT */
/* Life of a relay, and what its connection tells. See relay.h. */
#include "session/relay.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/merge.h"

/* ---- What the connection tells ------------------------------------------ */

static void show_connect(struct mquic_relay *relay)
{
	relay_step(relay, RELAY_SHOWN);
	connection_set_waiting(relay->connection, false);
	timer_set(endpoint_timers(relay->endpoint), &relay->timer, TIMER_NEVER);
	(void)relay_push(relay, MQUIC_EVENT_RELAY_CONNECT, NULL);
}

static void await_connect(struct mquic_relay *relay)
{
	const char *objection = NULL;
	enum mquic_status gathered = relay_gather(relay, &objection);

	if (gathered == MQUIC_OK)
		show_connect(relay);
	else if (gathered != MQUIC_ERR_AGAIN)
		relay_hang_up(relay, gathered, objection);
}

static void stream_readable(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;

	if (relay->state == RELAY_WAITING) {
		if (stream == relay->stream)
			await_connect(relay);
	} else if (stream != relay->stream) {
		if (relay->merged && relay->state == RELAY_OPEN)
			(void)relay_push(relay, MQUIC_EVENT_RELAY_READABLE,
					 &relay->readable_queued);
	} else if (relay->state == RELAY_OPEN || relay->state == RELAY_SHOWN) {
		const uint8_t *data;
		size_t len;

		if (mquic_stream_peek(stream, &data, &len) == MQUIC_ERR_CLOSED)
			relay_lose_stream(relay);
		else if (relay->state == RELAY_OPEN)
			(void)relay_push(relay, MQUIC_EVENT_RELAY_READABLE,
					 &relay->readable_queued);
	}
}

static void stream_acceptable(void *self)
{
	struct mquic_relay *relay = self;
	struct mquic_stream *stream;

	while (mquic_connection_accept_stream(relay->connection, &stream) == MQUIC_OK) {
		/* Packets overtake each other: not what comes first counts, but the number. */
		if (mquic_stream_id(stream) == CONTROL_STREAM)
			relay->stream = stream;
		else
			relay_add_stream(relay, stream);
	}
}

static void stream_writable(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;
	size_t sent;

	if (relay->merged)
		relay_merge_moved(relay);
	else if (stream != relay->stream)
		return; /* nothing was sent on it */
	else if (mquic_stream_send(stream, NULL, 0, &sent) == MQUIC_ERR_CLOSED)
		relay_lose_stream(relay); /* STOP_SENDING */
	else if (relay->state == RELAY_OPEN)
		(void)relay_push(relay, MQUIC_EVENT_RELAY_WRITABLE, &relay->writable_queued);
}

static void stream_flushed(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;

	if (relay->merged && stream != relay->stream)
		relay_merge_moved(relay); /* perhaps it was all that it had to say */
	if (relay->state == RELAY_FINISHING && relay_pending(relay) == 0)
		(void)relay_say_good_bye(relay);
}

static void stream_closed(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;

	if (stream == relay->stream)
		relay_lose_stream(relay);
	else
		relay_stream_over(relay, stream);
}

static void ready(void *self)
{
	(void)self; /* it was, before there was a relay */
}

static void ended(void *self, const struct quic_end *end)
{
	struct mquic_relay *relay = self;

	relay->end = *end;
	timer_set(endpoint_timers(relay->endpoint), &relay->timer, TIMER_NEVER);
	if (relay->state != RELAY_OPEN || !relay_has_unread(relay)) {
		relay_tell_closed(relay);
		return;
	}
	relay_step(relay, RELAY_LEFT);
	if (!relay_push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued))
		relay_tell_closed(relay);
}

static const struct connection_observer observer = {
	.ready = ready,
	.stream_acceptable = stream_acceptable,
	.stream_readable = stream_readable,
	.stream_writable = stream_writable,
	.stream_flushed = stream_flushed,
	.stream_closed = stream_closed,
	.ended = ended,
};

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	struct mquic_relay *relay = list_entry(timer, struct mquic_relay, timer);

	if (relay->state == RELAY_WAITING)
		relay_hang_up(relay, MQUIC_ERR_TIMEOUT, "no CONNECT in time");
	else if (relay->state == RELAY_OPEN)
		relay_watch_hoards(relay);
	else if (relay_pending(relay) < relay->pending)
		relay_await_flush(relay, relay_pending(relay), now_ns); /* slow, not dead */
	else
		(void)relay_say_good_bye(relay);
}

/* ---- Life --------------------------------------------------------------- */

static void forget_endpoint(struct mquic_relay *relay)
{
	struct mquic_endpoint *endpoint = relay->endpoint;

	connection_observe(relay->connection, NULL, NULL);
	relay_merge_free(relay);
	mquic_stream_free(relay->stream);
	relay->stream = NULL;
	mquic_connection_free(relay->connection);
	relay->connection = NULL;
	event_queue_purge(endpoint_events(endpoint), relay);
	timer_set(endpoint_timers(endpoint), &relay->timer, TIMER_NEVER);
	timers_release(endpoint_timers(endpoint));
	list_remove(&relay->child.link);
	if (relay->state != RELAY_CLOSED)
		relay_step(relay, RELAY_CLOSED);
	relay->endpoint = NULL;
}

static void orphan(struct endpoint_child *child)
{
	forget_endpoint(list_entry(child, struct mquic_relay, child));
}

static enum mquic_status check_arguments(struct mquic_connection *connection,
					 uint64_t connect_timeout_ms, size_t max_connect)
{
	if (connect_timeout_ms < 100 || connect_timeout_ms > 600000 || max_connect < 64 ||
	    max_connect > 1048576)
		return error_say(connection_error(connection), MQUIC_ERR_INVALID,
				 "CONNECT must come within 100 to 600000 ms and have at "
				 "most 64 to 1048576 bytes");
	if (connection_check_fork(connection) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (connection_endpoint(connection) == NULL || connection_is_over(connection))
		return error_say(connection_error(connection), MQUIC_ERR_CLOSED,
				 "no relay can be made: the connection is over");
	return MQUIC_OK;
}

enum mquic_status mquic_relay_new(struct mquic_relay **relay, struct mquic_connection *connection,
				  uint64_t connect_timeout_ms, size_t max_connect)
{
	struct mquic_relay *made;
	enum mquic_status status;

	if (connection == NULL)
		return MQUIC_ERR_INVALID;
	if (relay == NULL)
		return error_say(connection_error(connection), MQUIC_ERR_INVALID,
				 "a place for the relay is needed");
	status = check_arguments(connection, connect_timeout_ms, max_connect);
	if (status != MQUIC_OK)
		return status;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return error_say(connection_error(connection), MQUIC_ERR_MEMORY, "out of memory");
	made->endpoint = connection_endpoint(connection);
	made->last_event = event_new(MQUIC_EVENT_RELAY_CLOSED);
	if (made->last_event == NULL || !timers_reserve(endpoint_timers(made->endpoint))) {
		mquic_event_free(made->last_event);
		free(made);
		return error_say(connection_error(connection), MQUIC_ERR_MEMORY, "out of memory");
	}
	made->connection = connection;
	made->number = log_number(endpoint_log(made->endpoint), LOG_RELAY);
	made->head_max = max_connect;
	made->child.orphan = orphan;
	made->timer.fire = timer_fired;
	endpoint_adopt(made->endpoint, ENDPOINT_SESSIONS, &made->child);
	connection_observe(connection, &observer, made);
	connection_set_waiting(connection, true); /* until it has sent CONNECT */
	timer_set(endpoint_timers(made->endpoint), &made->timer,
		  endpoint_now(made->endpoint) + connect_timeout_ms * NS_PER_MS);
	*relay = made;
	return MQUIC_OK;
}

void mquic_relay_free(struct mquic_relay *relay)
{
	if (relay == NULL || (relay->endpoint != NULL && endpoint_is_torn(relay->endpoint)))
		return;
	if (relay->endpoint != NULL)
		forget_endpoint(relay);
	relay_forget_connect(relay);
	merge_free(relay->merge);
	free(relay->farewell);
	mquic_event_free(relay->last_event);
	free(relay);
}

/* ---- What the broker wants ------------------------------------------------ */

enum mquic_status mquic_relay_open(struct mquic_relay *relay)
{
	enum mquic_status status =
		relay_demand(relay, RELAY_SHOWN, "a relay is opened once, after RELAY_CONNECT");

	if (status != MQUIC_OK)
		return status;
	if (relay->protocol != 0) {
		relay->merge = merge_new(relay->protocol);
		if (relay->merge == NULL)
			return error_set(&relay->error, MQUIC_ERR_MEMORY, "out of memory");
	}
	relay_step(relay, RELAY_OPEN);
	(void)relay_push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	return MQUIC_OK;
}

static enum mquic_status keep_farewell(struct mquic_relay *relay, const char *reason)
{
	if (reason == NULL)
		return MQUIC_OK;
	if (strlen(reason) > 256)
		return error_set(&relay->error, MQUIC_ERR_INVALID,
				 "a reason has at most 256 bytes");
	relay->farewell = strdup(reason);
	return relay->farewell != NULL
		       ? MQUIC_OK
		       : error_set(&relay->error, MQUIC_ERR_MEMORY, "out of memory");
}

enum mquic_status mquic_relay_finish(struct mquic_relay *relay, const char *reason)
{
	enum mquic_status status = relay_demand(
		relay, RELAY_OPEN, "only an open relay can be finished; close it instead");

	if (status == MQUIC_OK)
		status = keep_farewell(relay, reason);
	if (status != MQUIC_OK)
		return status;
	if (relay->state == RELAY_LEFT) {
		/* The broker will not take the rest of what the client sent. */
		relay_tell_closed(relay);
		return MQUIC_OK;
	}
	relay_step(relay, RELAY_FINISHING);
	if (relay_pending(relay) == 0)
		return relay_say_good_bye(relay);
	relay_await_flush(relay, relay_pending(relay), endpoint_now(relay->endpoint));
	return MQUIC_OK;
}

/* ---- Looking at it ------------------------------------------------------ */

const char *mquic_relay_error(const struct mquic_relay *relay)
{
	return relay == NULL ? "no relay was given" : relay->error.text;
}

struct mquic_connection *mquic_relay_connection(const struct mquic_relay *relay)
{
	return relay == NULL ? NULL : relay->connection;
}

void mquic_relay_set_userdata(struct mquic_relay *relay, void *userdata)
{
	if (relay != NULL)
		relay->userdata = userdata;
}

void *mquic_relay_get_userdata(const struct mquic_relay *relay)
{
	return relay == NULL ? NULL : relay->userdata;
}
