/* SPDX-License-Identifier: MIT */
/*
 * emulator: links between network namespaces, in user space, for kernels without netem. Reads
 * commands (control.c) from standard input and ends when that ends. Needs root.
 */
#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define EVENTS         32
#define CONTROL        (-1)
#define LINE_MAX_BYTES 256

struct input {
	char text[LINE_MAX_BYTES];
	size_t len;
};

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool watch(int epoll_fd, int fd, int node)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = node};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Watches the devices of hosts that a command has added. */
static void watch_new(struct emulator *emulator, int epoll_fd, int *watched)
{
	for (; *watched < emulator->net.node_count; (*watched)++)
		if (emulator->tuns[*watched] >= 0 &&
		    !watch(epoll_fd, emulator->tuns[*watched], *watched)) {
			perror("emulator: epoll_ctl");
			emulator->quit = true;
		}
}

static void read_commands(struct emulator *emulator, struct input *input)
{
	ssize_t got =
		read(STDIN_FILENO, input->text + input->len, sizeof(input->text) - 1 - input->len);
	char *end;

	if (got <= 0) {
		emulator->quit = got == 0 || errno != EAGAIN;
		return;
	}
	input->len += (size_t)got;
	input->text[input->len] = '\0';
	while ((end = strchr(input->text, '\n')) != NULL) {
		*end = '\0';
		emulator_command(emulator, input->text);
		input->len -= (size_t)(end + 1 - input->text);
		memmove(input->text, end + 1, input->len + 1);
	}
	if (input->len == sizeof(input->text) - 1)
		input->len = 0;
}

static void run(struct emulator *emulator, int epoll_fd)
{
	struct input input = {.len = 0};
	struct epoll_event events[EVENTS];
	int watched = 0;

	while (!emulator->quit) {
		uint64_t next = emulator_next_ns(emulator);
		uint64_t now = now_ns();
		uint64_t wait = next > now ? next - now : 0;
		struct timespec limit = {.tv_sec = (time_t)(wait / 1000000000),
					 .tv_nsec = (long)(wait % 1000000000)};
		int count = epoll_pwait2(epoll_fd, events, EVENTS,
					 next == UINT64_MAX ? NULL : &limit, NULL);

		now = now_ns();
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == CONTROL)
				read_commands(emulator, &input);
			else
				emulator_read(emulator, events[i].data.fd, now);
		}
		watch_new(emulator, epoll_fd, &watched);
		emulator_move(emulator, now_ns());
	}
}

/* Punctual: no timer slack, and before others if the system lets us. */
static void be_punctual(void)
{
	struct sched_param param = {.sched_priority = 10};

	prctl(PR_SET_TIMERSLACK, 1);
	if (sched_setscheduler(0, SCHED_RR, &param) < 0)
		fprintf(stderr, "emulator: no real-time priority: %s\n", strerror(errno));
}

int main(void)
{
	struct emulator *emulator = calloc(1, sizeof(*emulator));
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	if (emulator == NULL || epoll_fd < 0 || !watch(epoll_fd, STDIN_FILENO, CONTROL)) {
		perror("emulator");
		return 2;
	}
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < NET_NODES; i++)
		emulator->tuns[i] = -1;
	emulator_reset(emulator, 1);
	be_punctual();
	run(emulator, epoll_fd);
	heap_clear(&emulator->heap);
	free(emulator->heap.items);
	free(emulator);
	close(epoll_fd);
	return 0;
}
