/* SPDX-License-Identifier: MIT */
/*
 * The server side of one MQTT client: one stream of an accepted connection, whose first packet is
 * looked at, and may get another user name, before all is a byte pipe.
 *
 *     WAITING ──CONNECT complete──▶ SHOWN ──open──▶ OPEN ──finish──▶ FINISHING ──flushed──▶ CLOSED
 *        │ malformed, late            │               │ the client is gone: CLOSED, but only
 *        └──────────▶ CLOSED ◀────────┘ close         ▼ after all it sent has been read
 */
#include <stdlib.h>
#include <string.h>

#include "mqtt/connect.h"
#include "mqtt/reason.h"
#include "quic/connection.h"
#include "quic/endpoint.h"

#define NS_PER_MS 1000000U

/* How long the client may acknowledge nothing of the last bytes. */
#define FINISH_NS (5000 * (uint64_t)NS_PER_MS)

/* Application codes of MQTT over QUIC (EMQX): normal, and the control stream is gone. */
#define CLOSE_NORMAL       0
#define CLOSE_CONTROL_GONE 1

enum relay_state {
	RELAY_WAITING,
	RELAY_SHOWN,
	RELAY_OPEN,
	RELAY_FINISHING,
	RELAY_CLOSED
};

struct mquic_relay {
	struct mquic_endpoint *endpoint; /* NULL once that is freed */
	struct endpoint_child child;
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	struct timer timer;
	uint64_t pending; /* FINISHING: bytes that were not acknowledged when last looked */
	enum relay_state state;
	bool ended; /* the connection is over; what it brought may not be read yet */
	bool readable_queued;
	bool writable_queued;
	struct quic_end end;
	struct mquic_event *last_event; /* made beforehand */

	uint8_t *head; /* CONNECT: gathered, shown, then the first bytes of the pipe */
	size_t head_len;
	size_t head_read;
	size_t head_max;
	int protocol;
	bool clean_start;
	uint16_t keep_alive_s;
	struct text client_id;
	struct text username;

	struct error error;
	void *userdata;
};

/* ---- Events ------------------------------------------------------------- */

static void push(struct mquic_relay *relay, enum mquic_event_type type, bool *queued)
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

static void tell_closed(struct mquic_relay *relay)
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

static bool has_unread_bytes(const struct mquic_relay *relay)
{
	const uint8_t *data;
	size_t len;

	return relay->head_read < relay->head_len ||
	       (mquic_stream_peek(relay->stream, &data, &len) == MQUIC_OK && len > 0);
}

/* ---- CONNECT ------------------------------------------------------------ */

static void reject(struct mquic_relay *relay, const char *text)
{
	(void)mquic_connection_close(relay->connection, CLOSE_CONTROL_GONE, text);
}

/* Copies what the caller may ask for; the packet itself stays for the broker. */
static bool keep_facts(struct mquic_relay *relay, const struct mqtt_connect *connect)
{
	relay->protocol = connect->version;
	relay->clean_start = connect->clean_start;
	relay->keep_alive_s = connect->keep_alive_s;
	return text_set(&relay->client_id,
			connect->client_id.data == NULL ? "" : (const char *)connect->client_id.data,
			connect->client_id.len) &&
	       text_set(&relay->username, (const char *)connect->username.data,
			connect->username.len);
}

static void show(struct mquic_relay *relay)
{
	struct mqtt_connect connect;
	enum mqtt_reason reason = mqtt_connect_parse(&connect, relay->head, relay->head_len);

	if (reason != MQTT_SUCCESS) {
		reject(relay,
		       reason == MQTT_UNSUPPORTED_VERSION ? "MQTT version not supported"
							   : "malformed CONNECT");
		return;
	}
	if (!keep_facts(relay, &connect)) {
		reject(relay, "out of memory");
		return;
	}
	relay->state = RELAY_SHOWN;
	timer_set(&relay->endpoint->timers, &relay->timer, TIMER_NEVER);
	push(relay, MQUIC_EVENT_RELAY_CONNECT, NULL);
}

static bool append(struct mquic_relay *relay, const uint8_t *data, size_t len)
{
	uint8_t *head = realloc(relay->head, relay->head_len + len);

	if (head == NULL)
		return false;
	memcpy(head + relay->head_len, data, len);
	relay->head = head;
	relay->head_len += len;
	return true;
}

/*
 * Takes the bytes of CONNECT from the stream, not one more. Returns false when there is nothing
 * to do until more bytes come.
 */
static bool gather(struct mquic_relay *relay)
{
	const uint8_t *data;
	size_t len;
	size_t total = 0;
	size_t wanted;
	enum mqtt_scan scan;

	if (mquic_stream_peek(relay->stream, &data, &len) != MQUIC_OK)
		return false;
	if (len == 0) {
		reject(relay, "the stream ended before CONNECT");
		return false;
	}
	/* The length is known after five bytes; until then they come one by one. */
	scan = mqtt_connect_scan(relay->head, relay->head_len, &total);
	wanted = scan == MQTT_SCAN_MORE && total > 0 ? total - relay->head_len : 1;
	if (wanted > len)
		wanted = len;
	if (!append(relay, data, wanted)) {
		reject(relay, "out of memory");
		return false;
	}
	(void)mquic_stream_consume(relay->stream, wanted);
	scan = mqtt_connect_scan(relay->head, relay->head_len, &total);
	if (total > relay->head_max) {
		reject(relay, "CONNECT is too large");
		return false;
	}
	if (scan == MQTT_SCAN_COMPLETE) {
		show(relay);
		return false;
	}
	if (scan == MQTT_SCAN_MALFORMED)
		reject(relay, "no CONNECT");
	return scan == MQTT_SCAN_MORE;
}

/* ---- What the connection tells ------------------------------------------ */

/* Without its stream, or half of it, a client is gone (as a TCP connection would be). */
static void lose_stream(struct mquic_relay *relay)
{
	if (!connection_is_over(relay->connection))
		(void)mquic_connection_close(relay->connection, CLOSE_CONTROL_GONE,
					     "the control stream is gone");
}

static void stream_readable(void *self, struct mquic_stream *stream)
{
	struct mquic_relay *relay = self;

	if (relay->state == RELAY_WAITING) {
		while (gather(relay))
			;
	} else if (relay->state == RELAY_OPEN) {
		const uint8_t *data;
		size_t len;

		if (mquic_stream_peek(stream, &data, &len) == MQUIC_ERR_CLOSED)
			lose_stream(relay);
		else
			push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	}
}

static void stream_acceptable(void *self)
{
	struct mquic_relay *relay = self;
	struct mquic_stream *stream;

	while (mquic_connection_accept_stream(relay->connection, &stream) == MQUIC_OK) {
		if (relay->stream == NULL) {
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
		lose_stream(relay); /* STOP_SENDING */
	else if (relay->state == RELAY_OPEN)
		push(relay, MQUIC_EVENT_RELAY_WRITABLE, &relay->writable_queued);
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
	lose_stream(self);
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
	if (relay->state == RELAY_OPEN && has_unread_bytes(relay))
		push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	else
		tell_closed(relay);
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

static void await_flush(struct mquic_relay *relay, uint64_t now_ns)
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
		await_flush(relay, now_ns); /* slow, not dead */
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
	list_append(&made->endpoint->children, &made->child.link);
	connection_observe(connection, &observer, made);
	timer_set(&made->endpoint->timers, &made->timer,
		  endpoint_now(made->endpoint) + connect_timeout_ms * NS_PER_MS);
	*relay = made;
	return MQUIC_OK;
}

void mquic_relay_free(struct mquic_relay *relay)
{
	if (relay == NULL)
		return;
	if (relay->endpoint != NULL)
		forget_endpoint(relay);
	text_clear(&relay->client_id);
	text_clear(&relay->username);
	mquic_event_free(relay->last_event);
	free(relay->head);
	free(relay);
}

/* ---- Looking at CONNECT ------------------------------------------------- */

const char *mquic_relay_error(const struct mquic_relay *relay)
{
	return relay == NULL ? "no relay was given" : relay->error.text;
}

struct mquic_connection *mquic_relay_connection(const struct mquic_relay *relay)
{
	return relay == NULL ? NULL : relay->connection;
}

int mquic_relay_protocol(const struct mquic_relay *relay)
{
	return relay == NULL ? 0 : relay->protocol;
}

static const char *show_text(const struct text *text, size_t *len)
{
	if (len != NULL)
		*len = text == NULL ? 0 : text->len;
	return text == NULL ? NULL : text->data;
}

const char *mquic_relay_client_id(const struct mquic_relay *relay, size_t *len)
{
	return show_text(relay == NULL ? NULL : &relay->client_id, len);
}

const char *mquic_relay_username(const struct mquic_relay *relay, size_t *len)
{
	return show_text(relay == NULL ? NULL : &relay->username, len);
}

bool mquic_relay_clean_start(const struct mquic_relay *relay)
{
	return relay != NULL && relay->clean_start;
}

uint16_t mquic_relay_keep_alive_s(const struct mquic_relay *relay)
{
	return relay == NULL ? 0 : relay->keep_alive_s;
}

/* Whether the relay is in the state a call demands. */
static enum mquic_status demand(struct mquic_relay *relay, enum relay_state state,
				const char *what)
{
	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (relay->state == RELAY_CLOSED || relay->endpoint == NULL)
		return error_set(&relay->error, MQUIC_ERR_CLOSED, "the client is gone");
	if (relay->state != state)
		return error_set(&relay->error, MQUIC_ERR_STATE, "%s", what);
	return MQUIC_OK;
}

enum mquic_status mquic_relay_set_username(struct mquic_relay *relay, const char *name, size_t len)
{
	uint8_t *packet;
	size_t packet_len;
	enum mquic_status status = demand(
		relay, RELAY_SHOWN, "the user name is replaced between RELAY_CONNECT and open");

	if (status != MQUIC_OK)
		return status;
	if (name == NULL)
		return error_set(&relay->error, MQUIC_ERR_INVALID, "a user name is needed");
	status = mqtt_connect_replace_username(relay->head, relay->head_len, name,
					       text_length(name, len), &packet, &packet_len);
	if (status != MQUIC_OK)
		return error_set(&relay->error, status,
				 "the user name cannot be put into this CONNECT");
	free(relay->head);
	relay->head = packet;
	relay->head_len = packet_len;
	return MQUIC_OK;
}

/* ---- The pipe ----------------------------------------------------------- */

enum mquic_status mquic_relay_open(struct mquic_relay *relay)
{
	enum mquic_status status =
		demand(relay, RELAY_SHOWN, "a relay is opened once, after RELAY_CONNECT");

	if (status != MQUIC_OK)
		return status;
	relay->state = RELAY_OPEN;
	push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	return MQUIC_OK;
}

enum mquic_status mquic_relay_peek(struct mquic_relay *relay, const uint8_t **data, size_t *len)
{
	enum mquic_status status;

	if (data == NULL || len == NULL)
		return MQUIC_ERR_INVALID;
	*data = NULL;
	*len = 0;
	status = demand(relay, RELAY_OPEN, "there is nothing to read before the relay is open");
	if (status != MQUIC_OK)
		return status;
	if (relay->head_read == relay->head_len) {
		status = mquic_stream_peek(relay->stream, data, len);
		if (status == MQUIC_ERR_CLOSED)
			lose_stream(relay); /* reset, and all before it is read */
		return status;
	}
	*data = relay->head + relay->head_read;
	*len = relay->head_len - relay->head_read;
	return MQUIC_OK;
}

enum mquic_status mquic_relay_consume(struct mquic_relay *relay, size_t len)
{
	enum mquic_status status =
		demand(relay, RELAY_OPEN, "there is nothing to read before the relay is open");

	if (status != MQUIC_OK)
		return status;
	if (relay->head_read < relay->head_len) {
		if (len > relay->head_len - relay->head_read)
			return error_set(&relay->error, MQUIC_ERR_INVALID,
					 "more than was shown cannot be consumed");
		relay->head_read += len;
		if (relay->head_read == relay->head_len) {
			free(relay->head);
			relay->head = NULL;
			relay->head_len = 0;
			relay->head_read = 0;
		}
	} else {
		status = mquic_stream_consume(relay->stream, len);
	}
	if (relay->ended && !has_unread_bytes(relay))
		tell_closed(relay);
	return status;
}

enum mquic_status mquic_relay_write(struct mquic_relay *relay, const uint8_t *data, size_t len,
				    size_t *written)
{
	enum mquic_status status;

	if (written == NULL)
		return MQUIC_ERR_INVALID;
	*written = 0;
	status = demand(relay, RELAY_OPEN, "bytes can be written while the relay is open");
	return status == MQUIC_OK ? mquic_stream_send(relay->stream, data, len, written) : status;
}

enum mquic_status mquic_relay_finish(struct mquic_relay *relay)
{
	enum mquic_status status =
		demand(relay, RELAY_OPEN, "only an open relay can be finished; close it instead");

	if (status != MQUIC_OK)
		return status;
	if (relay->ended) {
		/* The broker will not take the rest of what the client sent. */
		tell_closed(relay);
		return MQUIC_OK;
	}
	relay->state = RELAY_FINISHING;
	if (mquic_stream_bytes_pending(relay->stream) == 0)
		return mquic_connection_close(relay->connection, CLOSE_NORMAL, NULL);
	await_flush(relay, endpoint_now(relay->endpoint));
	return MQUIC_OK;
}

enum mquic_status mquic_relay_close(struct mquic_relay *relay, uint64_t code, const char *reason)
{
	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (relay->state == RELAY_CLOSED || relay->endpoint == NULL)
		return error_set(&relay->error, MQUIC_ERR_CLOSED, "the client is gone");
	if (relay->ended) {
		tell_closed(relay);
		return MQUIC_OK;
	}
	if (mquic_connection_close(relay->connection, code, reason) != MQUIC_OK)
		return error_set(&relay->error, MQUIC_ERR_INVALID, "%s",
				 mquic_connection_error(relay->connection));
	return MQUIC_OK;
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
