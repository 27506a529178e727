/* SPDX-License-Identifier: MIT */
#include "say.h"

#include "hint.h"

#include <limits.h>
#include <mquic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program = "mquic";
static bool quiet_wanted, debug_wanted;

/* Of the option that is being read, if it comes from a file. */
static const char *place_file;
static unsigned int place_line;

void say_set_place(const char *file, unsigned int line)
{
	place_file = file;
	place_line = line;
}

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

/* Names and reasons of peers are in what is said; none of them may end or forge a line. */
static void print_line(FILE *out, const char *format, va_list arguments)
{
	char *line;

	if (vasprintf(&line, format, arguments) < 0) {
		fputs("Out of memory.\n", out);
		return;
	}
	line = hint_options(line);
	fputs(mquic_text_printable(line, strlen(line) + 1, line, MQUIC_NUL_TERMINATED, '\0'), out);
	fputc('\n', out);
	free(line);
}

static void say(const char *prefix, const char *format, va_list arguments)
{
	if (quiet_wanted)
		return;
	/* What was printed before belongs before the error, also when both go to one file. */
	fflush(stdout);
	fputs(prefix, stderr);
	print_line(stderr, format, arguments);
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

	char prefix[PATH_MAX + 64] = "Error: ";

	if (place_file)
		snprintf(prefix, sizeof(prefix), "Error: %s, line %u: ", place_file, place_line);
	va_start(arguments, format);
	say(prefix, format, arguments);
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
	print_line(stdout, format, arguments);
	va_end(arguments);
	fflush(stdout);
}
