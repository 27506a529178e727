/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../common/format.h"
#include "../common/property.h"
#include "../common/say.h"
#include "../common/tcp-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_head[] =
	"mquic-sub subscribes to topics of an MQTT broker over QUIC and prints what comes.\n"
	"\n"
	"Usage: mquic-sub {[-h host] [-p port] -t topic | -L URL [-t topic]} [-v | -F format] "
	"[-N]\n"
	"                 [-C count] [-W seconds] [-R] [-T topic] [-U topic] [options]\n"
	"       mquic-sub --help | --version\n"
	"\n"
	" -t, --topic : topic to subscribe to; may be repeated.\n"
	" -q, --qos : highest quality of service wanted. Defaults to 0.\n"
	" -v, --verbose : print the topic before the payload.\n"
	" -F : print by this format, see below.\n"
	" -N : print no newline behind a message.\n"
	" -C : leave after this many messages.\n"
	" -W : leave after this many seconds, with exit code 27.\n"
	" -E : leave as soon as the broker has acknowledged the subscriptions.\n"
	" -R : do not print retained messages that were stale on arrival.\n"
	" -T, --filter-out : do not print messages whose topic matches; may be repeated.\n"
	" -U, --unsubscribe : unsubscribe from this topic; may be repeated.\n"
	" --pretty : print the JSON of %j and %J on several lines.\n"
	" --random-filter : print only this percentage of messages, 0.1 to 100, chosen by chance.\n"
	" --retained-only : print retained messages only, and leave at the first other one.\n"
	" --remove-retained : clear each retained message that is not filtered out.\n"
	" --retain-as-published : keep the retain flag the publisher has set. MQTT 5 only.\n";

static const char help_tail[] =
	"\nThe exit code is 0 on success, 27 when -W ran out, the reason code of a CONNACK that "
	"refuses,\nand 1 for any other failure.\n";

static bool add_word(struct list *list, const char *word)
{
	const char **items;

	if (!word)
		return false;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (!items)
		return say_usage("Out of memory.");
	items[list->count++] = word;
	list->items = items;
	return true;
}

static bool add_topic(void *target, const char *name, struct words *words)
{
	return add_word(&((struct sub_options *)target)->topics, words_next(words, name, "topic"));
}

static bool add_unsubscribe(void *target, const char *name, struct words *words)
{
	return add_word(&((struct sub_options *)target)->unsubscribe,
			words_next(words, name, "topic"));
}

static bool add_filter_out(void *target, const char *name, struct words *words)
{
	return add_word(&((struct sub_options *)target)->filter_out,
			words_next(words, name, "topic"));
}

static bool set_random_filter(void *target, const char *name, struct words *words)
{
	const char *text = words_next(words, name, "percentage");
	double percent;

	if (!text)
		return false;
	if (!options_decimal(text, 0.1, 100, &percent))
		return say_usage("%s takes a percentage from 0.1 to 100, not '%s'.", name, text);
	((struct sub_options *)target)->keep_permille = (uint32_t)(percent * 10 + 0.5);
	return true;
}

#define AT(member) offsetof(struct sub_options, member)

static const struct option_spec specs[] = {
	{"-t", "--topic", OPTION_CALL, 0, 0, 0, add_topic},
	{"-U", "--unsubscribe", OPTION_CALL, 0, 0, 0, add_unsubscribe},
	{"-T", "--filter-out", OPTION_CALL, 0, 0, 0, add_filter_out},
	{"-F", NULL, OPTION_TEXT, AT(format), 0, 0, NULL},
	{"-C", NULL, OPTION_NUMBER, AT(count), 1, UINT32_MAX, NULL},
	{"-W", NULL, OPTION_NUMBER, AT(timeout_s), 1, UINT32_MAX, NULL},
	{"-v", "--verbose", OPTION_FLAG, AT(verbose), 0, 0, NULL},
	{"-N", NULL, OPTION_FLAG, AT(no_newline), 0, 0, NULL},
	{"-R", NULL, OPTION_FLAG, AT(no_stale), 0, 0, NULL},
	{"-E", NULL, OPTION_FLAG, AT(exit_subscribed), 0, 0, NULL},
	{NULL, "--pretty", OPTION_FLAG, AT(pretty), 0, 0, NULL},
	{NULL, "--random-filter", OPTION_CALL, 0, 0, 0, set_random_filter},
	{NULL, "--retained-only", OPTION_FLAG, AT(only_stale), 0, 0, NULL},
	{NULL, "--remove-retained", OPTION_FLAG, AT(remove_retained), 0, 0, NULL},
	{NULL, "--retain-as-published", OPTION_FLAG, AT(retain_as_published), 0, 0, NULL},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

static bool refuse_filter(const char *filter, const char *option)
{
	return say_usage("Invalid topic '%s' of %s, are all '+' and '#' wildcards correct?", filter,
			 option);
}

static bool check_options(struct sub_options *options)
{
	if (options->common.login.url.topic &&
	    !add_word(&options->topics, options->common.login.url.topic))
		return false;
	if (options->common.defaults.url.topic &&
	    !add_word(&options->topics, options->common.defaults.url.topic))
		return false;
	if (options->topics.count == 0)
		return say_usage("You must specify a topic to subscribe to, with -t or in the URL "
				 "of -L.");
	for (size_t i = 0; i < options->filter_out.count; i++)
		if (!mquic_topic_is_filter(options->filter_out.items[i], MQUIC_NUL_TERMINATED))
			return refuse_filter(options->filter_out.items[i], "-T");
	if (options->no_stale && options->only_stale)
		return say_usage("-R and --retained-only leave nothing to print. Use one of them.");
	if (options->retain_as_published && options->common.protocol == MQUIC_PROTOCOL_MQTT_3_1_1)
		return say_usage("--retain-as-published needs MQTT 5, but -V asks for 3.1.1.");
	if (options->format && !format_check(options->format))
		return false;
	return client_options_check(&options->common);
}

static bool add_filters(struct mquic_subscription *subscription, const struct list *list, int qos,
			unsigned int options, const char *option)
{
	for (size_t i = 0; i < list->count; i++)
		if (mquic_subscription_add(subscription, list->items[i], MQUIC_NUL_TERMINATED, qos,
					   options) != MQUIC_OK)
			return refuse_filter(list->items[i], option);
	return true;
}

static bool build_subscriptions(struct sub_options *options)
{
	unsigned int flags = options->retain_as_published ? MQUIC_SUBSCRIBE_RETAIN_AS_PUBLISHED : 0;

	return add_filters(options->subscription, &options->topics, (int)options->common.qos, flags,
			   "-t") &&
	       add_filters(options->unsubscription, &options->unsubscribe, 0, 0, "-U");
}

bool sub_options_parse(struct sub_options *options, struct about *about, int argc, char **argv)
{
	const struct option_table tables[] = {
		{specs, options},
		{client_option_specs, &options->common},
		{tls_option_specs, &options->common.tls},
		{tcp_option_specs, about},
		{NULL, NULL},
	};

	return client_options_read_file(&options->common, tables, about->program, argc, argv) &&
	       options_parse(tables, about, argc, argv) && check_options(options) &&
	       build_subscriptions(options);
}

void sub_options_help(void)
{
	fputs(help_head, stdout);
	fputs(client_options_help, stdout);
	fputs(tls_options_help, stdout);
	fputs("\nProperties for -D, by command:\n", stdout);
	fputs(property_connect_help, stdout);
	fputs(property_subscribe_help, stdout);
	fputs(format_help, stdout);
	fputs(help_tail, stdout);
}

bool sub_options_init(struct sub_options *options)
{
	memset(options, 0, sizeof(*options));
	options->keep_permille = 1000;
	if (!client_options_init(&options->common) ||
	    mquic_subscription_new(&options->subscription) != MQUIC_OK ||
	    mquic_subscription_new(&options->unsubscription) != MQUIC_OK)
		return false;
	options->common.subscribe = options->subscription;
	options->common.unsubscribe = options->unsubscription;
	options->common.manual_ack = true;
	return true;
}

void sub_options_free(struct sub_options *options)
{
	mquic_subscription_free(options->subscription);
	mquic_subscription_free(options->unsubscription);
	free(options->topics.items);
	free(options->unsubscribe.items);
	free(options->filter_out.items);
	client_options_free(&options->common);
}
