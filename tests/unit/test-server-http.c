/* SPDX-License-Identifier: MIT */
/* Requests for the one page, and what is none. */
#include <stdio.h>
#include <string.h>

#include "server/http.h"
#include "unit.h"

#define TYPE "application/openmetrics-text"

static enum http_verdict judge(const char *text)
{
	return http_judge(text, strlen(text));
}

static bool accepts(const char *text)
{
	ck_assert_int_eq(judge(text), HTTP_OK);
	return http_accepts(text, strlen(text), TYPE);
}

START_TEST(page_is_there_for_get)
{
	ck_assert_int_eq(judge("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_OK);
	ck_assert_int_eq(judge("GET /metrics HTTP/1.0\r\n\r\n"), HTTP_OK);
	ck_assert_int_eq(judge("GET /metrics HTTP/1.1\n\n"), HTTP_OK);
	ck_assert_int_eq(judge("GET /metrics?name[]=x HTTP/1.1\r\n\r\n"), HTTP_OK);
	ck_assert_int_eq(judge("GET /metrics HTTP/1.1\r\n\r\nand a body"), HTTP_OK);
}
END_TEST

START_TEST(nothing_else_is)
{
	ck_assert_int_eq(judge("GET / HTTP/1.1\r\n\r\n"), HTTP_NOT_FOUND);
	ck_assert_int_eq(judge("GET /metrics/ HTTP/1.1\r\n\r\n"), HTTP_NOT_FOUND);
	ck_assert_int_eq(judge("GET /../metrics HTTP/1.1\r\n\r\n"), HTTP_NOT_FOUND);
	ck_assert_int_eq(judge("GET /metric HTTP/1.1\r\n\r\n"), HTTP_NOT_FOUND);
	ck_assert_int_eq(judge("HEAD /metrics HTTP/1.1\r\n\r\n"), HTTP_BAD_METHOD);
	ck_assert_int_eq(judge("POST /metrics HTTP/1.1\r\n\r\n"), HTTP_BAD_METHOD);
	ck_assert_int_eq(judge("GETS /metrics HTTP/1.1\r\n\r\n"), HTTP_BAD_METHOD);
}
END_TEST

START_TEST(garbage_is_refused)
{
	static const char nuls[] = "GET /metrics\0 HTTP/1.1\r\n\r\n";

	ck_assert_int_eq(judge("\x16\x03\x01"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("get /metrics HTTP/1.1\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge(" GET /metrics HTTP/1.1\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("G\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("GET /metrics\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("GET /metrics HTTP/2.0\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("GET /metrics HTTP/1.10\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("GET /metrics  HTTP/1.1\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(judge("PRI * HTTP/2.0\r\n\r\n"), HTTP_BAD_REQUEST);
	ck_assert_int_eq(http_judge(nuls, sizeof(nuls) - 1), HTTP_NOT_FOUND);
}
END_TEST

START_TEST(request_has_an_end_and_a_limit)
{
	static char filler[HTTP_REQUEST_MAX];
	static const char whole[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	size_t i;

	ck_assert_int_eq(http_judge(whole, 0), HTTP_UNFINISHED);
	for (i = 1; i < sizeof(whole) - 1; i++)
		ck_assert_int_eq(http_judge(whole, i), HTTP_UNFINISHED);
	memset(filler, 'A', sizeof(filler));
	ck_assert_int_eq(http_judge(filler, sizeof(filler) - 1), HTTP_UNFINISHED);
	ck_assert_int_eq(http_judge(filler, sizeof(filler)), HTTP_TOO_LARGE);
	memset(filler, '\n', sizeof(filler));
	ck_assert_int_eq(http_judge(filler, sizeof(filler)), HTTP_BAD_REQUEST);
}
END_TEST

START_TEST(types_that_are_taken_are_found)
{
	ck_assert(accepts("GET /metrics HTTP/1.1\r\nAccept: " TYPE "\r\n\r\n"));
	ck_assert(accepts("GET /metrics HTTP/1.1\r\nHost: x\r\naccept:text/html;q=0.1,  " TYPE
			  ";version=1.0.0;q=0.5\r\n\r\n"));
	ck_assert(accepts("GET /metrics HTTP/1.1\r\nAccept: a/b\r\n"
			  "ACCEPT: Application/OpenMetrics-Text\r\n\r\n"));
	ck_assert(!accepts("GET /metrics HTTP/1.1\r\n\r\n"));
	ck_assert(!accepts("GET /metrics HTTP/1.1\r\nAccept: */*\r\n\r\n"));
	ck_assert(!accepts("GET /metrics HTTP/1.1\r\nAccept-Encoding: " TYPE "\r\n\r\n"));
	ck_assert(!accepts("GET /metrics HTTP/1.1\r\nAccept\r\n\r\n"));
	ck_assert(!accepts("GET /metrics HTTP/1.1\r\nX: a;b=" TYPE "\r\n\r\n"));
}
END_TEST

START_TEST(heads_are_whole)
{
	static const enum http_verdict all[] = {HTTP_OK, HTTP_BAD_REQUEST, HTTP_NOT_FOUND,
						HTTP_BAD_METHOD, HTTP_TOO_LARGE};
	char head[HTTP_HEAD_SIZE];
	char first[32];
	size_t i;

	for (i = 0; i < COUNT(all); i++) {
		size_t len = http_head(head, all[i], "text/plain", SIZE_MAX);

		ck_assert_uint_eq(len, strlen(head));
		ck_assert_str_eq(head + len - 4, "\r\n\r\n");
		snprintf(first, sizeof(first), "HTTP/1.1 %d ", (int)all[i]);
		ck_assert_mem_eq(head, first, strlen(first));
		ck_assert_ptr_nonnull(strstr(head, "\r\nConnection: close\r\n"));
		ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 18446744073709551615\r\n"));
		ck_assert((strstr(head, "Allow: GET\r\n") != NULL) == (all[i] == HTTP_BAD_METHOD));
	}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&page_is_there_for_get,
		&nothing_else_is,
		&garbage_is_refused,
		&request_has_an_end_and_a_limit,
		&types_that_are_taken_are_found,
		&heads_are_whole,
	};

	return unit_run("server-http", NULL, NULL, tests, COUNT(tests));
}
