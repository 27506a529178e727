/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/proxy.h"

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

size_t proxy_header(uint8_t header[PROXY_HEADER_MAX], const char *peer, const char *local)
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
