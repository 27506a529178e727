/* SPDX-License-Identifier: MIT */
/* The fixed header, and the cutting of a byte stream into packets. */
#include "unit.h"

#include <string.h>

#include "mqtt/packet.h"
#include "mqtt/property.h"
#include "mquic.h"

struct length {
	uint32_t value;
	size_t len;
	uint8_t bytes[4];
};

/* Table 2-1 of section 2.1.4 and its neighbours. */
static const struct length lengths[] = {
	{0, 1, {0x00}},
	{1, 1, {0x01}},
	{127, 1, {0x7f}},
	{128, 2, {0x80, 0x01}},
	{16383, 2, {0xff, 0x7f}},
	{16384, 3, {0x80, 0x80, 0x01}},
	{2097151, 3, {0xff, 0xff, 0x7f}},
	{2097152, 4, {0x80, 0x80, 0x80, 0x01}},
	{268435455, 4, {0xff, 0xff, 0xff, 0x7f}},
};

START_TEST(varint_is_read_and_written_as_the_table_says)
{
	struct buf_writer writer;
	size_t i;

	for (i = 0; i < COUNT(lengths); i++) {
		const struct length *length = &lengths[i];
		struct buf_reader reader = buf_reader_of(bytes_of(length->bytes, length->len));

		ck_assert_uint_eq(mqtt_read_varint(&reader), length->value);
		ck_assert(!reader.failed);
		ck_assert_uint_eq(reader.left, 0);
		buf_writer_init(&writer, 8);
		mqtt_write_varint(&writer, length->value);
		ck_assert(bytes_equal(buf_writer_content(&writer),
				      bytes_of(length->bytes, length->len)));
		buf_writer_clear(&writer);
	}
	buf_writer_init(&writer, 8);
	mqtt_write_varint(&writer, MQTT_VARINT_MAX + 1);
	ck_assert(writer.failed);
	buf_writer_clear(&writer);
}
END_TEST

START_TEST(packet_rejects_overlong_remaining_length)
{
	static const uint8_t overlong[][5] = {
		{0x30, 0x80, 0x00},
		{0x30, 0x81, 0x80, 0x00},
		{0x30, 0xff, 0xff, 0x80, 0x00},
		{0x30, 0x80, 0x80, 0x80, 0x00},
		{0x30, 0xff, 0xff, 0xff, 0x80},
		{0x30, 0x80, 0x80, 0x80, 0x80},
	};
	uint32_t body_len;
	size_t i;

	for (i = 0; i < COUNT(overlong); i++)
		ck_assert_int_eq(mqtt_header_read(bytes_of(overlong[i], 5), &body_len), -1);
}
END_TEST

START_TEST(packet_header_waits_until_its_length_is_there)
{
	static const uint8_t header[] = {0x30, 0xff, 0xff, 0xff, 0x7f};
	uint32_t body_len = 0;
	size_t len;

	for (len = 0; len < sizeof(header); len++)
		ck_assert_int_eq(mqtt_header_read(bytes_of(header, len), &body_len), 0);
	ck_assert_int_eq(mqtt_header_read(bytes_of(header, len), &body_len), 5);
	ck_assert_uint_eq(body_len, MQTT_VARINT_MAX);
	ck_assert_int_eq(mqtt_header_read(bytes_of("\x0f\x00", 2), &body_len), -1);
	ck_assert_int_eq(mqtt_header_read(bytes_of("\x00", 1), &body_len), -1);
}
END_TEST

START_TEST(packet_size_includes_the_header)
{
	size_t i;

	for (i = 0; i < COUNT(lengths); i++)
		ck_assert_uint_eq(mqtt_packet_size(lengths[i].value),
				  lengths[i].value + lengths[i].len + 1);
}
END_TEST

/* PINGREQ, a PUBLISH of 200 bytes, PUBACK. */
static struct bytes stream_of_three(void)
{
	static uint8_t stream[2 + 203 + 4];

	memset(stream, 'p', sizeof(stream));
	memcpy(stream, "\xc0\x00", 2);
	memcpy(stream + 2, "\x30\xc8\x01", 3);
	memcpy(stream + 205, "\x40\x02\x12\x34", 4);
	return bytes_of(stream, sizeof(stream));
}

static void expect_three(struct mqtt_framing *framing, struct bytes input, int *seen)
{
	static const enum mqtt_type types[] = {MQTT_PINGREQ, MQTT_PUBLISH, MQTT_PUBACK};
	static const size_t sizes[] = {0, 200, 2};
	struct mqtt_packet packet;
	enum mqtt_framing_result result;

	while ((result = mqtt_framing_next(framing, &input, &packet)) == MQTT_FRAMING_PACKET) {
		ck_assert_int_lt(*seen, 3);
		ck_assert_int_eq(packet.type, types[*seen]);
		ck_assert_uint_eq(packet.flags, 0);
		ck_assert_uint_eq(packet.body.len, sizes[*seen]);
		if (packet.type == MQTT_PUBACK)
			ck_assert_mem_eq(packet.body.data, "\x12\x34", 2);
		if (packet.type == MQTT_PUBLISH)
			ck_assert_int_eq(packet.body.data[199], 'p');
		(*seen)++;
	}
	ck_assert_int_eq(result, MQTT_FRAMING_MORE);
	ck_assert_uint_eq(input.len, 0);
}

START_TEST(framing_cuts_packets_wherever_the_stream_is_cut)
{
	struct bytes stream = stream_of_three();
	size_t step;

	for (step = 1; step <= stream.len; step++) {
		struct mqtt_framing framing;
		size_t at;
		int seen = 0;

		mqtt_framing_init(&framing, MQTT_PACKET_MAX);
		for (at = 0; at < stream.len; at += step) {
			size_t left = stream.len - at;

			expect_three(&framing,
				     bytes_of(stream.data + at, left < step ? left : step), &seen);
		}
		ck_assert_int_eq(seen, 3);
		mqtt_framing_clear(&framing);
	}
}
END_TEST

START_TEST(framing_shows_whole_packets_in_the_callers_buffer)
{
	struct bytes input = stream_of_three();
	const uint8_t *start = input.data;
	struct mqtt_framing framing;
	struct mqtt_packet packet;

	mqtt_framing_init(&framing, MQTT_PACKET_MAX);
	ck_assert_int_eq(mqtt_framing_next(&framing, &input, &packet), MQTT_FRAMING_PACKET);
	ck_assert_int_eq(mqtt_framing_next(&framing, &input, &packet), MQTT_FRAMING_PACKET);
	ck_assert_ptr_eq(packet.body.data, start + 5);
	ck_assert_uint_eq(framing.assembly.capacity, 0);
	mqtt_framing_clear(&framing);
}
END_TEST

START_TEST(framing_memory_follows_what_came_not_what_is_announced)
{
	static const uint8_t huge[] = {0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4, 5};
	struct mqtt_framing framing;
	struct mqtt_packet packet;
	struct bytes input = bytes_of(huge, sizeof(huge));

	mqtt_framing_init(&framing, MQTT_PACKET_MAX);
	ck_assert_int_eq(mqtt_framing_next(&framing, &input, &packet), MQTT_FRAMING_MORE);
	ck_assert_uint_le(framing.assembly.capacity, 128);
	mqtt_framing_clear(&framing);
}
END_TEST

static enum mqtt_framing_result first_of(const char *bytes, size_t len, uint32_t maximum)
{
	struct bytes input = bytes_of(bytes, len);
	enum mqtt_framing_result result;
	struct mqtt_framing framing;
	struct mqtt_packet packet;

	mqtt_framing_init(&framing, maximum);
	result = mqtt_framing_next(&framing, &input, &packet);
	mqtt_framing_clear(&framing);
	return result;
}

START_TEST(framing_refuses_too_large_packets_by_their_header)
{
	/* PUBLISH of 1024 bytes in all, and of one more */
	ck_assert_int_eq(first_of("\x30\xfd\x07", 3, 1024), MQTT_FRAMING_MORE);
	ck_assert_int_eq(first_of("\x30\xfe\x07", 3, 1024), MQTT_FRAMING_TOO_LARGE);
	ck_assert_int_eq(first_of("\x30\xfe\x07xyz", 6, 1024), MQTT_FRAMING_TOO_LARGE);
	/* SUBACK above what a packet without payload may have */
	ck_assert_int_eq(first_of("\x90\xff\xff\x7f", 4, MQTT_PACKET_MAX), MQTT_FRAMING_TOO_LARGE);
	ck_assert_int_eq(first_of("\x30\xff\xff\x7f", 4, MQTT_PACKET_MAX), MQTT_FRAMING_MORE);
	ck_assert_int_eq(first_of("\x00", 1, 1024), MQTT_FRAMING_MALFORMED);
	ck_assert_int_eq(first_of("\x30\x80\x00", 3, 1024), MQTT_FRAMING_MALFORMED);
}
END_TEST

START_TEST(every_type_has_a_name)
{
	ck_assert_str_eq(mqtt_type_text(MQTT_CONNECT), "CONNECT");
	ck_assert_str_eq(mqtt_type_text(MQTT_SUBSCRIBE), "SUBSCRIBE");
	ck_assert_str_eq(mqtt_type_text(MQTT_AUTH), "AUTH");
	ck_assert_str_eq(mqtt_type_text((enum mqtt_type)0), "packet");
	ck_assert_str_eq(mqtt_type_text((enum mqtt_type)77), "packet");
}
END_TEST

START_TEST(every_reason_has_a_text)
{
	unsigned int code;

	for (code = 0; code < 256; code++) {
		bool used = false;
		int type;

		for (type = MQTT_CONNECT; type <= MQTT_AUTH; type++)
			used = used || mqtt_reason_valid(type, (uint8_t)code);
		ck_assert_int_eq(used,
				 strcmp(mquic_reason_text((uint8_t)code), "unknown reason") != 0);
	}
	ck_assert_str_eq(mquic_reason_text(MQTT_NOT_AUTHORIZED), "not authorized");
	ck_assert_str_eq(mquic_reason_text(MQTT_WILDCARDS_NOT_SUPPORTED),
			 "wildcard subscriptions not supported");
	ck_assert(!mqtt_reason_valid(MQTT_PINGREQ, 0));
	ck_assert(!mqtt_reason_valid(-1, 0));
	ck_assert(!mqtt_reason_valid(16, 0));
}
END_TEST

START_TEST(every_error_can_be_read_and_only_known_success)
{
	unsigned int code;
	int type;

	for (type = MQTT_CONNECT; type <= MQTT_AUTH; type++)
		for (code = 0; code < 256; code++)
			ck_assert_int_eq(mqtt_reason_readable(type, (uint8_t)code),
					 code >= MQTT_FIRST_ERROR ||
						 mqtt_reason_valid(type, (uint8_t)code));
	ck_assert(mqtt_reason_readable(MQTT_PUBACK, MQTT_PACKET_TOO_LARGE));
	ck_assert(!mqtt_reason_readable(MQTT_PUBACK, 0x11));
}
END_TEST

START_TEST(return_codes_of_3_1_1_map_both_ways)
{
	uint8_t code;

	for (code = 0; code <= 5; code++)
		ck_assert_uint_eq(
			mqtt_reason_to_return_code((uint8_t)mqtt_reason_of_return_code(code)),
			code);
	ck_assert_int_eq(mqtt_reason_of_return_code(1), MQTT_UNSUPPORTED_VERSION);
	ck_assert_int_eq(mqtt_reason_of_return_code(2), MQTT_CLIENT_ID_NOT_VALID);
	ck_assert_int_eq(mqtt_reason_of_return_code(3), MQTT_SERVER_UNAVAILABLE);
	ck_assert_int_eq(mqtt_reason_of_return_code(4), MQTT_BAD_USERNAME_OR_PASSWORD);
	ck_assert_int_eq(mqtt_reason_of_return_code(5), MQTT_NOT_AUTHORIZED);
	ck_assert_int_eq(mqtt_reason_of_return_code(6), MQTT_MALFORMED_PACKET);
	ck_assert_uint_eq(mqtt_reason_to_return_code(MQTT_SERVER_BUSY), 3);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&varint_is_read_and_written_as_the_table_says,
		&packet_rejects_overlong_remaining_length,
		&packet_header_waits_until_its_length_is_there,
		&packet_size_includes_the_header,
		&framing_cuts_packets_wherever_the_stream_is_cut,
		&framing_shows_whole_packets_in_the_callers_buffer,
		&framing_memory_follows_what_came_not_what_is_announced,
		&framing_refuses_too_large_packets_by_their_header,
		&every_type_has_a_name,
		&every_reason_has_a_text,
		&every_error_can_be_read_and_only_known_success,
		&return_codes_of_3_1_1_map_both_ways,
	};

	return unit_run("mqtt-packet", NULL, NULL, tests, COUNT(tests));
}
