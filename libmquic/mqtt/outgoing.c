/* SPDX-License-Identifier: MIT */
#include "mqtt/outgoing.h"

#include <string.h>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/ping.h"

/* An alias takes three bytes, so it saves nothing for a topic of fewer than this many. */
#define ALIAS_TOPIC_MIN 4

/* ---- Single packets ---- */

/* The end of a packet that began when the output had `before` bytes: all of it or nothing. */
static bool written(struct mqtt_engine *engine, struct mqtt_lane *lane, size_t before)
{
	struct bytes packet = buf_writer_content(&lane->output);
	bool fits =
		!engine_is_up(engine) || packet.len - before <= engine->server.maximum_packet_size;

	if (!lane->output.failed && fits)
		return true;
	if (!lane->output.failed)
		engine->oversized = (enum mqtt_type)(packet.data[before] >> 4);
	buf_writer_truncate(&lane->output, before);
	return false;
}

static void view_will(struct mqtt_connect *connect, const struct mqtt_settings *settings)
{
	struct mqtt_publish will;

	connect->has_will = settings->will != NULL;
	if (!connect->has_will)
		return;
	mqtt_message_view(settings->will, &will);
	connect->will_qos = will.qos;
	connect->will_retain = will.retain;
	connect->will_topic = will.topic;
	connect->will_payload = will.payload;
	connect->will_properties = will.properties;
	mqtt_properties_set_ids(&connect->will_properties, NULL, 0);
	if (settings->will_delay_s > 0)
		mqtt_properties_set_number(&connect->will_properties, MQTT_WILL_DELAY,
					   settings->will_delay_s);
}

/* Values that are MQTT's defaults are not sent. */
static void set_unless(struct mqtt_properties *properties, enum mqtt_property id, uint32_t value,
		       uint32_t usual)
{
	if (value != usual)
		mqtt_properties_set_number(properties, id, value);
}

static void view_connect_properties(struct mqtt_properties *properties,
				    const struct mqtt_settings *settings)
{
	mqtt_properties_init(properties);
	set_unless(properties, MQTT_SESSION_EXPIRY, settings->expiry_s, 0);
	set_unless(properties, MQTT_RECEIVE_MAXIMUM, settings->receive_maximum, UINT16_MAX);
	set_unless(properties, MQTT_MAXIMUM_PACKET_SIZE, settings->maximum_packet_size,
		   MQTT_PACKET_MAX);
	set_unless(properties, MQTT_TOPIC_ALIAS_MAXIMUM, settings->topic_alias_maximum, 0);
	set_unless(properties, MQTT_REQUEST_PROBLEM_INFO, !settings->no_problem_information, 1);
	set_unless(properties, MQTT_REQUEST_RESPONSE_INFO, settings->response_information, 0);
	mqtt_properties_set_pairs(properties, settings->user_properties.items,
				  settings->user_properties.count);
	if (settings->auth_method.data != NULL)
		mqtt_properties_set_text(
			properties, MQTT_AUTH_METHOD,
			bytes_of(settings->auth_method.data, settings->auth_method.len));
	if (settings->auth_data.data != NULL)
		mqtt_properties_set_text(
			properties, MQTT_AUTH_DATA,
			bytes_of(settings->auth_data.data, settings->auth_data.len));
}

bool engine_write_connect(struct mqtt_engine *engine)
{
	const struct mqtt_settings *settings = &engine->settings;
	size_t before = engine->control.output.len;
	const struct text *id = engine_client_id(engine);
	struct mqtt_connect connect;

	memset(&connect, 0, sizeof(connect));
	connect.version = settings->version;
	connect.clean_start = settings->clean_start;
	connect.keep_alive_s = settings->keep_alive_s;
	/* A session that the server named is found again under that name only. */
	connect.client_id =
		bytes_of(id->data, settings->clean_start ? settings->client_id.len : id->len);
	engine->named = connect.client_id.len > 0;
	connect.username = bytes_of(settings->username.data, settings->username.len);
	connect.password = bytes_of(settings->password.data, settings->password.len);
	view_connect_properties(&connect.properties, settings);
	view_will(&connect, settings);
	mqtt_connect_write(&engine->control.output, &connect);
	return written(engine, &engine->control, before);
}

bool engine_write_ack(struct mqtt_engine *engine, struct mqtt_lane *lane, enum mqtt_type type,
		      uint16_t packet_id, uint8_t reason)
{
	size_t before = lane->output.len;
	struct mqtt_ack ack;

	ack.type = type;
	ack.packet_id = packet_id;
	ack.reason = reason;
	mqtt_properties_init(&ack.properties);
	mqtt_ack_write(&lane->output, &ack, engine_version(engine));
	if (!written(engine, lane, before))
		return false;
	lane->answers += lane->output.len - before;
	return true;
}

bool engine_flush_acks(struct mqtt_engine *engine, struct mqtt_lane *lane)
{
	enum mqtt_type type;
	uint16_t id;
	uint8_t reason;

	while (mqtt_inflight_next_ack(&lane->inflight, &type, &id, &reason))
		if (!engine_write_ack(engine, lane, type, id, reason))
			return false;
	return true;
}

bool engine_write_disconnect(struct mqtt_engine *engine, uint8_t reason)
{
	size_t before = engine->control.output.len;
	struct mqtt_disconnect disconnect;

	disconnect.type = MQTT_DISCONNECT;
	disconnect.reason = reason;
	mqtt_properties_init(&disconnect.properties);
	mqtt_disconnect_write(&engine->control.output, &disconnect, engine_version(engine));
	return written(engine, &engine->control, before);
}

/* What the program wants to be said with it; the expiry alone counts for more than words. */
static void view_goodbye(const struct mqtt_settings *settings, bool words,
			 struct mqtt_disconnect *disconnect)
{
	struct mqtt_properties *properties = &disconnect->properties;

	mqtt_properties_init(properties);
	if (settings->has_disconnect_expiry)
		mqtt_properties_set_number(properties, MQTT_SESSION_EXPIRY,
					   settings->disconnect_expiry_s);
	if (!words)
		return;
	if (settings->disconnect_text.data != NULL)
		mqtt_properties_set_text(
			properties, MQTT_REASON_STRING,
			bytes_of(settings->disconnect_text.data, settings->disconnect_text.len));
	mqtt_properties_set_pairs(properties, settings->disconnect_pairs.items,
				  settings->disconnect_pairs.count);
}

bool engine_write_goodbye(struct mqtt_engine *engine, bool words)
{
	struct mqtt_disconnect disconnect = {.type = MQTT_DISCONNECT,
					     .reason = engine->closing_reason};
	size_t before = engine->control.output.len;

	view_goodbye(&engine->settings, words, &disconnect);
	mqtt_disconnect_write(&engine->control.output, &disconnect, engine_version(engine));
	return written(engine, &engine->control, before);
}

bool engine_write_auth(struct mqtt_engine *engine, uint8_t reason, struct bytes data)
{
	const struct text *method = &engine->settings.auth_method;
	size_t before = engine->control.output.len;
	struct mqtt_disconnect auth;

	auth.type = MQTT_AUTH;
	auth.reason = reason;
	mqtt_properties_init(&auth.properties);
	mqtt_properties_set_text(&auth.properties, MQTT_AUTH_METHOD,
				 bytes_of(method->data, method->len));
	if (data.data != NULL)
		mqtt_properties_set_text(&auth.properties, MQTT_AUTH_DATA, data);
	mqtt_disconnect_write(&engine->control.output, &auth, MQTT_5);
	return written(engine, &engine->control, before);
}

bool engine_write_ping(struct mqtt_engine *engine)
{
	size_t before = engine->control.output.len;

	mqtt_ping_write(&engine->control.output, MQTT_PINGREQ);
	return written(engine, &engine->control, before);
}

bool engine_write_encoded(struct mqtt_engine *engine, struct mqtt_lane *lane, struct bytes packet)
{
	size_t before = lane->output.len;

	buf_write_bytes(&lane->output, packet);
	return written(engine, lane, before);
}

/* ---- PUBLISH ---- */

/* What goes out: nothing that only the server may say. */
void engine_view_outgoing(const struct mquic_message *message, uint16_t packet_id,
			  struct mqtt_publish *publish)
{
	mqtt_message_view(message, publish);
	publish->packet_id = packet_id;
	mqtt_properties_set_ids(&publish->properties, NULL, 0);
}

/* Puts an alias in place of the topic, or beside it; returns whether it is a new one. */
static bool apply_alias(struct mqtt_engine *engine, struct mqtt_lane *lane,
			struct mqtt_publish *publish)
{
	bool known;
	uint16_t alias;

	if (lane->alias_out.maximum == 0 || publish->topic.len < ALIAS_TOPIC_MIN)
		return false;
	alias = mqtt_alias_out_find(&lane->alias_out, publish->topic, &known);
	if (alias == 0)
		return false;
	mqtt_properties_set_number(&publish->properties, MQTT_TOPIC_ALIAS, alias);
	if (known) {
		publish->topic = bytes_of("", 0);
		return false;
	}
	if (mqtt_publish_size(publish, MQTT_5) > engine->server.maximum_packet_size) {
		mqtt_properties_unset(&publish->properties, MQTT_TOPIC_ALIAS);
		return false;
	}
	return true;
}

bool engine_write_publish(struct mqtt_engine *engine, struct mqtt_lane *lane,
			  const struct mqtt_publish *publish)
{
	size_t before = lane->output.len;
	struct mqtt_publish sent = *publish;
	bool new_alias = apply_alias(engine, lane, &sent);

	mqtt_publish_write(&lane->output, &sent, engine_version(engine));
	if (!written(engine, lane, before))
		return false;
	if (new_alias)
		mqtt_alias_out_define(&lane->alias_out, publish->topic);
	return true;
}

/* Why the server would not take it, MQTT_SUCCESS if it would. */
enum mqtt_reason engine_publish_refusal(const struct mqtt_engine *engine,
					const struct mqtt_publish *publish)
{
	if (publish->qos > engine->server.maximum_qos)
		return MQTT_QOS_NOT_SUPPORTED;
	if (publish->retain && !engine->server.retain)
		return MQTT_RETAIN_NOT_SUPPORTED;
	if (mqtt_publish_size(publish, engine_version(engine)) > engine->server.maximum_packet_size)
		return MQTT_PACKET_TOO_LARGE;
	return MQTT_SUCCESS;
}

enum mqtt_reason engine_subscribe_refusal(const struct mqtt_engine *engine, unsigned int needs,
					  size_t size)
{
	unsigned int missing = needs & engine->server.lacks;

	if ((missing & MQTT_NEEDS_WILDCARDS) != 0)
		return MQTT_WILDCARDS_NOT_SUPPORTED;
	if ((missing & MQTT_NEEDS_SHARED) != 0)
		return MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
	if ((missing & MQTT_NEEDS_IDS) != 0)
		return MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED;
	return size > engine->server.maximum_packet_size ? MQTT_PACKET_TOO_LARGE : MQTT_SUCCESS;
}
