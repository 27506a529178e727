/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "broker.h"
#include "log.h"

/* Set before there are lines. */
static enum mquic_log_level limit = MQUIC_LOG_INFO;

void log_limit(enum mquic_log_level level)
{
	limit = level;
}

/* The broker's level for ours; NOTICE is what it uses for clients that come and go. */
static int broker_level(enum mquic_log_level level)
{
	switch (level) {
	case MQUIC_LOG_ERROR:
		return MOSQ_LOG_ERR;
	case MQUIC_LOG_WARNING:
		return MOSQ_LOG_WARNING;
	case MQUIC_LOG_INFO:
		return MOSQ_LOG_NOTICE;
	default:
		return MOSQ_LOG_DEBUG;
	}
}

/* Long enough for what is cut off to be no half of a character. */
#define WHOLE_LINE_SIZE 1024

void log_now(enum mquic_log_level level, const char *format, ...)
{
	char line[WHOLE_LINE_SIZE];
	va_list arguments;

	if (level > limit)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	mquic_text_printable(line, sizeof(line), line, MQUIC_NUL_TERMINATED, 0);
	mosquitto_log_printf(broker_level(level), "%s", line);
}
