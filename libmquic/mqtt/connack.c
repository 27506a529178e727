/* SPDX-License-Identifier: MIT */
#include "mqtt/connect.h"

#define RETURN_CODE_LAST 5

static enum mqtt_reason read_reason(struct mqtt_connack *connack, struct buf_reader *reader,
				    int version)
{
	uint8_t code = buf_read_u8(reader);

	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	if (version == MQTT_5) {
		connack->reason = code;
		return mqtt_reason_readable(MQTT_CONNACK, code) ? MQTT_SUCCESS
								: MQTT_PROTOCOL_ERROR;
	}
	connack->reason = mqtt_reason_of_return_code(code);
	return connack->reason == MQTT_MALFORMED_PACKET ? MQTT_MALFORMED_PACKET : MQTT_SUCCESS;
}

/* A server that knows 3.1.1 alone refuses 5.0 in its own words: a return code, no properties. */
static bool is_refusal_of_3_1_1(struct bytes body)
{
	return body.len == 2 && body.data[1] >= 1 && body.data[1] <= RETURN_CODE_LAST;
}

enum mqtt_reason mqtt_connack_read(struct mqtt_connack *connack, const struct mqtt_packet *packet,
				   int version)
{
	struct buf_reader reader = buf_reader_of(packet->body);
	uint8_t flags = buf_read_u8(&reader);
	enum mqtt_reason reason;

	if (is_refusal_of_3_1_1(packet->body))
		version = MQTT_3_1_1;
	reason = read_reason(connack, &reader, version);
	mqtt_properties_init(&connack->properties);
	if (!mqtt_packet_flags_valid(packet) || flags > 1)
		return MQTT_MALFORMED_PACKET;
	if (reason != MQTT_SUCCESS)
		return reason;
	connack->session_present = flags == 1;
	if (version == MQTT_5)
		reason = mqtt_properties_read(&connack->properties, &reader, MQTT_CONNACK);
	if (reason != MQTT_SUCCESS)
		return reason;
	if (reader.failed || reader.left > 0)
		return MQTT_MALFORMED_PACKET;
	if (connack->session_present && connack->reason != MQTT_SUCCESS)
		return MQTT_PROTOCOL_ERROR; /* [MQTT-3.2.2-6] */
	return MQTT_SUCCESS;
}

static void write_body(struct buf_writer *writer, const struct mqtt_connack *connack, int version)
{
	buf_write_u8(writer, connack->session_present ? 1 : 0);
	if (version != MQTT_5) {
		buf_write_u8(writer, mqtt_reason_to_return_code(connack->reason));
		return;
	}
	buf_write_u8(writer, connack->reason);
	mqtt_properties_write(writer, &connack->properties);
}

void mqtt_connack_write(struct buf_writer *writer, const struct mqtt_connack *connack, int version)
{
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	write_body(&counter, connack, version);
	mqtt_header_write(writer, MQTT_CONNACK, 0, counter.failed ? SIZE_MAX : counter.len);
	write_body(writer, connack, version);
}
