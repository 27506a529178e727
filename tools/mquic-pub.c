/* SPDX-License-Identifier: MIT */
/*
 * mquic-pub: publishes over QUIC, with mosquitto_pub's options. One payload, or every line of
 * standard input; it is over when the broker has acknowledged all of QoS 1 and 2.
 */
#include "common/client.h"
#include "common/clock.h"
#include "common/input.h"
#include "common/patience.h"
#include "common/property.h"
#include "common/reason.h"
#include "common/say.h"
#include "common/standard-files.h"
#include "common/tcp-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds without any acknowledgement, after which a broker is not waited for any more. */
#define ACK_TIMEOUT_S 60

/* Lines published before the endpoint gets its turn. */
#define BURST 256

enum source {
	SOURCE_NONE,
	SOURCE_TEXT,
	SOURCE_NULL,
	SOURCE_FILE,
	SOURCE_LINES,
	SOURCE_STDIN
};

struct pub {
	struct client_options common;
	const char *topic, *default_topic; /* the latter of a file */
	enum source source;
	const char *value; /* text or file name */
	uint32_t repeat;
	uint32_t repeat_delay_ms;
	bool has_repeat_delay;
	bool retain;
	struct patience patience;

	struct client client;
	struct mquic_message *message;
	struct input lines;
	uint8_t *payload; /* of all sources but lines */
	size_t payload_len;
	uint64_t next_at_ms; /* the next repetition */
	uint32_t published;
	size_t unsettled; /* QoS 1 and 2 without their answer */
	bool blocked;	  /* WRITABLE will come */
	bool failed;	  /* something was not published; the exit code will say so */
	bool stopped;	  /* nothing more will be published */
};

/* ---- options ------------------------------------------------------------- */

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

static bool set_source(struct pub *pub, enum source source)
{
	if (pub->source != SOURCE_NONE)
		return say_usage("Only one of -f, -l, -m, -n and -s can be given, and only once.");
	pub->source = source;
	return true;
}

static bool set_text(void *target, const char *name, struct words *words)
{
	struct pub *pub = target;

	pub->value = words_next(words, name, "message");
	return pub->value && set_source(pub, SOURCE_TEXT);
}

static bool set_file(void *target, const char *name, struct words *words)
{
	struct pub *pub = target;

	pub->value = words_next(words, name, "file");
	return pub->value && set_source(pub, SOURCE_FILE);
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
	struct pub *pub = target;
	const char *text = words_next(words, name, "number of seconds");
	double seconds;
	char *end;

	if (!text)
		return false;
	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 86400))
		return say_usage("%s takes seconds from 0 to 86400, not '%s'.", name, text);
	pub->repeat_delay_ms = (uint32_t)(seconds * 1000);
	pub->has_repeat_delay = true;
	return true;
}

#define AT(member) offsetof(struct pub, member)

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
	{NULL, "--ack-timeout", OPTION_NUMBER, AT(patience.limit_s), 0, 86400, NULL},
	{NULL, NULL, 0, 0, 0, 0, NULL},
};

static bool check_options(struct pub *pub)
{
	const char *url_topic = pub->common.login.url.topic;

	if (url_topic && pub->topic)
		return say_usage("-t and -L both name the topic. Use one of them.");
	if (url_topic)
		pub->topic = url_topic;
	if (!pub->topic)
		pub->topic = pub->default_topic;
	if (!pub->topic)
		pub->topic = pub->common.defaults.url.topic;
	if (!pub->topic)
		return say_usage("You must specify a topic to publish to, with -t or in the URL "
				 "of -L.");
	if (pub->source == SOURCE_NONE)
		return say_usage("You must specify what to publish, with -f, -l, -m, -n or -s.");
	if (pub->source == SOURCE_LINES && (pub->repeat || pub->has_repeat_delay))
		return say_usage("--repeat and --repeat-delay cannot be used with -l.");
	if (pub->has_repeat_delay && !pub->repeat)
		return say_usage("--repeat-delay given, but no --repeat.");
	if (pub->repeat == 0)
		pub->repeat = 1;
	if (mquic_message_set_topic(pub->message, pub->topic, MQUIC_NUL_TERMINATED) != MQUIC_OK)
		return say_usage("Invalid publish topic '%s': it must be UTF-8, not empty and hold "
				 "no '+' or '#'.",
				 pub->topic);
	return client_options_check(&pub->common);
}

static bool parse_options(struct pub *pub, struct about *about, int argc, char **argv)
{
	const struct option_table tables[] = {
		{specs, pub},
		{client_option_specs, &pub->common},
		{tls_option_specs, &pub->common.tls},
		{tcp_option_specs, about},
		{NULL, NULL},
	};

	if (!client_options_read_file(&pub->common, tables, about->program, argc, argv))
		return false;
	pub->default_topic = pub->topic;
	pub->topic = NULL;
	return options_parse(tables, about, argc, argv) && check_options(pub);
}

static void print_help(void)
{
	fputs(help_head, stdout);
	fputs(client_options_help, stdout);
	fputs(tls_options_help, stdout);
	fputs("\nProperties for -D, by command:\n", stdout);
	fputs(property_connect_help, stdout);
	fputs(property_message_help, stdout);
	fputs(help_tail, stdout);
}

/* ---- payload ------------------------------------------------------------- */

/*
 * What makes the payload may have failed, and an empty one clears what the broker retains: that
 * has to be asked for.
 */
static bool check_not_empty(const struct pub *pub, const char *name)
{
	if (pub->payload_len > 0)
		return true;
	say_error("Zero length input: %s is empty. Use -n to publish an empty message.", name);
	return false;
}

static bool load_payload(struct pub *pub)
{
	switch (pub->source) {
	case SOURCE_TEXT:
		pub->payload_len = strlen(pub->value);
		pub->payload = (uint8_t *)strdup(pub->value);
		if (!pub->payload)
			say_error("Out of memory.");
		return pub->payload != NULL;
	case SOURCE_FILE:
		return input_read_file(pub->value, &pub->payload, &pub->payload_len) &&
		       check_not_empty(pub, pub->value);
	case SOURCE_STDIN:
		return input_read_all(STDIN_FILENO, "Standard input", &pub->payload,
				      &pub->payload_len) &&
		       check_not_empty(pub, "Standard input");
	default:
		return true;
	}
}

/* Shows the payload that is to be published next; false if there is none now. */
static bool next_payload(struct pub *pub, const uint8_t **data, size_t *len)
{
	if (pub->source == SOURCE_LINES)
		return input_line(&pub->lines, data, len);
	*data = pub->payload;
	*len = pub->payload_len;
	return pub->published < pub->repeat && clock_ms() >= pub->next_at_ms;
}

static void consume_payload(struct pub *pub)
{
	pub->published++;
	if (pub->source == SOURCE_LINES)
		input_consume_line(&pub->lines);
	else
		pub->next_at_ms = clock_ms() + pub->repeat_delay_ms;
}

/* Whether all there is has been handed to the session. */
static bool source_is_over(struct pub *pub)
{
	const uint8_t *data;
	size_t len;

	if (pub->source != SOURCE_LINES)
		return pub->published >= pub->repeat;
	return pub->lines.over && !input_line(&pub->lines, &data, &len);
}

/* ---- publishing ---------------------------------------------------------- */

/* Also before CONNACK: a message that is on its way then arrives a round trip earlier. */
static bool can_publish(const struct pub *pub)
{
	enum client_state state = pub->client.state;

	if (pub->common.max_inflight && pub->unsettled >= pub->common.max_inflight)
		return false;
	return (state == CLIENT_CONNECTING || state == CLIENT_CONNECTED) && !pub->blocked &&
	       !pub->stopped;
}

/* Sends one payload; false if the session takes no more now. */
static bool publish(struct pub *pub, const uint8_t *data, size_t len)
{
	struct mquic_session *session = pub->client.session;
	uint16_t packet_id = 0;
	enum mquic_status status = mquic_message_set_payload(pub->message, data, len);

	if (status == MQUIC_OK)
		status = mquic_session_publish(session, pub->message, &packet_id);
	if (status == MQUIC_ERR_AGAIN) {
		pub->blocked = true;
		return false;
	}
	if (status == MQUIC_OK) {
		say_debug("Client %s sending PUBLISH (d0, q%u, r%d, m%u, '%s', ... (%zu %s))",
			  client_name(&pub->client), pub->common.qos, pub->retain, packet_id,
			  pub->topic, len, len == 1 ? "byte" : "bytes");
		pub->unsettled += packet_id != 0;
		return true;
	}
	say_error("%s", mquic_session_error(session));
	pub->failed = true;
	/* One line too many bytes long does not stop those behind it; anything else would. */
	pub->stopped = status != MQUIC_ERR_TOO_LARGE;
	return !pub->stopped;
}

static void publish_what_is_there(struct pub *pub)
{
	const uint8_t *data;
	size_t len;

	for (int i = 0; i < BURST && can_publish(pub) && next_payload(pub, &data, &len); i++)
		if (publish(pub, data, len))
			consume_payload(pub);
}

static void settled(struct pub *pub, const struct mquic_event *event)
{
	uint16_t packet_id = mquic_event_packet_id(event);
	uint8_t reason = mquic_event_reason(event, 0);
	const char *text = mquic_event_text(event);

	patience_renew(&pub->patience);
	/* Without an identifier: QoS 0, and CONNACK told that the broker does not take it. */
	if (packet_id != 0 && pub->unsettled > 0)
		pub->unsettled--;
	say_debug("Client %s received %s (Mid: %u, RC:%u)", client_name(&pub->client),
		  pub->common.qos == 2 ? "PUBCOMP" : "PUBACK", packet_id, reason);
	if (reason < 0x80)
		return;
	say_warning("Publish %u failed: %s%s%s.", packet_id, mquic_reason_text(reason),
		    *text ? ": " : "", text);
	pub->failed = true;
}

static void handle(struct pub *pub, const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		patience_renew(&pub->patience);
		pub->blocked = false;
		break;
	case MQUIC_EVENT_WRITABLE:
		pub->blocked = false;
		break;
	case MQUIC_EVENT_DELIVERED:
		settled(pub, event);
		break;
	default:
		break;
	}
}

static void pull_events(struct pub *pub)
{
	struct mquic_event *event;

	while ((event = client_next_event(&pub->client)) != NULL) {
		handle(pub, event);
		mquic_event_free(event);
	}
}

static const char *messages_are(size_t count)
{
	return count == 1 ? "message is" : "messages are";
}

static void interrupted(struct pub *pub)
{
	if (pub->unsettled > 0)
		say_error("Interrupted: %zu %s not acknowledged.", pub->unsettled,
			  messages_are(pub->unsettled));
	else if (!source_is_over(pub))
		say_error("Interrupted.");
	pub->stopped = true;
	client_close(&pub->client, 1);
}

/* Whether a broker that is there has acknowledged nothing for too long. */
static bool has_waited_too_long(struct pub *pub)
{
	const struct mquic_connection *connection = mquic_session_connection(pub->client.session);
	bool waiting = pub->client.state == CLIENT_CONNECTED && pub->unsettled > 0;
	uint64_t sent = 0;

	if (waiting)
		sent = mquic_connection_statistic(connection, MQUIC_STATISTIC_BYTES_SENT);
	return patience_is_over(&pub->patience, waiting, sent);
}

static void give_up(struct pub *pub)
{
	say_error("The broker has acknowledged nothing for %u s. --ack-timeout sets how long to "
		  "wait.",
		  pub->patience.limit_s);
	pub->stopped = true;
	client_give_up(&pub->client);
}

/* With QoS 0 a message is over only once a connection has taken it. */
static bool may_end(const struct pub *pub)
{
	return pub->client.state == CLIENT_CONNECTED ||
	       (pub->client.state == CLIENT_WAITING && pub->common.qos > 0);
}

/* Parts when there is nothing left to do. */
static void check_end(struct pub *pub)
{
	if (pub->client.state == CLIENT_OVER || pub->client.state == CLIENT_CLOSING)
		return;
	if (client_interrupted())
		interrupted(pub);
	else if (has_waited_too_long(pub))
		give_up(pub);
	else if ((pub->stopped || source_is_over(pub)) && may_end(pub) &&
		 mquic_session_inflight(pub->client.session) == 0)
		client_close(&pub->client, pub->failed);
}

/* When there is something to publish again. */
static uint64_t next_payload_at(struct pub *pub)
{
	const uint8_t *data;
	size_t len;

	if (!can_publish(pub))
		return CLIENT_NO_DEADLINE;
	if (next_payload(pub, &data, &len))
		return 0;
	if (pub->source != SOURCE_LINES && pub->published < pub->repeat)
		return pub->next_at_ms;
	return CLIENT_NO_DEADLINE;
}

/* When to look again although nothing happened. */
static uint64_t next_deadline(struct pub *pub)
{
	uint64_t at_ms = next_payload_at(pub);
	uint64_t patience_ms = patience_deadline_ms(&pub->patience);

	return patience_ms < at_ms ? patience_ms : at_ms;
}

static bool wants_input(const struct pub *pub)
{
	return pub->source == SOURCE_LINES && !pub->lines.over && can_publish(pub);
}

static int run(struct pub *pub)
{
	while (pub->client.state != CLIENT_OVER) {
		int fd = wants_input(pub) ? STDIN_FILENO : -1;

		if (client_wait(&pub->client, fd, next_deadline(pub)) && !input_read(&pub->lines))
			pub->failed = true;
		pull_events(pub);
		publish_what_is_there(pub);
		check_end(pub);
		pull_events(pub); /* sends what was published, and the goodbye */
	}
	if (pub->unsettled > 0 && !client_interrupted())
		say_error("%zu %s not acknowledged.", pub->unsettled, messages_are(pub->unsettled));
	return pub->client.result;
}

static bool set_up(struct pub *pub)
{
	memset(pub, 0, sizeof(*pub));
	input_init(&pub->lines, STDIN_FILENO);
	pub->patience.limit_s = ACK_TIMEOUT_S;
	if (client_options_init(&pub->common) && mquic_message_new(&pub->message) == MQUIC_OK) {
		pub->common.publish = pub->message;
		return true;
	}
	say_error("Out of memory.");
	return false;
}

static bool prepare_message(struct pub *pub)
{
	if (mquic_message_set_qos(pub->message, (int)pub->common.qos) == MQUIC_OK &&
	    mquic_message_set_retain(pub->message, pub->retain) == MQUIC_OK)
		return load_payload(pub);
	say_error("The message cannot be built.");
	return false;
}

static void tear_down(struct pub *pub)
{
	client_free(&pub->client);
	mquic_message_free(pub->message);
	input_free(&pub->lines);
	free(pub->payload);
	client_options_free(&pub->common);
}

int main(int argc, char **argv)
{
	struct about about = {"mquic-pub", print_help, false};
	struct pub pub;
	int result = 1;

	standard_files_hold();
	say_set_program(about.program);
	if (set_up(&pub) && parse_options(&pub, &about, argc, argv) && prepare_message(&pub) &&
	    client_open(&pub.client, &pub.common))
		result = run(&pub);
	else if (about.asked)
		result = 0;
	tear_down(&pub);
	return result;
}
