/* SPDX-License-Identifier: MIT */
/* Life of a relay, and what its connection tells. See relay.h. */
#include "session/relay.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/reason.h"

#define NS_PER_MS 1000000U

/* How long the client may acknowledge nothing of the last bytes. */
#define FINISH_NS (5000 * (uint64_t)NS_PER_MS)

/* ---- Events ------------------------------------------------------------- */

void relay_push(struct mquic_relay *relay, enum mquic_event_type type, bool *queued)
{
	struct mquic_event *event;

	if (queued != NULL && *queued)
		return;
	event = event_new(type);
	if (event == NULL) {
		/* Without its event the relay would hang for ever. */
		(void)mquic_connection_close(relay->connection, CLOSE_CONTROL_GONE, NULL);
		return;
	}
	event->relay = relay;
	event->connection = relay->connection;
	event->owner = relay;
	event->queued = queued;
	endpoint_push(relay->endpoint, event);
}

void relay_tell_closed(struct mquic_relay *relay)
{
	struct mquic_event *event = relay->last_event;

	if (event == NULL)
		return;
	relay->last_event = NULL;
	relay->state = RELAY_CLOSED;
	event->type = MQUIC_EVENT_RELAY_CLOSED;
	event->relay = relay;
	event->connection = relay->connection;
	event->owner = relay;
	event->status = relay->end.status;
	event->origin = relay->end.origin;
	event->code = relay->end.code;
	event_set_text(event, relay->end.text, strlen(relay->end.text));
	endpoint_push(relay->endpoint, event);
}

/* ---- What the connection tells ------------------------------------------ */

void relay_lose_stream(struct mquic_relay *relay)
{
	if (!connection_is_over(relay->connection))
		(void)mquic_connection_close(relay->connection, CLOSE_CONTROL_GONE,
					     "the control stream is gone");
}

static void stream_readable(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;

	if (relay->state == RELAY_WAITING) {
		relay_gather(relay);
	} else if (relay->state == RELAY_OPEN || relay->state == RELAY_SHOWN) {
		const uint8_t *data;
		size_t len;

		if (mquic_stream_peek(stream, &data, &len) == MQUIC_ERR_CLOSED)
			relay_lose_stream(relay);
		else if (relay->state == RELAY_OPEN)
			relay_push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	}
}

static void stream_acceptable(void *self)
{
	struct mquic_relay *relay = self;
	struct mquic_stream *stream;

	while (mquic_connection_accept_stream(relay->connection, &stream) == MQUIC_OK) {
		/* Packets overtake each other: not what comes first counts, but the number. */
		if (mquic_stream_id(stream) == CONTROL_STREAM) {
			relay->stream = stream;
			continue;
		}
		/* One stream per client: more are refused as they come. */
		(void)mquic_stream_stop(stream, MQTT_IMPLEMENTATION_ERROR);
		(void)mquic_stream_reset(stream, MQTT_IMPLEMENTATION_ERROR);
		mquic_stream_free(stream);
	}
}

static void stream_writable(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;
	size_t sent;

	if (mquic_stream_send(stream, NULL, 0, &sent) == MQUIC_ERR_CLOSED)
		relay_lose_stream(relay); /* STOP_SENDING */
	else if (relay->state == RELAY_OPEN)
		relay_push(relay, MQUIC_EVENT_RELAY_WRITABLE, &relay->writable_queued);
}

static void stream_flushed(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;

	(void)stream;
	if (relay->state == RELAY_FINISHING)
		(void)mquic_connection_close(relay->connection, CLOSE_NORMAL, NULL);
}

static void stream_closed(void *self, struct mquic_stream *stream)
{
	(void)stream;
	relay_lose_stream(self);
}

static void ready(void *self)
{
	(void)self; /* it was, before there was a relay */
}

static void ended(void *self, const struct quic_end *end)
{
	struct mquic_relay *relay = self;

	relay->ended = true;
	relay->end = *end;
	timer_set(&relay->endpoint->timers, &relay->timer, TIMER_NEVER);
	if (relay->state == RELAY_OPEN && relay_has_unread(relay))
		relay_push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	else
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

void relay_await_flush(struct mquic_relay *relay, uint64_t now_ns)
{
	relay->pending = mquic_stream_bytes_pending(relay->stream);
	timer_set(&relay->endpoint->timers, &relay->timer, now_ns + FINISH_NS);
}

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	struct mquic_relay *relay = list_entry(timer, struct mquic_relay, timer);

	if (relay->state == RELAY_WAITING)
		(void)mquic_connection_close(relay->connection, CLOSE_CONTROL_GONE,
					     "no CONNECT in time");
	else if (mquic_stream_bytes_pending(relay->stream) < relay->pending)
		relay_await_flush(relay, now_ns); /* slow, not dead */
	else
		(void)mquic_connection_close(relay->connection, CLOSE_NORMAL, NULL);
}

/* ---- Life --------------------------------------------------------------- */

static void forget_endpoint(struct mquic_relay *relay)
{
	struct mquic_endpoint *endpoint = relay->endpoint;

	connection_observe(relay->connection, NULL, NULL);
	mquic_stream_free(relay->stream);
	relay->stream = NULL;
	mquic_connection_free(relay->connection);
	relay->connection = NULL;
	event_queue_purge(&endpoint->events, relay);
	timer_set(&endpoint->timers, &relay->timer, TIMER_NEVER);
	timers_release(&endpoint->timers);
	list_remove(&relay->child.link);
	relay->endpoint = NULL;
	relay->state = RELAY_CLOSED;
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
		return MQUIC_ERR_INVALID;
	if (connection_check_fork(connection) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	return connection_endpoint(connection) == NULL || connection_is_over(connection)
		       ? MQUIC_ERR_CLOSED
		       : MQUIC_OK;
}

enum mquic_status mquic_relay_new(struct mquic_relay **relay, struct mquic_connection *connection,
				  uint64_t connect_timeout_ms, size_t max_connect)
{
	struct mquic_relay *made;
	enum mquic_status status;

	if (relay == NULL || connection == NULL)
		return MQUIC_ERR_INVALID;
	status = check_arguments(connection, connect_timeout_ms, max_connect);
	if (status != MQUIC_OK)
		return status;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	made->endpoint = connection_endpoint(connection);
	made->last_event = event_new(MQUIC_EVENT_RELAY_CLOSED);
	if (made->last_event == NULL || !timers_reserve(&made->endpoint->timers)) {
		mquic_event_free(made->last_event);
		free(made);
		return MQUIC_ERR_MEMORY;
	}
	made->connection = connection;
	made->head_max = max_connect;
	made->child.orphan = orphan;
	made->timer.fire = timer_fired;
	endpoint_adopt(made->endpoint, ENDPOINT_SESSIONS, &made->child);
	connection_observe(connection, &observer, made);
	connection_set_waiting(connection, true); /* until it has sent CONNECT */
	timer_set(&made->endpoint->timers, &made->timer,
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
	mquic_event_free(relay->last_event);
	free(relay);
}

enum mquic_status relay_demand(struct mquic_relay *relay, enum relay_state state, const char *what)
{
	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (relay->state == RELAY_CLOSED || relay->endpoint == NULL)
		return error_set(&relay->error, MQUIC_ERR_CLOSED, "the client is gone");
	if (endpoint_check_fork(relay->endpoint, &relay->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (relay->state != state)
		return error_set(&relay->error, MQUIC_ERR_STATE, "%s", what);
	return MQUIC_OK;
}

enum mquic_status mquic_relay_close(struct mquic_relay *relay, uint64_t code, const char *reason)
{
	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (relay->state == RELAY_CLOSED || relay->endpoint == NULL)
		return error_set(&relay->error, MQUIC_ERR_CLOSED, "the client is gone");
	if (endpoint_check_fork(relay->endpoint, &relay->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (relay->ended) {
		relay_tell_closed(relay);
		return MQUIC_OK;
	}
	if (mquic_connection_close(relay->connection, code, reason) != MQUIC_OK)
		return error_set(&relay->error, MQUIC_ERR_INVALID, "%s",
				 mquic_connection_error(relay->connection));
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
