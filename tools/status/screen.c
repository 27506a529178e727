/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "status/screen.h"

/* What all terminals of today understand (ECMA-48), and that long lines are cut off. */
#define CLEAR     "\033[H\033[2J"
#define HOME      "\033[H"
#define LINE_REST "\033[K"
#define REST      "\033[J"
#define NO_WRAP   "\033[?7l"
#define WRAP      "\033[?7h"

#define DEFAULT_ROWS 24

bool screen_is(FILE *out)
{
	const char *kind = getenv("TERM");

	return isatty(fileno(out)) && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

static size_t rows_of(FILE *out)
{
	struct winsize size;

	return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row
									     : DEFAULT_ROWS;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

void screen_draw(FILE *out, const char *text, bool first)
{
	/* Behind the last line is the cursor's. */
	size_t room = rows_of(out) - 1;
	size_t count = count_lines(text);
	size_t i;

	fputs(first ? NO_WRAP CLEAR : NO_WRAP HOME, out);
	for (i = 0; i < count; i++) {
		size_t len = strcspn(text, "\n");

		if (i + 1 < room || i + 1 == count)
			fprintf(out, "%.*s" LINE_REST "\n", (int)len, text);
		text += len + 1;
	}
	fputs(REST WRAP, out);
}
