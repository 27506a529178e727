/* SPDX-License-Identifier: MIT */
#include "mqtt/ack.h"

/* Reason and properties may be left out from the end (section 3.4.2.1). */
static enum mqtt_reason read_reason(struct mqtt_ack *ack, struct buf_reader *reader)
{
	if (reader->left == 0)
		return MQTT_SUCCESS;
	ack->reason = buf_read_u8(reader);
	if (!mqtt_reason_readable((int)ack->type, ack->reason))
		return MQTT_PROTOCOL_ERROR;
	if (reader->left == 0)
		return MQTT_SUCCESS;
	return mqtt_properties_read(&ack->properties, reader, (int)ack->type);
}

enum mqtt_reason mqtt_ack_read(struct mqtt_ack *ack, const struct mqtt_packet *packet, int version)
{
	struct buf_reader reader = buf_reader_of(packet->body);
	enum mqtt_reason reason = MQTT_SUCCESS;

	ack->type = packet->type;
	ack->reason = MQTT_SUCCESS;
	mqtt_properties_init(&ack->properties);
	if (!mqtt_packet_flags_valid(packet))
		return MQTT_MALFORMED_PACKET;
	ack->packet_id = buf_read_u16(&reader);
	if (version == MQTT_5)
		reason = read_reason(ack, &reader);
	if (reason != MQTT_SUCCESS)
		return reason;
	if (reader.failed || reader.left > 0)
		return MQTT_MALFORMED_PACKET;
	return ack->packet_id == 0 ? MQTT_PROTOCOL_ERROR : MQTT_SUCCESS;
}

static void write_body(struct buf_writer *writer, const struct mqtt_ack *ack, int version)
{
	bool bare = mqtt_properties_is_empty(&ack->properties);

	buf_write_u16(writer, ack->packet_id);
	if (version != MQTT_5 || (bare && ack->reason == MQTT_SUCCESS))
		return;
	buf_write_u8(writer, ack->reason);
	if (!bare)
		mqtt_properties_write(writer, &ack->properties);
}

void mqtt_ack_write(struct buf_writer *writer, const struct mqtt_ack *ack, int version)
{
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	write_body(&counter, ack, version);
	mqtt_header_write(writer, ack->type, ack->type == MQTT_PUBREL ? 2 : 0, counter.len);
	write_body(writer, ack, version);
}
