/* SPDX-License-Identifier: MIT */
#include "session/url.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_scheme(const char *text)
{
	static const char *const schemes[] = {"mqtt-quic://", "quic://"};
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return text + strlen(schemes[i]);
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Resolves percent escapes (RFC 3986 section 2.1) in place; false if one is malformed. */
static bool unescape(struct text *text)
{
	size_t from;
	size_t to = 0;

	for (from = 0; from < text->len; from++, to++) {
		int high;
		int low;

		if (text->data[from] != '%') {
			text->data[to] = text->data[from];
			continue;
		}
		if (from + 2 >= text->len)
			return false;
		high = hex_digit(text->data[from + 1]);
		low = hex_digit(text->data[from + 2]);
		if (high < 0 || low < 0)
			return false;
		text->data[to] = (char)(high * 16 + low);
		from += 2;
	}
	text->data[to] = '\0';
	text->len = to;
	return true;
}

static enum mquic_status set_part(struct text *part, const char *from, size_t len,
				  struct error *error)
{
	if (!text_set(part, from, len))
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	if (!unescape(part))
		return error_set(error, MQUIC_ERR_INVALID,
				 "the URL has a '%%' that is not followed by two hex digits");
	return MQUIC_OK;
}

static enum mquic_status parse_user(struct url *url, const char *from, size_t len,
				    struct error *error)
{
	const char *colon = memchr(from, ':', len);
	size_t name_len = colon == NULL ? len : (size_t)(colon - from);
	enum mquic_status status = set_part(&url->username, from, name_len, error);

	if (status == MQUIC_OK && colon != NULL)
		status = set_part(&url->password, colon + 1, len - name_len - 1, error);
	return status;
}

static enum mquic_status parse_port(struct url *url, const char *from, size_t len,
				    struct error *error)
{
	unsigned long port = 0;
	size_t i;

	for (i = 0; i < len && port <= 65535; i++) {
		if (from[i] < '0' || from[i] > '9')
			break;
		port = port * 10 + (unsigned long)(from[i] - '0');
	}
	if (len == 0 || i < len || port == 0 || port > 65535)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the port in the URL must be a number from 1 to 65535");
	url->port = (uint16_t)port;
	return MQUIC_OK;
}

static enum mquic_status parse_host(struct url *url, const char *from, size_t len,
				    struct error *error)
{
	const char *end = from + len;
	const char *host = from;
	const char *host_end;
	enum mquic_status status;

	if (len > 0 && from[0] == '[') {
		host++;
		host_end = memchr(from, ']', len);
		if (host_end == NULL)
			return error_set(error, MQUIC_ERR_INVALID,
					 "the IPv6 address in the URL lacks its ']'");
		from = host_end + 1;
	} else {
		host_end = memchr(from, ':', len);
		if (host_end == NULL)
			host_end = end;
		from = host_end;
	}
	if (host_end == host)
		return error_set(error, MQUIC_ERR_INVALID, "the URL names no host");
	status = set_part(&url->host, host, (size_t)(host_end - host), error);
	if (status != MQUIC_OK)
		return status;
	if (strlen(url->host.data) != url->host.len)
		return error_set(error, MQUIC_ERR_INVALID, "the host in the URL has a NUL in it");
	if (from == end)
		return MQUIC_OK;
	if (*from != ':')
		return error_set(error, MQUIC_ERR_INVALID,
				 "the host in the URL must be followed by ':' and a port, or nothing");
	return parse_port(url, from + 1, (size_t)(end - from - 1), error);
}

static enum mquic_status parse(struct url *url, const char *from, struct error *error)
{
	size_t len = strcspn(from, "/?#");
	const char *at = memrchr(from, '@', len);
	enum mquic_status status = MQUIC_OK;

	if (from[len] != '\0' && strcmp(from + len, "/") != 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the URL of a server ends behind the port; '/', '?' and '#' in a "
				 "user name or password are written %%2F, %%3F and %%23");
	if (at != NULL) {
		status = parse_user(url, from, (size_t)(at - from), error);
		len -= (size_t)(at + 1 - from);
		from = at + 1;
	}
	return status == MQUIC_OK ? parse_host(url, from, len, error) : status;
}

enum mquic_status url_parse(struct url *url, const char *text, struct error *error)
{
	const char *from = skip_scheme(text);
	enum mquic_status status;

	*url = (struct url){.port = MQUIC_PORT};
	if (from == NULL)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the URL must start with mqtt-quic:// or quic://");
	status = parse(url, from, error);
	if (status != MQUIC_OK)
		url_clear(url);
	return status;
}

void url_clear(struct url *url)
{
	text_clear(&url->host);
	text_clear(&url->username);
	text_clear(&url->password);
}
