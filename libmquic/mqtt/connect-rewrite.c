/* SPDX-License-Identifier: MIT */
/*
 * CONNECT as a relay sees it: is this one, how long will it be, and the same with another user
 * name. The packet is cut at the user name and glued together again, so what we do not
 * understand better than the broker passes unchanged.
 */
#include "mqtt/connect.h"

#include <stdlib.h>

#include "core/text.h"

#define FLAG_USERNAME 0x80

enum mqtt_scan mqtt_connect_scan(const uint8_t *data, size_t len, size_t *total)
{
	uint32_t body_len = 0;
	int header;

	*total = 0;
	/* Brokers of 3.1 pay no attention to the flags of the fixed header, read later. */
	if (len > 0 && data[0] >> 4 != MQTT_CONNECT)
		return MQTT_SCAN_MALFORMED;
	header = mqtt_header_read(bytes_of(data, len), &body_len);
	if (header == 0)
		return MQTT_SCAN_MORE;
	if (header < 0)
		return MQTT_SCAN_MALFORMED;
	*total = (size_t)header + body_len;
	return len < *total ? MQTT_SCAN_MORE : MQTT_SCAN_COMPLETE;
}

/* The body of a complete CONNECT packet; empty data if it is none. */
static struct bytes body_of(const uint8_t *packet, size_t len)
{
	struct buf_reader reader = buf_reader_of(bytes_of(packet, len));
	uint32_t body_len;
	size_t total;

	if (mqtt_connect_scan(packet, len, &total) != MQTT_SCAN_COMPLETE || total != len)
		return bytes_of(NULL, 0);
	(void)buf_read_u8(&reader);
	body_len = mqtt_read_varint(&reader);
	return buf_read_bytes(&reader, body_len);
}

enum mqtt_reason mqtt_connect_parse(struct mqtt_connect *connect, const uint8_t *packet, size_t len)
{
	struct mqtt_packet parts = {MQTT_CONNECT, 0, body_of(packet, len)};

	if (parts.body.data == NULL)
		return MQTT_MALFORMED_PACKET;
	parts.flags = packet[0] & 0x0f;
	return mqtt_connect_read(connect, &parts);
}

/* Everything before the flags, the flags, everything up to the name, the name, the rest. */
static void write_with_name(struct buf_writer *writer, const struct mqtt_connect *connect,
			    struct bytes body, struct bytes name)
{
	struct buf_reader reader = buf_reader_of(body);
	uint8_t flags;

	buf_write_bytes(writer, buf_read_bytes(&reader, connect->flags_at));
	flags = buf_read_u8(&reader);
	buf_write_u8(writer, flags | FLAG_USERNAME);
	buf_write_bytes(writer,
			buf_read_bytes(&reader, connect->username_at - connect->flags_at - 1));
	if (connect->username.data != NULL)
		(void)mqtt_read_binary(&reader);
	mqtt_write_binary(writer, name);
	buf_write_bytes(writer, buf_read_rest(&reader));
}

enum mquic_status mqtt_connect_replace_username(const uint8_t *packet, size_t len, const char *name,
						size_t name_len, uint8_t **out, size_t *out_len)
{
	struct bytes body = body_of(packet, len);
	struct bytes username = bytes_of(name, name_len);
	struct mqtt_connect connect;
	struct buf_writer counter;
	struct buf_writer writer;

	if (name == NULL || name_len > UINT16_MAX || !text_is_utf8(name, name_len))
		return MQUIC_ERR_INVALID;
	if (mqtt_connect_parse(&connect, packet, len) != MQTT_SUCCESS)
		return MQUIC_ERR_PROTOCOL;
	buf_writer_init_counter(&counter);
	write_with_name(&counter, &connect, body, username);
	if (counter.len > MQTT_VARINT_MAX)
		return MQUIC_ERR_TOO_LARGE;
	buf_writer_init(&writer, MQTT_PACKET_MAX);
	mqtt_header_write(&writer, MQTT_CONNECT, packet[0] & 0x0f, counter.len);
	write_with_name(&writer, &connect, body, username);
	if (writer.failed) {
		buf_writer_clear(&writer);
		return MQUIC_ERR_MEMORY;
	}
	*out = buf_writer_take(&writer, out_len);
	return MQUIC_OK;
}
