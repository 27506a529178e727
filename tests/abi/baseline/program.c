/* SPDX-License-Identifier: MIT */
/*
 * A program as it was written for the release that this directory keeps. It is linked against
 * that release's symbols and run with the library of today: an MQTT client that publishes,
 * on one endpoint, and a server that reads its CONNECT and its message, on another.
 */
#include <stdio.h>
#include <string.h>

#include <mquic.h>

static const char *doing = "starting";

static int failed(const char *why)
{
	fprintf(stderr, "while %s: %s\n", doing, why);
	return 1;
}

/* A library that knows more event types may send them: they are skipped. */
static struct mquic_event *wait_for(struct mquic_endpoint *const endpoints[2],
				    enum mquic_event_type type)
{
	for (int turn = 0; turn < 1000; turn++) {
		struct mquic_endpoint *endpoint = endpoints[turn % 2];
		struct mquic_event *event;

		mquic_endpoint_wait(endpoint, 5);
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			if (mquic_event_type(event) == type)
				return event;
			if (mquic_event_type(event) == MQUIC_EVENT_DISCONNECTED)
				failed(mquic_event_text(event));
			mquic_event_free(event);
		}
	}
	return NULL;
}

static enum mquic_status listen_here(struct mquic_endpoint *server, char **argv, uint16_t *port)
{
	struct mquic_settings *settings;
	enum mquic_status status = mquic_settings_new(&settings);

	if (status == MQUIC_OK)
		status = mquic_settings_set_certificate(settings, argv[2], argv[3]);
	if (status == MQUIC_OK)
		status = mquic_endpoint_listen(server, settings, "127.0.0.1", 0, port);
	mquic_settings_free(settings);
	return status;
}

static enum mquic_status publish(struct mquic_endpoint *client, const char *ca, uint16_t port,
				 struct mquic_session **session)
{
	struct mquic_settings *settings;
	struct mquic_message *message;
	enum mquic_status status = mquic_settings_new(&settings);

	if (status == MQUIC_OK)
		status = mquic_settings_set_ca_file(settings, ca);
	if (status == MQUIC_OK)
		status = mquic_session_new(session, client, settings);
	mquic_settings_free(settings);
	if (status == MQUIC_OK)
		status = mquic_session_set_client_id(*session, "old", MQUIC_NUL_TERMINATED);
	if (status == MQUIC_OK)
		status = mquic_session_connect(*session, "127.0.0.1", port);
	if (status == MQUIC_OK)
		status = mquic_message_new(&message);
	if (status != MQUIC_OK)
		return status;
	status = mquic_message_set_topic(message, "topic", MQUIC_NUL_TERMINATED);
	if (status == MQUIC_OK)
		status = mquic_session_publish(*session, message, NULL);
	mquic_message_free(message);
	return status;
}

static int serve(struct mquic_endpoint *const endpoints[2])
{
	struct mquic_connection *connection;
	struct mquic_relay *relay;
	struct mquic_event *event;
	const uint8_t *data;
	size_t len;
	int bad;

	doing = "accepting";
	mquic_event_free(wait_for(endpoints, MQUIC_EVENT_ACCEPTABLE));
	if (mquic_endpoint_accept(endpoints[0], &connection) != MQUIC_OK ||
	    mquic_relay_new(&relay, connection, 5000, 1000) != MQUIC_OK)
		return failed(mquic_endpoint_error(endpoints[0]));
	doing = "waiting for CONNECT";
	event = wait_for(endpoints, MQUIC_EVENT_RELAY_CONNECT);
	if (event == NULL || strcmp(mquic_relay_client_id(relay, NULL), "old") != 0)
		return failed("none came");
	mquic_event_free(event);
	doing = "reading what the client sends";
	bad = mquic_relay_open(relay) != MQUIC_OK ||
	      mquic_relay_peek(relay, &data, &len) != MQUIC_OK || len == 0 || data[0] != 0x10 ||
	      mquic_relay_consume(relay, len) != MQUIC_OK;
	mquic_relay_free(relay);
	return bad ? failed("no CONNECT is there") : 0;
}

int main(int argc, char **argv)
{
	struct mquic_endpoint *endpoints[2]; /* server and client */
	struct mquic_session *session = NULL;
	uint16_t port;
	int bad;

	if (argc != 4)
		return failed("usage: program CA-FILE CERTIFICATE KEY");
	if (mquic_endpoint_new(&endpoints[0]) != MQUIC_OK ||
	    mquic_endpoint_new(&endpoints[1]) != MQUIC_OK)
		return failed("no endpoint");
	doing = "listening";
	if (listen_here(endpoints[0], argv, &port) != MQUIC_OK)
		return failed(mquic_endpoint_error(endpoints[0]));
	doing = "publishing";
	if (publish(endpoints[1], argv[1], port, &session) != MQUIC_OK)
		return failed("refused");
	bad = serve(endpoints);
	mquic_session_free(session);
	mquic_endpoint_free(endpoints[1]);
	mquic_endpoint_free(endpoints[0]);
	return bad;
}
