/* SPDX-License-Identifier: MIT */
/* The smallest gateway: listen, make a relay of each connection, show what clients say. */
#include <mquic.h>
#include <stdio.h>

static void show(struct mquic_relay *relay)
{
	const uint8_t *data;
	size_t len;

	while (mquic_relay_peek(relay, &data, &len) == MQUIC_OK && len > 0) {
		fwrite(data, 1, len, stdout);
		mquic_relay_consume(relay, len);
	}
}

int main(int argc, char **argv)
{
	struct mquic_endpoint *endpoint;
	struct mquic_settings *settings;
	struct mquic_connection *connection;
	struct mquic_relay *relay;
	struct mquic_event *event;

	if (argc < 3 || mquic_endpoint_new(&endpoint) != MQUIC_OK ||
	    mquic_settings_new(&settings) != MQUIC_OK ||
	    mquic_settings_set_certificate(settings, argv[1], argv[2]) != MQUIC_OK ||
	    mquic_endpoint_listen(endpoint, settings, "127.0.0.1", 0, NULL) != MQUIC_OK)
		return 1;
	for (;;) {
		mquic_endpoint_wait(endpoint, -1);
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			if (mquic_event_type(event) == MQUIC_EVENT_ACCEPTABLE &&
			    mquic_endpoint_accept(endpoint, &connection) == MQUIC_OK)
				mquic_relay_new(&relay, connection, 10000, 65536);
			if (mquic_event_type(event) == MQUIC_EVENT_RELAY_CONNECT)
				mquic_relay_open(mquic_event_relay(event));
			if (mquic_event_type(event) == MQUIC_EVENT_RELAY_READABLE)
				show(mquic_event_relay(event));
			if (mquic_event_type(event) == MQUIC_EVENT_RELAY_CLOSED)
				mquic_relay_free(mquic_event_relay(event));
			mquic_event_free(event);
		}
	}
}
