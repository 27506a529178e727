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
	OPTION_TEXT,     /* sets a const char *; the text stays where it is */
	OPTION_NUMBER,   /* sets a uint32_t, from min to max */
	OPTION_ACTION,   /* a call that takes no word */
	OPTION_CALL,     /* one that takes a word */
	OPTION_PROPERTY  /* one that takes the words of -D */
};

/* The property of -D that takes a key and a value. */
#define OPTION_PAIR "user-property"

/* The words behind an option: of the command line, or what is left of a line of a file. */
struct words {
	char **next;
	char **end;
	char *line; /* of a file; NULL: nothing is left of it */
};

struct option_spec {
	const char *short_name; /* "-t", NULL for none */
	const char *long_name;  /* "--topic", NULL for none */
	enum option_kind kind;
	size_t offset;     /* where the value goes in the table's target */
	uint32_t min, max; /* OPTION_NUMBER */
	/* The calls: take what they want from `words`; false after saying what is wrong. */
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

/*
 * Applies one line of a file: an option, a blank, and its value, which may have blanks and quotes
 * of its own. The value stays in `line`.
 */
bool options_parse_line(const struct option_table *tables, char *line);

/*
 * The last value that the command line gives an option which takes one word; NULL: none. Of a
 * word that is not in the tables, such as "--help", that word itself where an option can be.
 */
const char *options_find(const struct option_table *tables, const char *option, int argc,
			 char **argv);

/*
 * The next word, NULL after saying that option `name` lacks its argument. Of a file, this is all
 * that is left of the line, and words_part() only what is before the next blank.
 */
char *words_next(struct words *words, const char *name, const char *what);
char *words_part(struct words *words, const char *name, const char *what);

/* A whole decimal number from min to max; false if it is anything else. Says nothing. */
bool options_number(const char *text, uint32_t min, uint32_t max, uint32_t *value);
/* The same of one that may have a fraction. */
bool options_decimal(const char *text, double min, double max, double *value);

/* OPTION_ACTION of --quiet. */
bool options_quiet(void *target, const char *name, struct words *words);

#endif
