/* SPDX-License-Identifier: MIT */
#include "session/url.h"

#include <stdlib.h>
#include <string.h>

/* What follows "SCHEME://"; NULL if the text begins otherwise. Letter case does not count. */
static const char *skip_scheme(const char *text, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(text, scheme, len) != 0 || strncmp(text + len, "://", 3) != 0)
		return NULL;
	return text + len + 3;
}

static const char *skip_our_scheme(const char *text)
{
	const char *rest = skip_scheme(text, "mqtt-quic");

	return rest != NULL ? rest : skip_scheme(text, "quic");
}

/* Whoever has a URL of the broker already has most often one of these. */
static enum mquic_status explain_scheme(const char *text, struct error *error)
{
	static const struct {
		char scheme[8];
		char what[40];
	} others[] = {
		{"mqtt", "MQTT over TCP, without encryption"},
		{"tcp", "MQTT over TCP, without encryption"},
		{"mqtts", "MQTT over TCP and TLS"},
		{"ssl", "MQTT over TCP and TLS"},
		{"tls", "MQTT over TCP and TLS"},
		{"ws", "MQTT over WebSockets"},
		{"wss", "MQTT over WebSockets and TLS"},
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (skip_scheme(text, others[i].scheme) != NULL)
			return error_set(
				error, MQUIC_ERR_INVALID,
				"the URL must start with mqtt-quic:// or quic://: %s:// is "
				"%s, and the port for QUIC is another one, %d unless the "
				"server says otherwise",
				others[i].scheme, others[i].what, MQUIC_PORT);
	return error_set(error, MQUIC_ERR_INVALID,
			 "the URL must start with mqtt-quic:// or quic://");
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
	if (strlen(part->data) != part->len)
		return error_set(error, MQUIC_ERR_INVALID, "the URL has a NUL in it, written %%00");
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
	url->has_port = true;
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
					 "the IPv6 address in the URL lacks its ']': brackets "
					 "go around it");
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
	if (from == end)
		return MQUIC_OK;
	if (*from != ':')
		return error_set(
			error, MQUIC_ERR_INVALID,
			"the host in the URL must be followed by ':' and a port, or nothing");
	return parse_port(url, from + 1, (size_t)(end - from - 1), error);
}

static enum mquic_status parse_server(struct url *url, const char *from, size_t len,
				      struct error *error)
{
	const char *at = memrchr(from, '@', len);
	enum mquic_status status;

	if (at == NULL)
		return parse_host(url, from, len, error);
	status = parse_user(url, from, (size_t)(at - from), error);
	if (status != MQUIC_OK)
		return status;
	return parse_host(url, at + 1, len - (size_t)(at + 1 - from), error);
}

static enum mquic_status explain_rest(struct error *error)
{
	return error_set(error, MQUIC_ERR_INVALID,
			 "the URL of a server ends behind the port; '/', '?' and '#' in a user "
			 "name or password are written %%2F, %%3F and %%23");
}

static enum mquic_status parse(struct url *url, const char *from, bool with_topic,
			       struct error *error)
{
	size_t len = strcspn(from, "/?#");
	const char *rest = from + len;
	enum mquic_status status;

	if (*rest != '\0' && (*rest != '/' || (!with_topic && rest[1] != '\0')))
		return explain_rest(error);
	status = parse_server(url, from, len, error);
	if (status == MQUIC_OK && *rest != '\0' && rest[1] != '\0')
		status = set_part(&url->topic, rest + 1, strlen(rest + 1), error);
	return status;
}

static enum mquic_status parse_all(struct url *url, const char *text, bool with_topic,
				   struct error *error)
{
	const char *from = skip_our_scheme(text);
	enum mquic_status status;

	*url = (struct url){.port = MQUIC_PORT};
	if (from == NULL)
		return explain_scheme(text, error);
	status = parse(url, from, with_topic, error);
	if (status != MQUIC_OK)
		url_clear(url);
	return status;
}

enum mquic_status url_parse_with_topic(struct url *url, const char *text, struct error *error)
{
	return parse_all(url, text, true, error);
}

enum mquic_status url_parse(struct url *url, const char *text, struct error *error)
{
	return parse_all(url, text, false, error);
}

void url_clear(struct url *url)
{
	text_clear(&url->host);
	text_clear(&url->username);
	if (url->password.data != NULL)
		explicit_bzero(url->password.data, url->password.len);
	text_clear(&url->password);
	text_clear(&url->topic);
}

/* ---- For programs ------------------------------------------------------- */

struct mquic_url {
	struct url parts;
	struct error error;
};

enum mquic_status mquic_url_new(struct mquic_url **url)
{
	if (url == NULL)
		return MQUIC_ERR_INVALID;
	*url = calloc(1, sizeof(**url));
	return *url == NULL ? MQUIC_ERR_MEMORY : MQUIC_OK;
}

void mquic_url_free(struct mquic_url *url)
{
	if (url == NULL)
		return;
	url_clear(&url->parts);
	free(url);
}

const char *mquic_url_error(const struct mquic_url *url)
{
	return url == NULL ? "no URL was given" : url->error.text;
}

enum mquic_status mquic_url_parse(struct mquic_url *url, const char *text)
{
	struct url parts;
	enum mquic_status status;

	if (url == NULL)
		return MQUIC_ERR_INVALID;
	if (text == NULL)
		return error_set(&url->error, MQUIC_ERR_INVALID, "the text is NULL");
	status = url_parse_with_topic(&parts, text, &url->error);
	if (status != MQUIC_OK)
		return status;
	url_clear(&url->parts);
	url->parts = parts;
	return MQUIC_OK;
}

const char *mquic_url_host(const struct mquic_url *url)
{
	return url == NULL ? NULL : url->parts.host.data;
}

uint16_t mquic_url_port(const struct mquic_url *url)
{
	return url == NULL || !url->parts.has_port ? 0 : url->parts.port;
}

const char *mquic_url_username(const struct mquic_url *url)
{
	return url == NULL ? NULL : url->parts.username.data;
}

const char *mquic_url_password(const struct mquic_url *url)
{
	return url == NULL ? NULL : url->parts.password.data;
}

const char *mquic_url_topic(const struct mquic_url *url)
{
	return url == NULL ? NULL : url->parts.topic.data;
}
