/* SPDX-License-Identifier: MIT */
#include "mqtt/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/lanes.h"
#include "mqtt/outgoing.h"
#include "mqtt/state.h"

/* ---- The end ---- */

void mqtt_engine_hung_up(struct mqtt_engine *engine)
{
	/* Who has said good-bye is not hung up on. */
	engine->hung_up = engine->parting != PARTING_ASKED;
}

enum mquic_status engine_end(struct mqtt_engine *engine, enum mquic_status status, uint8_t code,
			     const char *format, ...)
{
	struct mquic_event *event = engine->last_event;
	char text[512];
	va_list args;

	engine_step(engine, MQTT_ENGINE_OVER);
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

enum mquic_status engine_malformed(struct mqtt_engine *engine, enum mqtt_reason reason,
				   enum mqtt_type type)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "it sent an invalid %s", mqtt_type_text(type));
	return engine_violation(engine, reason, what);
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

/* As it came: before MQTT 5, CONNACK has a return code from 1 to 5. */
static void name_code(const struct mqtt_engine *engine, uint8_t code, char text[16])
{
	if (engine->settings.version == MQTT_5)
		(void)snprintf(text, 16, "0x%02X", code);
	else
		(void)snprintf(text, 16, "return code %u", mqtt_reason_to_return_code(code));
}

enum mquic_status engine_ended_by_server(struct mqtt_engine *engine, enum mquic_status status,
					 uint8_t code, const char *what,
					 const struct mqtt_properties *properties)
{
	struct bytes text = mqtt_properties_text(properties, MQTT_REASON_STRING);
	struct bytes other = mqtt_properties_text(properties, MQTT_SERVER_REFERENCE);

	char came[16];

	if (engine->last_event != NULL)
		(void)engine_describe(engine, engine->last_event, properties);
	name_code(engine, code, came);
	return engine_end(engine, status, code, "%s: %s (%s)%s%.*s%s%.*s", what,
			  mquic_reason_text(code), came, text.len > 0 ? ": " : "", shown(text),
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

	if (count > engine->settings.maximum_properties)
		count = engine->settings.maximum_properties;
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

/* Hands a text of the packet out as it came; false if out of memory. */
static bool copy_text(struct mquic_event *event, const struct mqtt_properties *properties,
		      enum mqtt_property id, size_t offset)
{
	struct bytes text = mqtt_properties_text(properties, id);
	struct event_details *details;

	if (text.data == NULL)
		return true;
	details = event_details(event);
	if (details == NULL || !text_set((struct text *)(void *)((char *)details + offset),
					 (const char *)text.data, text.len))
		return false;
	event_charge(event, text.len + 1);
	return true;
}

static bool copy_texts(struct mquic_event *event, const struct mqtt_properties *properties)
{
	return copy_text(event, properties, MQTT_REASON_STRING,
			 offsetof(struct event_details, reason_string)) &&
	       copy_text(event, properties, MQTT_SERVER_REFERENCE,
			 offsetof(struct event_details, server_reference)) &&
	       copy_text(event, properties, MQTT_RESPONSE_INFO,
			 offsetof(struct event_details, response_information));
}

bool engine_describe(const struct mqtt_engine *engine, struct mquic_event *event,
		     const struct mqtt_properties *properties)
{
	struct bytes text = mqtt_properties_text(properties, MQTT_REASON_STRING);

	if (text.data != NULL)
		event_set_text(event, (const char *)text.data, text.len);
	return copy_texts(event, properties) && copy_user_properties(engine, event, properties);
}

bool engine_delivered(struct mqtt_engine *engine, struct mqtt_lane *lane, uint16_t packet_id,
		      uint8_t reason, const struct mqtt_properties *properties)
{
	struct mquic_event *event = event_new(MQUIC_EVENT_DELIVERED);

	if (event == NULL)
		return false;
	event->packet_id = engine_number_sent(lane, packet_id);
	event->reason = reason;
	event->has_reason = true;
	if (properties != NULL && !engine_describe(engine, event, properties)) {
		mquic_event_free(event);
		return false;
	}
	event_queue_push(&engine->events, event);
	return true;
}

bool engine_subscribed(struct mqtt_engine *engine, struct mqtt_lane *lane,
		       const struct mqtt_suback *suback)
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
	event->packet_id = engine_number_sent(lane, suback->packet_id);
	event_charge(event, suback->reasons.len);
	event_queue_push(&engine->events, event);
	return true;
}
