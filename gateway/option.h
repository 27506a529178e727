/* SPDX-License-Identifier: MIT */
/*
 * One option, shared by the files that read them: options.c has the table of all,
 * option-values.c a parser per kind of value, option-metrics.c one for a file or an address,
 * option-names.c advice about names that are none, option-defaults.c what need not be said,
 * option-checks.c what must not be said together.
 */
#ifndef GATEWAY_OPTION_H
#define GATEWAY_OPTION_H

#include "options.h"

/* Bytes. With less hardly a client could be served, more than the upper one is a slip. */
#define MEMORY_LIMIT_MIN (UINT64_C(16) << 20)
#define MEMORY_LIMIT_MAX (UINT64_C(1) << 50)

/* Where values go. */
struct option_target {
	struct options *options;
	struct listener_options *listener;
};

struct option {
	const char *name;
	bool of_listener; /* `offset` is in that, and not in the options of all */
	bool (*parse)(const struct option *option, const char *value,
		      const struct option_target *target, char *error);
	size_t offset;
	uint32_t min;
	uint32_t max;
};

/* ---- option-values.c ---- */

void option_files_clear(struct option_files *files);

/* Writes the sentence about what is wrong; false, for the caller to return. */
__attribute__((format(printf, 2, 3))) bool option_fail(char *error, const char *format, ...);

/*
 * One parser per kind of value: they set the field of the option, or write a sentence that names
 * it and return false.
 */
bool option_parse_text(const struct option *option, const char *value,
		       const struct option_target *target, char *error);
bool option_parse_readable(const struct option *option, const char *value,
			   const struct option_target *target, char *error);
/* The same; the line may be repeated. */
bool option_parse_files(const struct option *option, const char *value,
			const struct option_target *target, char *error);
bool option_parse_absolute(const struct option *option, const char *value,
			   const struct option_target *target, char *error);
bool option_parse_program(const struct option *option, const char *value,
			  const struct option_target *target, char *error);
bool option_parse_control(const struct option *option, const char *value,
			  const struct option_target *target, char *error);
bool option_parse_handoff(const struct option *option, const char *value,
			  const struct option_target *target, char *error);
bool option_parse_name(const struct option *option, const char *value,
		       const struct option_target *target, char *error);
bool option_parse_flag(const struct option *option, const char *value,
		       const struct option_target *target, char *error);
bool option_parse_number(const struct option *option, const char *value,
			 const struct option_target *target, char *error);
bool option_parse_workers(const struct option *option, const char *value,
			  const struct option_target *target, char *error);
bool option_parse_memory(const struct option *option, const char *value,
			 const struct option_target *target, char *error);
bool option_parse_idle_timeout(const struct option *option, const char *value,
			       const struct option_target *target, char *error);
bool option_parse_congestion(const struct option *option, const char *value,
			     const struct option_target *target, char *error);
bool option_parse_redundancy(const struct option *option, const char *value,
			     const struct option_target *target, char *error);
bool option_parse_retry(const struct option *option, const char *value,
			const struct option_target *target, char *error);
bool option_parse_proxy(const struct option *option, const char *value,
			const struct option_target *target, char *error);
bool option_parse_log_level(const struct option *option, const char *value,
			    const struct option_target *target, char *error);
bool option_parse_listen(const struct option *option, const char *value,
			 const struct option_target *target, char *error);

/* ---- option-metrics.c ---- */

bool option_parse_metrics(const struct option *option, const char *value,
			  const struct option_target *target, char *error);

/* ---- option-values.c ---- */

/* Adds one address to listen on; `name` is the option it comes from. */
bool option_add_listen(const char *name, const char *text, struct listener_options *listener,
		       char *error);

/* ---- option-names.c ---- */

/* Says what to do about a name that is none of `known`. */
bool option_fail_unknown(const struct option *known, size_t count, const char *name, char *error);

/* ---- option-defaults.c ---- */

/* Fill in what no line has said. False: there is none to be had, `error` says of what. */
bool options_add_listener_defaults(struct listener_options *listener, char *error);
bool options_add_defaults(struct options *options, char *error);

/* ---- option-checks.c ---- */

/* False: two options contradict each other, or this broker cannot do what one asks for. */
bool options_check_all(const struct options *options, char *error);
bool options_check_listener(const struct listener_options *listener, bool broker_2_1, char *error);

#endif
