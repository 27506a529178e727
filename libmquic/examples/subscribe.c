/* SPDX-License-Identifier: MIT */
/*
 * Prints every message that matches a filter until it is interrupted or cut off.
 *
 *     subscribe mqtt-quic://localhost ca.crt 'sensors/#'
 */
#include <mquic.h>

#include <stdio.h>

static void print_message(const struct mquic_message *message)
{
	size_t len, topic_len;
	const uint8_t *payload = mquic_message_payload(message, &len);
	const char *topic = mquic_message_topic(message, &topic_len);
	char shown[256];

	/* It comes from others: nothing in it may end the line or steer the terminal. */
	printf("%s: ", mquic_text_printable(shown, sizeof(shown), topic, topic_len, 0));
	fwrite(payload, 1, len, stdout);
	putchar('\n');
	fflush(stdout);
}

/* Returns false when the session is over. */
static bool handle(const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_SUBSCRIBED:
		if (mquic_event_reason(event, 0) < 0x80)
			return true;
		fprintf(stderr, "the broker refused the subscription: %s\n",
			mquic_event_text(event));
		return false;
	case MQUIC_EVENT_MESSAGE:
		print_message(mquic_event_message(event));
		return true;
	case MQUIC_EVENT_DISCONNECTED:
		fprintf(stderr, "%s\n", mquic_event_text(event));
		return false;
	default:
		return true;
	}
}

static void run(struct mquic_endpoint *endpoint)
{
	struct mquic_event *event;
	bool going = true;

	while (going && mquic_endpoint_wait(endpoint, -1) == MQUIC_OK)
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			going = handle(event) && going;
			mquic_event_free(event);
		}
}

int main(int argc, char **argv)
{
	struct mquic_settings *settings = NULL;
	struct mquic_endpoint *endpoint = NULL;
	struct mquic_session *session = NULL;

	if (argc != 4) {
		fprintf(stderr, "usage: subscribe URL CAFILE FILTER\n");
		return 1;
	}
	if (mquic_settings_new(&settings) || mquic_settings_set_ca_file(settings, argv[2]))
		fprintf(stderr, "%s\n", mquic_settings_error(settings));
	else if (mquic_endpoint_new(&endpoint) || mquic_session_new(&session, endpoint, settings))
		fprintf(stderr, "%s\n", mquic_endpoint_error(endpoint));
	else if (mquic_session_connect_url(session, argv[1]) ||
		 mquic_session_subscribe(session, argv[3], MQUIC_NUL_TERMINATED, 1, NULL))
		fprintf(stderr, "%s\n", mquic_session_error(session));
	else
		run(endpoint);

	mquic_session_free(session);
	mquic_endpoint_free(endpoint);
	mquic_settings_free(settings);
	return 1; /* it never ends because all is done */
}
