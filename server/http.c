/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http.h"

/* A part of the request. */
struct piece {
	const char *at;
	size_t len;
};

static bool equals(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && memcmp(piece.at, text, piece.len) == 0;
}

/* Cuts off what is before the next `mark`, which is left out; all of it if there is none. */
static struct piece cut(struct piece *rest, char mark)
{
	const char *end = rest->len == 0 ? NULL : memchr(rest->at, mark, rest->len);
	struct piece piece = *rest;

	if (end == NULL) {
		rest->at += rest->len;
		rest->len = 0;
		return piece;
	}
	piece.len = (size_t)(end - rest->at);
	rest->at = end + 1;
	rest->len -= piece.len + 1;
	return piece;
}

/* A line, without what ends it: CR is not demanded (RFC 9112 2.2). */
static struct piece cut_line(struct piece *rest)
{
	struct piece line = cut(rest, '\n');

	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* ---- What is asked for ----------------------------------------------------------------- */

static bool has_ended(struct piece rest)
{
	bool ended = false;

	while (!ended && rest.len > 0 && memchr(rest.at, '\n', rest.len) != NULL)
		ended = cut_line(&rest).len == 0;
	return ended;
}

static enum http_verdict judge_line(struct piece line)
{
	struct piece method = cut(&line, ' ');
	struct piece target = cut(&line, ' ');
	struct piece page = cut(&target, '?');

	if (line.len != 8 || memcmp(line.at, "HTTP/1.", 7) != 0 || method.len == 0)
		return HTTP_BAD_REQUEST;
	if (!equals(method, "GET"))
		return HTTP_BAD_METHOD;
	return equals(page, HTTP_PAGE) ? HTTP_OK : HTTP_NOT_FOUND;
}

enum http_verdict http_judge(const char *bytes, size_t len)
{
	struct piece rest = {bytes, len};

	/* TLS and the like, whose end nobody could tell. */
	if (len > 0 && (bytes[0] < 'A' || bytes[0] > 'Z'))
		return HTTP_BAD_REQUEST;
	if (has_ended(rest))
		return judge_line(cut_line(&rest));
	return len < HTTP_REQUEST_MAX ? HTTP_UNFINISHED : HTTP_TOO_LARGE;
}

/* Types are compared without regard to case, and stand between commas, with parameters. */
static bool lists(struct piece value, const char *type)
{
	size_t len = strlen(type);

	while (value.len > 0) {
		struct piece one = cut(&value, ',');
		struct piece name = cut(&one, ';');

		while (name.len > 0 && (name.at[0] == ' ' || name.at[0] == '\t')) {
			name.at++;
			name.len--;
		}
		if (name.len >= len && strncasecmp(name.at, type, len) == 0)
			return true;
	}
	return false;
}

bool http_accepts(const char *bytes, size_t len, const char *type)
{
	static const char field[] = "accept";
	struct piece rest = {bytes, len};

	(void)cut_line(&rest);
	while (rest.len > 0) {
		struct piece value = cut_line(&rest);
		struct piece name = cut(&value, ':');

		if (name.len == sizeof(field) - 1 && strncasecmp(name.at, field, name.len) == 0 &&
		    lists(value, type))
			return true;
	}
	return false;
}

/* ---- The answer ------------------------------------------------------------------------ */

static const char *reason(enum http_verdict verdict)
{
	switch (verdict) {
	case HTTP_OK:
		return "OK";
	case HTTP_NOT_FOUND:
		return "Not Found";
	case HTTP_BAD_METHOD:
		return "Method Not Allowed";
	case HTTP_TOO_LARGE:
		return "Request Header Fields Too Large";
	default:
		return "Bad Request";
	}
}

size_t http_head(char head[HTTP_HEAD_SIZE], enum http_verdict verdict, const char *type, size_t len)
{
	int size = snprintf(head, HTTP_HEAD_SIZE,
			    "HTTP/1.1 %d %s\r\n"
			    "Content-Type: %s\r\n"
			    "Content-Length: %zu\r\n"
			    "Cache-Control: no-store\r\n"
			    "X-Content-Type-Options: nosniff\r\n"
			    "%s"
			    "Connection: close\r\n\r\n",
			    (int)verdict, reason(verdict), type, len,
			    verdict == HTTP_BAD_METHOD ? "Allow: GET\r\n" : "");

	return size > 0 && size < HTTP_HEAD_SIZE ? (size_t)size : 0;
}

const char *http_text(enum http_verdict verdict)
{
	switch (verdict) {
	case HTTP_NOT_FOUND:
		return "There is nothing here but " HTTP_PAGE ".\n";
	case HTTP_BAD_METHOD:
		return HTTP_PAGE " can be read with GET, and nothing else.\n";
	case HTTP_TOO_LARGE:
		return "The head of the request is too long.\n";
	default:
		return "This is no request of HTTP/1.1.\n";
	}
}
