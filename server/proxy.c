/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "hostport.h"
#include "proxy.h"

/* PP2_TYPE_SSL and what is in it. */
#define TYPE_SSL            0x20
#define SUBTYPE_SSL_VERSION 0x21
#define SUBTYPE_SSL_CIPHER  0x23

/* Bytes of a name of theirs, which fits into PROXY_HEADER_MAX. */
#define TEXT_MAX 32

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

/* What the protocol calls a TLV, the length in two bytes; returns where the next one goes. */
static uint8_t *put_tlv(uint8_t *at, uint8_t type, const char *text)
{
	size_t len = strnlen(text, TEXT_MAX);

	if (len == 0)
		return at;
	at[0] = type;
	at[1] = 0;
	at[2] = (uint8_t)len;
	memcpy(at + 3, text, len);
	return at + 3 + len;
}

/*
 * TLS, without a word about certificates: the plugin tells who a client is. A broker that is to
 * take none but encrypted ones (proxy_protocol_v2_require_tls) needs it. Returns its length.
 */
static size_t put_tls(uint8_t *at, const char *cipher)
{
	static const uint8_t client_ssl = 0x01, not_verified = 1;
	uint8_t *end = at + 8;

	memset(at, 0, 8);
	at[0] = TYPE_SSL;
	at[3] = client_ssl;
	at[7] = not_verified;
	end = put_tlv(end, SUBTYPE_SSL_VERSION, "TLSv1.3");
	end = put_tlv(end, SUBTYPE_SSL_CIPHER, cipher);
	at[2] = (uint8_t)(end - at - 3);
	return (size_t)(end - at);
}

size_t proxy_header(uint8_t header[PROXY_HEADER_MAX], const char *peer, const char *local,
		    const char *cipher)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	bool is_ipv6 = *peer == '[';
	size_t width = is_ipv6 ? 16 : 4;
	uint8_t *at = header + 16;
	size_t len = 2 * width + 4;

	if (!put(peer, is_ipv6, at, at + 2 * width) ||
	    !put(local, is_ipv6, at + width, at + 2 * width + 2))
		return 0;
	len += put_tls(at + len, cipher);
	memcpy(header, signature, sizeof(signature) - 1);
	header[12] = 0x21; /* version 2, PROXY */
	/* Stream, although it was UDP: the broker takes nothing else. */
	header[13] = is_ipv6 ? 0x21 : 0x11;
	header[14] = 0;
	header[15] = (uint8_t)len;
	return 16 + len;
}
