/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "say.h"

#include <errno.h>
#include <mquic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

char *words_next(struct words *words, const char *name, const char *what)
{
	char *line = words->line;

	words->line = NULL;
	if (line)
		return line;
	if (words->next < words->end)
		return *words->next++;
	say_usage("%s argument given but no %s specified.", name, what);
	return NULL;
}

/* Cuts the first part off a text; returns the rest, NULL if nothing is left. */
static char *cut_part(char *text)
{
	char *rest = text + strcspn(text, BLANKS);

	if (*rest == '\0')
		return NULL;
	*rest++ = '\0';
	rest += strspn(rest, BLANKS);
	return *rest ? rest : NULL;
}

char *words_part(struct words *words, const char *name, const char *what)
{
	char *line = words->line;

	if (!line)
		return words_next(words, name, what);
	words->line = cut_part(line);
	return line;
}

bool options_number(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	unsigned long long number;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end != '\0' || number < min || number > max)
		return false;
	*value = (uint32_t)number;
	return true;
}

bool options_decimal(const char *text, double min, double max, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && *end == '\0' && *value >= min && *value <= max;
}

/* Answers --help or --version; false if it is neither. */
static bool inform(struct about *about, const char *name)
{
	bool help = strcmp(name, "--help") == 0;

	about->asked = help || strcmp(name, "--version") == 0;
	if (help)
		about->print_help();
	else if (about->asked)
		printf("%s version %s\n", about->program, mquic_version());
	return about->asked;
}

static bool set_number(const struct option_spec *spec, void *place, const char *name,
		       struct words *words)
{
	const char *text = words_next(words, name, "number");

	if (!text)
		return false;
	if (!options_number(text, spec->min, spec->max, place))
		return say_usage("%s takes a number from %u to %u, not '%s'.", name, spec->min,
				 spec->max, text);
	return true;
}

static bool apply(const struct option_spec *spec, void *target, const char *name,
		  struct words *words)
{
	void *place = (char *)target + spec->offset;
	const char *text;

	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return true;
	case OPTION_TEXT:
		text = words_next(words, name, "value");
		*(const char **)place = text;
		return text != NULL;
	case OPTION_NUMBER:
		return set_number(spec, place, name, words);
	case OPTION_ACTION:
	case OPTION_CALL:
	case OPTION_PROPERTY:
		break;
	}
	return spec->call(target, name, words);
}

static bool is_named(const struct option_spec *spec, const char *word)
{
	return (spec->short_name && strcmp(spec->short_name, word) == 0) ||
	       (spec->long_name && strcmp(spec->long_name, word) == 0);
}

static const struct option_spec *find(const struct option_table *tables, const char *word,
				      void **target)
{
	for (; tables->specs; tables++)
		for (const struct option_spec *spec = tables->specs;
		     spec->short_name || spec->long_name; spec++)
			if (is_named(spec, word)) {
				*target = tables->target;
				return spec;
			}
	return NULL;
}

bool options_parse(const struct option_table *tables, struct about *about, int argc, char **argv)
{
	struct words words = {argv + 1, argv + argc, NULL};

	while (words.next < words.end) {
		const char *name = *words.next++;
		void *target;
		const struct option_spec *spec;

		if (inform(about, name))
			return false;
		spec = find(tables, name, &target);
		if (!spec)
			return say_usage("Unknown option '%s'.", name);
		if (!apply(spec, target, name, &words))
			return false;
	}
	return true;
}

bool options_parse_line(const struct option_table *tables, char *line)
{
	struct words words = {.line = cut_part(line)};
	void *target;
	const struct option_spec *spec = find(tables, line, &target);

	if (!spec)
		return say_usage("Unknown option '%s'.", line);
	if (!apply(spec, target, line, &words))
		return false;
	return !words.line || say_usage("%s takes no value, but '%s' is there.", line, words.line);
}

/* Words that an option takes. */
static int words_of(const struct option_spec *spec, char **next, char **end)
{
	switch (spec->kind) {
	case OPTION_FLAG:
	case OPTION_ACTION:
		return 0;
	case OPTION_TEXT:
	case OPTION_NUMBER:
	case OPTION_CALL:
		return 1;
	case OPTION_PROPERTY:
		break;
	}
	return end - next > 1 && strcmp(next[1], OPTION_PAIR) == 0 ? 4 : 3;
}

const char *options_find(const struct option_table *tables, const char *option, int argc,
			 char **argv)
{
	char **end = argv + argc;
	const char *found = NULL;
	int count;

	for (char **next = argv + 1; next < end; next += count) {
		const char *name = *next++;
		void *target;
		const struct option_spec *spec = find(tables, name, &target);

		count = spec ? words_of(spec, next, end) : 0;
		if (!spec && strcmp(name, option) == 0)
			found = name;
		if (spec && next < end && is_named(spec, option))
			found = *next;
		if (count > end - next)
			break;
	}
	return found;
}

bool options_quiet(void *target, const char *name, struct words *words)
{
	(void)target;
	(void)name;
	(void)words;
	say_set_quiet(true);
	return true;
}
