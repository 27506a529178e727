/* SPDX-License-Identifier: MIT */
/* What mquic-pub was asked for on its command line and in its file of options. */
#ifndef PUB_OPTIONS_H
#define PUB_OPTIONS_H

#include "../common/client-options.h"

#include <mquic.h>

enum source {
	SOURCE_NONE,
	SOURCE_TEXT,
	SOURCE_NULL,
	SOURCE_FILE,
	SOURCE_LINES,
	SOURCE_STDIN
};

struct pub_options {
	struct client_options common;
	const char *topic, *default_topic; /* the latter of a file */
	enum source source;
	const char *value; /* text or file name */
	uint32_t repeat;
	uint32_t repeat_delay_ms;
	bool has_repeat_delay;
	bool retain;
	uint32_t ack_timeout_s;
	struct mquic_message *message; /* all but its payload */
};

/* Defaults; false when out of memory. pub_options_free() in any case. */
bool pub_options_init(struct pub_options *options);
void pub_options_free(struct pub_options *options);
/* Reads argv and the file of options; false after help or an error, both printed. */
bool pub_options_parse(struct pub_options *options, struct about *about, int argc, char **argv);
/* Writes --help. */
void pub_options_help(void);

#endif
