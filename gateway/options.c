/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define OF_ALL(member)  .offset = offsetof(struct options, member)
#define OF_EACH(member) .of_listener = true, .offset = offsetof(struct listener_options, member)
#define ALL(member)     .name = #member, OF_ALL(member)
#define EACH(member)    .name = #member, OF_EACH(member)

static const struct option known[] = {
	{.name = "listener", OF_EACH(name), .parse = option_parse_name},
	{EACH(listen), .parse = option_parse_listen},
	{EACH(handoff), .parse = option_parse_handoff},
	{ALL(control), .parse = option_parse_control},
	{.name = "certfile", OF_EACH(certfiles), .parse = option_parse_files},
	{.name = "keyfile", OF_EACH(keyfiles), .parse = option_parse_files},
	{EACH(cafile), .parse = option_parse_readable},
	{EACH(capath), .parse = option_parse_readable},
	{EACH(crlfile), .parse = option_parse_readable},
	{EACH(require_certificate), .parse = option_parse_flag},
	{EACH(use_identity_as_username), .parse = option_parse_flag},
	{EACH(use_subject_as_username), .parse = option_parse_flag},
	{EACH(max_connections), .parse = option_parse_number, .min = 1, .max = 1000000},
	{EACH(max_connections_per_address), .parse = option_parse_number, .max = 1000000},
	{EACH(max_handshakes), .parse = option_parse_number, .min = 1, .max = 1000000},
	{.name = "connect_timeout",
	 OF_EACH(connect_timeout_s),
	 .parse = option_parse_number,
	 .min = 1,
	 .max = 600},
	{.name = "idle_timeout",
	 OF_EACH(idle_timeout_s),
	 .parse = option_parse_idle_timeout,
	 .min = 10,
	 .max = 86400},
	{ALL(memory_limit), .parse = option_parse_memory},
	{EACH(retry), .parse = option_parse_retry},
	{EACH(congestion_control), .parse = option_parse_congestion},
	{EACH(redundancy), .parse = option_parse_redundancy},
	{EACH(proxy_protocol), .parse = option_parse_proxy},
	{ALL(log_level), .parse = option_parse_log_level},
	{ALL(reset_key_file), .parse = option_parse_absolute},
	{ALL(resumption), .parse = option_parse_flag},
	{ALL(ticket_key_file), .parse = option_parse_absolute},
	{ALL(keylog_file), .parse = option_parse_text},
	{.name = "metrics", .parse = option_parse_metrics},
	{.name = "sys_interval",
	 OF_ALL(sys_interval_s),
	 .parse = option_parse_number,
	 .max = 65535},
	{ALL(worker), .parse = option_parse_program},
	{ALL(workers), .parse = option_parse_workers, .min = 1, .max = OPTIONS_WORKERS_MAX},
	{ALL(sandbox), .parse = option_parse_flag},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

static void set_defaults(struct options *options)
{
	*options = (struct options){
		.workers = 1,
		.sandbox = true,
		.resumption = true,
		.sys_interval_s = 10,
		.log_level = MQUIC_LOG_INFO,
	};
}

static struct listener_options *add_listener(struct options *options)
{
	struct listener_options *added = &options->listeners[options->listener_count++];

	*added = (struct listener_options){
		.max_connections_per_address = OPTIONS_SHARE,
		.max_handshakes = 1000,
		.connect_timeout_s = 10,
		.idle_timeout_s = 3600,
		.retry = MQUIC_RETRY_ADAPTIVE,
		.congestion_control = MQUIC_CONGESTION_CUBIC,
		.redundancy = MQUIC_REDUNDANCY_HANDSHAKE,
	};
	return added;
}

static const struct option *find(const char *name)
{
	size_t i;

	for (i = 0; i < KNOWN_COUNT; i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

/* ---- Lines ------------------------------------------------------------------------- */

/* Where the lines stand that are read. */
enum part {
	PART_ALONE, /* there is one listener, without a name: all lines are its own */
	PART_COMMON, /* before the first listener: what all of them have, unless they say otherwise */
	PART_AGAIN, /* the same, read for one more of them */
	PART_BLOCK, /* behind a listener's name */
};

struct reader {
	struct option_target target;
	enum part part;
	uint64_t seen;         /* a bit per known option */
	bool has_certificates; /* of its own: those of all are none of its */
};

static bool is_for_one(const struct option *option)
{
	return option->parse == option_parse_listen || option->parse == option_parse_handoff;
}

static bool may_be_repeated(const struct option *option)
{
	return option->parse == option_parse_listen || option->parse == option_parse_files ||
	       option->parse == option_parse_metrics;
}

/* Whether it stands where it has a meaning. */
static bool check_place(const struct option *option, enum part part, char *error)
{
	if (part == PART_BLOCK && !option->of_listener)
		return option_fail(error,
				   "plugin_opt_%s is for all listeners: put it before the first "
				   "plugin_opt_listener",
				   option->name);
	if (part == PART_COMMON && is_for_one(option))
		return option_fail(error,
				   "plugin_opt_%s stands before the first plugin_opt_listener, and "
				   "no two listeners can share it: put it behind the "
				   "plugin_opt_listener line of the one that it is for",
				   option->name);
	return true;
}

static bool check_again(const struct reader *reader, const struct option *option, char *error)
{
	uint64_t bit = UINT64_C(1) << (option - known);

	if ((reader->seen & bit) == 0 || may_be_repeated(option))
		return true;
	return option_fail(error, "plugin_opt_%s is given twice; remove one of the lines",
			   option->name);
}

static void own_certificates(struct reader *reader, const struct option *option)
{
	struct listener_options *listener = reader->target.listener;

	if (option->parse != option_parse_files || reader->part != PART_BLOCK ||
	    reader->has_certificates)
		return;
	reader->has_certificates = true;
	option_files_clear(&listener->certfiles);
	option_files_clear(&listener->keyfiles);
}

static bool parse_value(struct reader *reader, const struct option *option, const char *given,
			char *error)
{
	char value[4096];
	size_t len = strlen(given);

	while (len > 0 && strchr(" \t\r", given[len - 1]) != NULL)
		len--;
	if (len >= sizeof(value))
		return option_fail(error, "plugin_opt_%s: the value is too long", option->name);
	memcpy(value, given, len);
	value[len] = '\0';
	own_certificates(reader, option);
	return option->parse(option, value, &reader->target, error);
}

static bool parse_one(struct reader *reader, const struct option_line *line, char *error)
{
	const struct option *option = find(line->name);

	if (option == NULL)
		return option_fail_unknown(known, KNOWN_COUNT, line->name, error);
	if (reader->part == PART_AGAIN && !option->of_listener)
		return true;
	if (!check_place(option, reader->part, error) || !check_again(reader, option, error))
		return false;
	reader->seen |= UINT64_C(1) << (option - known);
	return parse_value(reader, option, line->value, error);
}

static bool parse_lines(struct reader *reader, const struct option_line *lines, int count,
			char *error)
{
	int i;

	reader->seen = 0;
	for (i = 0; i < count; i++)
		if (!parse_one(reader, &lines[i], error))
			return false;
	return true;
}

/* ---- Listeners ----------------------------------------------------------------------- */

/* How many of the lines come before the next listener's name. */
static int until_name(const struct option_line *lines, int count)
{
	int i = 0;

	while (i < count && strcmp(lines[i].name, "listener") != 0)
		i++;
	return i;
}

static bool finish_listener(struct listener_options *listener, bool broker_2_1, char *error)
{
	return options_add_listener_defaults(listener, error) &&
	       options_check_listener(listener, broker_2_1, error);
}

/* Puts the listener's name before the sentence. */
static bool fail_in_block(const struct listener_options *listener, char *error)
{
	char prefix[OPTIONS_PREFIX_SIZE];
	char sentence[OPTIONS_ERROR_SIZE];

	snprintf(sentence, sizeof(sentence), "%s", error);
	snprintf(error, OPTIONS_ERROR_SIZE, "%s%.*s", options_prefix(listener, prefix),
		 (int)(OPTIONS_ERROR_SIZE - OPTIONS_PREFIX_SIZE), sentence);
	return false;
}

/* A listener with a name, which is the first of its `lines`, after `common` ones. */
static bool parse_block(struct options *options, const struct option_line *common, int common_count,
			const struct option_line *lines, int count, char *error)
{
	struct reader reader = {
		.target = {.options = options},
		.part = options->listener_count == 0 ? PART_COMMON : PART_AGAIN,
	};

	if (options->listener_count == OPTIONS_LISTENERS_MAX)
		return option_fail(error, "plugin_opt_listener: at most %d can be given",
				   OPTIONS_LISTENERS_MAX);
	reader.target.listener = add_listener(options);
	if (!parse_lines(&reader, common, common_count, error))
		return false;
	reader.part = PART_BLOCK;
	return parse_lines(&reader, lines, count, error) ||
	       fail_in_block(reader.target.listener, error);
}

static bool parse_alone(struct options *options, const struct option_line *lines, int count,
			char *error)
{
	struct reader reader = {.target = {.options = options}, .part = PART_ALONE};

	reader.target.listener = add_listener(options);
	return parse_lines(&reader, lines, count, error);
}

static bool parse_all(struct options *options, const struct option_line *lines, int count,
		      char *error)
{
	int common = until_name(lines, count);
	int at = common;

	if (common == count)
		return parse_alone(options, lines, count, error);
	while (at < count) {
		int more = 1 + until_name(lines + at + 1, count - at - 1);

		if (!parse_block(options, lines, common, lines + at, more, error))
			return false;
		at += more;
	}
	return true;
}

bool options_parse(struct options *options, const struct option_line *given, int count,
		   bool broker_2_1, char error[OPTIONS_ERROR_SIZE])
{
	size_t i;

	_Static_assert(KNOWN_COUNT <= 64, "one bit per option");
	set_defaults(options);
	if (count > OPTIONS_LINES_MAX)
		return option_fail(error, "there are %d plugin_opt_ lines, and %d at most can be",
				   count, OPTIONS_LINES_MAX);
	if (!parse_all(options, given, count, error))
		return false;
	for (i = 0; i < options->listener_count; i++)
		if (!finish_listener(&options->listeners[i], broker_2_1, error))
			return fail_in_block(&options->listeners[i], error);
	return options_check_all(options, error) && options_add_defaults(options, error);
}

const char *options_prefix(const struct listener_options *listener,
			   char prefix[OPTIONS_PREFIX_SIZE])
{
	prefix[0] = '\0';
	if (listener->name[0] != '\0')
		snprintf(prefix, OPTIONS_PREFIX_SIZE, "listener %s: ", listener->name);
	return prefix;
}

static void clear_listener(struct listener_options *listener)
{
	free(listener->handoff);
	option_files_clear(&listener->certfiles);
	option_files_clear(&listener->keyfiles);
	free(listener->cafile);
	free(listener->capath);
	free(listener->crlfile);
}

bool options_is_read_again(const char *name)
{
	const struct option *option = find(name);

	return option != NULL &&
	       (option->parse == option_parse_readable || option->parse == option_parse_files ||
		(!option->of_listener &&
		 (option->offset == offsetof(struct options, reset_key_file) ||
		  option->offset == offsetof(struct options, ticket_key_file))));
}

void options_clear(struct options *options)
{
	while (options->listener_count > 0)
		clear_listener(&options->listeners[--options->listener_count]);
	free(options->control);
	free(options->reset_key_file);
	free(options->ticket_key_file);
	free(options->keylog_file);
	free(options->metrics);
	free(options->worker);
	set_defaults(options);
}
