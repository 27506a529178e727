/* SPDX-License-Identifier: MIT */
/*
 * Sends back what it receives, on any number of QUIC streams: no MQTT here.
 *
 *     echo-server ::1 4433 server.crt server.key
 *
 * Without an address it serves the socket that systemd has bound for it, which is descriptor 3:
 *
 *     systemd-socket-activate --datagram --listen='[::1]:4433' echo-server server.crt server.key
 */
#include <mquic.h>

#include <stdio.h>
#include <stdlib.h>

/*
 * Echoes what has come. When the peer is slow to read, sending answers AGAIN; the bytes then
 * simply stay unread, flow control slows the peer down, and WRITABLE brings us back here.
 */
static void echo(struct mquic_stream *stream)
{
	const uint8_t *data;
	size_t len, sent;

	while (mquic_stream_peek(stream, &data, &len) == MQUIC_OK) {
		if (len == 0) { /* the peer has finished; so do we */
			mquic_stream_finish(stream);
			return;
		}
		if (mquic_stream_send(stream, data, len, &sent) != MQUIC_OK)
			return;
		mquic_stream_consume(stream, sent);
	}
}

static void accept_connections(struct mquic_endpoint *endpoint)
{
	struct mquic_connection *connection;

	while (mquic_endpoint_accept(endpoint, &connection) == MQUIC_OK)
		printf("%s has come\n", mquic_connection_peer_address(connection));
}

static void accept_streams(struct mquic_connection *connection)
{
	struct mquic_stream *stream;

	while (mquic_connection_accept_stream(connection, &stream) == MQUIC_OK)
		echo(stream);
}

static void handle(struct mquic_endpoint *endpoint, const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		accept_connections(endpoint);
		break;
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		accept_streams(mquic_event_connection(event));
		break;
	case MQUIC_EVENT_STREAM_READABLE:
	case MQUIC_EVENT_STREAM_WRITABLE:
		echo(mquic_event_stream(event));
		break;
	case MQUIC_EVENT_STREAM_CLOSED:
		mquic_stream_free(mquic_event_stream(event));
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		printf("%s has gone\n",
		       mquic_connection_peer_address(mquic_event_connection(event)));
		mquic_connection_free(mquic_event_connection(event));
		break;
	default:
		break;
	}
}

static void run(struct mquic_endpoint *endpoint)
{
	struct mquic_event *event;

	while (mquic_endpoint_wait(endpoint, -1) == MQUIC_OK)
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			handle(endpoint, event);
			mquic_event_free(event);
		}
}

static enum mquic_status start(struct mquic_endpoint *endpoint,
			       const struct mquic_settings *settings, int argc, char **argv)
{
	uint16_t port;
	enum mquic_status status = argc == 3
					   ? mquic_endpoint_listen_fd(endpoint, settings, 3, &port)
					   : mquic_endpoint_listen(endpoint, settings, argv[1],
								   (uint16_t)atoi(argv[2]), &port);

	if (status == MQUIC_OK)
		printf("listening on port %u\n", port);
	return status;
}

int main(int argc, char **argv)
{
	struct mquic_settings *settings = NULL;
	struct mquic_endpoint *endpoint = NULL;

	if (argc != 3 && argc != 5) {
		fprintf(stderr, "usage: echo-server [ADDRESS PORT] CERTFILE KEYFILE\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (mquic_settings_new(&settings) || mquic_settings_set_alpn(settings, "echo") ||
	    mquic_settings_set_certificate(settings, argv[argc - 2], argv[argc - 1])) {
		fprintf(stderr, "%s\n", mquic_settings_error(settings));
	} else if (mquic_endpoint_new(&endpoint) || start(endpoint, settings, argc, argv)) {
		fprintf(stderr, "%s\n", mquic_endpoint_error(endpoint));
	} else {
		run(endpoint);
	}
	mquic_endpoint_free(endpoint);
	mquic_settings_free(settings);
	return 1; /* it never ends because all is done */
}
