/* SPDX-License-Identifier: MIT */
#include "quic/handed.h"

#include "core/address.h"

static int ask(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, option, &value, &len) == 0 ? value : -1;
}

static bool is_udp(int fd)
{
	int domain = ask(fd, SOL_SOCKET, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) &&
	       ask(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP;
}

static bool is_bound(int fd)
{
	struct address local = {.len = sizeof(local.of)};

	return getsockname(fd, &local.of.any, &local.len) == 0 && address_port(&local) != 0;
}

static bool is_connected(int fd)
{
	struct address remote = {.len = sizeof(remote.of)};

	return getpeername(fd, &remote.of.any, &remote.len) == 0;
}

/* Limits for an address would take all of IPv4 for one place. */
static bool takes_both(int fd)
{
	struct address local = {.len = sizeof(local.of)};
	const struct in6_addr *bound = &local.of.in6.sin6_addr;

	return ask(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0 &&
	       getsockname(fd, &local.of.any, &local.len) == 0 &&
	       (IN6_IS_ADDR_UNSPECIFIED(bound) || IN6_IS_ADDR_V4MAPPED(bound));
}

static const char *objection(int fd)
{
	if (!is_udp(fd))
		return "is no UDP socket of IPv4 or IPv6";
	if (!is_bound(fd))
		return "is not bound: bind() it first";
	if (is_connected(fd))
		return "is connected to one peer, and a server has many: leave connect() away";
	if (takes_both(fd))
		return "takes IPv4 as well: set IPV6_V6ONLY before bind(), in a unit of systemd "
		       "BindIPv6Only=ipv6-only, and have another one for IPv4";
	return NULL;
}

enum mquic_status handed_check(int fd, struct error *error)
{
	const char *why = objection(fd);

	if (why == NULL)
		return MQUIC_OK;
	return error_set(error, MQUIC_ERR_INVALID, "cannot listen: descriptor %d %s", fd, why);
}
