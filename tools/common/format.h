/* SPDX-License-Identifier: MIT */
/* -F of mquic-sub: a format string for messages, in mosquitto_sub's letters. */
#ifndef TOOLS_FORMAT_H
#define TOOLS_FORMAT_H

#include <mquic.h>

#include <stdbool.h>
#include <stdio.h>

/* Whether every sequence is known; says which is not. */
bool format_check(const char *format);
/* Prints a message by a checked format; `pretty`: JSON on several lines. */
void format_print(FILE *out, const char *format, bool pretty, const struct mquic_message *message);

extern const char format_help[];

#endif
