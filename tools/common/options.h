/* SPDX-License-Identifier: MIT */
/*
 * Command lines, by table. A tool joins several tables, each with the struct it fills: the
 * TLS options and the client's are shared, its own come last. Spelling is mosquitto_pub's:
 * "-t topic", "--topic topic"; short options are not bundled.
 */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG = 1, /* sets a bool */
	OPTION_TEXT,	 /* sets a const char *; the text stays in argv */
	OPTION_NUMBER,	 /* sets a uint32_t, from min to max */
	OPTION_CALL	 /* anything else */
};

/* The words behind an option that takes its own. */
struct words {
	char **next;
	char **end;
};

struct option_spec {
	const char *short_name; /* "-t", NULL for none */
	const char *long_name;	/* "--topic", NULL for none */
	enum option_kind kind;
	size_t offset;	   /* where the value goes in the table's target */
	uint32_t min, max; /* OPTION_NUMBER */
	/* OPTION_CALL: takes what it wants from `words`; false after saying what is wrong. */
	bool (*call)(void *target, const char *name, struct words *words);
};

/* The specs end with an entry without names. */
struct option_table {
	const struct option_spec *specs;
	void *target;
};

/* What --help and --version tell. */
struct about {
	const char *program;
	void (*print_help)(void);
	bool asked; /* by one of them; nothing else is wanted then */
};

/*
 * Reads argv into the targets. Tables end with one whose specs are NULL. False after --help,
 * --version or an error; what there is to say has then been printed.
 */
bool options_parse(const struct option_table *tables, struct about *about, int argc, char **argv);

/* The next word, NULL after saying that option `name` lacks its argument. */
const char *words_next(struct words *words, const char *name, const char *what);

/* A whole decimal number from min to max; false if it is anything else. Says nothing. */
bool options_number(const char *text, uint32_t min, uint32_t max, uint32_t *value);

/* OPTION_CALL of --quiet. */
bool options_quiet(void *target, const char *name, struct words *words);

#endif
