/* SPDX-License-Identifier: MIT */
/* A terminal that shows the same thing again and again, as it is by then. */
#ifndef TOOLS_STATUS_SCREEN_H
#define TOOLS_STATUS_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

/* Whether `out` is one that can be drawn on; a file, a pipe and a dumb terminal get lines. */
bool screen_is(FILE *out);

/*
 * Draws a text of whole lines over what was drawn before: as much as there is room for, and always
 * its last line. `first`: the place is made empty.
 */
void screen_draw(FILE *out, const char *text, bool first);

#endif
