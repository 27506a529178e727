/* SPDX-License-Identifier: MIT */
/* The entries of the tunnel's epoll: listeners and pipes wait for their descriptors there. */
#ifndef TUNNEL_WATCH_H
#define TUNNEL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct tunnel;

/* What an epoll entry points to: the first member of whatever waits for its descriptor. */
struct watcher {
	void (*ready)(struct watcher *watcher, uint32_t events);
};

/* Adds an entry; false after saying why not. */
bool watcher_add(struct tunnel *tunnel, int fd, struct watcher *watcher, uint32_t events);
void watcher_change(struct tunnel *tunnel, int fd, struct watcher *watcher, uint32_t events);
void watcher_remove(struct tunnel *tunnel, int fd);

#endif
