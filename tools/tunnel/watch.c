/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include "../common/say.h"
#include "tunnel.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

static bool control(struct tunnel *tunnel, int operation, int fd, struct watcher *watcher,
		    uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watcher};

	if (epoll_ctl(tunnel->epoll, operation, fd, &event) == 0)
		return true;
	say_error("Cannot watch a descriptor: %s.", strerror(errno));
	return false;
}

bool watcher_add(struct tunnel *tunnel, int fd, struct watcher *watcher, uint32_t events)
{
	return control(tunnel, EPOLL_CTL_ADD, fd, watcher, events);
}

void watcher_change(struct tunnel *tunnel, int fd, struct watcher *watcher, uint32_t events)
{
	control(tunnel, EPOLL_CTL_MOD, fd, watcher, events);
}

void watcher_remove(struct tunnel *tunnel, int fd)
{
	control(tunnel, EPOLL_CTL_DEL, fd, NULL, 0);
}
