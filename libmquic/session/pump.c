/* SPDX-License-Identifier: MIT */
/* The pump of a session, from the lane to the engine and back, and its end. See session.h. */
#include <string.h>

#include "session/session.h"

#define NS_PER_MS 1000000U

/* Bytes of events that may wait at the endpoint before sessions stop reading. */
#define EVENT_BYTES 1048576

/* How long the last bytes, DISCONNECT among them, may take to be acknowledged. */
#define FAREWELL_NS (10000 * (uint64_t)NS_PER_MS)

uint64_t pump_now_ms(struct mquic_session *session)
{
	return endpoint_now(session->endpoint) / NS_PER_MS;
}

/* The one lane of the engine, which the one of the carrier brings. */
static struct mqtt_lane *control(const struct mquic_session *session)
{
	return mqtt_engine_control(session->engine);
}

static void schedule(struct mquic_session *session)
{
	endpoint_schedule(session->endpoint, &session->task);
}

/* ---- The end of a carrier ----------------------------------------------- */

/* Whether all that the application gave has at least been handed to the lane. */
static bool has_handed_over(const struct mquic_session *session)
{
	const uint8_t *data;
	size_t len;

	mqtt_lane_output(control(session), &data, &len);
	return len == 0;
}

/*
 * Whether the carrier ended as we asked. The server answers DISCONNECT by closing, and that may
 * come before ours has left.
 */
static bool ended_as_wanted(const struct mquic_session *session)
{
	return session->goodbye == GOODBYE_ASKED && session->end.status == MQUIC_OK &&
	       has_handed_over(session);
}

/* DISCONNECTED as MQTT or, if it has no opinion, the carrier sees it. */
static struct mquic_event *last_event(struct mquic_session *session)
{
	static const char unheard[] = "the server did not acknowledge the last messages; they may "
				      "be lost";
	struct mquic_event *event = session->verdict;

	if (event != NULL) {
		session->verdict = NULL;
		return event;
	}
	event = session->farewell;
	session->farewell = NULL;
	event->type = MQUIC_EVENT_DISCONNECTED;
	if (ended_as_wanted(session)) {
		event_set_text(event, "disconnected", strlen("disconnected"));
		return event;
	}
	event->origin = session->end.origin;
	event->code = session->end.code;
	if (session->goodbye == GOODBYE_CUT_SHORT) {
		event->status = MQUIC_ERR_TIMEOUT;
		event_set_text(event, unheard, strlen(unheard));
		return event;
	}
	/* A server that ends it unasked, however politely, has not done what was wanted. */
	event->status = session->end.status == MQUIC_OK ? MQUIC_ERR_CLOSED : session->end.status;
	event_set_text(event, session->end.text, strlen(session->end.text));
	return event;
}

static void push(struct mquic_session *session, struct mquic_event *event)
{
	event->session = session;
	event->owner = session;
	endpoint_push(session->endpoint, event);
}

static void note_connack(struct mquic_session *session)
{
	if (session->state == SESSION_DIALING || session->state == SESSION_CONNECTING)
		session_step(session, SESSION_CONNECTED);
}

/* The engine has no log. */
static void log_steps(struct mquic_session *session)
{
	const struct log *log = endpoint_log(session->endpoint);
	enum mqtt_engine_state from;
	enum mqtt_engine_state to;

	while (mqtt_engine_take_step(session->engine, &from, &to))
		log_step(log, "mqtt", session->number, mqtt_engine_state_name(from),
			 mqtt_engine_state_name(to));
}

static void pull_events(struct mquic_session *session)
{
	struct mquic_event *event;

	log_steps(session);
	while ((event = mqtt_engine_next_event(session->engine)) != NULL) {
		if (event->type == MQUIC_EVENT_DISCONNECTED) {
			session->verdict = event; /* told when the carrier is over, too */
			continue;
		}
		if (event->type == MQUIC_EVENT_CONNECTED)
			note_connack(session);
		push(session, event);
	}
}

static void finish(struct mquic_session *session)
{
	struct mquic_event *event = last_event(session);

	if (session->end.hung_up)
		mqtt_engine_hung_up(session->engine);
	mqtt_engine_lost(session->engine);
	pull_events(session);
	carrier_close_lane(session->lane);
	session->lane = NULL;
	session_step_over(session, event);
	timer_set(endpoint_timers(session->endpoint), &session->timer, TIMER_NEVER);
	event->queued = &session->untold;
	push(session, event);
	mquic_event_free(session->farewell);
	session->farewell = NULL;
}

/* ---- The pump ----------------------------------------------------------- */

static void log_notice(struct mquic_session *session)
{
	const char *notice = mqtt_engine_take_notice(session->engine);

	if (notice != NULL)
		log_warning(endpoint_log(session->endpoint), "%s", notice);
}

static bool may_read(const struct mquic_session *session)
{
	enum mqtt_engine_state state = mqtt_engine_state(session->engine);

	return session->lane != NULL && state != MQTT_ENGINE_IDLE && state != MQTT_ENGINE_OVER &&
	       mqtt_lane_wants_input(control(session)) &&
	       event_queue_cost(endpoint_events(session->endpoint)) < EVENT_BYTES;
}

/* The server wants no more of the lane, which is the end of the carrier, too. */
static void hang_up(struct mquic_session *session, const char *reason)
{
	/* A carrier that is over takes its lanes along; why it is, it has said. */
	if (session->state == SESSION_ENDED)
		return;
	mqtt_engine_hung_up(session->engine);
	if (session->goodbye == GOODBYE_NONE)
		session->goodbye = GOODBYE_HUNG_UP;
	carrier_close(session->carrier, reason);
}

static void feed(struct mquic_session *session)
{
	const uint8_t *data;
	size_t len;
	enum mquic_status status = MQUIC_ERR_AGAIN;

	while (may_read(session)) {
		status = carrier_peek(session->lane, &data, &len);
		if (status != MQUIC_OK || len == 0)
			break;
		(void)mqtt_engine_receive(session->engine, control(session), data, len,
					  pump_now_ms(session));
		carrier_consume(session->lane, len);
		log_notice(session);
		pull_events(session);
	}
	/* FIN or a reset: as the end of a TCP connection. */
	if ((status == MQUIC_OK && len == 0) || status == MQUIC_ERR_CLOSED)
		hang_up(session, "the server ended the stream");
}

/* Whether bytes wait that the engine would take but for the events not taken from the queue. */
static bool has_more(const struct mquic_session *session)
{
	enum mqtt_engine_state state = mqtt_engine_state(session->engine);
	const uint8_t *data;
	size_t len;

	return state != MQTT_ENGINE_OVER && mqtt_lane_wants_input(control(session)) &&
	       carrier_peek(session->lane, &data, &len) == MQUIC_OK && len > 0;
}

static void drain(struct mquic_session *session)
{
	const uint8_t *data;
	size_t len;
	size_t sent;
	enum mquic_status status;

	do {
		mqtt_lane_output(control(session), &data, &len);
		status = carrier_send(session->lane, data, len, &sent);
		if (status == MQUIC_OK && len > 0)
			mqtt_engine_output_consume(session->engine, control(session), sent,
						   pump_now_ms(session));
	} while (status == MQUIC_OK && len > 0);
	pull_events(session);
	/* STOP_SENDING: a server that has taken us over or thrown us out waits for us to go. */
	if (status == MQUIC_ERR_CLOSED)
		hang_up(session, "the server wants no more from us");
}

/* Whether nothing is left to send, and the server has acknowledged the last byte. */
static bool all_is_said(const struct mquic_session *session)
{
	struct carrier_progress progress = carrier_progress(session->lane);

	return has_handed_over(session) && progress.acknowledged == progress.taken;
}

/* Whether bytes wait, and the server has acknowledged some since the last look: slow, not dead. */
static bool is_moving(struct mquic_session *session)
{
	struct carrier_progress progress = carrier_progress(session->lane);
	bool moving = progress.acknowledged < progress.taken &&
		      progress.acknowledged > session->acknowledged;

	session->acknowledged = progress.acknowledged;
	return moving;
}

/* MQTT is over: close as soon as the server has it all, but do not wait for ever. */
static void part(struct mquic_session *session, bool moving)
{
	uint64_t now_ns = endpoint_now(session->endpoint);
	bool said = all_is_said(session);

	if (session->state != SESSION_PARTING || moving)
		session->close_by_ns = now_ns + FAREWELL_NS;
	if (session->state != SESSION_PARTING)
		session_step(session, SESSION_PARTING);
	if (!said && now_ns < session->close_by_ns)
		return;
	if (!said && session->goodbye == GOODBYE_ASKED)
		session->goodbye = GOODBYE_CUT_SHORT;
	carrier_close(session->carrier, NULL);
}

static void set_timer(struct mquic_session *session)
{
	uint64_t deadline_ms = mqtt_engine_deadline_ms(session->engine);
	uint64_t deadline_ns = deadline_ms == UINT64_MAX ? TIMER_NEVER : deadline_ms * NS_PER_MS;

	if (session->state == SESSION_PARTING && session->close_by_ns < deadline_ns)
		deadline_ns = session->close_by_ns;
	timer_set(endpoint_timers(session->endpoint), &session->timer, deadline_ns);
}

static void run(struct task *task)
{
	struct mquic_session *session = list_entry(task, struct mquic_session, task);
	bool moving;

	if (!session_is_active(session))
		return;
	feed(session);
	/* Input that is held back, or output that moves before PINGREQ: the server is alive. */
	moving = is_moving(session);
	if (moving || has_more(session))
		(void)mqtt_engine_receive(session->engine, control(session), NULL, 0,
					  pump_now_ms(session));
	mqtt_engine_tick(session->engine, pump_now_ms(session));
	pull_events(session);
	if (session->state != SESSION_ENDED)
		drain(session);
	if (has_more(session))
		schedule(session); /* room was made, or the caller must take events first */
	else if (session->state == SESSION_ENDED)
		finish(session);
	if (session->state == SESSION_ENDED || session->state == SESSION_OVER)
		return;
	if (mqtt_engine_state(session->engine) == MQTT_ENGINE_OVER)
		part(session, moving);
	set_timer(session);
}

static void timer_fired(struct timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	schedule(list_entry(timer, struct mquic_session, timer));
}

/* ---- What the carrier tells --------------------------------------------- */

static void ready(void *self)
{
	struct mquic_session *session = self;

	if (session->state == SESSION_DIALING)
		session_step(session, SESSION_CONNECTING);
}

static void lane_event(void *self, struct carrier_lane *lane)
{
	(void)lane;
	schedule(self);
}

static void ended(void *self, const struct carrier_end *end)
{
	struct mquic_session *session = self;

	session_step(session, SESSION_ENDED);
	session->end = *end;
	schedule(session);
}

const struct carrier_user pump_user = {
	.ready = ready,
	.readable = lane_event,
	.writable = lane_event,
	.flushed = lane_event,
	.ended = ended,
};

void pump_init(struct mquic_session *session)
{
	session->task.run = run;
	session->timer.fire = timer_fired;
}
