/* SPDX-License-Identifier: MIT */
/*
 * Sends one line over a QUIC stream to echo-server and prints what comes back.
 *
 *     echo-client localhost 4433 ca.crt "hello, world"
 */
#include <mquic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A short text fits into an empty send buffer; whoever sends more looks at `*sent`. */
static enum mquic_status say(struct mquic_connection *connection, struct mquic_stream **stream,
			     const char *text)
{
	enum mquic_status status;
	size_t sent;

	if ((status = mquic_stream_open(stream, connection)) ||
	    (status = mquic_stream_send(*stream, (const uint8_t *)text, strlen(text), &sent)))
		return status;
	return mquic_stream_finish(*stream);
}

/* Returns true when the peer has finished. */
static bool print_answer(struct mquic_stream *stream)
{
	uint8_t buffer[4096];
	size_t len;

	while (mquic_stream_recv(stream, buffer, sizeof(buffer), &len) == MQUIC_OK) {
		if (len == 0) {
			putchar('\n');
			return true;
		}
		fwrite(buffer, 1, len, stdout);
	}
	return false;
}

/* Returns false when it is over; `*result` is then the exit code. */
static bool handle(const struct mquic_event *event, int *result)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_STREAM_READABLE:
		if (!print_answer(mquic_event_stream(event)))
			return true;
		*result = 0;
		return false;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		fprintf(stderr, "%s\n", mquic_event_text(event));
		return false;
	default:
		return true;
	}
}

static int run(struct mquic_endpoint *endpoint)
{
	struct mquic_event *event;
	bool going = true;
	int result = 1;

	while (going && mquic_endpoint_wait(endpoint, -1) == MQUIC_OK)
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			going = handle(event, &result) && going;
			mquic_event_free(event);
		}
	return result;
}

int main(int argc, char **argv)
{
	struct mquic_settings *settings = NULL;
	struct mquic_endpoint *endpoint = NULL;
	struct mquic_connection *connection = NULL;
	struct mquic_stream *stream = NULL;
	int result = 1;

	if (argc != 5) {
		fprintf(stderr, "usage: echo-client HOST PORT CAFILE TEXT\n");
		return 1;
	}
	if (mquic_settings_new(&settings) || mquic_settings_set_alpn(settings, "echo") ||
	    mquic_settings_set_ca_file(settings, argv[3]))
		fprintf(stderr, "%s\n", mquic_settings_error(settings));
	else if (mquic_endpoint_new(&endpoint) ||
		 mquic_connection_dial(&connection, endpoint, settings, argv[1],
				       (uint16_t)atoi(argv[2])))
		fprintf(stderr, "%s\n", mquic_endpoint_error(endpoint));
	else if (say(connection, &stream, argv[4]))
		fprintf(stderr, "%s\n", mquic_connection_error(connection));
	else
		result = run(endpoint);

	mquic_stream_free(stream);
	mquic_connection_free(connection);
	mquic_endpoint_free(endpoint);
	mquic_settings_free(settings);
	return result;
}
