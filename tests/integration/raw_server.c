/* SPDX-License-Identifier: MIT */
/*
 * raw-server [options] HEX…: a server that answers the first bytes of a client with whatever it is
 * told to, well-formed or not, and prints, one line each:
 *
 *     port N                   where it listens, on 127.0.0.1
 *     received data=%10%02…    bytes from a client
 *     closed status=… origin=… code=… text=…
 *
 * --cert=FILE and --key=FILE are its own; --close=TEXT closes the connection with that reason
 * instead of sending the HEX words, and --stop wants no more of the client's after them
 * (STOP_SENDING). It runs until it is killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

struct raw_server {
	struct target target;
	struct mquic_endpoint *endpoint;
	const char *close_reason;
	bool stop;
	char **words;
	int word_count;
};

static void send_word(struct mquic_stream *stream, const char *word)
{
	size_t len = strlen(word) / 2;
	uint8_t *bytes = malloc(len + 1);
	unsigned int byte;
	size_t sent;

	if (bytes == NULL)
		fail("out of memory");
	for (size_t i = 0; i < len; i++) {
		if (sscanf(word + 2 * i, "%2x", &byte) != 1)
			fail("not hexadecimal: %s", word);
		bytes[i] = (uint8_t)byte;
	}
	must(mquic_stream_send(stream, bytes, len, &sent), "mquic_stream_send", "");
	free(bytes);
}

static void answer(struct raw_server *server, struct mquic_stream *stream)
{
	if (server->close_reason != NULL) {
		mquic_connection_close(mquic_stream_connection(stream), 2, server->close_reason);
		return;
	}
	for (int i = 0; i < server->word_count; i++)
		send_word(stream, server->words[i]);
	if (server->stop)
		mquic_stream_stop(stream, 0x8e);
}

static void receive(struct raw_server *server, struct mquic_stream *stream)
{
	bool first = mquic_stream_bytes_sent(stream) == 0;
	uint8_t buffer[4096];
	size_t received;

	while (mquic_stream_recv(stream, buffer, sizeof(buffer), &received) == MQUIC_OK) {
		if (received == 0)
			return;
		printf("received");
		print_field("data", buffer, received);
		putchar('\n');
		if (first)
			answer(server, stream);
		first = false;
	}
}

static void accept_streams(struct raw_server *server, struct mquic_connection *connection)
{
	struct mquic_stream *stream;

	while (mquic_connection_accept_stream(connection, &stream) == MQUIC_OK)
		receive(server, stream);
}

static void handle(struct raw_server *server, const struct mquic_event *event)
{
	struct mquic_connection *connection;

	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		while (mquic_endpoint_accept(server->endpoint, &connection) == MQUIC_OK)
			continue;
		break;
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		accept_streams(server, mquic_event_connection(event));
		break;
	case MQUIC_EVENT_STREAM_READABLE:
		receive(server, mquic_event_stream(event));
		break;
	case MQUIC_EVENT_STREAM_CLOSED:
		mquic_stream_free(mquic_event_stream(event));
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		printf("closed");
		print_end(event);
		putchar('\n');
		mquic_connection_free(mquic_event_connection(event));
		break;
	default:
		break;
	}
}

static void parse(struct raw_server *server, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		const char *reason = option_value(argv[i], "--close=");

		if (reason != NULL)
			server->close_reason = reason;
		else if (strcmp(argv[i], "--stop") == 0)
			server->stop = true;
		else
			target_option(&server->target, argv[i]);
	}
	server->words = argv + i;
	server->word_count = argc - i;
}

int main(int argc, char **argv)
{
	struct raw_server server = {.endpoint = NULL};
	struct mquic_event *event;
	uint16_t port;

	target_init(&server.target);
	parse(&server, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	must(mquic_endpoint_new(&server.endpoint), "mquic_endpoint_new", "");
	must(mquic_endpoint_listen(server.endpoint, server.target.settings, "127.0.0.1", 0, &port),
	     "mquic_endpoint_listen", mquic_endpoint_error(server.endpoint));
	printf("port %u\n", (unsigned int)port);
	while (mquic_endpoint_wait(server.endpoint, -1) == MQUIC_OK)
		while ((event = mquic_endpoint_next_event(server.endpoint)) != NULL) {
			handle(&server, event);
			mquic_event_free(event);
		}
	return 1;
}
