/* SPDX-License-Identifier: MIT */
#include "mqtt/packet.h"

#include "mqtt/property.h"

const char *mqtt_type_text(enum mqtt_type type)
{
	static const char names[][12] = {
		"packet",  "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
		"PUBREL",  "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
		"PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
	};

	return (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : names[0];
}

bool mqtt_packet_flags_valid(const struct mqtt_packet *packet)
{
	switch (packet->type) {
	case MQTT_PUBLISH:
		return true;
	case MQTT_PUBREL:
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		return packet->flags == 2;
	default:
		return packet->flags == 0;
	}
}

int mqtt_header_read(struct bytes bytes, uint32_t *body_len)
{
	uint32_t value = 0;
	size_t i;

	if (bytes.len == 0)
		return 0;
	if (bytes.data[0] >> 4 == 0)
		return -1;
	/* On the way of every packet, so without a reader: mqtt_read_varint() is the same. */
	for (i = 1; i < MQTT_HEADER_MAX; i++) {
		if (i == bytes.len)
			return 0;
		value |= (uint32_t)(bytes.data[i] & 0x7f) << 7 * (i - 1);
		if (bytes.data[i] >= 0x80)
			continue;
		*body_len = value;
		return bytes.data[i] == 0 && i > 1 ? -1 : (int)i + 1;
	}
	return -1;
}

void mqtt_header_write(struct buf_writer *writer, enum mqtt_type type, uint8_t flags,
		       size_t body_len)
{
	if (body_len > MQTT_VARINT_MAX) {
		writer->failed = true;
		return;
	}
	buf_write_u8(writer, (uint8_t)(type << 4 | flags));
	mqtt_write_varint(writer, (uint32_t)body_len);
}

size_t mqtt_packet_size(size_t body_len)
{
	size_t header = 2;
	size_t rest = body_len;

	while (rest >= 0x80) {
		header++;
		rest >>= 7;
	}
	return header + body_len;
}

void mqtt_framing_init(struct mqtt_framing *framing, uint32_t maximum_packet_size)
{
	buf_writer_init(&framing->assembly, MQTT_PACKET_MAX);
	framing->shown = false;
	framing->maximum_publish = maximum_packet_size;
	framing->maximum_other = maximum_packet_size;
	if (framing->maximum_other > MQTT_CONTROL_MAX)
		framing->maximum_other = MQTT_CONTROL_MAX;
}

void mqtt_framing_clear(struct mqtt_framing *framing)
{
	buf_writer_clear(&framing->assembly);
	framing->shown = false;
}

static bool too_large(const struct mqtt_framing *framing, uint8_t first, size_t size)
{
	uint32_t maximum = framing->maximum_other;

	if (first >> 4 == MQTT_PUBLISH)
		maximum = framing->maximum_publish;
	return size > maximum;
}

/* All of it is in `bytes`. */
static void open_packet(struct mqtt_packet *packet, struct bytes bytes, size_t header)
{
	packet->type = (enum mqtt_type)(bytes.data[0] >> 4);
	packet->flags = bytes.data[0] & 0x0f;
	packet->body = bytes_of(bytes.data + header, bytes.len - header);
}

/* The first `len` bytes of the input, which has them and loses them. */
static struct bytes take(struct bytes *input, size_t len)
{
	struct bytes taken = bytes_of(input->data, len);

	*input = bytes_of(input->data + len, input->len - len);
	return taken;
}

/* Moves input to the assembly until it holds a whole packet. */
static enum mqtt_framing_result assemble(struct mqtt_framing *framing, struct bytes *input,
					 struct mqtt_packet *packet)
{
	struct buf_writer *assembly = &framing->assembly;
	uint32_t body_len = 0;
	size_t missing;
	int header;

	while ((header = mqtt_header_read(buf_writer_content(assembly), &body_len)) == 0) {
		if (input->len == 0)
			return MQTT_FRAMING_MORE;
		buf_write_bytes(assembly, take(input, 1));
		if (assembly->failed)
			return MQTT_FRAMING_MEMORY;
	}
	if (header < 0)
		return MQTT_FRAMING_MALFORMED;
	if (too_large(framing, buf_writer_content(assembly).data[0], (size_t)header + body_len))
		return MQTT_FRAMING_TOO_LARGE;
	/* Not more memory than the packet needs, and that as its bytes come. */
	assembly->limit = (size_t)header + body_len;
	missing = assembly->limit - assembly->len;
	buf_write_bytes(assembly, take(input, missing < input->len ? missing : input->len));
	if (assembly->failed)
		return MQTT_FRAMING_MEMORY;
	if (assembly->len < (size_t)header + body_len)
		return MQTT_FRAMING_MORE;
	open_packet(packet, buf_writer_content(assembly), (size_t)header);
	framing->shown = true;
	return MQTT_FRAMING_PACKET;
}

enum mqtt_framing_result mqtt_framing_next(struct mqtt_framing *framing, struct bytes *input,
					   struct mqtt_packet *packet)
{
	uint32_t body_len = 0;
	int header;

	if (framing->shown) {
		buf_writer_consume(&framing->assembly, SIZE_MAX);
		framing->assembly.limit = MQTT_PACKET_MAX;
		framing->shown = false;
	}
	if (framing->assembly.len > 0)
		return assemble(framing, input, packet);
	header = mqtt_header_read(*input, &body_len);
	if (header < 0)
		return MQTT_FRAMING_MALFORMED;
	if (header == 0)
		return assemble(framing, input, packet);
	if (too_large(framing, input->data[0], (size_t)header + body_len))
		return MQTT_FRAMING_TOO_LARGE;
	if (input->len - (size_t)header < body_len)
		return assemble(framing, input, packet);
	open_packet(packet, take(input, (size_t)header + body_len), (size_t)header);
	return MQTT_FRAMING_PACKET;
}
