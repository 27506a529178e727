/* SPDX-License-Identifier: MIT */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

void log_line(const struct log *log, enum mquic_log_level level, const char *format, ...)
{
	char line[512];
	va_list args;

	if (!log_wants(log, level))
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* Names and reasons of peers are in lines, and a line is one line. */
	text_printable(line, sizeof(line), line, strlen(line));
	log->sink(log->userdata, level, line);
}

void log_step_line(const struct log *log, const char *what, uint64_t number, const char *from,
		   const char *to)
{
	log_debug(log, "%s %llu: %s → %s", what, (unsigned long long)number, from, to);
}

void log_part_step_line(const struct log *log, const char *whole, uint64_t number, const char *part,
			int64_t part_number, const char *from, const char *to)
{
	log_debug(log, "%s %llu: %s %lld: %s → %s", whole, (unsigned long long)number, part,
		  (long long)part_number, from, to);
}

static const char *culprit_text(enum log_culprit culprit)
{
	switch (culprit) {
	case LOG_CALLER:
		return "caller";
	case LOG_PEER:
		return "peer";
	case LOG_SYSTEM:
		return "system";
	case LOG_MQUIC:
		break;
	}
	return "mquic";
}

void log_fault_line(const struct log *log, const char *what, uint64_t number, const char *from,
		    const char *to, enum log_culprit culprit, const char *sentence)
{
	log_debug(log, "%s %llu: %s → %s (%s: %s)", what, (unsigned long long)number, from, to,
		  culprit_text(culprit), sentence);
}
