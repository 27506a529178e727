/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "hostport.h"

/* Digits only: no sign, no blanks, no 0x. */
static bool read_port(const char *text, uint16_t *port)
{
	uint32_t number = 0;
	const char *at;

	for (at = text; *at >= '0' && *at <= '9' && number <= UINT16_MAX; at++)
		number = number * 10 + (uint32_t)(*at - '0');
	*port = (uint16_t)number;
	return at != text && *at == '\0' && number <= UINT16_MAX;
}

bool hostport_parse(const char *text, struct hostport *out)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (colon == NULL || !read_port(colon + 1, &out->port))
		return false;
	out->is_ipv6 = text[0] == '[';
	len = (size_t)(colon - text);
	if (out->is_ipv6) {
		if (len < 2 || text[len - 1] != ']')
			return false;
		text++;
		len -= 2;
	}
	if (len >= sizeof(out->host))
		return false;
	memcpy(out->host, text, len);
	out->host[len] = '\0';
	return true;
}

bool hostport_is_numeric(const struct hostport *hostport)
{
	unsigned char binary[16];

	return inet_pton(hostport->is_ipv6 ? AF_INET6 : AF_INET, hostport->host, binary) == 1;
}

void hostport_text(const struct hostport *hostport, char text[HOSTPORT_TEXT_SIZE])
{
	snprintf(text, HOSTPORT_TEXT_SIZE, hostport->is_ipv6 ? "[%s]:%u" : "%s:%u", hostport->host,
		 (unsigned int)hostport->port);
}
