/* SPDX-License-Identifier: MIT */
#include "quic/watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ngtcp2/ngtcp2.h>

#include "quic/conductor.h"

#define INTERVAL_NS    (100 * NGTCP2_MILLISECONDS)
#define READS_PER_TURN 64

struct watch {
	struct loop_source source;
	struct timer timer;
	struct quic_host *host;
	uint64_t next_ns; /* when the connections may be looked at again */
	int fd;
};

static void look(struct timer *timer, uint64_t now_ns)
{
	struct watch *watch = list_entry(timer, struct watch, timer);

	watch->next_ns = now_ns + INTERVAL_NS;
	conductor_follow_moves(watch->host);
}

/* What has changed does not matter: the system is asked for the address to use. */
static void read_ready(struct loop_source *source)
{
	struct watch *watch = list_entry(source, struct watch, source);
	uint8_t word[64];
	int i;

	/* Longer words are cut; ENOBUFS says that some were missed, which is as good as one. */
	for (i = 0; i < READS_PER_TURN; i++)
		if (recv(watch->fd, word, sizeof(word), MSG_DONTWAIT) < 0 && errno != ENOBUFS)
			break;
	/* Timers fire when all sockets are read: looking may close one that waits its turn. */
	timer_set(endpoint_timers(watch->host->endpoint), &watch->timer, watch->next_ns);
}

static int open_netlink(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

struct watch *watch_new(struct quic_host *host)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->host = host;
	watch->source.ready = read_ready;
	watch->timer.fire = look;
	watch->fd = open_netlink();
	if (watch->fd < 0 || !timers_reserve(endpoint_timers(host->endpoint))) {
		if (watch->fd >= 0)
			(void)close(watch->fd);
		free(watch);
		return NULL;
	}
	if (loop_add(endpoint_loop(host->endpoint), watch->fd, &watch->source) != 0) {
		(void)close(watch->fd);
		timers_release(endpoint_timers(host->endpoint));
		free(watch);
		return NULL;
	}
	return watch;
}

void watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	timer_set(endpoint_timers(watch->host->endpoint), &watch->timer, TIMER_NEVER);
	timers_release(endpoint_timers(watch->host->endpoint));
	loop_remove(endpoint_loop(watch->host->endpoint), watch->fd);
	(void)close(watch->fd);
	free(watch);
}
