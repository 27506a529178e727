/* SPDX-License-Identifier: MIT */
/* The engine's life and time; the picture of its states is in engine.h. */
#include "mqtt/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/suspect.h"

/* Answers to input that may wait for the network before we take no more input. */
#define ANSWERS_MAX 262144

/* After PINGREQ the server has half the keep-alive to say anything, but at least this. */
#define PING_GRACE_MIN_MS 5000

#define NEVER UINT64_MAX

enum mquic_status mqtt_engine_new(struct mqtt_engine **engine, size_t buffer_bytes)
{
	struct mqtt_engine *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	mqtt_options_init(&made->options);
	mqtt_inflight_init(&made->inflight);
	mqtt_framing_init(&made->framing, MQTT_PACKET_MAX);
	buf_writer_init(&made->output, SIZE_MAX);
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
	mqtt_inflight_clear(&engine->inflight);
	mqtt_alias_in_clear(&engine->alias_in);
	mqtt_alias_out_clear(&engine->alias_out);
	mqtt_framing_clear(&engine->framing);
	buf_writer_clear(&engine->output);
	mqtt_options_clear(&engine->options);
	text_clear(&engine->assigned_id);
	free(engine);
}

struct mqtt_options *mqtt_engine_options(struct mqtt_engine *engine)
{
	return &engine->options;
}

/* ---- The end ---- */

enum mquic_status engine_end(struct mqtt_engine *engine, enum mquic_status status, uint8_t code,
			     const char *format, ...)
{
	struct mquic_event *event = engine->last_event;
	char text[512];
	va_list args;

	engine->state = MQTT_ENGINE_OVER;
	engine->last_event = NULL;
	if (event == NULL)
		return status;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	event->status = status;
	event->origin = MQUIC_ORIGIN_MQTT;
	event->code = code;
	event->reason = code;
	event->has_reason = true;
	event_set_text(event, text, strlen(text));
	event_queue_push(&engine->events, event);
	return status;
}

enum mquic_status engine_violation(struct mqtt_engine *engine, enum mqtt_reason reason,
				   const char *what)
{
	enum mquic_status status =
		reason == MQTT_PACKET_TOO_LARGE ? MQUIC_ERR_TOO_LARGE : MQUIC_ERR_PROTOCOL;

	/* If our message brought it about, it will do so again. */
	mqtt_engine_hung_up(engine);
	if (!mqtt_reason_valid_from_client((uint8_t)reason))
		reason = MQTT_PROTOCOL_ERROR;
	/* In 3.1.1 DISCONNECT would mean that all is well and suppress the will. */
	if (engine_version(engine) == MQTT_5)
		(void)engine_write_disconnect(engine, (uint8_t)reason);
	return engine_end(engine, status, (uint8_t)reason,
			  "the server broke the rules of MQTT: %s (%s, 0x%02X)", what,
			  mquic_reason_text((uint8_t)reason), (unsigned int)reason);
}

enum mquic_status engine_cannot_go_on(struct mqtt_engine *engine)
{
	/* Not to acknowledge would stop the server at its window, without a word. */
	if (engine->oversized != 0)
		return engine_end(engine, MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE,
				  "the server takes no packet of more than %u bytes, and so not "
				  "the %s that must be sent",
				  (unsigned int)engine->server.maximum_packet_size,
				  mqtt_type_text(engine->oversized));
	return engine_end(engine, MQUIC_ERR_MEMORY, MQTT_IMPLEMENTATION_ERROR,
			  "out of memory for what the server sent");
}

/* At most this much of a peer's text goes into a sentence. */
static int shown(struct bytes text)
{
	return text.len < 200 ? (int)text.len : 200;
}

enum mquic_status engine_ended_by_server(struct mqtt_engine *engine, enum mquic_status status,
					 uint8_t code, const char *what,
					 const struct mqtt_properties *properties)
{
	struct bytes text = mqtt_properties_text(properties, MQTT_REASON_STRING);
	struct bytes other = mqtt_properties_text(properties, MQTT_SERVER_REFERENCE);

	if (engine->last_event != NULL)
		(void)engine_describe(engine, engine->last_event, properties);
	return engine_end(engine, status, code, "%s: %s (0x%02X)%s%.*s%s%.*s", what,
			  mquic_reason_text(code), code, text.len > 0 ? ": " : "", shown(text),
			  text.len > 0 ? (const char *)text.data : "",
			  other.len > 0 ? "; it names this server: " : "", shown(other),
			  other.len > 0 ? (const char *)other.data : "");
}

/* ---- Events ---- */

/* No more of them than the application wants of one packet. */
static bool copy_user_properties(const struct mqtt_engine *engine, struct mquic_event *event,
				 const struct mqtt_properties *properties)
{
	struct buf_reader walk = buf_reader_of(properties->section);
	size_t count = properties->pair_count;
	struct event_details *details;
	struct bytes name;
	struct bytes value;

	if (count > engine->options.maximum_properties)
		count = engine->options.maximum_properties;
	if (count == 0)
		return true;
	details = event_details(event);
	/* Identifier and lengths of a pair are not among its texts. */
	if (details == NULL || !pairs_reserve(&details->user_properties, count,
					      properties->section.len - 5 * properties->pair_count))
		return false;
	event_charge(event, details->user_properties.size);
	while (count-- > 0 && mqtt_properties_next_pair(&walk, &name, &value)) {
		struct pair_texts texts = {(const char *)name.data, name.len,
					   (const char *)value.data, value.len};

		pairs_add(&details->user_properties, &texts);
	}
	return true;
}

bool engine_describe(const struct mqtt_engine *engine, struct mquic_event *event,
		     const struct mqtt_properties *properties)
{
	struct bytes text = mqtt_properties_text(properties, MQTT_REASON_STRING);

	if (text.data != NULL)
		event_set_text(event, (const char *)text.data, text.len);
	return copy_user_properties(engine, event, properties);
}

bool engine_delivered(struct mqtt_engine *engine, uint16_t packet_id, uint8_t reason,
		      const struct mqtt_properties *properties)
{
	struct mquic_event *event = event_new(MQUIC_EVENT_DELIVERED);

	if (event == NULL)
		return false;
	event->packet_id = packet_id;
	event->reason = reason;
	event->has_reason = true;
	if (properties != NULL && !engine_describe(engine, event, properties)) {
		mquic_event_free(event);
		return false;
	}
	event_queue_push(&engine->events, event);
	return true;
}

bool engine_subscribed(struct mqtt_engine *engine, const struct mqtt_suback *suback)
{
	struct mquic_event *event = event_new(
		suback->type == MQTT_SUBACK ? MQUIC_EVENT_SUBSCRIBED : MQUIC_EVENT_UNSUBSCRIBED);
	struct event_details *details = event == NULL ? NULL : event_details(event);

	if (details != NULL)
		details->reasons = malloc(suback->reasons.len);
	if (details == NULL || details->reasons == NULL ||
	    !engine_describe(engine, event, &suback->properties)) {
		mquic_event_free(event);
		return false;
	}
	memcpy(details->reasons, suback->reasons.data, suback->reasons.len);
	details->reason_count = suback->reasons.len;
	event->packet_id = suback->packet_id;
	event_charge(event, suback->reasons.len);
	event_queue_push(&engine->events, event);
	return true;
}

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
	buf_writer_clear(&engine->output);
	mqtt_framing_clear(&engine->framing);
	mqtt_alias_in_clear(&engine->alias_in);
	mqtt_alias_out_clear(&engine->alias_out);
	engine->answers = 0;
	engine->auth = AUTH_NOBODY;
	engine->closing = false;
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
	status = mqtt_options_check(&engine->options, error);
	if (status != MQUIC_OK)
		return status;
	mqtt_engine_told(engine);
	if (engine->last_event == NULL)
		engine->last_event = event_new(MQUIC_EVENT_DISCONNECTED);
	reset_connection(engine);
	if (engine->last_event == NULL || !engine_write_connect(engine))
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	mqtt_framing_init(&engine->framing, engine->options.maximum_packet_size);
	mqtt_alias_in_init(&engine->alias_in, engine->options.topic_alias_maximum);
	engine->keep_alive_s = engine->options.keep_alive_s;
	engine->auth = engine->options.auth_method.data != NULL ? AUTH_SERVER : AUTH_NOBODY;
	engine->connack_timeout_ms = connack_timeout_ms;
	if (connack_timeout_ms > 0)
		engine->connack_deadline_ms = now_ms + connack_timeout_ms;
	engine->last_sent_ms = now_ms;
	engine->last_received_ms = now_ms;
	engine->state = MQTT_ENGINE_CONNECTING;
	return MQUIC_OK;
}

void mqtt_engine_hung_up(struct mqtt_engine *engine)
{
	/* Who has said good-bye is not hung up on. */
	engine->hung_up = !engine->closing;
}

/* The server has ended the connection at one of our messages, perhaps not for the first time. */
static void blame(struct mqtt_engine *engine)
{
	static const char sentence[] = "the server has ended three connections at this message";
	struct mqtt_outgoing *outgoing = mqtt_suspect_ended(&engine->inflight);
	struct mqtt_properties properties;

	if (outgoing == NULL)
		return;
	mqtt_properties_init(&properties);
	mqtt_properties_set_text(&properties, MQTT_REASON_STRING,
				 bytes_of(sentence, sizeof(sentence) - 1));
	/* Out of memory: then the next time, for it has been counted. */
	if (engine_delivered(engine, outgoing->packet_id, MQTT_UNSPECIFIED_ERROR, &properties))
		mqtt_inflight_settle(&engine->inflight, outgoing);
}

void mqtt_engine_lost(struct mqtt_engine *engine)
{
	if (engine->hung_up)
		blame(engine);
	if (engine->state != MQTT_ENGINE_IDLE)
		engine->untold = !engine->closing;
	reset_connection(engine);
	mqtt_inflight_lost(&engine->inflight);
	engine->state = MQTT_ENGINE_IDLE;
}

void mqtt_engine_told(struct mqtt_engine *engine)
{
	engine->untold = false;
	/* What was asked for meanwhile and dies with a connection has died with the last one. */
	if (engine->state == MQTT_ENGINE_IDLE)
		mqtt_inflight_lost(&engine->inflight);
}

/* ---- Bytes ---- */

bool mqtt_engine_wants_input(const struct mqtt_engine *engine)
{
	return engine->answers < ANSWERS_MAX;
}

/* Not the server's fault in 3.1.1, where it cannot be told what we take. */
static enum mquic_status too_large(struct mqtt_engine *engine)
{
	if (engine_version(engine) == MQTT_5)
		(void)engine_write_disconnect(engine, MQTT_PACKET_TOO_LARGE);
	return engine_end(engine, MQUIC_ERR_TOO_LARGE, MQTT_PACKET_TOO_LARGE,
			  "the server sent a packet larger than we take: messages may have %u "
			  "bytes (set the maximum packet size), other packets %u",
			  (unsigned int)engine->framing.maximum_publish,
			  (unsigned int)engine->framing.maximum_other);
}

static enum mquic_status framing_failure(struct mqtt_engine *engine,
					 enum mqtt_framing_result result)
{
	switch (result) {
	case MQTT_FRAMING_TOO_LARGE:
		return too_large(engine);
	case MQTT_FRAMING_MEMORY:
		return engine_cannot_go_on(engine);
	default:
		return engine_violation(engine, MQTT_MALFORMED_PACKET,
					"bytes that start no packet");
	}
}

enum mquic_status mqtt_engine_receive(struct mqtt_engine *engine, const uint8_t *data, size_t len,
				      uint64_t now_ms)
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

		result = mqtt_framing_next(&engine->framing, &input, &packet);
		if (result == MQTT_FRAMING_MORE)
			break;
		if (result != MQTT_FRAMING_PACKET)
			return framing_failure(engine, result);
		status = engine_handle_packet(engine, &packet, now_ms);
	}
	if (engine->state != MQTT_ENGINE_OVER)
		engine_pump(engine);
	return status;
}

void mqtt_engine_output(const struct mqtt_engine *engine, const uint8_t **data, size_t *len)
{
	struct bytes content = buf_writer_content(&engine->output);

	*data = content.data;
	*len = content.len;
}

void mqtt_engine_output_consume(struct mqtt_engine *engine, size_t len, uint64_t now_ms)
{
	buf_writer_consume(&engine->output, len);
	if (engine->answers > engine->output.len)
		engine->answers = engine->output.len;
	engine->last_sent_ms = now_ms;
	engine_pump(engine);
}

/* ---- Time ---- */

/* Silence in either direction calls for PINGREQ: the server wants to hear from us (3.1.2.10),
 * and we want to know that it is there. */
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

enum mqtt_engine_state mqtt_engine_state(const struct mqtt_engine *engine)
{
	return engine->state;
}

size_t mqtt_engine_inflight(const struct mqtt_engine *engine)
{
	return engine->inflight.messages;
}

uint16_t mqtt_engine_keep_alive_s(const struct mqtt_engine *engine)
{
	return engine->state == MQTT_ENGINE_IDLE ? engine->options.keep_alive_s
						 : engine->keep_alive_s;
}

const char *mqtt_engine_client_id(const struct mqtt_engine *engine, size_t *len)
{
	const struct text *id = &engine->options.client_id;

	if (id->len == 0)
		id = &engine->assigned_id;
	if (len != NULL)
		*len = id->len;
	return id->data == NULL ? "" : id->data;
}
