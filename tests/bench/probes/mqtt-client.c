/* SPDX-License-Identifier: MIT */
/* The smallest MQTT client: connect, publish one message at QoS 1, part. */
#include <mquic.h>

int main(int argc, char **argv)
{
	struct mquic_endpoint *endpoint;
	struct mquic_session *session;
	struct mquic_message *message;
	struct mquic_event *event;
	bool over = false;

	if (argc < 2 || mquic_endpoint_new(&endpoint) != MQUIC_OK ||
	    mquic_session_new(&session, endpoint, NULL) != MQUIC_OK ||
	    mquic_session_connect(session, argv[1], 0) != MQUIC_OK ||
	    mquic_message_new(&message) != MQUIC_OK ||
	    mquic_message_set_topic(message, "a/b", 3) != MQUIC_OK ||
	    mquic_message_set_qos(message, 1) != MQUIC_OK ||
	    mquic_session_publish(session, message, NULL) != MQUIC_OK)
		return 1;
	mquic_message_free(message);
	while (!over) {
		mquic_endpoint_wait(endpoint, -1);
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			if (mquic_event_type(event) == MQUIC_EVENT_DELIVERED)
				mquic_session_disconnect(session, 0);
			over = over || mquic_event_type(event) == MQUIC_EVENT_DISCONNECTED;
			mquic_event_free(event);
		}
	}
	mquic_session_free(session);
	mquic_endpoint_free(endpoint);
	return 0;
}
