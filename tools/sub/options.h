/* SPDX-License-Identifier: MIT */
/* What mquic-sub was asked for on its command line and in its file of options. */
#ifndef SUB_OPTIONS_H
#define SUB_OPTIONS_H

#include "../common/client-options.h"

#include <mquic.h>

/* Words given with an option that may be repeated; they stay in argv. */
struct list {
	const char **items;
	size_t count;
};

struct sub_options {
	struct client_options common;
	struct list topics, unsubscribe, filter_out;
	const char *format;
	uint32_t count;         /* -C; 0: no end */
	uint32_t timeout_s;     /* -W; 0: none */
	uint32_t keep_permille; /* --random-filter: how many of a thousand are printed */
	bool verbose, pretty, no_newline, no_stale, only_stale, retain_as_published,
		exit_subscribed, remove_retained;
	/* All filters of a request. */
	struct mquic_subscription *subscription;
	struct mquic_subscription *unsubscription;
};

/* Defaults; false when out of memory. sub_options_free() in any case. */
bool sub_options_init(struct sub_options *options);
void sub_options_free(struct sub_options *options);
/* Reads argv and the file of options; false after help or an error, both printed. */
bool sub_options_parse(struct sub_options *options, struct about *about, int argc, char **argv);
/* Writes --help. */
void sub_options_help(void);

#endif
