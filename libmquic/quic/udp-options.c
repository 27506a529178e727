/* SPDX-License-Identifier: MIT */
#include "quic/udp-options.h"

#include <netinet/udp.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define LISTEN_BUFFER    4194304
#define CONNECTED_BUFFER 1048576

/* Each is an improvement that QUIC can do without on a kernel that lacks it. */
static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

void udp_options_keep_ipv4_out(int fd)
{
	(void)set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

static bool is_wildcard(const struct address *address)
{
	if (address->of.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&address->of.in6.sin6_addr);
	return address->of.in.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool udp_options_set(int fd, const struct address *local, bool connected)
{
	bool v6 = local->of.any.sa_family == AF_INET6;
	int buffer = connected ? CONNECTED_BUFFER : LISTEN_BUFFER;

	(void)set(fd, SOL_SOCKET, SO_RCVBUF, buffer);
	(void)set(fd, SOL_SOCKET, SO_SNDBUF, buffer);
	(void)set(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (v6) {
		(void)set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		(void)set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	} else {
		(void)set(fd, IPPROTO_IP, IP_RECVTOS, 1);
		(void)set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	}
	/* A host of one address answers from the right one without being told which. */
	return !connected && is_wildcard(local) &&
	       set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
}
