/* SPDX-License-Identifier: MIT */
#include "engine-kit.h"

#include <string.h>

#include "mqtt-kit.h"

struct kit kit;

void kit_open_with(size_t buffer_bytes)
{
	memset(&kit, 0, sizeof(kit));
	kit.now_ms = 1000;
	buf_writer_init(&kit.wire, SIZE_MAX);
	mqtt_properties_init(&kit.properties);
	ck_assert_int_eq(mqtt_engine_new(&kit.engine, buffer_bytes), MQUIC_OK);
	kit.settings = mqtt_engine_settings(kit.engine);
	kit.lane = mqtt_engine_control(kit.engine);
}

void kit_open(void)
{
	kit_open_with(KIT_BUFFER);
}

/* Whether the picture in engine.h has this step. */
static bool is_drawn(enum mqtt_engine_state from, enum mqtt_engine_state to)
{
	switch (to) {
	case MQTT_ENGINE_IDLE:
		return from != MQTT_ENGINE_IDLE;
	case MQTT_ENGINE_CONNECTING:
		return from == MQTT_ENGINE_IDLE;
	case MQTT_ENGINE_CONNECTED:
		return from == MQTT_ENGINE_CONNECTING;
	case MQTT_ENGINE_CLOSING:
		return from == MQTT_ENGINE_CONNECTING || from == MQTT_ENGINE_CONNECTED;
	case MQTT_ENGINE_OVER:
		break;
	}
	return from != MQTT_ENGINE_IDLE && from != MQTT_ENGINE_OVER;
}

bool kit_step(enum mqtt_engine_state *to)
{
	enum mqtt_engine_state from;

	if (!mqtt_engine_take_step(kit.engine, &from, to))
		return false;
	ck_assert_msg(is_drawn(from, *to), "%s → %s is not in the picture",
		      mqtt_engine_state_name(from), mqtt_engine_state_name(*to));
	return true;
}

void kit_close(void)
{
	enum mqtt_engine_state to;

	while (kit_step(&to))
		;
	mqtt_engine_free(kit.engine);
	buf_writer_clear(&kit.wire);
}

/* Moves all output to the wire, as a session does. */
static void flush(void)
{
	const uint8_t *data;
	size_t len;

	mqtt_lane_output(kit.lane, &data, &len);
	while (len > 0) {
		buf_write_bytes(&kit.wire, bytes_of(data, len));
		mqtt_engine_output_consume(kit.engine, kit.lane, len, kit.now_ms);
		mqtt_lane_output(kit.lane, &data, &len);
	}
}

/* ---- Connecting ---- */

void kit_connect(void)
{
	ck_assert_msg(mqtt_engine_connect(kit.engine, kit.now_ms, 10000, &kit.error) == MQUIC_OK,
		      "%s", kit.error.text);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_CONNECTING);
}

void kit_accept(bool session_present)
{
	struct mqtt_connect connect;

	kit_sends_connect(&connect);
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, session_present), MQUIC_OK);
}

void kit_connected(bool session_present)
{
	struct mquic_event *event = kit_event(MQUIC_EVENT_CONNECTED);

	ck_assert_int_eq(mquic_event_session_present(event), session_present);
	mquic_event_free(event);
}

void kit_up(void)
{
	kit_connect();
	kit_accept(false);
	kit_connected(false);
}

void kit_up_with(enum mqtt_property id, uint32_t value)
{
	mqtt_properties_set_number(&kit.properties, id, value);
	kit_up();
}

void kit_reconnect(void)
{
	flush();
	buf_writer_consume(&kit.wire, SIZE_MAX);
	mqtt_engine_lost(kit.engine);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_IDLE);
	kit_connect();
}

/* ---- The server speaks ---- */

static enum mquic_status feed(struct buf_writer *writer)
{
	struct bytes content = buf_writer_content(writer);
	enum mquic_status status;

	ck_assert(!writer->failed);
	status = mqtt_engine_receive(kit.engine, kit.lane, content.data, content.len, kit.now_ms);
	buf_writer_clear(writer);
	mqtt_properties_init(&kit.properties);
	return status;
}

enum mquic_status kit_feed(const char *hex)
{
	size_t len;
	uint8_t *bytes = kit_bytes(hex, &len);
	enum mquic_status status =
		mqtt_engine_receive(kit.engine, kit.lane, bytes, len, kit.now_ms);

	free(bytes);
	return status;
}

enum mquic_status kit_connack(uint8_t reason, bool session_present)
{
	struct mqtt_connack connack = {.reason = reason, .session_present = session_present};
	struct buf_writer writer;

	/* As a server has to (MQTT-3.2.2-16). */
	if (reason == MQTT_SUCCESS && kit.settings->client_id.len == 0 &&
	    !mqtt_properties_has(&kit.properties, MQTT_ASSIGNED_CLIENT_ID))
		mqtt_properties_set_text(&kit.properties, MQTT_ASSIGNED_CLIENT_ID,
					 bytes_of("named", 5));
	connack.properties = kit.properties;
	buf_writer_init(&writer, SIZE_MAX);
	mqtt_connack_write(&writer, &connack, kit.settings->version);
	return feed(&writer);
}

enum mquic_status kit_deliver(const char *topic, const char *payload, uint8_t qos, uint16_t id,
			      bool duplicate)
{
	struct mqtt_publish publish = {.qos = qos, .packet_id = id, .duplicate = duplicate};
	struct buf_writer writer;

	publish.topic = bytes_of(topic, strlen(topic));
	publish.payload = bytes_of(payload, strlen(payload));
	publish.properties = kit.properties;
	buf_writer_init(&writer, SIZE_MAX);
	mqtt_publish_write(&writer, &publish, kit.settings->version);
	return feed(&writer);
}

enum mquic_status kit_ack(enum mqtt_type type, uint16_t id, uint8_t reason)
{
	struct mqtt_ack ack = {.type = type, .packet_id = id, .reason = reason};
	struct buf_writer writer;

	ack.properties = kit.properties;
	buf_writer_init(&writer, SIZE_MAX);
	mqtt_ack_write(&writer, &ack, kit.settings->version);
	return feed(&writer);
}

/* ---- The client speaks ---- */

void kit_sends(enum mqtt_type type, struct mqtt_packet *packet)
{
	struct bytes wire;
	uint32_t body_len = 0;
	size_t len;
	int header;

	flush();
	wire = buf_writer_content(&kit.wire);
	header = mqtt_header_read(wire, &body_len);
	ck_assert_msg(header > 0, "nothing is sent where %s should be", mqtt_type_text(type));
	len = (size_t)header + body_len;
	ck_assert_uint_le(len, wire.len);
	ck_assert_uint_le(len, sizeof(kit.shown));
	memcpy(kit.shown, wire.data, len);
	buf_writer_consume(&kit.wire, len);
	ck_assert(kit_packet(bytes_of(kit.shown, len), packet));
	ck_assert_msg(packet->type == type, "%s is sent where %s should be",
		      mqtt_type_text(packet->type), mqtt_type_text(type));
}

void kit_sends_connect(struct mqtt_connect *connect)
{
	struct mqtt_packet packet;

	kit_sends(MQTT_CONNECT, &packet);
	ck_assert_int_eq(mqtt_connect_read(connect, &packet), MQTT_SUCCESS);
	ck_assert_int_eq(connect->version, kit.settings->version);
}

void kit_sends_publish(const char *payload, uint8_t qos, uint16_t id, bool duplicate)
{
	struct mqtt_publish publish;
	struct mqtt_packet packet;

	kit_sends(MQTT_PUBLISH, &packet);
	ck_assert_int_eq(mqtt_publish_read(&publish, &packet, kit.settings->version), MQTT_SUCCESS);
	ck_assert_uint_eq(publish.payload.len, strlen(payload));
	ck_assert_mem_eq(publish.payload.data, payload, strlen(payload));
	ck_assert_uint_eq(publish.qos, qos);
	ck_assert_uint_eq(publish.packet_id, id);
	ck_assert_int_eq(publish.duplicate, duplicate);
}

void kit_sends_ack(enum mqtt_type type, uint16_t id, uint8_t reason)
{
	struct mqtt_packet packet;
	struct mqtt_ack ack;

	kit_sends(type, &packet);
	ck_assert_int_eq(mqtt_ack_read(&ack, &packet, kit.settings->version), MQTT_SUCCESS);
	ck_assert_uint_eq(ack.packet_id, id);
	ck_assert_uint_eq(ack.reason, reason);
}

void kit_sends_disconnect(uint8_t reason)
{
	struct mqtt_disconnect disconnect;
	struct mqtt_packet packet;

	kit_sends(MQTT_DISCONNECT, &packet);
	ck_assert_int_eq(mqtt_disconnect_read(&disconnect, &packet, kit.settings->version),
			 MQTT_SUCCESS);
	ck_assert_uint_eq(disconnect.reason, reason);
	kit_sends_nothing();
}

void kit_sends_nothing(void)
{
	flush();
	ck_assert_uint_eq(kit.wire.len, 0);
}

/* ---- Events ---- */

struct mquic_event *kit_event(enum mquic_event_type type)
{
	struct mquic_event *event = mqtt_engine_next_event(kit.engine);

	ck_assert_msg(event != NULL, "no %s", mquic_event_type_text(type));
	ck_assert_msg(mquic_event_type(event) == type, "%s where %s should be",
		      mquic_event_type_text(mquic_event_type(event)), mquic_event_type_text(type));
	return event;
}

void kit_delivered(uint16_t id, uint8_t reason)
{
	struct mquic_event *event = kit_event(MQUIC_EVENT_DELIVERED);

	ck_assert_uint_eq(mquic_event_packet_id(event), id);
	ck_assert_uint_eq(mquic_event_reason_count(event), 1);
	ck_assert_uint_eq(mquic_event_reason(event, 0), reason);
	mquic_event_free(event);
}

void kit_message(const char *topic, const char *payload)
{
	struct mquic_event *event = kit_event(MQUIC_EVENT_MESSAGE);
	const struct mquic_message *message = mquic_event_message(event);

	ck_assert_str_eq(mquic_message_topic(message, NULL), topic);
	ck_assert_str_eq((const char *)mquic_message_payload(message, NULL), payload);
	ck_assert_uint_ge(event->cost, strlen(topic) + strlen(payload));
	mquic_event_free(event);
}

void kit_no_event(void)
{
	struct mquic_event *event = mqtt_engine_next_event(kit.engine);

	ck_assert_msg(event == NULL, "%s is too much",
		      mquic_event_type_text(mquic_event_type(event)));
}

void kit_over(enum mquic_status status, uint8_t code, const char *word)
{
	struct mquic_event *event = kit_event(MQUIC_EVENT_DISCONNECTED);

	ck_assert_int_eq(mquic_event_status(event), status);
	ck_assert_int_eq(mquic_event_origin(event), MQUIC_ORIGIN_MQTT);
	ck_assert_uint_eq(mquic_event_code(event), code);
	ck_assert_msg(strstr(mquic_event_text(event), word) != NULL, "\"%s\" lacks \"%s\"",
		      mquic_event_text(event), word);
	mquic_event_free(event);
	kit_no_event();
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_OVER);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), UINT64_MAX);
}

/* ---- The application ---- */

static struct mquic_message *message_of(const char *topic, const char *payload, int qos,
					bool retain)
{
	struct mquic_message *message;

	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, topic, MQUIC_NUL_TERMINATED), MQUIC_OK);
	ck_assert_int_eq(
		mquic_message_set_payload(message, (const uint8_t *)payload, strlen(payload)),
		MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, qos), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_retain(message, retain), MQUIC_OK);
	return message;
}

enum mquic_status kit_try_publish(const char *topic, const char *payload, int qos, bool retain)
{
	struct mquic_message *message = message_of(topic, payload, qos, retain);
	enum mquic_status status = mqtt_engine_publish(kit.engine, message, NULL, &kit.error);

	mquic_message_free(message);
	return status;
}

uint16_t kit_publish(const char *payload, int qos)
{
	struct mquic_message *message = message_of("a/topic", payload, qos, false);
	uint16_t id = 0xffff;

	ck_assert_msg(mqtt_engine_publish(kit.engine, message, &id, &kit.error) == MQUIC_OK, "%s",
		      kit.error.text);
	ck_assert_int_eq(id != 0, qos > 0);
	mquic_message_free(message);
	return id;
}

uint16_t kit_subscribe(const char *filter, int qos)
{
	struct mquic_subscription *subscription;
	uint16_t id = 0;

	ck_assert_int_eq(mquic_subscription_new(&subscription), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_add(subscription, filter, MQUIC_NUL_TERMINATED, qos, 0),
			 MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_subscribe(kit.engine, subscription, &id, &kit.error),
			 MQUIC_OK);
	mquic_subscription_free(subscription);
	return id;
}
