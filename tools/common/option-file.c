/* SPDX-License-Identifier: MIT */
#include "option-file.h"

#include "say.h"
#include "tcp-options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 65536

/* ---- reading ------------------------------------------------------------- */

static bool fail(const char *path, const char *why)
{
	say_error("Cannot read the options in %s: %s.", path, why);
	return false;
}

static bool read_text(struct option_file *file, FILE *in)
{
	size_t len;

	file->text = malloc(LONGEST + 1);
	if (!file->text)
		return fail(file->path, strerror(errno));
	len = fread(file->text, 1, LONGEST, in);
	if (ferror(in))
		return fail(file->path, strerror(errno));
	file->text[len] = '\0';
	if (fgetc(in) != EOF)
		return fail(file->path, "it is longer than 65536 bytes");
	return strlen(file->text) == len || fail(file->path, "it holds a NUL byte");
}

/* `*found` tells whether there is such a file; false after an error. */
static bool load(struct option_file *file, bool *found)
{
	FILE *in = fopen(file->path, "re");
	bool good;

	*found = in != NULL;
	if (!in)
		return errno == ENOENT || errno == ENOTDIR || fail(file->path, strerror(errno));
	good = read_text(file, in);
	fclose(in);
	return good;
}

/* ---- lines --------------------------------------------------------------- */

/* Mosquitto's file is written for TCP; the option at the start of its line may be, too. */
static bool is_passed_over(const char *line, bool mosquittos)
{
	size_t len = strcspn(line, " \t");

	return *line == '#' || *line == '\0' || (mosquittos && tcp_options_concern(line, len));
}

static bool apply_lines(const struct option_file *file, const struct option_table *tables,
			bool mosquittos)
{
	char *rest = file->text;
	bool good = true;

	for (unsigned int number = 1; good && rest; number++) {
		char *line = strsep(&rest, "\n");
		char *end = line + strlen(line);

		line += strspn(line, " \t");
		if (end > line && end[-1] == '\r')
			end[-1] = '\0';
		say_set_place(file->path, number);
		good = is_passed_over(line, mosquittos) || options_parse_line(tables, line);
	}
	say_set_place(NULL, 0);
	if (!good && mosquittos)
		say_warning(
			"That file is Mosquitto's; one of ours beside it would be read instead.");
	return good;
}

/* ---- which file ---------------------------------------------------------- */

static char *below_config(const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;
	int len = 0;

	if (config && *config)
		len = asprintf(&path, "%s/%s", config, name);
	else if (home && *home)
		len = asprintf(&path, "%s/.config/%s", home, name);
	return len < 0 ? NULL : path;
}

/* Tries one below ~/.config; `*found` tells whether it is there. */
static bool try_default(struct option_file *file, const struct option_table *tables,
			const char *name, bool mosquittos, bool *found)
{
	*found = false;
	file->path = below_config(name);
	if (!file->path)
		return true;
	if (!load(file, found))
		return false;
	if (*found)
		return apply_lines(file, tables, mosquittos);
	option_file_free(file);
	return true;
}

bool option_file_read(struct option_file *file, const struct option_table *tables,
		      const char *program, const char *path)
{
	bool publishes = strcmp(program, "mquic-pub") == 0;
	bool found;

	if (!path)
		return try_default(file, tables, program, false, &found) &&
		       (found ||
			try_default(file, tables, publishes ? "mosquitto_pub" : "mosquitto_sub",
				    true, &found));
	file->path = strdup(path);
	if (!file->path)
		return fail(path, strerror(errno));
	if (!load(file, &found))
		return false;
	return found ? apply_lines(file, tables, false) : fail(path, "there is no such file");
}

void option_file_free(struct option_file *file)
{
	free(file->path);
	free(file->text);
	memset(file, 0, sizeof(*file));
}
