/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "handoff.h"

static bool is_option(int fd, int option, int expected)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == expected;
}

/*
 * The peer's credentials are those of the process that called listen(): the broker's, whether it
 * became a daemon or not, since it forks before it loads plugins and listens after.
 */
bool handoff_leads_to(int fd, pid_t broker)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return is_option(fd, SO_DOMAIN, AF_UNIX) && is_option(fd, SO_TYPE, SOCK_STREAM) &&
	       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == broker;
}

static enum handoff_status connect_to(int fd, const char *path, pid_t broker)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return handoff_leads_to(fd, broker) ? HANDOFF_CONNECTED : HANDOFF_FOREIGN;
	return errno == EAGAIN || errno == EINTR ? HANDOFF_BUSY : HANDOFF_ABSENT;
}

enum handoff_status handoff_dial(const char *path, pid_t broker, int highest_fd, int *fd)
{
	enum handoff_status status;
	int dialed = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (dialed < 0)
		return HANDOFF_FULL;
	status = dialed > highest_fd ? HANDOFF_FULL : connect_to(dialed, path, broker);
	if (status == HANDOFF_CONNECTED)
		*fd = dialed;
	else
		close(dialed);
	return status;
}

bool handoff_is_gone(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

const char *handoff_text(enum handoff_status status)
{
	switch (status) {
	case HANDOFF_CONNECTED:
		return "connected";
	case HANDOFF_BUSY:
		return "the broker takes no connections for too long";
	case HANDOFF_FULL:
		return "too few file descriptors are left; raise the broker's limit (LimitNOFILE)";
	case HANDOFF_ABSENT:
		return "the broker does not listen on the hand-off socket";
	case HANDOFF_FOREIGN:
		return "another process listens on the hand-off socket";
	}
	return "unknown";
}
