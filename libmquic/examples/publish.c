/* SPDX-License-Identifier: MIT */
/*
 * Publishes one message with QoS 1 and leaves when the broker has it.
 *
 *     publish mqtt-quic://localhost ca.crt greeting "hello, world"
 */
#include <mquic.h>

#include <stdio.h>
#include <string.h>

static enum mquic_status publish(struct mquic_session *session, const char *topic, const char *text)
{
	struct mquic_message *message;
	enum mquic_status status;

	status = mquic_message_new(&message);
	if (status != MQUIC_OK)
		return status;
	if ((status = mquic_message_set_topic(message, topic, MQUIC_NUL_TERMINATED)) ||
	    (status = mquic_message_set_payload(message, (const uint8_t *)text, strlen(text))) ||
	    (status = mquic_message_set_qos(message, 1)))
		fprintf(stderr, "%s\n", mquic_message_error(message));
	else if ((status = mquic_session_publish(session, message, NULL)))
		fprintf(stderr, "%s\n", mquic_session_error(session));
	mquic_message_free(message);
	return status;
}

/* Returns false when there is nothing more to wait for; `*result` is then the exit code. */
static bool handle(struct mquic_session *session, const struct mquic_event *event, int *result)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_DELIVERED:
		*result = mquic_event_reason(event, 0) >= 0x80;
		return mquic_session_disconnect(session, 0) == MQUIC_OK;
	case MQUIC_EVENT_DISCONNECTED:
		if (mquic_event_status(event) != MQUIC_OK) {
			fprintf(stderr, "%s\n", mquic_event_text(event));
			*result = 1;
		}
		return false;
	default:
		return true;
	}
}

static int run(struct mquic_endpoint *endpoint, struct mquic_session *session)
{
	struct mquic_event *event;
	bool going = true;
	int result = 1;

	while (going && mquic_endpoint_wait(endpoint, -1) == MQUIC_OK)
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			going = handle(session, event, &result) && going;
			mquic_event_free(event);
		}
	return result;
}

int main(int argc, char **argv)
{
	struct mquic_settings *settings = NULL;
	struct mquic_endpoint *endpoint = NULL;
	struct mquic_session *session = NULL;
	int result = 1;

	if (argc != 5) {
		fprintf(stderr, "usage: publish URL CAFILE TOPIC TEXT\n");
		return 1;
	}
	/* Publishing need not wait for the connection: the message leaves once it stands. */
	if (mquic_settings_new(&settings) || mquic_settings_set_ca_file(settings, argv[2]))
		fprintf(stderr, "%s\n", mquic_settings_error(settings));
	else if (mquic_endpoint_new(&endpoint) || mquic_session_new(&session, endpoint, settings))
		fprintf(stderr, "%s\n", mquic_endpoint_error(endpoint));
	else if (mquic_session_connect_url(session, argv[1]))
		fprintf(stderr, "%s\n", mquic_session_error(session));
	else if (publish(session, argv[3], argv[4]) == MQUIC_OK)
		result = run(endpoint, session);

	mquic_session_free(session);
	mquic_endpoint_free(endpoint);
	mquic_settings_free(settings);
	return result;
}
