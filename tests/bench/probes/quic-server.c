/* SPDX-License-Identifier: MIT */
/* The smallest server of the QUIC half: listen, accept, echo. */
#include <mquic.h>

static void echo(struct mquic_stream *stream)
{
	uint8_t buffer[512];
	size_t len;

	while (mquic_stream_recv(stream, buffer, sizeof(buffer), &len) == MQUIC_OK && len > 0)
		mquic_stream_send(stream, buffer, len, &len);
}

int main(int argc, char **argv)
{
	struct mquic_endpoint *endpoint;
	struct mquic_settings *settings;
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	struct mquic_event *event;

	if (argc < 3 || mquic_endpoint_new(&endpoint) != MQUIC_OK ||
	    mquic_settings_new(&settings) != MQUIC_OK ||
	    mquic_settings_set_certificate(settings, argv[1], argv[2]) != MQUIC_OK ||
	    mquic_endpoint_listen(endpoint, settings, "127.0.0.1", 0, NULL) != MQUIC_OK)
		return 1;
	for (;;) {
		mquic_endpoint_wait(endpoint, -1);
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			if (mquic_event_type(event) == MQUIC_EVENT_ACCEPTABLE)
				mquic_endpoint_accept(endpoint, &connection);
			if (mquic_event_type(event) == MQUIC_EVENT_STREAM_ACCEPTABLE)
				mquic_connection_accept_stream(mquic_event_connection(event),
							       &stream);
			if (mquic_event_type(event) == MQUIC_EVENT_STREAM_READABLE)
				echo(mquic_event_stream(event));
			mquic_event_free(event);
		}
	}
}
