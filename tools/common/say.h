/* SPDX-License-Identifier: MIT */
/*
 * What the tools tell people: errors and warnings on standard error, unless --quiet; debug
 * lines on standard output, with -d. What is said is one line, whatever a peer has put into it;
 * a text of a peer within quotes is to go through mquic_text_printable() with that quote before.
 */
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include <stdbool.h>

/* "mquic-pub" and the like; names the program in the hint behind a usage error. */
void say_set_program(const char *name);
void say_set_quiet(bool quiet);
void say_set_debug(bool debug);
bool say_is_debug(void);

/* Where options come from, put in front of usage errors: a file and a line. NULL: no file. */
void say_set_place(const char *file, unsigned int line);

/* "Error: " and the sentence. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Like say_error(), and where to read about options; false, so that a parser can return it. */
bool say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
