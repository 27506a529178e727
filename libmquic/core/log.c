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

	if (log->sink == NULL || level > log->level)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* Names and reasons of peers are in lines, and a line is one line. */
	text_printable(line, sizeof(line), line, strlen(line));
	log->sink(log->userdata, level, line);
}
