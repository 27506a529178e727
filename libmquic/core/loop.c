/* SPDX-License-Identifier: MIT */
#include "core/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/fork.h"

#define EVENTS_PER_DISPATCH 64

static int add(struct loop *loop, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

static int init_failed(struct loop *loop, int code)
{
	loop_fini(loop);
	return code;
}

int loop_init(struct loop *loop)
{
	int code;

	if (!fork_watch())
		return ENOMEM;
	loop->timer_fd = -1;
	loop->event_fd = -1;
	loop->pending_fd = -1;
	loop->forks = fork_count();
	loop->pending = false;
	loop->armed_ns = LOOP_NEVER;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return errno;
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timer_fd < 0)
		return init_failed(loop, errno);
	loop->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->event_fd < 0)
		return init_failed(loop, errno);
	loop->pending_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->pending_fd < 0)
		return init_failed(loop, errno);
	/* The three are told from sources by the address of their own field. */
	code = add(loop, loop->timer_fd, &loop->timer_fd);
	if (code == 0)
		code = add(loop, loop->event_fd, &loop->event_fd);
	if (code == 0)
		code = add(loop, loop->pending_fd, &loop->pending_fd);
	return code == 0 ? 0 : init_failed(loop, code);
}

void loop_fini(struct loop *loop)
{
	if (loop->pending_fd >= 0)
		(void)close(loop->pending_fd);
	if (loop->event_fd >= 0)
		(void)close(loop->event_fd);
	if (loop->timer_fd >= 0)
		(void)close(loop->timer_fd);
	if (loop->epoll_fd >= 0)
		(void)close(loop->epoll_fd);
	loop->pending_fd = -1;
	loop->event_fd = -1;
	loop->timer_fd = -1;
	loop->epoll_fd = -1;
}

bool loop_is_forked(const struct loop *loop)
{
	return loop->forks != fork_count();
}

int loop_add(struct loop *loop, int fd, struct loop_source *source)
{
	return loop_is_forked(loop) ? EBADF : add(loop, fd, source);
}

void loop_remove(struct loop *loop, int fd)
{
	if (!loop_is_forked(loop))
		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void add_one(int fd)
{
	const uint64_t one = 1;
	ssize_t written = write(fd, &one, sizeof(one));

	/* The only failure is a full counter, and then it is readable already. */
	(void)written;
}

static void drain(int fd)
{
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof(count));

	(void)got;
}

/* Not by the timer: setting one costs several times as much as writing to an eventfd. */
static void set_pending(struct loop *loop, bool pending)
{
	if (loop->pending == pending)
		return;
	loop->pending = pending;
	if (pending)
		add_one(loop->pending_fd);
	else
		drain(loop->pending_fd);
}

void loop_arm(struct loop *loop, uint64_t deadline_ns)
{
	struct itimerspec spec = {.it_value = {0, 0}};

	if (loop_is_forked(loop))
		return;
	set_pending(loop, deadline_ns == 0);
	/* A deadline that moves away costs one early wake-up instead of a system call each time. */
	if (deadline_ns == 0 || loop->armed_ns <= deadline_ns)
		return;
	spec.it_value.tv_sec = (time_t)(deadline_ns / 1000000000U);
	spec.it_value.tv_nsec = (long)(deadline_ns % 1000000000U);
	(void)timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
	loop->armed_ns = deadline_ns;
}

void loop_wakeup(struct loop *loop)
{
	int saved = errno;

	if (!loop_is_forked(loop))
		add_one(loop->event_fd);
	errno = saved;
}

static void dispatch_one(struct loop *loop, void *what)
{
	if (what == &loop->timer_fd) {
		drain(loop->timer_fd);
		loop->armed_ns = LOOP_NEVER;
	} else if (what == &loop->event_fd) {
		drain(loop->event_fd);
	} else if (what != &loop->pending_fd) { /* that one is for loop_arm() to take back */
		struct loop_source *source = what;

		source->ready(source);
	}
}

int loop_dispatch(struct loop *loop)
{
	struct epoll_event events[EVENTS_PER_DISPATCH];
	int count;
	int i;

	if (loop_is_forked(loop))
		return EBADF;
	count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_DISPATCH, 0);
	if (count < 0)
		return errno == EINTR ? 0 : errno;
	for (i = 0; i < count; i++)
		dispatch_one(loop, events[i].data.ptr);
	return 0;
}
