/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include "../common/clock.h"
#include "../common/options.h"
#include "../common/say.h"
#include "pipe.h"
#include "watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG      128
#define ACCEPT_BURST 64
#define PAUSE_MS     1000

struct listener {
	struct watcher watcher;
	struct tunnel *tunnel;
	struct listener *next;
	int fd;
};

/* ---- addresses ----------------------------------------------------------- */

static void name_address(const struct sockaddr *address, socklen_t len, char *name, size_t size)
{
	char host[ADDRESS_NAME - 10], port[8];

	if (getnameinfo(address, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(name, size, "an unknown address");
	else if (address->sa_family == AF_INET6)
		snprintf(name, size, "[%s]:%s", host, port);
	else
		snprintf(name, size, "%s:%s", host, port);
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

/*
 * Splits "host:port", "[host]:port" and "port" in place; NULL host: none was given. Not a URL's
 * host and port: there what stands alone is the host.
 */
static bool split(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	*host = NULL;
	*port = text;
	if (!colon)
		return true;
	*colon = '\0';
	*port = colon + 1;
	*host = text;
	if (*text == '[') {
		if (colon == text + 1 || colon[-1] != ']')
			return false;
		colon[-1] = '\0';
		(*host)++;
		return **host != '\0';
	}
	/* An IPv6 address without brackets would lose its last part to the port. */
	return *text != '\0' && !strchr(text, ':');
}

/* ---- accepting ----------------------------------------------------------- */

static void watch_all(struct tunnel *tunnel, uint32_t events)
{
	for (struct listener *each = tunnel->listeners; each; each = each->next)
		watcher_change(tunnel, each->fd, &each->watcher, events);
}

/* Out of descriptors: a level-triggered listener would spin. A pipe's end shortens the pause. */
static void pause_all(struct tunnel *tunnel, int error)
{
	if (!tunnel->short_of_files)
		say_warning(
			"Cannot accept: %s. Waiting until one is free; `ulimit -n` allows more.",
			strerror(error));
	tunnel->short_of_files = true;
	tunnel->accept_again_ms = clock_ms() + PAUSE_MS;
	watch_all(tunnel, 0);
}

void listener_resume(struct tunnel *tunnel)
{
	if (tunnel->accept_again_ms == 0 || clock_ms() < tunnel->accept_again_ms)
		return;
	tunnel->accept_again_ms = 0;
	watch_all(tunnel, EPOLLIN);
}

static void admit(struct tunnel *tunnel, int fd, const char *name)
{
	if (tunnel->connections < tunnel->max_connections) {
		pipe_open(tunnel, fd, name);
		return;
	}
	say_warning("%s: refused, %u connections are open already (--max-connections).", name,
		    tunnel->connections);
	close(fd);
}

static void accept_clients(struct watcher *watcher, uint32_t events)
{
	struct listener *listener = (struct listener *)watcher;

	(void)events;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);
		char name[ADDRESS_NAME];
		int fd = accept4(listener->fd, (struct sockaddr *)&address, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
			pause_all(listener->tunnel, errno);
		else if (fd < 0)
			listener->tunnel->short_of_files = false;
		if (fd < 0)
			return;
		name_address((struct sockaddr *)&address, len, name, sizeof(name));
		admit(listener->tunnel, fd, name);
	}
}

/* ---- opening ------------------------------------------------------------- */

static int open_socket(const struct addrinfo *info)
{
	int on = 1;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

/* Says where it listens, with the port the system chose if it was 0. */
static void announce(const struct tunnel *tunnel, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char name[ADDRESS_NAME];

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return;
	name_address((struct sockaddr *)&address, len, name, sizeof(name));
	printf("Listening on %s, for %s port %u\n", name, tunnel->host, tunnel->port);
	fflush(stdout);
	if (!is_loopback((struct sockaddr *)&address))
		say_warning("%s is not a loopback address: what MQTT clients send there, passwords "
			    "included, travels unencrypted.",
			    name);
}

static bool add(struct tunnel *tunnel, const struct addrinfo *info, const char *where)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener) {
		say_error("Out of memory.");
		return false;
	}
	listener->watcher.ready = accept_clients;
	listener->tunnel = tunnel;
	listener->fd = open_socket(info);
	if (listener->fd < 0) {
		say_error("Cannot listen on %s: %s.", where, strerror(errno));
		free(listener);
		return false;
	}
	listener->next = tunnel->listeners;
	tunnel->listeners = listener;
	announce(tunnel, listener->fd);
	return watcher_add(tunnel, listener->fd, &listener->watcher, EPOLLIN);
}

static bool resolve(char *text, const char *where, struct addrinfo **list)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
	char *host, *port;
	uint32_t number;
	int error;

	if (!split(text, &host, &port) || !options_number(port, 0, 65535, &number))
		return say_usage("--listen takes ADDRESS:PORT, [IPv6 ADDRESS]:PORT or PORT, not "
				 "'%s'.",
				 where);
	if (!host || strspn(host, "0123456789abcdefABCDEF.:") == strlen(host))
		hints.ai_flags &= ~AI_ADDRCONFIG;
	error = getaddrinfo(host ? host : "127.0.0.1", port, &hints, list);
	if (error == 0)
		return true;
	say_error("Cannot listen on %s: %s.", where, gai_strerror(error));
	return false;
}

bool listener_open(struct tunnel *tunnel, const char *where)
{
	struct addrinfo *list = NULL;
	char *text = strdup(where);
	bool good = text && resolve(text, where, &list);

	for (struct addrinfo *info = list; good && info; info = info->ai_next)
		good = add(tunnel, info, where);
	if (list)
		freeaddrinfo(list);
	free(text);
	return good;
}

void listener_free_all(struct tunnel *tunnel)
{
	while (tunnel->listeners) {
		struct listener *listener = tunnel->listeners;

		tunnel->listeners = listener->next;
		close(listener->fd);
		free(listener);
	}
}
