/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "hostport.h"
#include "proxy.h"

/* Puts both halves where the header has them; an IPv6 zone ("%eth0") has no place in it. */
static bool put(const char *text, bool is_ipv6, uint8_t *address, uint8_t *port)
{
	struct hostport hostport;

	if (!hostport_parse(text, &hostport) || hostport.is_ipv6 != is_ipv6)
		return false;
	hostport.host[strcspn(hostport.host, "%")] = '\0';
	port[0] = (uint8_t)(hostport.port >> 8);
	port[1] = (uint8_t)hostport.port;
	return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, hostport.host, address) == 1;
}

size_t proxy_header(uint8_t header[PROXY_HEADER_MAX], const char *peer, const char *local)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	bool is_ipv6 = *peer == '[';
	size_t width = is_ipv6 ? 16 : 4;
	uint8_t *at = header + 16;

	if (!put(peer, is_ipv6, at, at + 2 * width) ||
	    !put(local, is_ipv6, at + width, at + 2 * width + 2))
		return 0;
	memcpy(header, signature, sizeof(signature) - 1);
	header[12] = 0x21; /* version 2, PROXY */
	/* Stream, although it was UDP: the broker takes nothing else. */
	header[13] = is_ipv6 ? 0x21 : 0x11;
	header[14] = 0;
	header[15] = (uint8_t)(2 * width + 4);
	return 16 + 2 * width + 4;
}
