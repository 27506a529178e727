/* SPDX-License-Identifier: MIT */
/*
 * As much of HTTP as a server of one page needs (RFC 9112): what a request asks for, and the head of
 * the answer. All connections are closed behind it.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>

/* The one page. */
#define HTTP_PAGE "/metrics"

/* A request that does not end within so many bytes is refused. */
#define HTTP_REQUEST_MAX 4096

#define HTTP_HEAD_SIZE 512

/* What to do about a request: its status codes, but for the first. */
enum http_verdict {
	HTTP_UNFINISHED = 0,
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_NOT_FOUND = 404,
	HTTP_BAD_METHOD = 405,
	HTTP_TOO_LARGE = 431
};

/* Looks at the bytes that have come, up to HTTP_REQUEST_MAX of them. */
enum http_verdict http_judge(const char *bytes, size_t len);

/* Of a request that is HTTP_OK: whether it says that it takes this type (RFC 9110 12.5.1). */
bool http_accepts(const char *bytes, size_t len, const char *type);

/* The head of the answer, for `len` bytes of this type behind it. Its length. */
size_t http_head(char head[HTTP_HEAD_SIZE], enum http_verdict verdict, const char *type,
		 size_t len);

/* The sentence for whoever asked in another way. Static. */
const char *http_text(enum http_verdict verdict);

#endif
