/* SPDX-License-Identifier: MIT */
#include "mqtt/disconnect.h"

/* Reason and properties may be left out from the end (section 3.14.2.1). */
static enum mqtt_reason read_reason(struct mqtt_disconnect *disconnect, struct buf_reader *reader)
{
	enum mqtt_reason reason = MQTT_SUCCESS;

	if (reader->left == 0)
		return MQTT_SUCCESS;
	disconnect->reason = buf_read_u8(reader);
	if (disconnect->type == MQTT_DISCONNECT
		    ? !mqtt_reason_readable(MQTT_DISCONNECT, disconnect->reason)
		    : !mqtt_reason_valid(MQTT_AUTH, disconnect->reason))
		return MQTT_PROTOCOL_ERROR;
	if (reader->left > 0)
		reason = mqtt_properties_read(&disconnect->properties, reader,
					      (int)disconnect->type);
	if (reason != MQTT_SUCCESS)
		return reason;
	/* Only the bare success may do without a method (section 3.15.2.2.2). */
	if (disconnect->type == MQTT_AUTH && disconnect->reason != MQTT_SUCCESS &&
	    !mqtt_properties_has(&disconnect->properties, MQTT_AUTH_METHOD))
		return MQTT_PROTOCOL_ERROR;
	return MQTT_SUCCESS;
}

enum mqtt_reason mqtt_disconnect_read(struct mqtt_disconnect *disconnect,
				      const struct mqtt_packet *packet, int version)
{
	struct buf_reader reader = buf_reader_of(packet->body);
	enum mqtt_reason reason;

	disconnect->type = packet->type;
	disconnect->reason = MQTT_SUCCESS;
	mqtt_properties_init(&disconnect->properties);
	if (!mqtt_packet_flags_valid(packet))
		return MQTT_MALFORMED_PACKET;
	if (version != MQTT_5) {
		if (packet->type == MQTT_AUTH)
			return MQTT_PROTOCOL_ERROR;
		return reader.left > 0 ? MQTT_MALFORMED_PACKET : MQTT_SUCCESS;
	}
	reason = read_reason(disconnect, &reader);
	if (reason != MQTT_SUCCESS)
		return reason;
	return reader.left > 0 ? MQTT_MALFORMED_PACKET : MQTT_SUCCESS;
}

static void write_body(struct buf_writer *writer, const struct mqtt_disconnect *disconnect,
		       int version)
{
	bool bare = mqtt_properties_is_empty(&disconnect->properties);

	if (version != MQTT_5 || (bare && disconnect->reason == MQTT_SUCCESS))
		return;
	buf_write_u8(writer, disconnect->reason);
	if (!bare)
		mqtt_properties_write(writer, &disconnect->properties);
}

void mqtt_disconnect_write(struct buf_writer *writer, const struct mqtt_disconnect *disconnect,
			   int version)
{
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	write_body(&counter, disconnect, version);
	mqtt_header_write(writer, disconnect->type, 0, counter.failed ? SIZE_MAX : counter.len);
	write_body(writer, disconnect, version);
}
