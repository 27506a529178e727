/* SPDX-License-Identifier: MIT */
/* The bounded reader and the growing writer. */
#include "unit.h"

#include <string.h>

#include "core/buf.h"

static struct bytes text(const char *s)
{
	return bytes_of(s, strlen(s));
}

START_TEST(reader_gives_numbers_in_network_order)
{
	static const uint8_t data[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
	struct buf_reader reader = buf_reader_of(bytes_of(data, sizeof(data)));

	ck_assert_uint_eq(buf_read_u8(&reader), 0x01);
	ck_assert_uint_eq(buf_read_u16(&reader), 0x0203);
	ck_assert_uint_eq(buf_read_u32(&reader), 0x04050607);
	ck_assert_uint_eq(reader.left, 1);
	ck_assert(!reader.failed);
}
END_TEST

START_TEST(reader_refuses_what_is_not_there_and_stays_failed)
{
	static const uint8_t data[] = {0xff, 0xff, 0xff};
	struct buf_reader reader = buf_reader_of(bytes_of(data, sizeof(data)));

	ck_assert_uint_eq(buf_read_u32(&reader), 0);
	ck_assert(reader.failed);
	ck_assert_uint_eq(reader.left, 0);
	ck_assert_uint_eq(buf_read_u8(&reader), 0);
	ck_assert_uint_eq(buf_read_bytes(&reader, 1).len, 0);
	ck_assert_uint_eq(buf_read_rest(&reader).len, 0);
}
END_TEST

START_TEST(reader_reads_exactly_to_the_end)
{
	struct buf_reader reader = buf_reader_of(text("abcdef"));

	ck_assert(bytes_equal(buf_read_bytes(&reader, 4), text("abcd")));
	ck_assert(bytes_equal(buf_read_rest(&reader), text("ef")));
	ck_assert_uint_eq(buf_read_bytes(&reader, 0).len, 0);
	ck_assert(!reader.failed);
	ck_assert_uint_eq(buf_read_bytes(&reader, SIZE_MAX).len, 0);
	ck_assert(reader.failed);
}
END_TEST

START_TEST(reader_of_nothing_is_empty)
{
	struct buf_reader reader = buf_reader_of(bytes_of(NULL, 0));

	ck_assert_uint_eq(buf_read_rest(&reader).len, 0);
	ck_assert(!reader.failed);
	(void)buf_read_u8(&reader);
	ck_assert(reader.failed);
}
END_TEST

START_TEST(writer_writes_what_the_reader_reads)
{
	struct buf_writer writer;
	struct buf_reader reader;

	buf_writer_init(&writer, 1000);
	buf_write_u8(&writer, 0x11);
	buf_write_u16(&writer, 0x2233);
	buf_write_u32(&writer, 0x44556677);
	buf_write_bytes(&writer, text("hello"));
	ck_assert(!writer.failed);
	reader = buf_reader_of(buf_writer_content(&writer));
	ck_assert_uint_eq(buf_read_u8(&reader), 0x11);
	ck_assert_uint_eq(buf_read_u16(&reader), 0x2233);
	ck_assert_uint_eq(buf_read_u32(&reader), 0x44556677);
	ck_assert(bytes_equal(buf_read_rest(&reader), text("hello")));
	buf_writer_clear(&writer);
}
END_TEST

START_TEST(writer_keeps_its_limit_and_what_it_had)
{
	struct buf_writer writer;

	buf_writer_init(&writer, 5);
	buf_write_bytes(&writer, text("abcd"));
	buf_write_u16(&writer, 1);
	ck_assert(writer.failed);
	buf_write_u8(&writer, 1);
	ck_assert(bytes_equal(buf_writer_content(&writer), text("abcd")));
	buf_writer_truncate(&writer, 2);
	ck_assert(!writer.failed);
	buf_write_bytes(&writer, text("xyz"));
	ck_assert(bytes_equal(buf_writer_content(&writer), text("abxyz")));
	buf_writer_clear(&writer);
	ck_assert_uint_eq(writer.len, 0);
}
END_TEST

START_TEST(writer_is_a_queue_that_moves_on)
{
	struct buf_writer writer;
	uint8_t next_in = 0;
	uint8_t next_out = 0;
	int round;

	buf_writer_init(&writer, SIZE_MAX);
	for (round = 0; round < 5000; round++) {
		size_t in = (size_t)(round * 7 % 50);
		size_t out = (size_t)(round * 11 % 50);
		struct bytes content;
		size_t i;

		for (i = 0; i < in; i++)
			buf_write_u8(&writer, next_in++);
		content = buf_writer_content(&writer);
		if (out > content.len)
			out = content.len;
		for (i = 0; i < out; i++)
			ck_assert_uint_eq(content.data[i], next_out++);
		buf_writer_consume(&writer, out);
	}
	ck_assert(!writer.failed);
	ck_assert_uint_lt(writer.capacity, 65536);
	buf_writer_clear(&writer);
}
END_TEST

START_TEST(writer_gives_large_memory_back_when_empty)
{
	static uint8_t zeroes[200000];
	struct buf_writer writer;

	buf_writer_init(&writer, SIZE_MAX);
	buf_write_bytes(&writer, bytes_of(zeroes, sizeof(zeroes)));
	buf_writer_consume(&writer, sizeof(zeroes) + 1);
	ck_assert_uint_eq(writer.len, 0);
	ck_assert_uint_eq(writer.capacity, 0);
	buf_write_u8(&writer, 7);
	ck_assert_uint_eq(buf_writer_content(&writer).data[0], 7);
	buf_writer_clear(&writer);
}
END_TEST

START_TEST(writer_hands_over_what_was_not_consumed)
{
	struct buf_writer writer;
	uint8_t *data;
	size_t len;

	buf_writer_init(&writer, SIZE_MAX);
	buf_write_bytes(&writer, text("header and body"));
	buf_writer_consume(&writer, 11);
	data = buf_writer_take(&writer, &len);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(data, "body", 4);
	ck_assert_uint_eq(writer.len, 0);
	free(data);
	ck_assert_ptr_null(buf_writer_take(&writer, &len));
	ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(counter_counts_and_stores_nothing)
{
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	buf_write_u8(&counter, 1);
	buf_write_u16(&counter, 1);
	buf_write_u32(&counter, 1);
	buf_write_bytes(&counter, text("12345"));
	ck_assert_uint_eq(counter.len, 12);
	ck_assert_ptr_null(counter.data);
	ck_assert_uint_eq(buf_writer_content(&counter).len, 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&reader_gives_numbers_in_network_order,
		&reader_refuses_what_is_not_there_and_stays_failed,
		&reader_reads_exactly_to_the_end,
		&reader_of_nothing_is_empty,
		&writer_writes_what_the_reader_reads,
		&writer_keeps_its_limit_and_what_it_had,
		&writer_is_a_queue_that_moves_on,
		&writer_gives_large_memory_back_when_empty,
		&writer_hands_over_what_was_not_consumed,
		&counter_counts_and_stores_nothing,
	};

	return unit_run("buf", NULL, NULL, tests, COUNT(tests));
}
