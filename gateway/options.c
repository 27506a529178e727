/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define MEMBER(member) .offset = offsetof(struct options, member)
#define FIELD(member)  .name = #member, MEMBER(member)

static const struct option known[] = {
	{.name = "listen", .parse = option_parse_listen},
	{FIELD(handoff), .parse = option_parse_handoff},
	{FIELD(control), .parse = option_parse_control},
	{FIELD(certfile), .parse = option_parse_readable},
	{FIELD(keyfile), .parse = option_parse_readable},
	{FIELD(cafile), .parse = option_parse_readable},
	{FIELD(capath), .parse = option_parse_readable},
	{FIELD(crlfile), .parse = option_parse_readable},
	{FIELD(require_certificate), .parse = option_parse_flag},
	{FIELD(use_identity_as_username), .parse = option_parse_flag},
	{FIELD(use_subject_as_username), .parse = option_parse_flag},
	{FIELD(max_connections), .parse = option_parse_number, .min = 1, .max = 1000000},
	{FIELD(max_connections_per_address), .parse = option_parse_number, .max = 1000000},
	{FIELD(max_handshakes), .parse = option_parse_number, .min = 1, .max = 1000000},
	{.name = "connect_timeout",
	 MEMBER(connect_timeout_s),
	 .parse = option_parse_number,
	 .min = 1,
	 .max = 600},
	{.name = "idle_timeout",
	 MEMBER(idle_timeout_s),
	 .parse = option_parse_idle_timeout,
	 .min = 10,
	 .max = 86400},
	{FIELD(memory_limit), .parse = option_parse_memory},
	{FIELD(retry), .parse = option_parse_retry},
	{FIELD(congestion_control), .parse = option_parse_congestion},
	{FIELD(proxy_protocol), .parse = option_parse_proxy},
	{FIELD(log_level), .parse = option_parse_log_level},
	{FIELD(reset_key_file), .parse = option_parse_absolute},
	{FIELD(keylog_file), .parse = option_parse_text},
	{.name = "metrics", .parse = option_parse_metrics},
	{.name = "sys_interval",
	 MEMBER(sys_interval_s),
	 .parse = option_parse_number,
	 .max = 65535},
	{FIELD(worker), .parse = option_parse_program},
	{FIELD(workers), .parse = option_parse_workers, .min = 1, .max = OPTIONS_WORKERS_MAX},
	{FIELD(sandbox), .parse = option_parse_flag},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

static void set_defaults(struct options *options)
{
	*options = (struct options){
		.max_connections_per_address = OPTIONS_SHARE,
		.max_handshakes = 1000,
		.workers = 1,
		.sandbox = true,
		.connect_timeout_s = 10,
		.idle_timeout_s = 3600,
		.sys_interval_s = 10,
		.retry = MQUIC_RETRY_ADAPTIVE,
		.congestion_control = MQUIC_CONGESTION_CUBIC,
		.log_level = MQUIC_LOG_INFO,
	};
}

static const struct option *find(const char *name)
{
	size_t i;

	for (i = 0; i < KNOWN_COUNT; i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

/* One line; `seen` has a bit per known option. */
static bool parse_one(struct options *options, const struct option_line *line, uint32_t *seen,
		      char *error)
{
	const struct option *option = find(line->name);
	char value[4096];
	uint32_t bit;
	size_t len;

	if (option == NULL)
		return option_fail_unknown(known, KNOWN_COUNT, line->name, error);
	bit = UINT32_C(1) << (option - known);
	if ((*seen & bit) != 0 && option->parse != option_parse_listen &&
	    option->parse != option_parse_metrics)
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
	return option->parse(option, value, options, error);
}

bool options_parse(struct options *options, const struct option_line *given, int count,
		   bool broker_2_1, char error[OPTIONS_ERROR_SIZE])
{
	uint32_t seen = 0;
	int i;

	_Static_assert(KNOWN_COUNT <= 32, "one bit per option");
	set_defaults(options);
	for (i = 0; i < count; i++)
		if (!parse_one(options, &given[i], &seen, error))
			return false;
	return options_add_defaults(options, error) && options_check(options, broker_2_1, error);
}

bool options_is_read_again(const char *name)
{
	const struct option *option = find(name);

	return option != NULL && (option->parse == option_parse_readable ||
				  option->offset == offsetof(struct options, reset_key_file));
}

void options_clear(struct options *options)
{
	free(options->handoff);
	free(options->control);
	free(options->certfile);
	free(options->keyfile);
	free(options->cafile);
	free(options->capath);
	free(options->crlfile);
	free(options->reset_key_file);
	free(options->keylog_file);
	free(options->metrics);
	free(options->worker);
	set_defaults(options);
}
