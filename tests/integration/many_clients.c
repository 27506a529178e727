/* SPDX-License-Identifier: MIT */
/*
 * many-clients [options] --count=N: N sessions at once on one endpoint. Each subscribes to a
 * topic of its own and publishes one message at QoS 1 to the next one's; when every message
 * has come and is settled they part with DISCONNECT. Prints one line of counts; exit code 0
 * if every count is N.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

struct crowd {
	struct target target;
	struct mquic_endpoint *endpoint;
	struct mquic_session **sessions;
	uint64_t count;
	uint64_t timeout_ms;
	uint64_t connected;
	uint64_t subscribed;
	uint64_t received;
	uint64_t delivered;
	uint64_t disconnected;
	uint64_t failed;
};

static void start_session(struct crowd *crowd, uint64_t index)
{
	struct mquic_session **session = &crowd->sessions[index];
	char id[32];

	snprintf(id, sizeof(id), "many-%llu", (unsigned long long)index);
	must(mquic_session_new(session, crowd->endpoint, crowd->target.settings),
	     "mquic_session_new", mquic_endpoint_error(crowd->endpoint));
	must(mquic_session_set_client_id(*session, id, MQUIC_NUL_TERMINATED), "set_client_id",
	     mquic_session_error(*session));
	mquic_session_set_userdata(*session, session);
	must(mquic_session_connect(*session, crowd->target.host, crowd->target.port),
	     "mquic_session_connect", mquic_session_error(*session));
}

static uint64_t index_of(struct crowd *crowd, struct mquic_session *session)
{
	struct mquic_session **place = mquic_session_get_userdata(session);

	return (uint64_t)(place - crowd->sessions);
}

static void subscribe(struct crowd *crowd, struct mquic_session *session)
{
	char topic[32];

	snprintf(topic, sizeof(topic), "many/%llu", (unsigned long long)index_of(crowd, session));
	must(mquic_session_subscribe(session, topic, MQUIC_NUL_TERMINATED, 1, NULL),
	     "mquic_session_subscribe", mquic_session_error(session));
}

static void publish(struct crowd *crowd, struct mquic_session *session)
{
	uint64_t next = (index_of(crowd, session) + 1) % crowd->count;
	struct mquic_message *message;
	char topic[32];

	snprintf(topic, sizeof(topic), "many/%llu", (unsigned long long)next);
	must(mquic_message_new(&message), "mquic_message_new", "");
	must(mquic_message_set_topic(message, topic, MQUIC_NUL_TERMINATED), "set_topic", "");
	must(mquic_message_set_payload(message, (const uint8_t *)topic, strlen(topic)),
	     "set_payload", "");
	must(mquic_message_set_qos(message, 1), "set_qos", "");
	must(mquic_session_publish(session, message, NULL), "mquic_session_publish",
	     mquic_session_error(session));
	mquic_message_free(message);
}

static void take(struct crowd *crowd, const struct mquic_event *event)
{
	const struct mquic_message *message = mquic_event_message(event);
	const char *topic = mquic_message_topic(message, NULL);
	size_t len;
	const uint8_t *payload = mquic_message_payload(message, &len);

	if (len != strlen(topic) || memcmp(payload, topic, len) != 0)
		fail("a message for %s carries somebody else's payload", topic);
	crowd->received++;
}

static void lost(struct crowd *crowd, const struct mquic_event *event)
{
	if (mquic_event_status(event) == MQUIC_OK) {
		crowd->disconnected++;
		return;
	}
	crowd->failed++;
	printf("lost");
	print_end(event);
	putchar('\n');
}

static void handle(struct crowd *crowd, const struct mquic_event *event)
{
	struct mquic_session *session = mquic_event_session(event);

	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		crowd->connected++;
		subscribe(crowd, session);
		break;
	case MQUIC_EVENT_SUBSCRIBED:
		crowd->subscribed++;
		break;
	case MQUIC_EVENT_MESSAGE:
		take(crowd, event);
		break;
	case MQUIC_EVENT_DELIVERED:
		crowd->delivered++;
		break;
	case MQUIC_EVENT_DISCONNECTED:
		lost(crowd, event);
		break;
	default:
		break;
	}
}

/* Runs the loop until `*counter` has reached the number of clients; false if time is up. */
static bool reach(struct crowd *crowd, const uint64_t *counter)
{
	uint64_t end = now_ms() + crowd->timeout_ms;
	struct mquic_event *event;

	while (*counter < crowd->count && crowd->failed == 0 && now_ms() < end) {
		mquic_endpoint_wait(crowd->endpoint, 100);
		while ((event = mquic_endpoint_next_event(crowd->endpoint)) != NULL) {
			handle(crowd, event);
			mquic_event_free(event);
		}
	}
	return *counter >= crowd->count;
}

static bool run(struct crowd *crowd)
{
	for (uint64_t i = 0; i < crowd->count; i++)
		start_session(crowd, i);
	if (!reach(crowd, &crowd->subscribed))
		return false;
	for (uint64_t i = 0; i < crowd->count; i++)
		publish(crowd, crowd->sessions[i]);
	if (!reach(crowd, &crowd->received) || !reach(crowd, &crowd->delivered))
		return false;
	for (uint64_t i = 0; i < crowd->count; i++)
		must(mquic_session_disconnect(crowd->sessions[i], 0), "mquic_session_disconnect",
		     mquic_session_error(crowd->sessions[i]));
	return reach(crowd, &crowd->disconnected);
}

int main(int argc, char **argv)
{
	struct crowd crowd = {.count = 200, .timeout_ms = 30000};
	bool done;

	target_init(&crowd.target);
	for (int i = 1; i < argc; i++)
		if (!option_number(argv[i], "--count=", &crowd.count) &&
		    !option_number(argv[i], "--timeout-ms=", &crowd.timeout_ms))
			target_option(&crowd.target, argv[i]);
	crowd.sessions = calloc(crowd.count, sizeof(struct mquic_session *));
	if (crowd.sessions == NULL)
		fail("out of memory");
	must(mquic_endpoint_new(&crowd.endpoint), "mquic_endpoint_new", "");
	done = run(&crowd);
	printf("connected=%llu subscribed=%llu received=%llu delivered=%llu disconnected=%llu\n",
	       (unsigned long long)crowd.connected, (unsigned long long)crowd.subscribed,
	       (unsigned long long)crowd.received, (unsigned long long)crowd.delivered,
	       (unsigned long long)crowd.disconnected);
	for (uint64_t i = 0; i < crowd.count; i++)
		mquic_session_free(crowd.sessions[i]);
	free(crowd.sessions);
	mquic_endpoint_free(crowd.endpoint);
	target_free(&crowd.target);
	return done ? 0 : 1;
}
