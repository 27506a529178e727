/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "handoff.h"

/*
 * The peer's credentials are those of the process that called listen(): ours, whether the
 * broker became a daemon or not, since it forks before it loads plugins and listens after.
 */
static bool is_this_process(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == getpid();
}

static enum handoff_status connect_to(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return is_this_process(fd) ? HANDOFF_CONNECTED : HANDOFF_FOREIGN;
	return errno == EAGAIN || errno == EINTR ? HANDOFF_BUSY : HANDOFF_ABSENT;
}

enum handoff_status handoff_dial(const char *path, int highest_fd, int *fd)
{
	enum handoff_status status;
	int dialed = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (dialed < 0)
		return HANDOFF_FULL;
	status = dialed > highest_fd ? HANDOFF_FULL : connect_to(dialed, path);
	if (status == HANDOFF_CONNECTED)
		*fd = dialed;
	else
		close(dialed);
	return status;
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

/* ---- PROXY protocol, version 2 ------------------------------------------- */

/* Cuts "ADDRESS:PORT" in two; an IPv6 zone ("%eth0") has no place in the header. */
static bool split_address(const char *text, char address[INET6_ADDRSTRLEN], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (colon == NULL)
		return false;
	if (*text == '[') {
		text++;
		len = strcspn(text, "]%");
	} else {
		len = (size_t)(colon - text);
	}
	if (len >= INET6_ADDRSTRLEN)
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	*port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	return true;
}

size_t handoff_proxy_header(uint8_t header[HANDOFF_PROXY_MAX], const char *peer, const char *local)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	char peer_text[INET6_ADDRSTRLEN];
	char local_text[INET6_ADDRSTRLEN];
	uint16_t peer_port, local_port;
	int family = *peer == '[' ? AF_INET6 : AF_INET;
	size_t width = family == AF_INET6 ? 16 : 4;
	uint8_t *at = header + 16;

	if (!split_address(peer, peer_text, &peer_port) ||
	    !split_address(local, local_text, &local_port) ||
	    inet_pton(family, peer_text, at) != 1 || inet_pton(family, local_text, at + width) != 1)
		return 0;
	memcpy(at + 2 * width, &peer_port, 2);
	memcpy(at + 2 * width + 2, &local_port, 2);
	memcpy(header, signature, sizeof(signature) - 1);
	header[12] = 0x21; /* version 2, PROXY */
	/* Stream, although it was UDP: the broker takes nothing else. */
	header[13] = family == AF_INET6 ? 0x21 : 0x11;
	header[14] = 0;
	header[15] = (uint8_t)(2 * width + 4);
	return 16 + 2 * width + 4;
}
