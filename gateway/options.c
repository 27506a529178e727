/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define OF_ALL(member)  .offset = offsetof(struct options, member)
#define OF_EACH(member) .of_listener = true, .offset = offsetof(struct listener_options, member)
#define ALL(member)     .name = #member, OF_ALL(member)
#define EACH(member)    .name = #member, OF_EACH(member)

static const struct option known[] = {
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
	{EACH(proxy_protocol), .parse = option_parse_proxy},
	{ALL(log_level), .parse = option_parse_log_level},
	{ALL(reset_key_file), .parse = option_parse_absolute},
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

static bool may_be_repeated(const struct option *option)
{
	return option->parse == option_parse_listen || option->parse == option_parse_files ||
	       option->parse == option_parse_metrics;
}

/* One line; `seen` has a bit per known option. */
static bool parse_one(const struct option_target *target, const struct option_line *line,
		      uint64_t *seen, char *error)
{
	const struct option *option = find(line->name);
	char value[4096];
	uint64_t bit;
	size_t len;

	if (option == NULL)
		return option_fail_unknown(known, KNOWN_COUNT, line->name, error);
	bit = UINT64_C(1) << (option - known);
	if ((*seen & bit) != 0 && !may_be_repeated(option))
		return option_fail(error, "plugin_opt_%s is given twice; remove one of the lines",
				   option->name);
	*seen |= bit;
	len = strlen(line->value);
	while (len > 0 && strchr(" \t\r", line->value[len - 1]) != NULL)
		len--;
	if (len >= sizeof(value))
		return option_fail(error, "plugin_opt_%s: the value is too long", option->name);
	memcpy(value, line->value, len);
	value[len] = '\0';
	return option->parse(option, value, target, error);
}

bool options_parse(struct options *options, const struct option_line *given, int count,
		   bool broker_2_1, char error[OPTIONS_ERROR_SIZE])
{
	struct option_target target = {.options = options};
	uint64_t seen = 0;
	int i;

	_Static_assert(KNOWN_COUNT <= 64, "one bit per option");
	set_defaults(options);
	target.listener = add_listener(options);
	for (i = 0; i < count; i++)
		if (!parse_one(&target, &given[i], &seen, error))
			return false;
	return options_add_listener_defaults(target.listener, error) &&
	       options_check_listener(target.listener, broker_2_1, error) &&
	       options_add_defaults(options, error);
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
		 option->offset == offsetof(struct options, reset_key_file)));
}

void options_clear(struct options *options)
{
	while (options->listener_count > 0)
		clear_listener(&options->listeners[--options->listener_count]);
	free(options->control);
	free(options->reset_key_file);
	free(options->keylog_file);
	free(options->metrics);
	free(options->worker);
	set_defaults(options);
}
