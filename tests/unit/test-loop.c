/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"

struct reader {
	struct loop_source source;
	int fd;
	unsigned int called;
};

static struct loop loop;
static struct reader reader;
static int pipe_fds[2];

static void ready(struct loop_source *source)
{
	char byte;

	(void)source;
	reader.called++;
	ck_assert_int_eq(read(reader.fd, &byte, 1), 1);
}

static void set_up(void)
{
	ck_assert_int_eq(loop_init(&loop), 0);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	reader = (struct reader){.source = {ready}, .fd = pipe_fds[0]};
}

static void tear_down(void)
{
	loop_fini(&loop);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static bool is_readable(int timeout_ms)
{
	struct pollfd fd = {.fd = loop.epoll_fd, .events = POLLIN};

	return poll(&fd, 1, timeout_ms) == 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

START_TEST(loop_calls_a_source_that_is_readable)
{
	ck_assert_int_eq(loop_add(&loop, pipe_fds[0], &reader.source), 0);
	ck_assert(!is_readable(0));
	ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
	ck_assert(is_readable(1000));
	ck_assert_int_eq(loop_dispatch(&loop), 0);
	ck_assert_uint_eq(reader.called, 1);
	ck_assert(!is_readable(0));
	loop_remove(&loop, pipe_fds[0]);
	ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
	ck_assert(!is_readable(0));
}
END_TEST

START_TEST(loop_is_readable_when_the_deadline_has_come)
{
	uint64_t deadline = now_ns() + 20000000;
	bool early;

	loop_arm(&loop, deadline);
	early = is_readable(0);
	ck_assert(!early || now_ns() >= deadline); /* we may have been kept from looking */
	ck_assert(is_readable(30000));
	ck_assert_uint_ge(now_ns(), deadline);
	ck_assert_int_eq(loop_dispatch(&loop), 0);
	ck_assert(!is_readable(0));
}
END_TEST

START_TEST(loop_is_readable_at_once_when_armed_for_now)
{
	loop_arm(&loop, LOOP_NEVER);
	ck_assert(!is_readable(0));
	loop_arm(&loop, 0);
	ck_assert(is_readable(0));
	loop_arm(&loop, LOOP_NEVER); /* what was due is done */
	ck_assert(!is_readable(0));
	loop_arm(&loop, 0);
	loop_arm(&loop, now_ns() + 3600000000000U);
	ck_assert(!is_readable(0));
}
END_TEST

START_TEST(loop_takes_an_earlier_deadline_at_once)
{
	loop_arm(&loop, now_ns() + 3600000000000U);
	loop_arm(&loop, now_ns() + 1000000);
	ck_assert(is_readable(30000));
}
END_TEST

START_TEST(loop_wakes_up_once_for_many_calls)
{
	loop_wakeup(&loop);
	loop_wakeup(&loop);
	ck_assert(is_readable(0));
	ck_assert_int_eq(loop_dispatch(&loop), 0);
	ck_assert(!is_readable(0));
}
END_TEST

START_TEST(loop_tells_what_cannot_be_watched)
{
	ck_assert_int_ne(loop_add(&loop, -1, &reader.source), 0);
	ck_assert_int_eq(loop_add(&loop, pipe_fds[0], &reader.source), 0);
	ck_assert_int_ne(loop_add(&loop, pipe_fds[0], &reader.source), 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&loop_calls_a_source_that_is_readable,
		&loop_is_readable_when_the_deadline_has_come,
		&loop_is_readable_at_once_when_armed_for_now,
		&loop_takes_an_earlier_deadline_at_once,
		&loop_wakes_up_once_for_many_calls,
		&loop_tells_what_cannot_be_watched,
	};

	return unit_run("loop", set_up, tear_down, tests, COUNT(tests));
}
