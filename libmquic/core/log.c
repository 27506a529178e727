/* SPDX-License-Identifier: MIT */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_line(const struct log *log, enum mquic_log_level level, const char *format, ...)
{
	char line[512];
	va_list args;

	if (log->sink == NULL || level > log->level)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log->sink(log->userdata, level, line);
}
