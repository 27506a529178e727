/* SPDX-License-Identifier: MIT */
#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

/* An IPv4 address in IPv6's clothes (RFC 4291 section 2.5.5.2); our IPv6 sockets carry none. */
static void undress(struct address *address)
{
	struct sockaddr_in plain = {.sin_family = AF_INET};

	if (address->of.any.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&address->of.in6.sin6_addr))
		return;
	plain.sin_port = address->of.in6.sin6_port;
	memcpy(&plain.sin_addr, &address->of.in6.sin6_addr.s6_addr[12], 4);
	memset(address, 0, sizeof(*address));
	address->of.in = plain;
	address->len = sizeof(plain);
}

static bool set(struct address *address, const struct sockaddr *from, socklen_t len)
{
	if (len > sizeof(address->of))
		return false;
	memset(address, 0, sizeof(*address));
	memcpy(&address->of, from, len);
	address->len = len;
	undress(address);
	return true;
}

static int lookup(struct addrinfo **found, const char *host, uint16_t port, int flags)
{
	const struct addrinfo hints = {
		.ai_flags = flags | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_protocol = IPPROTO_UDP,
	};
	char service[8];

	(void)snprintf(service, sizeof(service), "%u", (unsigned int)port);
	return getaddrinfo(host, service, &hints, found);
}

enum mquic_status address_parse(struct address *address, const char *text, uint16_t port,
				struct error *error)
{
	struct addrinfo *found = NULL;
	bool ok;

	if (lookup(&found, text, port, AI_NUMERICHOST) != 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "'%s' is not a numeric IPv4 or IPv6 address", text);
	ok = set(address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return ok ? MQUIC_OK : error_set(error, MQUIC_ERR_INVALID, "'%s' is too long", text);
}

/* The first of a family from there on, or of any other. */
static const struct addrinfo *skip(const struct addrinfo *from, int family, bool other)
{
	while (from != NULL && (from->ai_family != family) != other)
		from = from->ai_next;
	return from;
}

static void take(struct addresses *found, const struct addrinfo **next, int family, bool other)
{
	const struct addrinfo *taken = *next;

	if (taken == NULL || found->count == ADDRESS_CANDIDATES)
		return;
	if (set(&found->list[found->count], taken->ai_addr, taken->ai_addrlen))
		found->count++;
	*next = skip(taken->ai_next, family, other);
}

/* Before some are left out: many addresses of one family must not crowd out the other. */
static void take_turns(struct addresses *found, const struct addrinfo *list)
{
	int family = list != NULL ? list->ai_family : AF_UNSPEC;
	const struct addrinfo *same = skip(list, family, false);
	const struct addrinfo *other = skip(list, family, true);

	found->count = 0;
	while ((same != NULL || other != NULL) && found->count < ADDRESS_CANDIDATES) {
		take(found, &same, family, false);
		take(found, &other, family, true);
	}
}

int address_find(struct addresses *found, const char *host, uint16_t port)
{
	struct addrinfo *list = NULL;
	int code = lookup(&list, host, port, 0);

	found->count = 0;
	if (code != 0)
		return code;
	take_turns(found, list);
	freeaddrinfo(list);
	return 0;
}

void address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN];
	bool v6 = address->of.any.sa_family == AF_INET6;
	const void *bytes = v6 ? (const void *)&address->of.in6.sin6_addr
			       : (const void *)&address->of.in.sin_addr;

	text[0] = '\0';
	if (address->len == 0 ||
	    inet_ntop(address->of.any.sa_family, bytes, host, sizeof(host)) == NULL)
		return;
	(void)snprintf(text, ADDRESS_TEXT_SIZE, v6 ? "[%s]:%u" : "%s:%u", host,
		       (unsigned int)address_port(address));
}

bool address_same_host(const struct address *a, const struct address *b)
{
	if (a->of.any.sa_family != b->of.any.sa_family)
		return false;
	if (a->of.any.sa_family == AF_INET)
		return a->of.in.sin_addr.s_addr == b->of.in.sin_addr.s_addr;
	return memcmp(&a->of.in6.sin6_addr, &b->of.in6.sin6_addr, sizeof(struct in6_addr)) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_same_host(a, b) && address_port(a) == address_port(b);
}

uint16_t address_port(const struct address *address)
{
	return ntohs(address->of.any.sa_family == AF_INET6 ? address->of.in6.sin6_port
							   : address->of.in.sin_port);
}

size_t address_prefix(const struct address *address, uint8_t prefix[ADDRESS_PREFIX_MAX])
{
	if (address->of.any.sa_family == AF_INET6) {
		prefix[0] = 6;
		memcpy(prefix + 1, &address->of.in6.sin6_addr, 8);
		return 9;
	}
	prefix[0] = 4;
	memcpy(prefix + 1, &address->of.in.sin_addr, 4);
	return 5;
}
