/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "session/url.h"

#define NS_PER_MS 1000000U

/* Bytes of events that may wait at the endpoint before sessions stop reading. */
#define EVENT_BYTES 1048576

/* How long the last bytes, DISCONNECT among them, may take to be acknowledged. */
#define FAREWELL_NS (3000 * (uint64_t)NS_PER_MS)

static void run(struct task *task);

static uint64_t now_ms(struct mquic_session *session)
{
	return endpoint_now(session->endpoint) / NS_PER_MS;
}

static void schedule(struct mquic_session *session)
{
	endpoint_schedule(session->endpoint, &session->task);
}

/* ---- The end of a connection -------------------------------------------- */

/* DISCONNECTED as MQTT or, if it has no opinion, QUIC sees it. */
static struct mquic_event *last_event(struct mquic_session *session)
{
	struct mquic_event *event = session->verdict;

	if (event != NULL) {
		session->verdict = NULL;
		return event;
	}
	event = session->farewell;
	session->farewell = NULL;
	event->type = MQUIC_EVENT_DISCONNECTED;
	if (session->disconnecting && session->end.origin == MQUIC_ORIGIN_LOCAL) {
		event_set_text(event, "disconnected", strlen("disconnected"));
		return event;
	}
	event->origin = session->end.origin;
	event->code = session->end.code;
	/* A server that ends it unasked, however politely, has not done what was wanted. */
	event->status = session->end.status == MQUIC_OK && !session->disconnecting
				? MQUIC_ERR_CLOSED
				: session->end.status;
	event_set_text(event, session->end.text, strlen(session->end.text));
	return event;
}

static void push(struct mquic_session *session, struct mquic_event *event)
{
	event->session = session;
	event->owner = session;
	endpoint_push(session->endpoint, event);
}

static void finish(struct mquic_session *session)
{
	mqtt_engine_lost(session->engine);
	mquic_stream_free(session->stream);
	session->stream = NULL;
	session->active = false;
	timer_set(&session->endpoint->timers, &session->timer, TIMER_NEVER);
	push(session, last_event(session));
	mquic_event_free(session->farewell);
	session->farewell = NULL;
}

/* ---- The pump ----------------------------------------------------------- */

static void pull_events(struct mquic_session *session)
{
	struct mquic_event *event;

	while ((event = mqtt_engine_next_event(session->engine)) != NULL) {
		if (event->type == MQUIC_EVENT_DISCONNECTED)
			session->verdict = event; /* told when the connection is over, too */
		else
			push(session, event);
	}
}

static bool may_read(const struct mquic_session *session)
{
	enum mqtt_engine_state state = mqtt_engine_state(session->engine);

	return session->stream != NULL && state != MQTT_ENGINE_IDLE && state != MQTT_ENGINE_OVER &&
	       mqtt_engine_wants_input(session->engine) &&
	       session->endpoint->events.cost < EVENT_BYTES;
}

/* Returns whether there may be more to read that is only held back. */
static bool feed(struct mquic_session *session)
{
	const uint8_t *data;
	size_t len;

	while (may_read(session)) {
		if (mquic_stream_peek(session->stream, &data, &len) != MQUIC_OK)
			return false;
		if (len == 0) { /* the server's FIN: as the end of a TCP connection */
			(void)mquic_connection_close(session->connection, 0, NULL);
			return false;
		}
		(void)mqtt_engine_receive(session->engine, data, len, now_ms(session));
		(void)mquic_stream_consume(session->stream, len);
		pull_events(session);
	}
	return session->endpoint->events.cost >= EVENT_BYTES &&
	       mquic_stream_peek(session->stream, &data, &len) == MQUIC_OK && len > 0;
}

static void drain(struct mquic_session *session)
{
	const uint8_t *data;
	size_t len;
	size_t sent;

	for (;;) {
		mqtt_engine_output(session->engine, &data, &len);
		if (len == 0 || mquic_stream_send(session->stream, data, len, &sent) != MQUIC_OK)
			break;
		mqtt_engine_output_consume(session->engine, sent, now_ms(session));
	}
	pull_events(session);
}

/* Whether nothing is left to send, and the server has acknowledged the last byte. */
static bool all_is_said(const struct mquic_session *session)
{
	const uint8_t *data;
	size_t len;

	mqtt_engine_output(session->engine, &data, &len);
	return len == 0 && mquic_stream_bytes_pending(session->stream) == 0;
}

/* MQTT is over: close as soon as the server has it all, but do not wait for ever. */
static void part(struct mquic_session *session)
{
	uint64_t now_ns = endpoint_now(session->endpoint);

	if (session->close_by_ns == 0)
		session->close_by_ns = now_ns + FAREWELL_NS;
	if (all_is_said(session) || now_ns >= session->close_by_ns)
		(void)mquic_connection_close(session->connection, 0, NULL);
}

static void set_timer(struct mquic_session *session)
{
	uint64_t deadline_ms = mqtt_engine_deadline_ms(session->engine);
	uint64_t deadline_ns = deadline_ms == UINT64_MAX ? TIMER_NEVER : deadline_ms * NS_PER_MS;

	if (session->close_by_ns != 0 && session->close_by_ns < deadline_ns)
		deadline_ns = session->close_by_ns;
	timer_set(&session->endpoint->timers, &session->timer, deadline_ns);
}

static void run(struct task *task)
{
	struct mquic_session *session = list_entry(task, struct mquic_session, task);
	bool held_back;

	if (!session->active)
		return;
	mqtt_engine_tick(session->engine, now_ms(session));
	pull_events(session);
	held_back = feed(session);
	if (held_back)
		schedule(session); /* looked at again when the caller has taken events */
	if (session->ended) {
		if (!held_back)
			finish(session);
		return;
	}
	drain(session);
	if (mqtt_engine_state(session->engine) == MQTT_ENGINE_OVER)
		part(session);
	set_timer(session);
}

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	schedule(list_entry(timer, struct mquic_session, timer));
}

/* ---- What the connection tells ------------------------------------------ */

static void connection_ready(void *self)
{
	struct mquic_session *session = self;
	uint64_t idle_ms = connection_idle_timeout_ms(session->connection);
	uint64_t keep_alive_ms = 1000 * (uint64_t)mqtt_engine_keep_alive_s(session->engine);

	/* The server may drop us between two of MQTT's own pings: QUIC's fill the gap. */
	if (idle_ms > 0 && (keep_alive_ms == 0 || idle_ms < keep_alive_ms + keep_alive_ms / 2) &&
	    (session->settings->keep_alive_ms == 0 || session->settings->keep_alive_ms >= idle_ms))
		connection_set_keep_alive_ms(session->connection, idle_ms / 2);
}

static void stream_event(void *self, struct mquic_stream *stream)
{
	(void)stream;
	schedule(self);
}

static void stream_acceptable(void *self)
{
	struct mquic_session *session = self;
	struct mquic_stream *stream;

	/* A server opens no stream in MQTT over QUIC. */
	while (mquic_connection_accept_stream(session->connection, &stream) == MQUIC_OK)
		mquic_stream_free(stream);
}

static void connection_ended(void *self, const struct quic_end *end)
{
	struct mquic_session *session = self;

	session->ended = true;
	session->end = *end;
	schedule(session);
}

static const struct connection_observer observer = {
	.ready = connection_ready,
	.stream_acceptable = stream_acceptable,
	.stream_readable = stream_event,
	.stream_writable = stream_event,
	.stream_flushed = stream_event,
	.stream_closed = stream_event,
	.ended = connection_ended,
};

/* ---- Life --------------------------------------------------------------- */

static void forget_connection(struct mquic_session *session)
{
	mquic_stream_free(session->stream);
	session->stream = NULL;
	mquic_connection_free(session->connection);
	session->connection = NULL;
}

static void forget_endpoint(struct mquic_session *session)
{
	struct mquic_endpoint *endpoint = session->endpoint;

	forget_connection(session);
	event_queue_purge(&endpoint->events, session);
	timer_set(&endpoint->timers, &session->timer, TIMER_NEVER);
	timers_release(&endpoint->timers);
	list_remove(&session->task.link);
	list_remove(&session->child.link);
	session->endpoint = NULL;
}

static void orphan(struct endpoint_child *child)
{
	forget_endpoint(list_entry(child, struct mquic_session, child));
}

enum mquic_status mquic_session_new(struct mquic_session **session,
				    struct mquic_endpoint *endpoint,
				    const struct mquic_settings *settings)
{
	struct mquic_session *made;

	if (session == NULL || endpoint == NULL)
		return MQUIC_ERR_INVALID;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	made->settings = settings_copy(settings);
	if (made->settings == NULL ||
	    mqtt_engine_new(&made->engine, (size_t)made->settings->send_buffer) != MQUIC_OK ||
	    !timers_reserve(&endpoint->timers)) {
		mqtt_engine_free(made->engine);
		mquic_settings_free(made->settings);
		free(made);
		return MQUIC_ERR_MEMORY;
	}
	made->endpoint = endpoint;
	made->child.orphan = orphan;
	made->timer.fire = timer_fired;
	made->task.run = run;
	list_append(&endpoint->children, &made->child.link);
	*session = made;
	return MQUIC_OK;
}

void mquic_session_free(struct mquic_session *session)
{
	if (session == NULL)
		return;
	if (session->endpoint != NULL)
		forget_endpoint(session);
	mqtt_engine_free(session->engine);
	mquic_event_free(session->farewell);
	mquic_event_free(session->verdict);
	mquic_settings_free(session->settings);
	free(session);
}

/* ---- Connecting --------------------------------------------------------- */

/* A QUIC connection should not end between two PINGREQs. */
static void stretch_idle_timeout(struct mquic_session *session)
{
	uint64_t wanted_ms = 1500 * (uint64_t)mqtt_engine_keep_alive_s(session->engine);

	if (session->settings->idle_timeout_ms != 0 &&
	    session->settings->idle_timeout_ms < wanted_ms)
		session->settings->idle_timeout_ms = wanted_ms;
}

static enum mquic_status dial(struct mquic_session *session, const char *host, uint16_t port)
{
	enum mquic_status status;

	stretch_idle_timeout(session);
	status = mquic_connection_dial(&session->connection, session->endpoint, session->settings,
				       host, port == 0 ? MQUIC_PORT : port);
	if (status != MQUIC_OK) {
		session->error = session->endpoint->error;
		return status;
	}
	connection_observe(session->connection, &observer, session);
	status = mquic_stream_open(&session->stream, session->connection);
	if (status != MQUIC_OK)
		return error_set(&session->error, status, "no stream could be opened");
	/* CONNECT waits on the stream and leaves with the first packet that can carry it. */
	return mqtt_engine_connect(session->engine, now_ms(session),
				   2 * session->settings->handshake_timeout_ms, &session->error);
}

enum mquic_status mquic_session_connect(struct mquic_session *session, const char *host,
					uint16_t port)
{
	enum mquic_status status;

	if (session == NULL)
		return MQUIC_ERR_INVALID;
	if (session->endpoint == NULL)
		return error_set(&session->error, MQUIC_ERR_CLOSED,
				 "the endpoint of this session is gone");
	if (session->active)
		return error_set(&session->error, MQUIC_ERR_STATE,
				 "the session is connecting or connected already");
	status = mqtt_options_check(mqtt_engine_options(session->engine), &session->error);
	if (status != MQUIC_OK)
		return status;
	forget_connection(session);
	mquic_event_free(session->farewell);
	session->farewell = event_new(MQUIC_EVENT_DISCONNECTED);
	if (session->farewell == NULL)
		return error_set(&session->error, MQUIC_ERR_MEMORY, "out of memory");
	session->ended = false;
	session->disconnecting = false;
	session->close_by_ns = 0;
	status = dial(session, host, port);
	if (status != MQUIC_OK) {
		forget_connection(session);
		return status;
	}
	session->active = true;
	schedule(session);
	return MQUIC_OK;
}

static enum mquic_status use_login(struct mquic_session *session, const struct url *url)
{
	enum mquic_status status = MQUIC_OK;

	if (url->username.data != NULL)
		status = mquic_session_set_username(session, url->username.data, url->username.len);
	if (status == MQUIC_OK && url->password.data != NULL)
		status = mquic_session_set_password(
			session, (const uint8_t *)url->password.data, url->password.len);
	return status;
}

enum mquic_status mquic_session_connect_url(struct mquic_session *session, const char *url)
{
	struct url parts;
	enum mquic_status status;

	if (session == NULL || url == NULL)
		return MQUIC_ERR_INVALID;
	status = url_parse(&parts, url, &session->error);
	if (status != MQUIC_OK)
		return status;
	status = use_login(session, &parts);
	if (status == MQUIC_OK)
		status = mquic_session_connect(session, parts.host.data, parts.port);
	url_clear(&parts);
	return status;
}

/* ---- While connected ---------------------------------------------------- */

static enum mquic_status begin(struct mquic_session *session)
{
	if (session == NULL)
		return MQUIC_ERR_INVALID;
	if (session->endpoint == NULL)
		return error_set(&session->error, MQUIC_ERR_CLOSED,
				 "the endpoint of this session is gone");
	if (!session->active)
		return error_set(&session->error, MQUIC_ERR_STATE,
				 "the session is not connected: call connect first");
	return MQUIC_OK;
}

/* Whatever a call put into the engine leaves with the session's next turn. */
static enum mquic_status end(struct mquic_session *session, enum mquic_status status)
{
	if (status == MQUIC_OK)
		schedule(session);
	return status;
}

enum mquic_status mquic_session_publish(struct mquic_session *session,
					const struct mquic_message *message, uint16_t *packet_id)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_publish(session->engine, message, packet_id,
						&session->error));
}

enum mquic_status mquic_session_subscribe_all(struct mquic_session *session,
					      const struct mquic_subscription *subscription,
					      uint16_t *packet_id)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_subscribe(session->engine, subscription, packet_id,
						  &session->error));
}

enum mquic_status mquic_session_unsubscribe_all(struct mquic_session *session,
						const struct mquic_subscription *subscription,
						uint16_t *packet_id)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_unsubscribe(session->engine, subscription, packet_id,
						    &session->error));
}

/* A list of one filter. */
static enum mquic_status one_filter(struct mquic_session *session, const char *filter, size_t len,
				    int qos, struct mquic_subscription **subscription)
{
	enum mquic_status status = mquic_subscription_new(subscription);

	if (status != MQUIC_OK)
		return error_set(&session->error, status, "out of memory");
	status = mquic_subscription_add(*subscription, filter, len, qos, 0);
	if (status == MQUIC_OK)
		return MQUIC_OK;
	mquic_subscription_free(*subscription);
	return error_set(&session->error, status,
			 "the topic filter or the QoS is not one that MQTT allows");
}

enum mquic_status mquic_session_subscribe(struct mquic_session *session, const char *filter,
					  size_t len, int qos, uint16_t *packet_id)
{
	struct mquic_subscription *subscription;
	enum mquic_status status = begin(session);

	if (status == MQUIC_OK)
		status = one_filter(session, filter, len, qos, &subscription);
	if (status != MQUIC_OK)
		return status;
	status = mquic_session_subscribe_all(session, subscription, packet_id);
	mquic_subscription_free(subscription);
	return status;
}

enum mquic_status mquic_session_unsubscribe(struct mquic_session *session, const char *filter,
					    size_t len, uint16_t *packet_id)
{
	struct mquic_subscription *subscription;
	enum mquic_status status = begin(session);

	if (status == MQUIC_OK)
		status = one_filter(session, filter, len, 0, &subscription);
	if (status != MQUIC_OK)
		return status;
	status = mquic_session_unsubscribe_all(session, subscription, packet_id);
	mquic_subscription_free(subscription);
	return status;
}

enum mquic_status mquic_session_ack(struct mquic_session *session, uint16_t packet_id,
				    uint8_t reason)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_ack(session->engine, packet_id, reason, &session->error));
}

enum mquic_status mquic_session_auth(struct mquic_session *session, uint8_t reason,
				     const uint8_t *data, size_t len)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session,
		   mqtt_engine_auth(session->engine, reason, data, len, &session->error));
}

enum mquic_status mquic_session_disconnect(struct mquic_session *session, uint8_t reason)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	status = mqtt_engine_disconnect(session->engine, reason, &session->error);
	if (status == MQUIC_OK)
		session->disconnecting = true;
	return end(session, status);
}

/* ---- Looking ------------------------------------------------------------ */

const char *mquic_session_error(const struct mquic_session *session)
{
	return session == NULL ? "no session was given" : session->error.text;
}

const char *mquic_session_client_id(const struct mquic_session *session, size_t *len)
{
	if (session != NULL)
		return mqtt_engine_client_id(session->engine, len);
	if (len != NULL)
		*len = 0;
	return "";
}

size_t mquic_session_inflight(const struct mquic_session *session)
{
	return session == NULL ? 0 : mqtt_engine_inflight(session->engine);
}

uint16_t mquic_session_keep_alive_s(const struct mquic_session *session)
{
	return session == NULL ? 0 : mqtt_engine_keep_alive_s(session->engine);
}

struct mquic_connection *mquic_session_connection(const struct mquic_session *session)
{
	return session == NULL ? NULL : session->connection;
}

void mquic_session_set_userdata(struct mquic_session *session, void *userdata)
{
	if (session != NULL)
		session->userdata = userdata;
}

void *mquic_session_get_userdata(const struct mquic_session *session)
{
	return session == NULL ? NULL : session->userdata;
}
