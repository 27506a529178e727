/* SPDX-License-Identifier: MIT */
/*
 * mquic-sub: prints messages received over QUIC, with mosquitto_sub's options. It comes back
 * and subscribes again after a lost connection. Messages of QoS 1 and 2 are acknowledged once
 * they are printed, so what -C leaves behind stays with the broker.
 */
#include "common/client.h"
#include "common/clock.h"
#include "common/format.h"
#include "common/property.h"
#include "common/say.h"
#include "common/standard-files.h"
#include "common/tcp-options.h"
#include "sub/retained.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_TIMED_OUT 27 /* as mosquitto_sub */

/* Words given with an option that may be repeated; they stay in argv. */
struct list {
	const char **items;
	size_t count;
};

struct sub {
	struct client_options common;
	struct list topics, unsubscribe, filter_out;
	const char *format;
	uint32_t count;         /* -C; 0: no end */
	uint32_t timeout_s;     /* -W; 0: none */
	uint32_t keep_permille; /* --random-filter: how many of a thousand are printed */
	bool verbose, pretty, no_newline, no_stale, only_stale, retain_as_published,
		exit_subscribed;

	struct client client;
	struct mquic_subscription *subscription;
	struct mquic_subscription *unsubscription;
	uint64_t timeout_at_ms;
	uint32_t printed;
	struct retained retained;
	bool remove_retained;
	bool left_some; /* that should have been removed, and it was said */
	bool leaving;   /* once retained messages are removed */
	bool mute;      /* printing has failed */
};

/* ---- options ------------------------------------------------------------- */

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
	return add_word(&((struct sub *)target)->topics, words_next(words, name, "topic"));
}

static bool add_unsubscribe(void *target, const char *name, struct words *words)
{
	return add_word(&((struct sub *)target)->unsubscribe, words_next(words, name, "topic"));
}

static bool add_filter_out(void *target, const char *name, struct words *words)
{
	return add_word(&((struct sub *)target)->filter_out, words_next(words, name, "topic"));
}

static bool set_random_filter(void *target, const char *name, struct words *words)
{
	const char *text = words_next(words, name, "percentage");
	double percent;
	char *end;

	if (!text)
		return false;
	percent = strtod(text, &end);
	if (end == text || *end != '\0' || !(percent >= 0.1 && percent <= 100))
		return say_usage("%s takes a percentage from 0.1 to 100, not '%s'.", name, text);
	((struct sub *)target)->keep_permille = (uint32_t)(percent * 10 + 0.5);
	return true;
}

#define AT(member) offsetof(struct sub, member)

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

static bool check_options(struct sub *sub)
{
	if (sub->common.login.url.topic && !add_word(&sub->topics, sub->common.login.url.topic))
		return false;
	if (sub->common.defaults.url.topic &&
	    !add_word(&sub->topics, sub->common.defaults.url.topic))
		return false;
	if (sub->topics.count == 0)
		return say_usage("You must specify a topic to subscribe to, with -t or in the URL "
				 "of -L.");
	for (size_t i = 0; i < sub->filter_out.count; i++)
		if (!mquic_topic_is_filter(sub->filter_out.items[i], MQUIC_NUL_TERMINATED))
			return refuse_filter(sub->filter_out.items[i], "-T");
	if (sub->no_stale && sub->only_stale)
		return say_usage("-R and --retained-only leave nothing to print. Use one of them.");
	if (sub->retain_as_published && sub->common.protocol == MQUIC_PROTOCOL_MQTT_3_1_1)
		return say_usage("--retain-as-published needs MQTT 5, but -V asks for 3.1.1.");
	if (sub->format && !format_check(sub->format))
		return false;
	return client_options_check(&sub->common);
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

static bool build_subscriptions(struct sub *sub)
{
	unsigned int options = sub->retain_as_published ? MQUIC_SUBSCRIBE_RETAIN_AS_PUBLISHED : 0;

	return add_filters(sub->subscription, &sub->topics, (int)sub->common.qos, options, "-t") &&
	       add_filters(sub->unsubscription, &sub->unsubscribe, 0, 0, "-U");
}

static bool parse_options(struct sub *sub, struct about *about, int argc, char **argv)
{
	const struct option_table tables[] = {
		{specs, sub},
		{client_option_specs, &sub->common},
		{tls_option_specs, &sub->common.tls},
		{tcp_option_specs, about},
		{NULL, NULL},
	};

	return client_options_read_file(&sub->common, tables, about->program, argc, argv) &&
	       options_parse(tables, about, argc, argv) && check_options(sub) &&
	       build_subscriptions(sub);
}

static void print_help(void)
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

/* ---- messages ------------------------------------------------------------ */

static bool is_wanted(const struct sub *sub, const struct mquic_message *message)
{
	const char *topic = mquic_message_topic(message, NULL);

	if (sub->no_stale && mquic_message_retain(message))
		return false;
	for (size_t i = 0; i < sub->filter_out.count; i++)
		if (mquic_topic_matches(sub->filter_out.items[i], MQUIC_NUL_TERMINATED, topic,
					MQUIC_NUL_TERMINATED))
			return false;
	return random() % 1000 < (long)sub->keep_permille;
}

/* An empty payload prints nothing, and with -v "(null)", as scripts know it of mosquitto_sub. */
static void print_message(const struct sub *sub, const struct mquic_message *message)
{
	const char *format = sub->format;
	size_t len;

	mquic_message_payload(message, &len);
	if (!format && len > 0)
		format = sub->verbose ? "%t %p" : "%p";
	else if (!format && sub->verbose && !sub->no_newline)
		format = "%t (null)";
	if (!format)
		return;
	format_print(stdout, format, sub->pretty, message);
	if (!sub->no_newline)
		putchar('\n');
}

/* Nobody reads what we print any more, or the disk is full. */
static void output_failed(struct sub *sub)
{
	if (sub->mute)
		return;
	sub->mute = true;
	if (errno != EPIPE)
		say_error("Cannot print: %s.", strerror(errno));
	client_close(&sub->client, 1);
}

static void acknowledge(struct sub *sub, const struct mquic_message *message)
{
	uint16_t packet_id = mquic_message_packet_id(message);

	if (packet_id != 0 && mquic_session_ack(sub->client.session, packet_id, 0) != MQUIC_OK)
		say_warning("Message %u is not acknowledged: %s", packet_id,
			    mquic_session_error(sub->client.session));
}

static void cannot_remove(struct sub *sub, enum mquic_status status)
{
	if (status == MQUIC_ERR_MEMORY)
		say_warning("Out of memory: a retained message is not removed.");
	else if (!sub->left_some)
		say_warning("More retained messages come than the broker lets be removed "
			    "meanwhile: some are left. Run it again for them.");
	sub->left_some = true;
}

/* With --retain-as-published, the empty one that clears comes back with the flag as well. */
static void remove_retained(struct sub *sub, const struct mquic_message *message)
{
	enum mquic_status status;
	size_t len;

	mquic_message_payload(message, &len);
	if (!sub->remove_retained || !mquic_message_retain(message) || len == 0)
		return;
	status = retained_add(&sub->retained, mquic_message_topic(message, NULL));
	if (status != MQUIC_OK)
		cannot_remove(sub, status);
}

static void settled(const struct mquic_event *event)
{
	uint8_t reason = mquic_event_reason(event, 0);

	if (reason >= 0x80)
		say_warning("A retained message is not removed: %s.", mquic_reason_text(reason));
}

static void tell_message(struct sub *sub, const struct mquic_message *message)
{
	size_t topic_len, payload_len;
	const char *topic = mquic_message_topic(message, &topic_len);
	char shown[1024];

	mquic_message_payload(message, &payload_len);
	say_debug("Client %s received PUBLISH (d%d, q%d, r%d, m%u, '%s', ... (%zu %s))",
		  client_name(&sub->client), mquic_message_duplicate(message),
		  mquic_message_qos(message), mquic_message_retain(message),
		  mquic_message_packet_id(message),
		  mquic_text_printable(shown, sizeof(shown), topic, topic_len, '\''), payload_len,
		  payload_len == 1 ? "byte" : "bytes");
}

static void handle_message(struct sub *sub, const struct mquic_message *message)
{
	tell_message(sub, message);
	if (sub->client.state != CLIENT_CONNECTED || sub->leaving)
		return; /* on the way out; the broker keeps what is not acknowledged */
	if (sub->only_stale && !mquic_message_retain(message)) {
		sub->leaving = true;
		return;
	}
	if (is_wanted(sub, message)) {
		remove_retained(sub, message);
		print_message(sub, message);
		sub->printed++;
		if (mquic_message_qos(message) > 0 && fflush(stdout) != 0) {
			output_failed(sub);
			return;
		}
	}
	acknowledge(sub, message);
	if (sub->count != 0 && sub->printed == sub->count)
		sub->leaving = true;
}

/* ---- subscriptions ------------------------------------------------------- */

static void subscribe(struct sub *sub)
{
	struct mquic_session *session = sub->client.session;
	uint16_t packet_id;

	if (mquic_session_subscribe_all(session, sub->subscription, &packet_id) != MQUIC_OK ||
	    (sub->unsubscribe.count > 0 &&
	     mquic_session_unsubscribe_all(session, sub->unsubscription, NULL) != MQUIC_OK)) {
		say_error("%s", mquic_session_error(session));
		client_close(&sub->client, 1);
		return;
	}
	for (size_t i = 0; i < sub->topics.count; i++)
		say_debug("Client %s sending SUBSCRIBE (Mid: %u, Topic: %s, QoS: %u)",
			  client_name(&sub->client), packet_id, sub->topics.items[i],
			  sub->common.qos);
}

static void subscribed(struct sub *sub, const struct mquic_event *event)
{
	size_t granted = 0;

	say_debug("Client %s received SUBACK", client_name(&sub->client));
	for (size_t i = 0; i < mquic_event_reason_count(event) && i < sub->topics.count; i++) {
		uint8_t reason = mquic_event_reason(event, i);

		if (reason >= 0x80)
			say_warning("Subscription to '%s' denied: %s.", sub->topics.items[i],
				    mquic_reason_text(reason));
		else
			say_debug("Subscribed (mid: %u, topic: %s): %u",
				  mquic_event_packet_id(event), sub->topics.items[i], reason);
		granted += reason < 0x80;
	}
	if (granted == 0) {
		say_error("All subscription requests were denied.");
		client_close(&sub->client, 1);
	} else if (sub->exit_subscribed) {
		client_close(&sub->client, 0);
	}
}

/* ---- the program --------------------------------------------------------- */

static void handle(struct sub *sub, const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		subscribe(sub);
		break;
	case MQUIC_EVENT_SUBSCRIBED:
		subscribed(sub, event);
		break;
	case MQUIC_EVENT_DELIVERED:
		settled(event);
		break;
	case MQUIC_EVENT_MESSAGE:
		handle_message(sub, mquic_event_message(event));
		break;
	default:
		break;
	}
}

/* At once, unless something is still to be sent: the broker keeps what comes behind. */
static void leave_when_done(struct sub *sub)
{
	if (sub->client.state != CLIENT_CONNECTED)
		return;
	retained_send(&sub->retained, sub->client.session);
	if (sub->leaving && retained_is_done(&sub->retained, sub->client.session))
		client_close(&sub->client, 0);
}

static void pull_events(struct sub *sub)
{
	struct mquic_event *event;

	while ((event = client_next_event(&sub->client)) != NULL) {
		handle(sub, event);
		mquic_event_free(event);
		leave_when_done(sub);
	}
	if (fflush(stdout) != 0)
		output_failed(sub);
}

static void check_end(struct sub *sub)
{
	if (sub->client.state == CLIENT_OVER || sub->client.state == CLIENT_CLOSING)
		return;
	if (client_interrupted()) {
		client_close(&sub->client, 0);
	} else if (clock_ms() >= sub->timeout_at_ms) {
		say_warning("Timed out.");
		client_close(&sub->client, EXIT_TIMED_OUT);
	}
}

static int run(struct sub *sub)
{
	uint64_t timeout_ms = (uint64_t)sub->timeout_s * 1000;

	sub->timeout_at_ms = timeout_ms ? clock_ms() + timeout_ms : CLIENT_NO_DEADLINE;
	while (sub->client.state != CLIENT_OVER) {
		client_wait(&sub->client, -1, sub->timeout_at_ms);
		pull_events(sub);
		check_end(sub);
		pull_events(sub); /* sends acknowledgements, and the goodbye */
	}
	return sub->client.result;
}

static bool set_up(struct sub *sub)
{
	memset(sub, 0, sizeof(*sub));
	sub->keep_permille = 1000;
	srandom((unsigned int)clock_us());
	if (client_options_init(&sub->common) &&
	    mquic_subscription_new(&sub->subscription) == MQUIC_OK &&
	    mquic_subscription_new(&sub->unsubscription) == MQUIC_OK &&
	    retained_init(&sub->retained)) {
		sub->common.subscribe = sub->subscription;
		sub->common.unsubscribe = sub->unsubscription;
		sub->common.manual_ack = true;
		return true;
	}
	say_error("Out of memory.");
	return false;
}

static void tear_down(struct sub *sub)
{
	client_free(&sub->client);
	mquic_subscription_free(sub->subscription);
	mquic_subscription_free(sub->unsubscription);
	retained_free(&sub->retained);
	free(sub->topics.items);
	free(sub->unsubscribe.items);
	free(sub->filter_out.items);
	client_options_free(&sub->common);
}

int main(int argc, char **argv)
{
	struct about about = {"mquic-sub", print_help, false};
	struct sub sub;
	int result = 1;

	standard_files_hold();
	say_set_program(about.program);
	if (set_up(&sub) && parse_options(&sub, &about, argc, argv) &&
	    client_open(&sub.client, &sub.common))
		result = run(&sub);
	else if (about.asked)
		result = 0;
	tear_down(&sub);
	return result;
}
