/* SPDX-License-Identifier: MIT */
/*
 * session-client [options]: one session, remote-controlled. Commands come on standard input,
 * one a line; words may be percent-encoded:
 *
 *     set NAME VALUE…       id, username, password, protocol, keep-alive, clean, expiry,
 *                           receive-maximum, packet-maximum, alias-maximum, aliases, manual-ack
 *     will TOPIC QOS RETAIN DELAY PAYLOAD
 *     property NAME VALUE…  for the next publish or will: content-type, response-topic,
 *                           correlation, expiry, utf8, user (two values)
 *     connect               publish TOPIC QOS RETAIN PAYLOAD
 *     subscribe FILTER QOS [OPTIONS] [ID]       unsubscribe FILTER
 *     ack ID REASON         disconnect REASON   close (QUIC alone, no DISCONNECT)
 *     statistic NUMBER      quit
 *
 * Answers, and events as they come, are lines of name=value words: `ok command=publish id=7`,
 * `error command=… status=… text=…`, `event type=MESSAGE topic=… payload=… …`.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target.h"

#define MAX_WORDS 8

struct word {
	char *text;
	size_t len;
};

struct client {
	struct target target;
	struct mquic_endpoint *endpoint;
	struct mquic_session *session;
	struct mquic_message *message; /* properties of the next publish gather here */
	struct word words[MAX_WORDS];
	int word_count;
	char input[65536];
	size_t input_len;
	bool quit;
};

/* ---- commands ------------------------------------------------------------ */

static const char *text(const struct client *client, int index)
{
	return index < client->word_count ? client->words[index].text : "";
}

static size_t length(const struct client *client, int index)
{
	return index < client->word_count ? client->words[index].len : 0;
}

static const uint8_t *bytes(const struct client *client, int index)
{
	return (const uint8_t *)text(client, index);
}

static unsigned long number(const struct client *client, int index)
{
	return strtoul(text(client, index), NULL, 10);
}

static enum mquic_status set_text(struct client *client, const char *name)
{
	struct mquic_session *session = client->session;

	if (strcmp(name, "id") == 0)
		return mquic_session_set_client_id(session, text(client, 2), length(client, 2));
	if (strcmp(name, "username") == 0)
		return mquic_session_set_username(session, text(client, 2), length(client, 2));
	if (strcmp(name, "password") == 0)
		return mquic_session_set_password(session, bytes(client, 2), length(client, 2));
	fail("set %s is unknown", name);
}

static enum mquic_status do_set(struct client *client)
{
	struct mquic_session *session = client->session;
	const char *name = text(client, 1);
	unsigned long value = number(client, 2);

	if (strcmp(name, "protocol") == 0)
		return mquic_session_set_protocol(session, (enum mquic_protocol)value);
	if (strcmp(name, "keep-alive") == 0)
		return mquic_session_set_keep_alive_s(session, (uint16_t)value);
	if (strcmp(name, "clean") == 0)
		return mquic_session_set_clean_start(session, value != 0);
	if (strcmp(name, "expiry") == 0)
		return mquic_session_set_expiry_s(session, (uint32_t)value);
	if (strcmp(name, "receive-maximum") == 0)
		return mquic_session_set_receive_maximum(session, (uint16_t)value);
	if (strcmp(name, "packet-maximum") == 0)
		return mquic_session_set_maximum_packet_size(session, (uint32_t)value);
	if (strcmp(name, "alias-maximum") == 0)
		return mquic_session_set_topic_alias_maximum(session, (uint16_t)value);
	if (strcmp(name, "aliases") == 0)
		return mquic_session_set_topic_aliases(session, (uint16_t)value);
	if (strcmp(name, "manual-ack") == 0)
		return mquic_session_set_manual_ack(session, value != 0);
	return set_text(client, name);
}

static enum mquic_status do_property(struct client *client)
{
	struct mquic_message *message = client->message;
	const char *name = text(client, 1);

	if (strcmp(name, "content-type") == 0)
		return mquic_message_set_content_type(message, text(client, 2), length(client, 2));
	if (strcmp(name, "response-topic") == 0)
		return mquic_message_set_response_topic(message, text(client, 2),
							length(client, 2));
	if (strcmp(name, "correlation") == 0)
		return mquic_message_set_correlation_data(message, bytes(client, 2),
							  length(client, 2));
	if (strcmp(name, "expiry") == 0)
		return mquic_message_set_expiry_s(message, (uint32_t)number(client, 2));
	if (strcmp(name, "utf8") == 0)
		return mquic_message_set_utf8_payload(message, number(client, 2) != 0);
	if (strcmp(name, "user") == 0)
		return mquic_message_add_user_property(message, text(client, 2), length(client, 2),
						       text(client, 3), length(client, 3));
	fail("property %s is unknown", name);
}

static void fresh_message(struct client *client)
{
	mquic_message_free(client->message);
	must(mquic_message_new(&client->message), "mquic_message_new", "");
}

/* Topic, QoS and retain stand in words 1 to 3 of both commands that carry a message. */
static enum mquic_status fill_message(struct client *client, int payload)
{
	struct mquic_message *message = client->message;
	enum mquic_status status;

	status = mquic_message_set_topic(message, text(client, 1), length(client, 1));
	if (status == MQUIC_OK)
		status = mquic_message_set_qos(message, (int)number(client, 2));
	if (status == MQUIC_OK)
		status = mquic_message_set_retain(message, number(client, 3) != 0);
	if (status == MQUIC_OK)
		status = mquic_message_set_payload(message, bytes(client, payload),
						   length(client, payload));
	return status;
}

static enum mquic_status do_will(struct client *client)
{
	enum mquic_status status = fill_message(client, 5);

	if (status == MQUIC_OK)
		status = mquic_session_set_will(client->session, client->message,
						(uint32_t)number(client, 4));
	fresh_message(client);
	return status;
}

static enum mquic_status do_publish(struct client *client, uint16_t *id)
{
	enum mquic_status status = fill_message(client, 4);

	if (status == MQUIC_OK)
		status = mquic_session_publish(client->session, client->message, id);
	fresh_message(client);
	return status;
}

static enum mquic_status do_subscribe(struct client *client, uint16_t *id)
{
	struct mquic_subscription *list;
	enum mquic_status status;

	must(mquic_subscription_new(&list), "mquic_subscription_new", "");
	status = mquic_subscription_add(list, text(client, 1), length(client, 1),
					(int)number(client, 2), (unsigned int)number(client, 3));
	if (status == MQUIC_OK && client->word_count > 4)
		status = mquic_subscription_set_id(list, (uint32_t)number(client, 4));
	if (status == MQUIC_OK)
		status = mquic_session_subscribe_all(client->session, list, id);
	mquic_subscription_free(list);
	return status;
}

static enum mquic_status do_statistic(struct client *client)
{
	struct mquic_connection *connection = mquic_session_connection(client->session);

	printf("statistic value=%llu\n",
	       (unsigned long long)mquic_connection_statistic(
		       connection, (enum mquic_statistic)number(client, 1)));
	return MQUIC_OK;
}

static enum mquic_status perform(struct client *client, const char *name, uint16_t *id)
{
	struct mquic_session *session = client->session;

	if (strcmp(name, "set") == 0)
		return do_set(client);
	if (strcmp(name, "will") == 0)
		return do_will(client);
	if (strcmp(name, "property") == 0)
		return do_property(client);
	if (strcmp(name, "connect") == 0)
		return mquic_session_connect(session, client->target.host, client->target.port);
	if (strcmp(name, "publish") == 0)
		return do_publish(client, id);
	if (strcmp(name, "subscribe") == 0)
		return do_subscribe(client, id);
	if (strcmp(name, "unsubscribe") == 0)
		return mquic_session_unsubscribe(session, text(client, 1), length(client, 1), id);
	if (strcmp(name, "ack") == 0)
		return mquic_session_ack(session, (uint16_t)number(client, 1),
					 (uint8_t)number(client, 2));
	if (strcmp(name, "disconnect") == 0)
		return mquic_session_disconnect(session, (uint8_t)number(client, 1));
	if (strcmp(name, "close") == 0)
		return mquic_connection_close(mquic_session_connection(session), 0, NULL);
	if (strcmp(name, "statistic") == 0)
		return do_statistic(client);
	client->quit = strcmp(name, "quit") == 0;
	if (!client->quit)
		fail("command %s is unknown", name);
	return MQUIC_OK;
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* Decodes percent escapes in place; the result is NUL terminated and may hold NULs. */
static size_t decode(char *word)
{
	char *to = word;

	for (const char *from = word; *from != '\0'; from++) {
		if (from[0] == '%' && from[1] != '\0' && from[2] != '\0') {
			*to++ = (char)(hex(from[1]) * 16 + hex(from[2]));
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return (size_t)(to - word);
}

static void run_command(struct client *client, char *line)
{
	enum mquic_status status;
	uint16_t id = 0;
	char *rest;

	client->word_count = 0;
	for (char *word = strtok_r(line, " ", &rest);
	     word != NULL && client->word_count < MAX_WORDS; word = strtok_r(NULL, " ", &rest))
		client->words[client->word_count++] = (struct word){word, decode(word)};
	if (client->word_count == 0)
		return;
	status = perform(client, client->words[0].text, &id);
	if (status == MQUIC_OK) {
		printf("ok command=%s id=%u\n", client->words[0].text, id);
	} else {
		const char *sentence = mquic_session_error(client->session);

		printf("error command=%s status=%d", client->words[0].text, status);
		print_field("text", sentence, strlen(sentence));
		putchar('\n');
	}
}

static void read_commands(struct client *client)
{
	size_t room = sizeof(client->input) - 1 - client->input_len;
	ssize_t got = read(STDIN_FILENO, client->input + client->input_len, room);
	char *line = client->input;
	char *end;

	if (got <= 0) {
		client->quit = true;
		return;
	}
	client->input_len += (size_t)got;
	client->input[client->input_len] = '\0';
	while (!client->quit && (end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		run_command(client, line);
		line = end + 1;
	}
	client->input_len -= (size_t)(line - client->input);
	memmove(client->input, line, client->input_len);
}

/* ---- events -------------------------------------------------------------- */

static void print_text(const char *name, const char *value)
{
	if (value != NULL)
		print_field(name, value, strlen(value));
}

static void print_user_properties(const struct mquic_message *message)
{
	const char *name;
	const char *value;
	size_t name_len;
	size_t value_len;

	for (size_t i = 0;
	     mquic_message_user_property(message, i, &name, &name_len, &value, &value_len); i++) {
		char label[32];

		snprintf(label, sizeof(label), "user%zu", i);
		print_field(label, name, name_len);
		putchar(':');
		for (size_t j = 0; j < value_len; j++)
			printf("%%%02X", (unsigned char)value[j]);
	}
}

static void print_message(const struct mquic_message *message)
{
	const uint8_t *data;
	uint32_t expiry;
	size_t len;

	printf(" qos=%d retain=%d duplicate=%d id=%u", mquic_message_qos(message),
	       mquic_message_retain(message), mquic_message_duplicate(message),
	       mquic_message_packet_id(message));
	print_text("topic", mquic_message_topic(message, NULL));
	data = mquic_message_payload(message, &len);
	print_field("payload", data, len);
	print_text("content-type", mquic_message_content_type(message, NULL));
	print_text("response-topic", mquic_message_response_topic(message, NULL));
	data = mquic_message_correlation_data(message, &len);
	if (data != NULL)
		print_field("correlation", data, len);
	if (mquic_message_expiry_s(message, &expiry))
		printf(" expiry=%u", expiry);
	if (mquic_message_utf8_payload(message))
		printf(" utf8=1");
	if (mquic_message_subscription_id(message, 0) != 0)
		printf(" subscription=%u", mquic_message_subscription_id(message, 0));
	print_user_properties(message);
}

static void print_event(const struct client *client, const struct mquic_event *event)
{
	enum mquic_event_type type = mquic_event_type(event);
	const char *id;

	printf("event type=%s id=%u", mquic_event_type_text(type), mquic_event_packet_id(event));
	if (mquic_event_reason_count(event) > 0)
		printf(" reason=%u", mquic_event_reason(event, 0));
	if (type == MQUIC_EVENT_CONNECTED) {
		id = mquic_session_client_id(client->session, NULL);
		printf(" present=%d keep-alive=%u", mquic_event_session_present(event),
		       mquic_session_keep_alive_s(client->session));
		print_text("client", id);
	} else if (type == MQUIC_EVENT_MESSAGE) {
		print_message(mquic_event_message(event));
	} else if (type == MQUIC_EVENT_DISCONNECTED) {
		print_end(event);
	}
	putchar('\n');
}

static void run(struct client *client)
{
	struct pollfd fds[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = mquic_endpoint_get_fd(client->endpoint), .events = POLLIN},
	};
	struct mquic_event *event;

	while (!client->quit) {
		poll(fds, 2, -1);
		if (fds[0].revents != 0)
			read_commands(client);
		if (fds[1].revents != 0)
			must(mquic_endpoint_process(client->endpoint), "mquic_endpoint_process",
			     mquic_endpoint_error(client->endpoint));
		while ((event = mquic_endpoint_next_event(client->endpoint)) != NULL) {
			print_event(client, event);
			mquic_event_free(event);
		}
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct client client = {0};

	target_init(&client.target);
	for (int i = 1; i < argc; i++)
		target_option(&client.target, argv[i]);
	must(mquic_endpoint_new(&client.endpoint), "mquic_endpoint_new", "");
	must(mquic_session_new(&client.session, client.endpoint, client.target.settings),
	     "mquic_session_new", mquic_endpoint_error(client.endpoint));
	fresh_message(&client);
	run(&client);
	mquic_message_free(client.message);
	mquic_session_free(client.session);
	mquic_endpoint_free(client.endpoint);
	target_free(&client.target);
	return 0;
}
