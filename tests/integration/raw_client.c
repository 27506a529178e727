/* SPDX-License-Identifier: MIT */
/*
 * raw-client [options] HEX…: opens one QUIC stream and sends whatever bytes it is told to,
 * well-formed or not, then reports all that comes back, one line each:
 *
 *     ready alpn=mqtt tls=TLS1.3      the handshake is complete
 *     received data=%20%02…          bytes from the peer
 *     end                             the peer finished its side of the stream
 *     stream-closed code=N
 *     second-closed code=N            the same of the second stream
 *     closed status=… origin=… code=… text=…
 *     timeout                         nothing ended the connection within --wait-ms
 *
 * Each HEX word is one send, --pause-ms apart. --fill=N sends N zero bytes behind them,
 * --finish ends our side, --reset and --stop give up sending and receiving, --no-stream only
 * connects, --no-read leaves unread what comes. --second=HEX sends that on a second stream, ahead
 * of everything.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

struct raw_client {
	struct target target;
	struct mquic_endpoint *endpoint;
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	struct mquic_stream *second_stream;
	const char *second;
	char **words;
	int word_count;
	int next_word;
	uint64_t next_at_ms;
	uint64_t pause_ms;
	uint64_t wait_ms;
	uint64_t fill;
	bool finish;
	bool reset;
	bool stop;
	bool no_stream;
	bool no_read;
	bool closed;
};

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	if (found == NULL)
		fail("not a lower-case hexadecimal digit: %c", c);
	return (int)(found - digits);
}

static void send_word(struct mquic_stream *stream, const char *word)
{
	size_t len = strlen(word) / 2;
	uint8_t *bytes = malloc(len + 1);
	enum mquic_status status;
	size_t sent = 0;

	if (bytes == NULL)
		fail("out of memory");
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(hex_digit(word[2 * i]) * 16 + hex_digit(word[2 * i + 1]));
	status = mquic_stream_send(stream, bytes, len, &sent);
	free(bytes);
	if (status != MQUIC_OK || sent != len)
		printf("send-failed status=%d sent=%zu\n", status, sent);
}

/* As many zero bytes as fit now; the rest when the stream is writable again. */
static void send_fill(struct raw_client *client)
{
	static const uint8_t zeros[16384];
	size_t sent;

	while (client->fill > 0) {
		size_t len = client->fill < sizeof(zeros) ? (size_t)client->fill : sizeof(zeros);

		if (mquic_stream_send(client->stream, zeros, len, &sent) != MQUIC_OK)
			return;
		client->fill -= sent;
	}
}

static bool all_sent(const struct raw_client *client)
{
	return client->next_word == client->word_count && client->fill == 0;
}

static void end_stream(struct raw_client *client)
{
	if (client->finish)
		mquic_stream_finish(client->stream);
	if (client->reset)
		mquic_stream_reset(client->stream, 0);
	if (client->stop)
		mquic_stream_stop(client->stream, 0);
}

/* Stream 0 exists, but nothing of it has been sent when this arrives. */
static void send_second(struct raw_client *client)
{
	must(mquic_stream_open(&client->second_stream, client->connection), "mquic_stream_open",
	     mquic_connection_error(client->connection));
	send_word(client->second_stream, client->second);
	client->next_at_ms = now_ms() + client->pause_ms;
}

static void send_due(struct raw_client *client)
{
	bool before = all_sent(client);

	if (client->stream == NULL)
		return;
	while (client->next_word < client->word_count && now_ms() >= client->next_at_ms) {
		send_word(client->stream, client->words[client->next_word++]);
		client->next_at_ms = now_ms() + client->pause_ms;
	}
	if (client->next_word == client->word_count)
		send_fill(client);
	if (!before && all_sent(client))
		end_stream(client);
}

static void receive(struct mquic_stream *stream)
{
	uint8_t buffer[4096];
	size_t received;

	while (mquic_stream_recv(stream, buffer, sizeof(buffer), &received) == MQUIC_OK) {
		if (received == 0) {
			puts("end");
			return;
		}
		printf("received");
		print_field("data", buffer, received);
		putchar('\n');
	}
}

static void handle(struct raw_client *client, const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTION_READY:
		printf("ready alpn=%s tls=%s\n", mquic_connection_alpn(client->connection),
		       mquic_connection_tls_version(client->connection));
		break;
	case MQUIC_EVENT_STREAM_READABLE:
		if (!client->no_read && mquic_event_stream(event) == client->stream)
			receive(client->stream);
		break;
	case MQUIC_EVENT_STREAM_WRITABLE:
		send_due(client);
		break;
	case MQUIC_EVENT_STREAM_CLOSED:
		fputs(mquic_event_stream(event) == client->stream ? "stream-closed"
								  : "second-closed",
		      stdout);
		printf(" code=%llu\n", (unsigned long long)mquic_event_code(event));
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		printf("closed");
		print_end(event);
		putchar('\n');
		client->closed = true;
		break;
	default:
		break;
	}
	fflush(stdout);
}

static void run(struct raw_client *client)
{
	uint64_t end = now_ms() + client->wait_ms;
	struct mquic_event *event;

	while (!client->closed && now_ms() < end) {
		send_due(client);
		mquic_endpoint_wait(client->endpoint, 10);
		while ((event = mquic_endpoint_next_event(client->endpoint)) != NULL) {
			handle(client, event);
			mquic_event_free(event);
		}
	}
	if (!client->closed)
		puts("timeout");
}

static void parse(struct raw_client *client, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--finish") == 0)
			client->finish = true;
		else if (strcmp(argv[i], "--reset") == 0)
			client->reset = true;
		else if (strcmp(argv[i], "--stop") == 0)
			client->stop = true;
		else if (strncmp(argv[i], "--second=", 9) == 0)
			client->second = argv[i] + 9;
		else if (strcmp(argv[i], "--no-stream") == 0)
			client->no_stream = true;
		else if (strcmp(argv[i], "--no-read") == 0)
			client->no_read = true;
		else if (!option_number(argv[i], "--pause-ms=", &client->pause_ms) &&
			 !option_number(argv[i], "--wait-ms=", &client->wait_ms) &&
			 !option_number(argv[i], "--fill=", &client->fill))
			target_option(&client->target, argv[i]);
	}
	client->words = argv + i;
	client->word_count = argc - i;
}

int main(int argc, char **argv)
{
	struct raw_client client = {.wait_ms = 30000};

	target_init(&client.target);
	parse(&client, argc, argv);
	must(mquic_endpoint_new(&client.endpoint), "mquic_endpoint_new", "");
	must(mquic_connection_dial(&client.connection, client.endpoint, client.target.settings,
				   client.target.host, client.target.port),
	     "mquic_connection_dial", mquic_endpoint_error(client.endpoint));
	if (!client.no_stream)
		must(mquic_stream_open(&client.stream, client.connection), "mquic_stream_open",
		     mquic_connection_error(client.connection));
	if (client.second != NULL)
		send_second(&client);
	run(&client);
	mquic_stream_free(client.second_stream);
	mquic_stream_free(client.stream);
	mquic_connection_free(client.connection);
	mquic_endpoint_free(client.endpoint);
	target_free(&client.target);
	return 0;
}
