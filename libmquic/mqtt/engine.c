/* SPDX-License-Identifier: MIT */
/* The engine's life and time; the picture of its states is in engine.h. */
#include "mqtt/body.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/input.h"
#include "mqtt/lanes.h"
#include "mqtt/outgoing.h"
#include "mqtt/queue.h"
#include "mqtt/state.h"
#include "mqtt/suspect.h"
#include "mqtt/verdict.h"

/* After PINGREQ the server has half the keep-alive to say anything, but at least this. */
#define PING_GRACE_MIN_MS 5000

#define NEVER UINT64_MAX

enum mquic_status mqtt_engine_new(struct mqtt_engine **engine, size_t buffer_bytes)
{
	struct mqtt_engine *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	mqtt_settings_init(&made->settings);
	mqtt_lane_init(&made->control);
	event_queue_init(&made->events);
	made->buffer_bytes = buffer_bytes;
	*engine = made;
	return MQUIC_OK;
}

void mqtt_engine_free(struct mqtt_engine *engine)
{
	struct mquic_event *event;

	if (engine == NULL)
		return;
	while ((event = event_queue_pop(&engine->events)) != NULL)
		mquic_event_free(event);
	mquic_event_free(engine->last_event);
	mqtt_lane_clear(&engine->control);
	mqtt_settings_clear(&engine->settings);
	text_clear(&engine->assigned_id);
	free(engine);
}

struct mqtt_settings *mqtt_engine_settings(struct mqtt_engine *engine)
{
	return &engine->settings;
}

struct mqtt_lane *mqtt_engine_control(struct mqtt_engine *engine)
{
	return &engine->control;
}

/* ---- Events ---- */

struct mquic_event *mqtt_engine_next_event(struct mqtt_engine *engine)
{
	return event_queue_pop(&engine->events);
}

const char *mqtt_engine_take_notice(struct mqtt_engine *engine)
{
	if (!engine->has_notice)
		return NULL;
	engine->has_notice = false;
	return engine->notice;
}

/* ---- Connecting and losing ---- */

/* Forgets all that belongs to one network connection. */
static void reset_connection(struct mqtt_engine *engine)
{
	mqtt_lane_stop(&engine->control);
	engine->auth = AUTH_NOBODY;
	engine->hung_up = false;
	engine->oversized = (enum mqtt_type)0;
	engine->connack_deadline_ms = NEVER;
	engine->ping_deadline_ms = NEVER;
}

enum mquic_status mqtt_engine_connect(struct mqtt_engine *engine, uint64_t now_ms,
				      uint64_t connack_timeout_ms, struct error *error)
{
	enum mquic_status status;

	if (engine->state != MQTT_ENGINE_IDLE)
		return error_set(error, MQUIC_ERR_STATE,
				 "the session is connected already, or still closing");
	status = mqtt_settings_check(&engine->settings, error);
	if (status != MQUIC_OK)
		return status;
	mqtt_engine_told(engine);
	if (engine->last_event == NULL)
		engine->last_event = event_new(MQUIC_EVENT_DISCONNECTED);
	reset_connection(engine);
	if (engine->last_event == NULL || !engine_write_connect(engine))
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	mqtt_lane_start(&engine->control, engine->settings.maximum_packet_size,
			engine->settings.topic_alias_maximum);
	engine->keep_alive_s = engine->settings.keep_alive_s;
	engine->auth = engine->settings.auth_method.data != NULL ? AUTH_SERVER : AUTH_NOBODY;
	engine->connack_timeout_ms = connack_timeout_ms;
	if (connack_timeout_ms > 0)
		engine->connack_deadline_ms = now_ms + connack_timeout_ms;
	engine->last_sent_ms = now_ms;
	engine->last_received_ms = now_ms;
	engine_step(engine, MQTT_ENGINE_CONNECTING);
	return MQUIC_OK;
}

/* The server has ended the connection at one of our messages, perhaps not for the first time. */
static void blame(struct mqtt_engine *engine)
{
	static const char sentence[] = "the server has ended three connections at this message";
	struct mqtt_outgoing *outgoing = mqtt_suspect_ended(&engine->control.inflight);
	struct mqtt_properties properties;

	if (outgoing == NULL)
		return;
	mqtt_properties_init(&properties);
	mqtt_properties_set_text(&properties, MQTT_REASON_STRING,
				 bytes_of(sentence, sizeof(sentence) - 1));
	/* Out of memory: then the next time, for it has been counted. */
	if (engine_delivered(engine, &engine->control, outgoing->packet_id, MQTT_UNSPECIFIED_ERROR,
			     &properties))
		mqtt_inflight_settle(&engine->control.inflight, outgoing);
}

void mqtt_engine_lost(struct mqtt_engine *engine)
{
	if (engine->hung_up)
		blame(engine);
	reset_connection(engine);
	mqtt_inflight_lost(&engine->control.inflight);
	engine_step(engine, MQTT_ENGINE_IDLE);
}

void mqtt_engine_told(struct mqtt_engine *engine)
{
	if (engine->state != MQTT_ENGINE_IDLE)
		return;
	engine->parting = PARTING_NONE;
	/* What was asked for meanwhile and dies with a connection has died with the last one. */
	mqtt_inflight_lost(&engine->control.inflight);
}

/* ---- Bytes ---- */

/* Not the server's fault in 3.1.1, where it cannot be told what we take. */
static enum mquic_status too_large(struct mqtt_engine *engine, struct mqtt_lane *lane)
{
	if (engine_version(engine) == MQTT_5)
		(void)engine_write_disconnect(engine, MQTT_PACKET_TOO_LARGE);
	return engine_end(engine, MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE,
			  "the server sent a packet larger than we take: messages may have %u "
			  "bytes (set the maximum packet size), other packets %u",
			  (unsigned int)lane->framing.maximum_publish,
			  (unsigned int)lane->framing.maximum_other);
}

static enum mquic_status framing_failure(struct mqtt_engine *engine, struct mqtt_lane *lane,
					 enum mqtt_framing_result result)
{
	switch (result) {
	case MQTT_FRAMING_TOO_LARGE:
		return too_large(engine, lane);
	case MQTT_FRAMING_MEMORY:
		return engine_cannot_go_on(engine);
	default:
		return engine_violation(engine, MQTT_MALFORMED_PACKET,
					"bytes that start no packet");
	}
}

enum mquic_status mqtt_engine_receive(struct mqtt_engine *engine, struct mqtt_lane *lane,
				      const uint8_t *data, size_t len, uint64_t now_ms)
{
	struct bytes input = bytes_of(data, len);
	enum mquic_status status = MQUIC_OK;

	if (engine->state == MQTT_ENGINE_IDLE)
		return MQUIC_OK;
	engine->last_received_ms = now_ms;
	engine->ping_deadline_ms = NEVER;
	while (engine->state != MQTT_ENGINE_OVER) {
		struct mqtt_packet packet;
		enum mqtt_framing_result result;

		result = mqtt_framing_next(&lane->framing, &input, &packet);
		if (result == MQTT_FRAMING_MORE)
			break;
		if (result != MQTT_FRAMING_PACKET)
			return framing_failure(engine, lane, result);
		status = engine_handle_packet(engine, lane, &packet, now_ms);
	}
	if (engine->state != MQTT_ENGINE_OVER)
		engine_pump(engine, lane);
	return status;
}

void mqtt_engine_output_consume(struct mqtt_engine *engine, struct mqtt_lane *lane, size_t len,
				uint64_t now_ms)
{
	mqtt_lane_consume(lane, len);
	engine->last_sent_ms = now_ms;
	engine_pump(engine, lane);
}

/* ---- Time ---- */

/*
 * Silence in either direction calls for PINGREQ: the server wants to hear from us (3.1.2.10), and
 * we want to know that it is there.
 */
static uint64_t ping_due_ms(const struct mqtt_engine *engine)
{
	uint64_t since = engine->last_sent_ms;

	if (engine->keep_alive_s == 0)
		return NEVER;
	if (engine->last_received_ms < since)
		since = engine->last_received_ms;
	return since + (uint64_t)engine->keep_alive_s * 1000;
}

uint64_t mqtt_engine_deadline_ms(const struct mqtt_engine *engine)
{
	if (engine->state == MQTT_ENGINE_CONNECTING)
		return engine->connack_deadline_ms;
	if (!engine_is_up(engine))
		return NEVER;
	return engine->ping_deadline_ms != NEVER ? engine->ping_deadline_ms : ping_due_ms(engine);
}

static void ping(struct mqtt_engine *engine, uint64_t now_ms)
{
	uint64_t grace_ms = (uint64_t)engine->keep_alive_s * 500;

	if (grace_ms < PING_GRACE_MIN_MS)
		grace_ms = PING_GRACE_MIN_MS;
	if (!engine_write_ping(engine)) {
		(void)engine_cannot_go_on(engine);
		return;
	}
	engine->last_sent_ms = now_ms;
	engine->ping_deadline_ms = now_ms + grace_ms;
}

void mqtt_engine_tick(struct mqtt_engine *engine, uint64_t now_ms)
{
	if (now_ms < mqtt_engine_deadline_ms(engine))
		return;
	if (engine->state == MQTT_ENGINE_CONNECTING)
		(void)engine_end(engine, MQUIC_ERR_TIMEOUT, MQTT_UNSPECIFIED_ERROR,
				 "the server did not answer CONNECT within %llu ms",
				 (unsigned long long)engine->connack_timeout_ms);
	else if (engine->ping_deadline_ms != NEVER)
		(void)engine_end(engine, MQUIC_ERR_TIMEOUT, MQTT_KEEP_ALIVE_TIMEOUT,
				 "the server did not answer PINGREQ; the keep-alive is %u s",
				 engine->keep_alive_s);
	else if (engine_is_up(engine))
		ping(engine, now_ms);
}

/* ---- Questions ---- */

size_t mqtt_engine_inflight(const struct mqtt_engine *engine)
{
	return engine_unsettled(engine);
}

uint16_t mqtt_engine_keep_alive_s(const struct mqtt_engine *engine)
{
	return engine->state == MQTT_ENGINE_IDLE ? engine->settings.keep_alive_s
						 : engine->keep_alive_s;
}

bool mqtt_engine_limit(const struct mqtt_engine *engine, enum mquic_limit limit, uint32_t *value)
{
	return mqtt_limits_get(&engine->limits, limit, value);
}

const char *mqtt_engine_client_id(const struct mqtt_engine *engine, size_t *len)
{
	const struct text *id = engine_client_id(engine);

	if (len != NULL)
		*len = id->len;
	return id->data == NULL ? "" : id->data;
}
