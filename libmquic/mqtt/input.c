/* SPDX-License-Identifier: MIT */
/* What the server says: one handler for each kind of packet that may come to a client. */
#include "mqtt/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "mqtt/outgoing.h"
#include "mqtt/ping.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "mqtt/suspect.h"
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
	if (aliases > engine->options.topic_aliases)
		aliases = engine->options.topic_aliases;
	mqtt_alias_out_init(&engine->alias_out, (uint16_t)aliases);
	engine->keep_alive_s = (uint16_t)mqtt_properties_number(properties, MQTT_SERVER_KEEP_ALIVE,
								engine->options.keep_alive_s);
}

/* The method in CONNACK and AUTH must be ours (section 4.12); a refusal need not name one. */
static bool method_matches(const struct mqtt_engine *engine,
			   const struct mqtt_properties *properties, bool required)
{
	struct bytes method = mqtt_properties_text(properties, MQTT_AUTH_METHOD);
	const struct text *ours = &engine->options.auth_method;

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

	list_for_each (node, following, &engine->inflight.sent) {
		struct mqtt_outgoing *outgoing = list_entry(node, struct mqtt_outgoing, link);

		if (session_present) {
			if (!engine_write_ack(engine, MQTT_PUBREL, outgoing->packet_id, 0))
				return false;
			mqtt_inflight_resumed(&engine->inflight, outgoing);
			continue;
		}
		if (!engine_delivered(engine, outgoing->packet_id, MQTT_PACKET_ID_NOT_FOUND, NULL))
			return false;
		mqtt_inflight_settle(&engine->inflight, outgoing);
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
	engine->auth = AUTH_NOBODY;
	engine->state = engine->closing ? MQTT_ENGINE_CLOSING : MQTT_ENGINE_CONNECTED;
	if (!connack->session_present)
		mqtt_inflight_absent(&engine->inflight);
	return resume_releases(engine, connack->session_present);
}

/*
 * What a CONNACK that accepts us must not say, or must; NULL if all is well. That the server knows
 * a session which is not in our memory is no fault: a program may have been started again.
 */
static const char *broken_rule(const struct mqtt_engine *engine, const struct mqtt_connack *connack)
{
	const struct mqtt_properties *properties = &connack->properties;

	if (connack->session_present && engine->options.clean_start)
		return "it kept a session that was to start clean (MQTT-3.2.2-2)";
	if (connack->session_present && !engine->named)
		return "it speaks of a session of a client that had no identifier yet "
		       "(MQTT-3.2.2-4)";
	if (engine_version(engine) != MQTT_5)
		return NULL;
	if (!engine->named && mqtt_properties_text(properties, MQTT_ASSIGNED_CLIENT_ID).len == 0)
		return "it did not say which client identifier it has assigned (MQTT-3.2.2-16)";
	if (mqtt_properties_has(properties, MQTT_RESPONSE_INFO) &&
	    !engine->options.response_information)
		return "it sent response information that was not asked for (MQTT-3.1.2-28)";
	return NULL;
}

static enum mquic_status handle_connack(struct mqtt_engine *engine,
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
	if (!method_matches(engine, &connack.properties, engine->options.auth_method.data != NULL))
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"CONNACK names another authentication method");
	return accept_connack(engine, &connack) ? MQUIC_OK : engine_cannot_go_on(engine);
}

/* ---- PUBLISH ---- */

static struct mquic_event *message_event(const struct mqtt_publish *publish)
{
	struct mquic_event *event = event_new(MQUIC_EVENT_MESSAGE);

	if (event == NULL)
		return NULL;
	event->message = mqtt_message_pack(publish);
	event->message_free = mquic_message_free;
	if (event->message == NULL) {
		mquic_event_free(event);
		return NULL;
	}
	event->packet_id = publish->packet_id;
	event_charge(event, event->message->block_size);
	return event;
}

/* The acknowledgement that follows at once, PUBACK or PUBREC. */
static enum mquic_status answer(struct mqtt_engine *engine, const struct mqtt_publish *publish)
{
	enum mqtt_type type = publish->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;

	if (!engine_write_ack(engine, type, publish->packet_id, MQTT_SUCCESS))
		return engine_cannot_go_on(engine);
	return MQUIC_OK;
}

/* Sends the acknowledgements whose turn it is. */
static enum mquic_status flush_acks(struct mqtt_engine *engine)
{
	return engine_flush_acks(engine) ? MQUIC_OK : engine_cannot_go_on(engine);
}

/*
 * A message with more properties than the application takes: refused alone, as one that is too
 * large is dropped by the server. Ending the connection would bring it back at once.
 */
static bool is_refused(struct mqtt_engine *engine, const struct mqtt_publish *publish)
{
	size_t count = publish->properties.pair_count + publish->properties.subscription_id_count;
	char topic[64];

	if (count <= engine->options.maximum_properties)
		return false;
	text_printable(topic, sizeof(topic), (const char *)publish->topic.data,
		       publish->topic.len < sizeof(topic) ? publish->topic.len : sizeof(topic) - 1);
	(void)snprintf(engine->notice, sizeof(engine->notice),
		       "a message with topic %s was refused: it has %zu user properties and "
		       "subscription identifiers, more than the %u that are taken; "
		       "mquic_session_set_maximum_properties() sets that",
		       topic, count, (unsigned int)engine->options.maximum_properties);
	engine->has_notice = true;
	return true;
}

/* The queue has the event, or it is of no use. */
static enum mquic_status arrived(struct mqtt_engine *engine, const struct mqtt_publish *publish,
				 struct mquic_event *event)
{
	if (event != NULL)
		event_queue_push(&engine->events, event);
	else if (publish->qos > 0)
		(void)mqtt_inflight_acknowledge(&engine->inflight, publish->packet_id,
						MQTT_QUOTA_EXCEEDED);
	if (publish->qos == 0)
		return MQUIC_OK;
	if (event == NULL || engine->options.manual_ack)
		return flush_acks(engine);
	return answer(engine, publish);
}

static enum mquic_status deliver(struct mqtt_engine *engine, const struct mqtt_publish *publish)
{
	bool refused = is_refused(engine, publish);
	bool manual = engine->options.manual_ack || refused;
	size_t maximum = UINT16_MAX;
	struct mquic_event *event = refused ? NULL : message_event(publish);
	enum mqtt_arrival arrival = MQTT_ARRIVAL_NEW;

	if (event == NULL && !refused)
		return engine_cannot_go_on(engine);
	if (engine_version(engine) == MQTT_5)
		maximum = engine->options.receive_maximum;
	if (publish->qos > 0)
		arrival = mqtt_inflight_arrived(&engine->inflight, publish->packet_id, publish->qos,
						manual, maximum);
	if (arrival != MQTT_ARRIVAL_NEW)
		mquic_event_free(event);
	switch (arrival) {
	case MQTT_ARRIVAL_NEW:
		return arrived(engine, publish, event);
	case MQTT_ARRIVAL_DUPLICATE:
		return flush_acks(engine);
	case MQTT_ARRIVAL_REPEAT:
		return answer(engine, publish);
	case MQTT_ARRIVAL_VIOLATION:
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it used the packet identifier of an unsettled message");
	case MQTT_ARRIVAL_TOO_MANY:
		return engine_violation(engine, MQTT_RECEIVE_MAXIMUM_EXCEEDED,
					"it has more messages unsettled than we allow");
	case MQTT_ARRIVAL_MEMORY:
		break;
	}
	return engine_cannot_go_on(engine);
}

static enum mquic_status handle_publish(struct mqtt_engine *engine,
					const struct mqtt_packet *packet)
{
	struct mqtt_publish publish;
	enum mqtt_reason reason = mqtt_publish_read(&publish, packet, engine_version(engine));

	if (reason == MQTT_SUCCESS)
		reason = mqtt_alias_in_resolve(&engine->alias_in, &publish);
	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, MQTT_PUBLISH);
	return deliver(engine, &publish);
}

/* ---- Acknowledgements ---- */

static enum mquic_status settle(struct mqtt_engine *engine, struct mqtt_outgoing *outgoing,
				const struct mqtt_ack *ack)
{
	if (!engine_delivered(engine, ack->packet_id, ack->reason, &ack->properties))
		return engine_cannot_go_on(engine);
	mqtt_inflight_settle(&engine->inflight, outgoing);
	return MQUIC_OK;
}

static enum mquic_status release(struct mqtt_engine *engine, uint16_t packet_id, uint8_t reason)
{
	if (!engine_write_ack(engine, MQTT_PUBREL, packet_id, reason))
		return engine_cannot_go_on(engine);
	return MQUIC_OK;
}

/* PUBACK, PUBREC and PUBCOMP: answers to what we have published. */
static enum mquic_status handle_ack(struct mqtt_engine *engine, const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;
	enum mqtt_reason reason = mqtt_ack_read(&ack, packet, engine_version(engine));
	struct mqtt_outgoing *outgoing;
	enum mqtt_step step;

	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, packet->type);
	outgoing = packet_id_get(&engine->inflight.outgoing, ack.packet_id);
	step = mqtt_outgoing_step(outgoing, ack.type, ack.reason);
	if (outgoing != NULL && step != MQTT_STEP_VIOLATION)
		mqtt_suspect_answered(&engine->inflight, outgoing);
	switch (step) {
	case MQTT_STEP_IGNORE:
		return MQUIC_OK;
	case MQTT_STEP_SETTLE:
		return settle(engine, outgoing, &ack);
	case MQTT_STEP_TAKE:
		mqtt_inflight_taken(&engine->inflight, outgoing);
		return release(engine, ack.packet_id, MQTT_SUCCESS);
	case MQTT_STEP_REPEAT:
		return release(engine, ack.packet_id, MQTT_SUCCESS);
	case MQTT_STEP_NOT_FOUND:
		return release(engine, ack.packet_id, MQTT_PACKET_ID_NOT_FOUND);
	case MQTT_STEP_VIOLATION:
		break;
	}
	return engine_violation(engine, MQTT_PROTOCOL_ERROR,
				"an acknowledgement does not fit the message it names");
}

static enum mquic_status handle_pubrel(struct mqtt_engine *engine, const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;
	enum mqtt_reason reason = mqtt_ack_read(&ack, packet, engine_version(engine));
	uint8_t code = MQTT_SUCCESS;

	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, MQTT_PUBREL);
	switch (mqtt_inflight_released(&engine->inflight, ack.packet_id)) {
	case MQTT_STEP_VIOLATION:
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it sent PUBREL before our PUBREC");
	case MQTT_STEP_NOT_FOUND:
		code = MQTT_PACKET_ID_NOT_FOUND;
		break;
	default:
		break;
	}
	if (!engine_write_ack(engine, MQTT_PUBCOMP, ack.packet_id, code))
		return engine_cannot_go_on(engine);
	return MQUIC_OK;
}

/* UNSUBACK of 3.1.1 has no codes: all filters are gone. */
static enum mquic_status settle_plain_unsuback(struct mqtt_engine *engine,
					       struct mqtt_outgoing *outgoing,
					       struct mqtt_suback *suback)
{
	uint8_t *codes = calloc(outgoing->filter_count, 1);
	bool done;

	suback->reasons = bytes_of(codes, outgoing->filter_count);
	done = codes != NULL && engine_subscribed(engine, suback);
	free(codes);
	if (!done)
		return engine_cannot_go_on(engine);
	mqtt_inflight_settle(&engine->inflight, outgoing);
	return MQUIC_OK;
}

static enum mquic_status handle_suback(struct mqtt_engine *engine, const struct mqtt_packet *packet)
{
	struct mqtt_suback suback;
	enum mqtt_reason reason = mqtt_suback_read(&suback, packet, engine_version(engine));
	struct mqtt_outgoing *outgoing;
	enum mqtt_type asked;

	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, packet->type);
	asked = suback.type == MQTT_SUBACK ? MQTT_SUBSCRIBE : MQTT_UNSUBSCRIBE;
	outgoing = packet_id_get(&engine->inflight.outgoing, suback.packet_id);
	if (outgoing == NULL || outgoing->state != MQTT_OUT_WAIT_SUBACK || outgoing->type != asked)
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it answered a subscription that was not asked for");
	mqtt_suspect_answered(&engine->inflight, outgoing);
	if (engine_version(engine) != MQTT_5 && suback.type == MQTT_UNSUBACK)
		return settle_plain_unsuback(engine, outgoing, &suback);
	if (suback.reasons.len != outgoing->filter_count)
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it answered with more or fewer codes than filters");
	if (!engine_subscribed(engine, &suback))
		return engine_cannot_go_on(engine);
	mqtt_inflight_settle(&engine->inflight, outgoing);
	return MQUIC_OK;
}

/* ---- The rest ---- */

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

static enum mquic_status handle_disconnect(struct mqtt_engine *engine,
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

static enum mquic_status handle_auth(struct mqtt_engine *engine, const struct mqtt_packet *packet,
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

static enum mquic_status handle_pingresp(struct mqtt_engine *engine,
					 const struct mqtt_packet *packet)
{
	enum mqtt_reason reason = mqtt_ping_read(packet);

	return reason == MQTT_SUCCESS ? MQUIC_OK : engine_malformed(engine, reason, MQTT_PINGRESP);
}

enum mquic_status engine_handle_packet(struct mqtt_engine *engine, const struct mqtt_packet *packet,
				       uint64_t now_ms)
{
	char what[64];

	if (engine->state == MQTT_ENGINE_CONNECTING && packet->type != MQTT_CONNACK &&
	    packet->type != MQTT_AUTH && packet->type != MQTT_DISCONNECT) {
		(void)snprintf(what, sizeof(what), "it sent %s before CONNACK",
			       mqtt_type_text(packet->type));
		return engine_violation(engine, MQTT_PROTOCOL_ERROR, what);
	}
	switch (packet->type) {
	case MQTT_CONNACK:
		return handle_connack(engine, packet);
	case MQTT_PUBLISH:
		return handle_publish(engine, packet);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBCOMP:
		return handle_ack(engine, packet);
	case MQTT_PUBREL:
		return handle_pubrel(engine, packet);
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		return handle_suback(engine, packet);
	case MQTT_PINGRESP:
		return handle_pingresp(engine, packet);
	case MQTT_DISCONNECT:
		return handle_disconnect(engine, packet);
	case MQTT_AUTH:
		return handle_auth(engine, packet, now_ms);
	default:
		(void)snprintf(what, sizeof(what), "it sent %s, which only clients send",
			       mqtt_type_text(packet->type));
		return engine_violation(engine, MQTT_PROTOCOL_ERROR, what);
	}
}
