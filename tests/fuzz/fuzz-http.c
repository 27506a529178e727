/* SPDX-License-Identifier: MIT */
/*
 * What the plugin reads of whoever asks for its page: the same however it is cut, and nothing
 * outside of it.
 */
#include <string.h>

#include "fuzz.h"
#include "server/http.h"

/* Until it has ended, more may come; from there on nothing changes. */
static enum http_verdict judge_in_parts(const char *bytes, size_t len)
{
	enum http_verdict verdict = HTTP_UNFINISHED;
	size_t at;

	for (at = 1; at <= len && verdict == HTTP_UNFINISHED; at++)
		verdict = http_judge(bytes, at);
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char request[HTTP_REQUEST_MAX];
	size_t len = size < sizeof(request) ? size : sizeof(request);
	char head[HTTP_HEAD_SIZE];
	enum http_verdict verdict;

	if (len == 0)
		return 0;
	memcpy(request, data, len);
	verdict = http_judge(request, len);
	MUST(verdict == judge_in_parts(request, len));
	MUST((verdict == HTTP_TOO_LARGE) <= (len == sizeof(request)));
	if (verdict == HTTP_OK) {
		MUST(memcmp(request, "GET /metrics", 12) == 0);
		(void)http_accepts(request, len, "application/openmetrics-text");
	}
	if (verdict != HTTP_UNFINISHED)
		MUST(http_head(head, verdict, "text/plain", size) > 0);
	MUST(strlen(http_text(verdict)) > 0);
	return 0;
}
