/* SPDX-License-Identifier: MIT */
#include "url.h"

#include "options.h"
#include "say.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const schemes[] = {"mqtt-quic://", "quic://"};

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Decodes %XX in place; NULL if it is malformed or stands for a NUL. */
static char *decode(char *text)
{
	char *out = text;

	for (char *in = text; *in; in++, out++) {
		*out = *in;
		if (*in != '%')
			continue;
		if (!isxdigit((unsigned char)in[1]) || !isxdigit((unsigned char)in[2]))
			return NULL;
		*out = (char)(hex_digit(in[1]) * 16 + hex_digit(in[2]));
		if (*out == '\0')
			return NULL;
		in += 2;
	}
	*out = '\0';
	return text;
}

/* Cuts `text` at the first or last `mark`; returns what is behind it, NULL if there is none. */
static char *cut(char *text, char mark, bool last)
{
	char *found = last ? strrchr(text, mark) : strchr(text, mark);

	if (!found)
		return NULL;
	*found = '\0';
	return found + 1;
}

/* Schemes are the same in capitals (RFC 3986 section 3.1). */
static const char *skip_scheme(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return text + strlen(schemes[i]);
	return NULL;
}

/* "host", "host:port", "[::1]", "[::1]:port". Returns what is wrong, NULL if nothing. */
static const char *parse_host(struct url *url, char *text)
{
	char *port;
	uint32_t number;

	if (*text == '[') {
		char *rest = cut(++text, ']', false);

		if (!rest || (*rest && *rest != ':'))
			return "the address in brackets is malformed";
		port = *rest ? rest + 1 : NULL;
	} else {
		port = cut(text, ':', false);
	}
	if (port && !options_number(port, 1, 65535, &number))
		return "the port is not a number from 1 to 65535";
	url->port = port ? (uint16_t)number : 0;
	url->host = decode(text);
	return url->host && *url->host ? NULL : "the host is missing";
}

static const char *parse_user(struct url *url, char *text)
{
	char *password = cut(text, ':', false);

	url->username = decode(text);
	if (password)
		url->password = decode(password);
	return url->username && (!password || url->password) ? NULL : "a % escape is malformed";
}

static const char *parse(struct url *url)
{
	char *host = url->text;
	char *topic = cut(host, '/', false);
	char *behind_user = cut(host, '@', true);
	const char *problem = NULL;

	if (topic && *topic) {
		url->topic = decode(topic);
		if (!url->topic)
			return "a % escape is malformed";
	}
	if (behind_user) {
		problem = parse_user(url, host);
		host = behind_user;
	}
	return problem ? problem : parse_host(url, host);
}

bool url_parse(struct url *url, const char *option, const char *text)
{
	const char *rest = skip_scheme(text);
	const char *problem;

	memset(url, 0, sizeof(*url));
	if (!rest)
		return say_usage("%s takes a URL that begins with mqtt-quic:// or quic://.",
				 option);
	url->text = strdup(rest);
	problem = url->text ? parse(url) : "out of memory";
	if (problem)
		return say_usage("%s: %s. Expected mqtt-quic://[user[:password]@]host[:port]"
				 "[/topic].",
				 option, problem);
	return true;
}

void url_blank_password(char *text)
{
	char *start = (char *)skip_scheme(text);
	char *host = start + strcspn(start, "/");
	char *password;

	while (host > start && *host != '@')
		host--;
	password = memchr(start, ':', (size_t)(host - start));
	if (password)
		memset(password + 1, 'x', (size_t)(host - password - 1));
}

void url_free(struct url *url)
{
	free(url->text);
	memset(url, 0, sizeof(*url));
}
