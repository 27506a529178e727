/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "core/fifo.h"

static struct fifo fifo;
static uint8_t bytes[200000];

static void set_up(void)
{
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	fifo = (struct fifo){0};
}

static void tear_down(void)
{
	fifo_clear(&fifo);
}

/* Expects bytes[from] to bytes[to - 1] behind the mark. */
static void expect_unread(size_t from, size_t to)
{
	struct fifo_span spans[64];
	size_t count = fifo_spans(&fifo, spans, COUNT(spans));
	size_t i;

	for (i = 0; i < count; i++) {
		ck_assert_uint_gt(spans[i].len, 0);
		ck_assert_uint_le(from + spans[i].len, to);
		ck_assert_mem_eq(spans[i].data, bytes + from, spans[i].len);
		from += spans[i].len;
	}
	ck_assert_uint_eq(from, to);
}

START_TEST(fifo_gives_back_what_was_appended)
{
	size_t taken = 0;

	ck_assert_uint_eq(fifo_front(&fifo).len, 0);
	ck_assert(fifo_append(&fifo, bytes, 0));
	ck_assert(fifo_append(&fifo, bytes, 10));
	ck_assert(fifo_append(&fifo, bytes + 10, 5000));
	ck_assert(fifo_append(&fifo, bytes + 5010, 100000));
	ck_assert_uint_eq(fifo.len, 105010);
	while (fifo.len > 0) {
		struct fifo_span span = fifo_front(&fifo);
		size_t part = span.len > 777 ? 777 : span.len;

		ck_assert_mem_eq(span.data, bytes + taken, part);
		fifo_drop(&fifo, part);
		taken += part;
	}
	ck_assert_uint_eq(taken, 105010);
}
END_TEST

START_TEST(fifo_does_not_move_what_it_holds)
{
	const uint8_t *first;

	ck_assert(fifo_append(&fifo, bytes, 10));
	first = fifo_front(&fifo).data;
	ck_assert(fifo_append(&fifo, bytes + 10, 150000));
	ck_assert_ptr_eq(fifo_front(&fifo).data, first);
	fifo_drop(&fifo, 4);
	ck_assert_ptr_eq(fifo_front(&fifo).data, first + 4);
}
END_TEST

START_TEST(fifo_drops_at_most_everything)
{
	ck_assert(fifo_append(&fifo, bytes, 100));
	fifo_drop(&fifo, 1000);
	ck_assert_uint_eq(fifo.len, 0);
	ck_assert_ptr_null(fifo.first);
	fifo_drop(&fifo, 1);
	ck_assert(fifo_append(&fifo, bytes, 100));
	expect_unread(0, 100);
}
END_TEST

START_TEST(fifo_mark_divides_read_from_unread)
{
	ck_assert(fifo_append(&fifo, bytes, 20000));
	expect_unread(0, 20000);
	fifo_advance(&fifo, 0);
	expect_unread(0, 20000);
	fifo_advance(&fifo, 18000);
	expect_unread(18000, 20000);
	fifo_advance(&fifo, 2000);
	expect_unread(20000, 20000);
	ck_assert(fifo_append(&fifo, bytes + 20000, 50000));
	expect_unread(20000, 70000);
	fifo_drop(&fifo, 20000); /* up to the mark */
	expect_unread(20000, 70000);
}
END_TEST

START_TEST(fifo_mark_survives_any_mix_of_appending_and_dropping)
{
	size_t end = 0;
	size_t mark = 0;
	size_t front = 0;
	unsigned int state = 1;

	while (end < sizeof(bytes)) {
		size_t step = (state = state * 1103515245 + 12345) % 3000;

		if (step > sizeof(bytes) - end)
			step = sizeof(bytes) - end;
		ck_assert(fifo_append(&fifo, bytes + end, step));
		end += step;
		step = (state = state * 1103515245 + 12345) % (end - mark + 1);
		fifo_advance(&fifo, step);
		mark += step;
		step = (state = state * 1103515245 + 12345) % (mark - front + 1);
		fifo_drop(&fifo, step);
		front += step;
		ck_assert_uint_eq(fifo.len, end - front);
		expect_unread(mark, end);
		if (fifo.len > 0)
			ck_assert_uint_eq(*fifo_front(&fifo).data, bytes[front]);
	}
}
END_TEST

START_TEST(fifo_shows_no_more_spans_than_asked_for)
{
	struct fifo_span spans[2];

	ck_assert(fifo_append(&fifo, bytes, 100000));
	ck_assert_uint_eq(fifo_spans(&fifo, spans, 2), 2);
	ck_assert_uint_eq(fifo_spans(&fifo, spans, 0), 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&fifo_gives_back_what_was_appended,
		&fifo_does_not_move_what_it_holds,
		&fifo_drops_at_most_everything,
		&fifo_mark_divides_read_from_unread,
		&fifo_mark_survives_any_mix_of_appending_and_dropping,
		&fifo_shows_no_more_spans_than_asked_for,
	};

	return unit_run("fifo", set_up, tear_down, tests, COUNT(tests));
}
