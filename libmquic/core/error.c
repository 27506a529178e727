/* SPDX-License-Identifier: MIT */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

/* Names and reasons of peers are in sentences, and a sentence is one line. */
static void keep_to_one_line(struct error *error)
{
	text_printable(error->text, sizeof(error->text), error->text, strlen(error->text));
}

enum mquic_status error_set(struct error *error, enum mquic_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	keep_to_one_line(error);
	return status;
}

enum mquic_status error_say(struct error *error, enum mquic_status status, const char *sentence)
{
	size_t len = strnlen(sentence, sizeof(error->text) - 1);

	memcpy(error->text, sentence, len);
	error->text[len] = '\0';
	return status;
}

/* strerror_r() returns the text on GNU, where it may leave the buffer alone, ... */
static const char *text_of_gnu(const char *text, const char *buffer)
{
	(void)buffer;
	return text;
}

/* ... and a number by POSIX. */
static const char *text_of_posix(int code, const char *buffer)
{
	return code == 0 ? buffer : "unknown error";
}

enum mquic_status error_set_system(struct error *error, int code, const char *format, ...)
{
	char buffer[96];
	const char *said;
	size_t used;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	used = strlen(error->text);
	said = _Generic(strerror_r(code, buffer, sizeof(buffer)), int
			: text_of_posix, default
			: text_of_gnu)(strerror_r(code, buffer, sizeof(buffer)), buffer);
	(void)snprintf(error->text + used, sizeof(error->text) - used, ": %s", said);
	keep_to_one_line(error);
	return MQUIC_ERR_SYSTEM;
}

const char *mquic_status_text(enum mquic_status status)
{
	switch (status) {
	case MQUIC_OK:
		return "done";
	case MQUIC_ERR_AGAIN:
		return "try again later";
	case MQUIC_ERR_INVALID:
		return "invalid argument";
	case MQUIC_ERR_STATE:
		return "not possible in this state";
	case MQUIC_ERR_MEMORY:
		return "out of memory";
	case MQUIC_ERR_SYSTEM:
		return "the operating system refused";
	case MQUIC_ERR_CLOSED:
		return "closed";
	case MQUIC_ERR_TOO_LARGE:
		return "too large";
	case MQUIC_ERR_TLS:
		return "certificate, key or TLS failure";
	case MQUIC_ERR_RESOLVE:
		return "host name not found";
	case MQUIC_ERR_REFUSED:
		return "refused by the peer";
	case MQUIC_ERR_PROTOCOL:
		return "protocol violation by the peer";
	case MQUIC_ERR_TIMEOUT:
		return "timed out";
	case MQUIC_ERR_LIMIT:
		return "limit reached";
	case MQUIC_ERR_UNSUPPORTED:
		return "not in this build of libmquic";
	case MQUIC_ERR_FORKED:
		return "made before fork(), it belongs to the parent process";
	}
	return "unknown status";
}

const char *mquic_version(void)
{
	return MQUIC_VERSION_STRING;
}
