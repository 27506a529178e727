/* SPDX-License-Identifier: MIT */
#include "mqtt/connect.h"

#include "mqtt/topic.h"

#define FLAG_RESERVED    0x01
#define FLAG_CLEAN_START 0x02
#define FLAG_WILL        0x04
#define FLAG_WILL_QOS    0x18
#define FLAG_WILL_RETAIN 0x20
#define FLAG_PASSWORD    0x40
#define FLAG_USERNAME    0x80
#define WILL_QOS_SHIFT   3

#define LEVEL_BRIDGE 0x80

#define NAME_3_1 "MQIsdp"
#define NAME     "MQTT"

static struct bytes protocol_name(int version)
{
	if (version == MQTT_3_1)
		return bytes_of(NAME_3_1, sizeof(NAME_3_1) - 1);
	return bytes_of(NAME, sizeof(NAME) - 1);
}

static enum mqtt_reason read_version(struct mqtt_connect *connect, struct buf_reader *reader)
{
	struct bytes name = mqtt_read_text(reader);
	uint8_t level = buf_read_u8(reader);

	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	connect->bridge = (level & LEVEL_BRIDGE) != 0;
	connect->version = level & ~LEVEL_BRIDGE;
	if (!bytes_equal(name, protocol_name(MQTT_3_1)) &&
	    !bytes_equal(name, protocol_name(MQTT_5)))
		return MQTT_UNSUPPORTED_VERSION;
	if (connect->version < MQTT_3_1 || connect->version > MQTT_5 ||
	    !bytes_equal(name, protocol_name(connect->version)))
		return MQTT_UNSUPPORTED_VERSION;
	return MQTT_SUCCESS;
}

/*
 * Flags that contradict each other (section 3.1.2.3). Level 3 says nothing against most of them,
 * but knows no password without a user name either.
 */
static enum mqtt_reason check_flags(const struct mqtt_connect *connect, uint8_t flags)
{
	if (connect->will_qos > 2)
		return MQTT_MALFORMED_PACKET;
	if (connect->version != MQTT_5 && (flags & FLAG_PASSWORD) != 0 &&
	    (flags & FLAG_USERNAME) == 0)
		return MQTT_MALFORMED_PACKET; /* [MQTT-3.1.2-22] of 3.1.1 */
	if (connect->version == MQTT_3_1)
		return MQTT_SUCCESS;
	if ((flags & FLAG_RESERVED) != 0)
		return MQTT_MALFORMED_PACKET;
	if (!connect->has_will && (flags & (FLAG_WILL_QOS | FLAG_WILL_RETAIN)) != 0)
		return MQTT_MALFORMED_PACKET;
	return MQTT_SUCCESS;
}

static enum mqtt_reason read_flags(struct mqtt_connect *connect, struct buf_reader *reader,
				   uint8_t *flags)
{
	*flags = buf_read_u8(reader);
	connect->clean_start = (*flags & FLAG_CLEAN_START) != 0;
	connect->has_will = (*flags & FLAG_WILL) != 0;
	connect->will_qos = (*flags & FLAG_WILL_QOS) >> WILL_QOS_SHIFT;
	connect->will_retain = (*flags & FLAG_WILL_RETAIN) != 0;
	return check_flags(connect, *flags);
}

static enum mqtt_reason read_will(struct mqtt_connect *connect, struct buf_reader *reader)
{
	enum mqtt_reason reason = MQTT_SUCCESS;
	struct bytes response;

	if (connect->version == MQTT_5)
		reason = mqtt_properties_read(&connect->will_properties, reader, MQTT_IN_WILL);
	if (reason != MQTT_SUCCESS)
		return reason;
	connect->will_topic = mqtt_read_text(reader);
	connect->will_payload = mqtt_read_binary(reader);
	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	response = mqtt_properties_text(&connect->will_properties, MQTT_RESPONSE_TOPIC);
	if (response.data != NULL && !mqtt_topic_is_name(response))
		return MQTT_PROTOCOL_ERROR;
	return mqtt_topic_is_name(connect->will_topic) ? MQTT_SUCCESS : MQTT_TOPIC_NAME_INVALID;
}

/*
 * MQTT 3.1 has brokers accept a CONNECT that ends before a name whose flag is set (its section on
 * CONNECT: the remaining length takes precedence), so Mosquitto does, and so do we.
 */
static bool is_there(const struct mqtt_connect *connect, const struct buf_reader *reader,
		     uint8_t flags, uint8_t flag)
{
	return (flags & flag) != 0 && (connect->version != MQTT_3_1 || reader->left > 0);
}

static enum mqtt_reason read_payload(struct mqtt_connect *connect, struct buf_reader *reader,
				     uint8_t flags, size_t body_len)
{
	enum mqtt_reason reason = MQTT_SUCCESS;

	connect->client_id = mqtt_read_text(reader);
	if (reader->failed)
		return MQTT_MALFORMED_PACKET;
	if (connect->has_will)
		reason = read_will(connect, reader);
	if (reason != MQTT_SUCCESS)
		return reason;
	connect->username_at = body_len - reader->left;
	if (is_there(connect, reader, flags, FLAG_USERNAME))
		connect->username = mqtt_read_text(reader);
	if (is_there(connect, reader, flags, FLAG_PASSWORD))
		connect->password = mqtt_read_binary(reader);
	if (reader->failed || reader->left > 0)
		return MQTT_MALFORMED_PACKET;
	return MQTT_SUCCESS;
}

enum mqtt_reason mqtt_connect_read(struct mqtt_connect *connect, const struct mqtt_packet *packet)
{
	struct buf_reader reader = buf_reader_of(packet->body);
	enum mqtt_reason reason;
	uint8_t flags;

	connect->will_topic = bytes_of(NULL, 0);
	connect->will_payload = bytes_of(NULL, 0);
	connect->username = bytes_of(NULL, 0);
	connect->password = bytes_of(NULL, 0);
	mqtt_properties_init(&connect->properties);
	mqtt_properties_init(&connect->will_properties);
	if (packet->type != MQTT_CONNECT)
		return MQTT_MALFORMED_PACKET;
	reason = read_version(connect, &reader);
	if (reason != MQTT_SUCCESS)
		return reason;
	/*
	 * [MQTT-2.2.2-2] came with 3.1.1: in 3.1 CONNECT has no use for the flags, and ignores
	 * them.
	 */
	if (connect->version != MQTT_3_1 && !mqtt_packet_flags_valid(packet))
		return MQTT_MALFORMED_PACKET;
	connect->flags_at = packet->body.len - reader.left;
	reason = read_flags(connect, &reader, &flags);
	if (reason != MQTT_SUCCESS)
		return reason;
	connect->keep_alive_s = buf_read_u16(&reader);
	if (connect->version == MQTT_5)
		reason = mqtt_properties_read(&connect->properties, &reader, MQTT_CONNECT);
	if (reason != MQTT_SUCCESS)
		return reason;
	return read_payload(connect, &reader, flags, packet->body.len);
}

static uint8_t flags_of(const struct mqtt_connect *connect)
{
	uint8_t flags = 0;

	if (connect->clean_start)
		flags |= FLAG_CLEAN_START;
	if (connect->has_will) {
		flags |= FLAG_WILL | (uint8_t)(connect->will_qos << WILL_QOS_SHIFT);
		if (connect->will_retain)
			flags |= FLAG_WILL_RETAIN;
	}
	if (connect->username.data != NULL)
		flags |= FLAG_USERNAME;
	if (connect->password.data != NULL)
		flags |= FLAG_PASSWORD;
	return flags;
}

static void write_body(struct buf_writer *writer, const struct mqtt_connect *connect)
{
	uint8_t bridge = connect->bridge ? LEVEL_BRIDGE : 0;

	mqtt_write_binary(writer, protocol_name(connect->version));
	buf_write_u8(writer, (uint8_t)connect->version | bridge);
	buf_write_u8(writer, flags_of(connect));
	buf_write_u16(writer, connect->keep_alive_s);
	if (connect->version == MQTT_5)
		mqtt_properties_write(writer, &connect->properties);
	mqtt_write_binary(writer, connect->client_id);
	if (connect->has_will) {
		if (connect->version == MQTT_5)
			mqtt_properties_write(writer, &connect->will_properties);
		mqtt_write_binary(writer, connect->will_topic);
		mqtt_write_binary(writer, connect->will_payload);
	}
	if (connect->username.data != NULL)
		mqtt_write_binary(writer, connect->username);
	if (connect->password.data != NULL)
		mqtt_write_binary(writer, connect->password);
}

void mqtt_connect_write(struct buf_writer *writer, const struct mqtt_connect *connect)
{
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	write_body(&counter, connect);
	mqtt_header_write(writer, MQTT_CONNECT, 0, counter.failed ? SIZE_MAX : counter.len);
	write_body(writer, connect);
}
