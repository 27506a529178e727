/* SPDX-License-Identifier: MIT */
#include "mqtt/publish.h"

#include "mqtt/topic.h"

#define FLAG_RETAIN    0x01
#define FLAG_DUPLICATE 0x08
#define QOS_SHIFT      1
#define QOS_MASK       0x03

/* A topic may be empty if an alias stands for it (section 3.3.2.1). */
static enum mqtt_reason check_topics(const struct mqtt_publish *publish)
{
	struct bytes response = mqtt_properties_text(&publish->properties, MQTT_RESPONSE_TOPIC);

	if (publish->topic.len == 0 && !mqtt_properties_has(&publish->properties, MQTT_TOPIC_ALIAS))
		return MQTT_PROTOCOL_ERROR;
	if (!mqtt_topic_is_free_of_wildcards(publish->topic))
		return MQTT_TOPIC_NAME_INVALID;
	if (response.data != NULL && !mqtt_topic_is_name(response))
		return MQTT_PROTOCOL_ERROR;
	return MQTT_SUCCESS;
}

enum mqtt_reason mqtt_publish_read(struct mqtt_publish *publish, const struct mqtt_packet *packet,
				   int version)
{
	struct buf_reader reader = buf_reader_of(packet->body);
	enum mqtt_reason reason = MQTT_SUCCESS;

	publish->duplicate = (packet->flags & FLAG_DUPLICATE) != 0;
	publish->qos = packet->flags >> QOS_SHIFT & QOS_MASK;
	publish->retain = (packet->flags & FLAG_RETAIN) != 0;
	if (publish->qos > 2 || (publish->qos == 0 && publish->duplicate))
		return MQTT_MALFORMED_PACKET;
	publish->topic = mqtt_read_text(&reader);
	publish->packet_id = publish->qos > 0 ? buf_read_u16(&reader) : 0;
	if (version == MQTT_5)
		reason = mqtt_properties_read(&publish->properties, &reader, MQTT_PUBLISH);
	else
		mqtt_properties_init(&publish->properties);
	if (reader.failed)
		return MQTT_MALFORMED_PACKET;
	if (reason != MQTT_SUCCESS)
		return reason;
	if (publish->qos > 0 && publish->packet_id == 0)
		return MQTT_PROTOCOL_ERROR;
	publish->payload = buf_read_rest(&reader);
	return check_topics(publish);
}

static void write_body(struct buf_writer *writer, const struct mqtt_publish *publish, int version)
{
	mqtt_write_binary(writer, publish->topic);
	if (publish->qos > 0)
		buf_write_u16(writer, publish->packet_id);
	if (version == MQTT_5)
		mqtt_properties_write(writer, &publish->properties);
	buf_write_bytes(writer, publish->payload);
}

/* What write_body() writes. Asked more than once for each message, so most of it is reckoned. */
static size_t body_size(const struct mqtt_publish *publish, int version)
{
	size_t rest = 2 + publish->topic.len + (publish->qos > 0 ? 2 : 0);
	struct buf_writer counter;

	if (publish->topic.len > UINT16_MAX || publish->payload.len > MQTT_VARINT_MAX)
		return SIZE_MAX;
	buf_writer_init_counter(&counter);
	if (version == MQTT_5)
		mqtt_properties_write(&counter, &publish->properties);
	return counter.failed ? SIZE_MAX : counter.len + rest + publish->payload.len;
}

void mqtt_publish_write(struct buf_writer *writer, const struct mqtt_publish *publish, int version)
{
	uint8_t flags = (uint8_t)(publish->qos << QOS_SHIFT);

	if (publish->duplicate)
		flags |= FLAG_DUPLICATE;
	if (publish->retain)
		flags |= FLAG_RETAIN;
	mqtt_header_write(writer, MQTT_PUBLISH, flags, body_size(publish, version));
	write_body(writer, publish, version);
}

size_t mqtt_publish_size(const struct mqtt_publish *publish, int version)
{
	size_t body = body_size(publish, version);

	return body > MQTT_VARINT_MAX ? SIZE_MAX : mqtt_packet_size(body);
}
