/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "complain.h"

bool complain(const char *format, ...)
{
	va_list args;

	(void)fputs("mquic-keygen: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return false;
}
