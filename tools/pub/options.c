/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../common/property.h"
#include "../common/say.h"
#include "../common/tcp-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds without any acknowledgement, after which a broker is not waited for any more. */
#define ACK_TIMEOUT_S 60

static const char help_head[] =
	"mquic-pub publishes messages to an MQTT broker over QUIC.\n"
	"\n"
	"Usage: mquic-pub {[-h host] [-p port] -t topic | -L URL} {-f file | -l | -m message | -n "
	"| "
	"-s}\n"
	"                 [-q qos] [-r] [--repeat N] [--repeat-delay seconds] [options]\n"
	"       mquic-pub --help | --version\n"
	"\n"
	" -t, --topic : topic to publish to.\n"
	" -m, --message : message to send.\n"
	" -f, --file : send the contents of a file.\n"
	" -n, --null-message : send an empty message.\n"
	" -s, --stdin-file : send all of standard input as one message.\n"
	" -l, --stdin-line : send each line of standard input as a message.\n"
	" -q, --qos : quality of service, 0, 1 or 2. Defaults to 0.\n"
	" -r, --retain : let the broker retain the message.\n"
	" --repeat : publish this many times; not with -l.\n"
	" --repeat-delay : seconds between those, such as 0.5. Defaults to 0.\n"
	" --ack-timeout : seconds to wait for any acknowledgement, 0 for ever. Defaults to 60.\n";

static const char help_tail[] = "\nThe exit code is 0 when all is published, the reason code of a "
				"CONNACK that refuses, and "
				"1 for\nany other failure.\n";

static bool set_source(struct pub_options *options, enum source source)
{
	if (options->source != SOURCE_NONE)
		return say_usage("Only one of -f, -l, -m, -n and -s can be given, and only once.");
	options->source = source;
	return true;
}

static bool set_text(void *target, const char *name, struct words *words)
{
	struct pub_options *options = target;

	options->value = words_next(words, name, "message");
	return options->value && set_source(options, SOURCE_TEXT);
}

static bool set_file(void *target, const char *name, struct words *words)
{
	struct pub_options *options = target;

	options->value = words_next(words, name, "file");
	return options->value && set_source(options, SOURCE_FILE);
}

static bool set_null(void *target, const char *name, struct words *words)
{
	(void)name;
	(void)words;
	return set_source(target, SOURCE_NULL);
}

static bool set_lines(void *target, const char *name, struct words *words)
{
	(void)name;
	(void)words;
	return set_source(target, SOURCE_LINES);
}

static bool set_stdin(void *target, const char *name, struct words *words)
{
	(void)name;
	(void)words;
	return set_source(target, SOURCE_STDIN);
}

static bool set_repeat_delay(void *target, const char *name, struct words *words)
{
	struct pub_options *options = target;
	const char *text = words_next(words, name, "number of seconds");
	double seconds;

	if (!text)
		return false;
	if (!options_decimal(text, 0, 86400, &seconds))
		return say_usage("%s takes seconds from 0 to 86400, not '%s'.", name, text);
	options->repeat_delay_ms = (uint32_t)(seconds * 1000);
	options->has_repeat_delay = true;
	return true;
}

#define AT(member) offsetof(struct pub_options, member)

static const struct option_spec specs[] = {
	{"-t", "--topic", OPTION_TEXT, AT(topic), 0, 0, NULL},
	{"-m", "--message", OPTION_CALL, 0, 0, 0, set_text},
	{"-f", "--file", OPTION_CALL, 0, 0, 0, set_file},
	{"-n", "--null-message", OPTION_ACTION, 0, 0, 0, set_null},
	{"-l", "--stdin-line", OPTION_ACTION, 0, 0, 0, set_lines},
	{"-s", "--stdin-file", OPTION_ACTION, 0, 0, 0, set_stdin},
	{"-r", "--retain", OPTION_FLAG, AT(retain), 0, 0, NULL},
	{NULL, "--repeat", OPTION_NUMBER, AT(repeat), 1, UINT32_MAX, NULL},
	{NULL, "--repeat-delay", OPTION_CALL, 0, 0, 0, set_repeat_delay},
	{NULL, "--ack-timeout", OPTION_NUMBER, AT(ack_timeout_s), 0, 86400, NULL},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

static bool check_options(struct pub_options *options)
{
	const char *url_topic = options->common.login.url.topic;

	if (url_topic && options->topic)
		return say_usage("-t and -L both name the topic. Use one of them.");
	if (url_topic)
		options->topic = url_topic;
	if (!options->topic)
		options->topic = options->default_topic;
	if (!options->topic)
		options->topic = options->common.defaults.url.topic;
	if (!options->topic)
		return say_usage("You must specify a topic to publish to, with -t or in the URL "
				 "of -L.");
	if (options->source == SOURCE_NONE)
		return say_usage("You must specify what to publish, with -f, -l, -m, -n or -s.");
	if (options->source == SOURCE_LINES && (options->repeat || options->has_repeat_delay))
		return say_usage("--repeat and --repeat-delay cannot be used with -l.");
	if (options->has_repeat_delay && !options->repeat)
		return say_usage("--repeat-delay given, but no --repeat.");
	if (options->repeat == 0)
		options->repeat = 1;
	if (mquic_message_set_topic(options->message, options->topic, MQUIC_NUL_TERMINATED) !=
	    MQUIC_OK)
		return say_usage("Invalid publish topic '%s': it must be UTF-8, not empty and hold "
				 "no '+' or '#'.",
				 options->topic);
	return client_options_check(&options->common);
}

bool pub_options_parse(struct pub_options *options, struct about *about, int argc, char **argv)
{
	const struct option_table tables[] = {
		{specs, options},
		{client_option_specs, &options->common},
		{tls_option_specs, &options->common.tls},
		{tcp_option_specs, about},
		{NULL, NULL},
	};

	if (!client_options_read_file(&options->common, tables, about->program, argc, argv))
		return false;
	options->default_topic = options->topic;
	options->topic = NULL;
	return options_parse(tables, about, argc, argv) && check_options(options);
}

void pub_options_help(void)
{
	fputs(help_head, stdout);
	fputs(client_options_help, stdout);
	fputs(tls_options_help, stdout);
	fputs("\nProperties for -D, by command:\n", stdout);
	fputs(property_connect_help, stdout);
	fputs(property_message_help, stdout);
	fputs(help_tail, stdout);
}

bool pub_options_init(struct pub_options *options)
{
	memset(options, 0, sizeof(*options));
	options->ack_timeout_s = ACK_TIMEOUT_S;
	if (!client_options_init(&options->common) ||
	    mquic_message_new(&options->message) != MQUIC_OK)
		return false;
	options->common.publish = options->message;
	return true;
}

void pub_options_free(struct pub_options *options)
{
	mquic_message_free(options->message);
	client_options_free(&options->common);
}
