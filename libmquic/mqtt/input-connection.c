/* SPDX-License-Identifier: MIT */
/* What the server says of the connection: CONNACK, AUTH, DISCONNECT. */
#include "mqtt/input.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/outgoing.h"
#include "mqtt/state.h"
#include "mqtt/verdict.h"

/* ---- CONNACK ---- */

static void read_limits(struct mqtt_engine *engine, const struct mqtt_properties *properties)
{
	struct server_limits *server = &engine->server;
	uint32_t aliases = mqtt_properties_number(properties, MQTT_TOPIC_ALIAS_MAXIMUM, 0);

	server->receive_maximum =
		mqtt_properties_number(properties, MQTT_RECEIVE_MAXIMUM, UINT16_MAX);
	server->maximum_packet_size =
		mqtt_properties_number(properties, MQTT_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX);
	server->maximum_qos = (uint8_t)mqtt_properties_number(properties, MQTT_MAXIMUM_QOS, 2);
	server->retain = mqtt_properties_number(properties, MQTT_RETAIN_AVAILABLE, 1) != 0;
	server->lacks = 0;
	if (mqtt_properties_number(properties, MQTT_WILDCARDS_AVAILABLE, 1) == 0)
		server->lacks |= MQTT_NEEDS_WILDCARDS;
	if (mqtt_properties_number(properties, MQTT_SHARED_AVAILABLE, 1) == 0)
		server->lacks |= MQTT_NEEDS_SHARED;
	if (mqtt_properties_number(properties, MQTT_SUBSCRIPTION_IDS_AVAILABLE, 1) == 0)
		server->lacks |= MQTT_NEEDS_IDS;
	if (aliases > engine->settings.topic_aliases)
		aliases = engine->settings.topic_aliases;
	mqtt_alias_out_init(&engine->control.alias_out, (uint16_t)aliases);
	engine->keep_alive_s = (uint16_t)mqtt_properties_number(properties, MQTT_SERVER_KEEP_ALIVE,
								engine->settings.keep_alive_s);
}

/* The method in CONNACK and AUTH must be ours (section 4.12); a refusal need not name one. */
static bool method_matches(const struct mqtt_engine *engine,
			   const struct mqtt_properties *properties, bool required)
{
	struct bytes method = mqtt_properties_text(properties, MQTT_AUTH_METHOD);
	const struct text *ours = &engine->settings.auth_method;

	if (method.data == NULL)
		return !required;
	return ours->data != NULL && bytes_equal(method, bytes_of(ours->data, ours->len));
}

/* Copies authentication data, reason string and user properties to an event. */
static bool fill_auth_event(const struct mqtt_engine *engine, struct mquic_event *event,
			    uint8_t reason, const struct mqtt_properties *properties)
{
	struct bytes data = mqtt_properties_text(properties, MQTT_AUTH_DATA);
	struct event_details *details;

	event->reason = reason;
	event->has_reason = true;
	if (!engine_describe(engine, event, properties))
		return false;
	if (data.data == NULL)
		return true;
	details = event_details(event);
	if (details == NULL)
		return false;
	details->auth_data = malloc(data.len + 1);
	if (details->auth_data == NULL)
		return false;
	event_charge(event, data.len + 1);
	memcpy(details->auth_data, data.data, data.len);
	details->auth_data_len = data.len;
	return true;
}

/* CONNACK without the session, or with it: settle or repeat what waits for PUBCOMP. */
static bool resume_releases(struct mqtt_engine *engine, bool session_present)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &engine->control.inflight.sent) {
		struct mqtt_outgoing *outgoing = list_entry(node, struct mqtt_outgoing, link);

		if (session_present) {
			if (!engine_write_ack(engine, &engine->control, MQTT_PUBREL,
					      outgoing->packet_id, 0))
				return false;
			mqtt_inflight_resumed(&engine->control.inflight, outgoing);
			continue;
		}
		if (!engine_delivered(engine, &engine->control, outgoing->packet_id,
				      MQTT_PACKET_ID_NOT_FOUND, NULL))
			return false;
		mqtt_inflight_settle(&engine->control.inflight, outgoing);
	}
	return true;
}

static bool accept_connack(struct mqtt_engine *engine, const struct mqtt_connack *connack)
{
	struct bytes id = mqtt_properties_text(&connack->properties, MQTT_ASSIGNED_CLIENT_ID);
	struct mquic_event *event = event_new(MQUIC_EVENT_CONNECTED);

	if (event == NULL)
		return false;
	event->session_present = connack->session_present;
	if (!fill_auth_event(engine, event, connack->reason, &connack->properties) ||
	    (id.data != NULL && !text_set(&engine->assigned_id, (const char *)id.data, id.len))) {
		mquic_event_free(event);
		return false;
	}
	event_queue_push(&engine->events, event);
	read_limits(engine, &connack->properties);
	mqtt_limits_read(&engine->limits, &connack->properties, &engine->settings);
	engine->auth = AUTH_NOBODY;
	engine_step(engine,
		    engine->parting == PARTING_ASKED ? MQTT_ENGINE_CLOSING : MQTT_ENGINE_CONNECTED);
	if (!connack->session_present)
		mqtt_inflight_absent(&engine->control.inflight);
	return resume_releases(engine, connack->session_present);
}

/*
 * What a CONNACK that accepts us must not say, or must; NULL if all is well. That the server knows
 * a session which is not in our memory is no fault: a program may have been started again.
 */
static const char *broken_rule(const struct mqtt_engine *engine, const struct mqtt_connack *connack)
{
	const struct mqtt_properties *properties = &connack->properties;

	if (connack->session_present && engine->settings.clean_start)
		return "it kept a session that was to start clean (MQTT-3.2.2-2)";
	if (connack->session_present && !engine->named)
		return "it speaks of a session of a client that had no identifier yet "
		       "(MQTT-3.2.2-4)";
	if (engine_version(engine) != MQTT_5)
		return NULL;
	if (!engine->named && mqtt_properties_text(properties, MQTT_ASSIGNED_CLIENT_ID).len == 0)
		return "it did not say which client identifier it has assigned (MQTT-3.2.2-16)";
	if (mqtt_properties_has(properties, MQTT_RESPONSE_INFO) &&
	    !engine->settings.response_information)
		return "it sent response information that was not asked for (MQTT-3.1.2-28)";
	return NULL;
}

enum mquic_status engine_handle_connack(struct mqtt_engine *engine,
					const struct mqtt_packet *packet)
{
	struct mqtt_connack connack;
	enum mqtt_reason reason;
	const char *broken;

	if (engine->state != MQTT_ENGINE_CONNECTING)
		return engine_violation(engine, MQTT_PROTOCOL_ERROR, "it sent CONNACK twice");
	reason = mqtt_connack_read(&connack, packet, engine_version(engine));
	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, MQTT_CONNACK);
	if (connack.reason != MQTT_SUCCESS)
		return engine_ended_by_server(engine, MQUIC_ERR_REFUSED, connack.reason,
					      "the server refused the connection",
					      &connack.properties);
	broken = broken_rule(engine, &connack);
	if (broken != NULL)
		return engine_violation(engine, MQTT_PROTOCOL_ERROR, broken);
	if (!method_matches(engine, &connack.properties, engine->settings.auth_method.data != NULL))
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"CONNACK names another authentication method");
	return accept_connack(engine, &connack) ? MQUIC_OK : engine_cannot_go_on(engine);
}

/* ---- AUTH ---- */

enum mquic_status engine_handle_auth(struct mqtt_engine *engine, const struct mqtt_packet *packet,
				     uint64_t now_ms)
{
	struct mqtt_disconnect auth;
	enum mqtt_reason reason = mqtt_disconnect_read(&auth, packet, engine_version(engine));
	bool more = reason == MQTT_SUCCESS && auth.reason == MQTT_CONTINUE_AUTHENTICATION;
	struct mquic_event *event;

	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, MQTT_AUTH);
	if (engine->auth != AUTH_SERVER || auth.reason == MQTT_RE_AUTHENTICATE ||
	    (!more && engine->state == MQTT_ENGINE_CONNECTING) ||
	    !method_matches(engine, &auth.properties, more))
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it sent AUTH that does not fit the exchange");
	event = event_new(MQUIC_EVENT_AUTH);
	if (event == NULL || !fill_auth_event(engine, event, auth.reason, &auth.properties)) {
		mquic_event_free(event);
		return engine_cannot_go_on(engine);
	}
	event_queue_push(&engine->events, event);
	engine->auth = more ? AUTH_CLIENT : AUTH_NOBODY;
	if (engine->connack_timeout_ms > 0)
		engine->connack_deadline_ms = now_ms + engine->connack_timeout_ms;
	return MQUIC_OK;
}

/* ---- DISCONNECT ---- */

/* Whether a server that ends a connection so does it for other reasons than what we sent. */
static bool has_reason_of_its_own(uint8_t reason)
{
	switch (reason) {
	case MQTT_SERVER_BUSY:
	case MQTT_SERVER_SHUTTING_DOWN:
	case MQTT_KEEP_ALIVE_TIMEOUT:
	case MQTT_SESSION_TAKEN_OVER:
	case MQTT_ADMINISTRATIVE_ACTION:
	case MQTT_USE_ANOTHER_SERVER:
	case MQTT_SERVER_MOVED:
	case MQTT_CONNECTION_RATE_EXCEEDED:
	case MQTT_MAXIMUM_CONNECT_TIME:
		return true;
	default:
		return false;
	}
}

enum mquic_status engine_handle_disconnect(struct mqtt_engine *engine,
					   const struct mqtt_packet *packet)
{
	struct mqtt_disconnect disconnect;
	enum mqtt_reason reason;

	if (engine_version(engine) != MQTT_5)
		return engine_violation(engine, MQTT_PROTOCOL_ERROR, "it sent DISCONNECT");
	reason = mqtt_disconnect_read(&disconnect, packet, MQTT_5);
	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, MQTT_DISCONNECT);
	if (disconnect.reason == MQTT_DISCONNECT_WITH_WILL ||
	    mqtt_properties_has(&disconnect.properties, MQTT_SESSION_EXPIRY))
		return engine_malformed(engine, MQTT_PROTOCOL_ERROR, MQTT_DISCONNECT);
	if (!has_reason_of_its_own(disconnect.reason))
		mqtt_engine_hung_up(engine);
	(void)engine_ended_by_server(
		engine, disconnect.reason == MQTT_SUCCESS ? MQUIC_OK : MQUIC_ERR_CLOSED,
		disconnect.reason, "the server disconnected us", &disconnect.properties);
	return MQUIC_ERR_CLOSED;
}
