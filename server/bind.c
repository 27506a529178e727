/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bind.h"

/* Numbers only, and a zone behind them: nobody is asked. */
static struct addrinfo *look_up(const struct hostport *hostport)
{
	const struct addrinfo hints = {
		.ai_family = hostport->is_ipv6 ? AF_INET6 : AF_INET,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	char port[8];

	snprintf(port, sizeof(port), "%u", (unsigned int)hostport->port);
	if (getaddrinfo(hostport->host, port, &hints, &found) == 0)
		return found;
	errno = EADDRNOTAVAIL;
	return NULL;
}

/* IPv4 has addresses of its own to listen on. */
static bool bind_to(int fd, const struct addrinfo *address)
{
	static const int on = 1;

	if (address->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return false;
	return bind(fd, address->ai_addr, address->ai_addrlen) == 0;
}

int bind_udp(const struct hostport *hostport)
{
	struct addrinfo *address = look_up(hostport);
	int fd, code;

	if (address == NULL)
		return -1;
	fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	if (fd >= 0 && !bind_to(fd, address)) {
		code = errno;
		close(fd);
		fd = -1;
		errno = code;
	}
	freeaddrinfo(address);
	return fd;
}
