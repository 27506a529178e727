/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

static const char *program = "mquic";
static bool quiet_wanted, debug_wanted;

void say_set_program(const char *name)
{
	program = name;
}

void say_set_quiet(bool quiet)
{
	quiet_wanted = quiet;
}

void say_set_debug(bool debug)
{
	debug_wanted = debug;
}

bool say_is_debug(void)
{
	return debug_wanted;
}

static void say(const char *prefix, const char *format, va_list arguments)
{
	if (quiet_wanted)
		return;
	/* What was printed before belongs before the error, also when both go to one file. */
	fflush(stdout);
	fputs(prefix, stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void say_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("Error: ", format, arguments);
	va_end(arguments);
}

bool say_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("Error: ", format, arguments);
	va_end(arguments);
	if (!quiet_wanted)
		fprintf(stderr, "\nUse '%s --help' to see usage.\n", program);
	return false;
}

void say_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("Warning: ", format, arguments);
	va_end(arguments);
}

void say_debug(const char *format, ...)
{
	va_list arguments;

	if (!debug_wanted)
		return;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}
