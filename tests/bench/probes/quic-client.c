/* SPDX-License-Identifier: MIT */
/* The smallest client of the QUIC half: dial, send on a stream, read what comes back. */
#include <mquic.h>

int main(int argc, char **argv)
{
	struct mquic_endpoint *endpoint;
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	struct mquic_event *event;
	uint8_t buffer[512];
	size_t len = 0;

	if (argc < 2 || mquic_endpoint_new(&endpoint) != MQUIC_OK ||
	    mquic_connection_dial(&connection, endpoint, NULL, argv[1], MQUIC_PORT) != MQUIC_OK ||
	    mquic_stream_open(&stream, connection) != MQUIC_OK ||
	    mquic_stream_send(stream, (const uint8_t *)"hello", 5, &len) != MQUIC_OK)
		return 1;
	while (len == 0 || mquic_stream_recv(stream, buffer, sizeof(buffer), &len) != MQUIC_OK) {
		mquic_endpoint_wait(endpoint, -1);
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL)
			mquic_event_free(event);
	}
	mquic_stream_free(stream);
	mquic_connection_free(connection);
	mquic_endpoint_free(endpoint);
	return 0;
}
