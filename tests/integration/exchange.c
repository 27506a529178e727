/* SPDX-License-Identifier: MIT */
/*
 * exchange [options]: two sessions publish to each other at the same time and each checks
 * what comes: how many messages, in which order, how often. One line per session:
 *
 *     a sent=1000 delivered=1000 received=1000 duplicates=0 missing=0 disorder=0 damaged=0
 *
 * Exit code 0 if both got every message exactly once, whole and in order.
 * Options: --count= --qos= --size= --protocol= --interval-ms= (between messages) --timeout-ms=
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

struct plan {
	uint64_t count;
	uint64_t qos;
	uint64_t size;
	uint64_t protocol;
	uint64_t interval_ms;
	uint64_t timeout_ms;
};

struct side {
	const char *name;
	const char *inbox;
	const char *outbox;
	struct mquic_session *session;
	const struct plan *plan;
	uint8_t *payload;
	uint8_t *seen;
	uint64_t subscribed;
	uint64_t sent;
	uint64_t delivered;
	uint64_t received;
	uint64_t duplicates;
	uint64_t disorder;
	uint64_t damaged;
	uint64_t last;
	uint64_t next_at_ms;
	bool disconnected;
	bool lost;
};

/* A payload is its number, eight bytes, and then bytes that depend on it. */
static uint8_t pattern(uint64_t number, uint64_t place)
{
	return (uint8_t)(number * 31 + place * 7);
}

static void write_payload(struct side *side, uint64_t number)
{
	memcpy(side->payload, &number, sizeof(number));
	for (uint64_t i = sizeof(number); i < side->plan->size; i++)
		side->payload[i] = pattern(number, i);
}

static bool read_payload(const struct side *side, const uint8_t *data, size_t len, uint64_t *number)
{
	if (len != side->plan->size)
		return false;
	memcpy(number, data, sizeof(*number));
	for (uint64_t i = sizeof(*number); i < len; i++)
		if (data[i] != pattern(*number, i))
			return false;
	return *number < side->plan->count;
}

static bool publish_one(struct side *side)
{
	struct mquic_message *message;
	enum mquic_status status;

	write_payload(side, side->sent);
	must(mquic_message_new(&message), "mquic_message_new", "");
	must(mquic_message_set_topic(message, side->outbox, MQUIC_NUL_TERMINATED), "set_topic", "");
	must(mquic_message_set_payload(message, side->payload, side->plan->size), "set_payload",
	     "");
	must(mquic_message_set_qos(message, (int)side->plan->qos), "set_qos", "");
	status = mquic_session_publish(side->session, message, NULL);
	mquic_message_free(message);
	if (status == MQUIC_ERR_AGAIN)
		return false;
	must(status, "mquic_session_publish", mquic_session_error(side->session));
	side->sent++;
	side->next_at_ms = now_ms() + side->plan->interval_ms;
	return true;
}

static void publish_due(struct side *side)
{
	while (side->sent < side->plan->count && now_ms() >= side->next_at_ms)
		if (!publish_one(side))
			return;
}

static void take(struct side *side, const struct mquic_message *message)
{
	uint64_t number = 0;
	size_t len;
	const uint8_t *data = mquic_message_payload(message, &len);

	if (!read_payload(side, data, len, &number)) {
		side->damaged++;
		return;
	}
	if (side->seen[number]) {
		side->duplicates++;
		return;
	}
	if (side->received > 0 && number < side->last)
		side->disorder++;
	side->seen[number] = 1;
	side->last = number;
	side->received++;
}

static void handle(struct side *side, const struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_SUBSCRIBED:
		side->subscribed++;
		break;
	case MQUIC_EVENT_MESSAGE:
		take(side, mquic_event_message(event));
		break;
	case MQUIC_EVENT_DELIVERED:
		side->delivered += mquic_event_reason(event, 0) < 0x80;
		break;
	case MQUIC_EVENT_WRITABLE:
		publish_due(side);
		break;
	case MQUIC_EVENT_DISCONNECTED:
		side->disconnected = true;
		side->lost = mquic_event_status(event) != MQUIC_OK;
		if (side->lost) {
			printf("%s lost", side->name);
			print_end(event);
			putchar('\n');
		}
		break;
	default:
		break;
	}
}

static bool subscribed(const struct side *side)
{
	return side->subscribed > 0;
}

static bool complete(const struct side *side)
{
	return side->sent == side->plan->count && side->received == side->plan->count &&
	       (side->plan->qos == 0 || side->delivered == side->plan->count);
}

static bool disconnected(const struct side *side)
{
	return side->disconnected;
}

/* Runs the loop until `done` holds for both sides; false if time is up or one is lost. */
static bool reach(struct mquic_endpoint *endpoint, struct side sides[2],
		  bool (*done)(const struct side *), bool publishing)
{
	uint64_t end = now_ms() + sides[0].plan->timeout_ms;
	struct mquic_event *event;

	while (!(done(&sides[0]) && done(&sides[1]))) {
		if (now_ms() >= end || sides[0].lost || sides[1].lost)
			return false;
		for (int i = 0; publishing && i < 2; i++)
			publish_due(&sides[i]);
		mquic_endpoint_wait(endpoint, publishing ? 5 : 100);
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			handle(mquic_session_get_userdata(mquic_event_session(event)), event);
			mquic_event_free(event);
		}
	}
	return true;
}

static void start(struct side *side, struct mquic_endpoint *endpoint, struct target *target)
{
	side->payload = malloc(side->plan->size);
	side->seen = calloc(side->plan->count, 1);
	if (side->payload == NULL || side->seen == NULL)
		fail("out of memory");
	must(mquic_session_new(&side->session, endpoint, target->settings), "mquic_session_new",
	     mquic_endpoint_error(endpoint));
	mquic_session_set_userdata(side->session, side);
	must(mquic_session_set_protocol(side->session, (enum mquic_protocol)side->plan->protocol),
	     "set_protocol", mquic_session_error(side->session));
	must(mquic_session_connect(side->session, target->host, target->port),
	     "mquic_session_connect", mquic_session_error(side->session));
	must(mquic_session_subscribe(side->session, side->inbox, MQUIC_NUL_TERMINATED,
				     (int)side->plan->qos, NULL),
	     "mquic_session_subscribe", mquic_session_error(side->session));
}

static bool run(struct mquic_endpoint *endpoint, struct side sides[2], struct target *target)
{
	for (int i = 0; i < 2; i++)
		start(&sides[i], endpoint, target);
	if (!reach(endpoint, sides, subscribed, false) || !reach(endpoint, sides, complete, true))
		return false;
	for (int i = 0; i < 2; i++)
		must(mquic_session_disconnect(sides[i].session, 0), "mquic_session_disconnect",
		     mquic_session_error(sides[i].session));
	return reach(endpoint, sides, disconnected, false);
}

static bool report(const struct side *side)
{
	printf("%s sent=%llu delivered=%llu received=%llu duplicates=%llu missing=%llu "
	       "disorder=%llu damaged=%llu\n",
	       side->name, (unsigned long long)side->sent, (unsigned long long)side->delivered,
	       (unsigned long long)side->received, (unsigned long long)side->duplicates,
	       (unsigned long long)(side->plan->count - side->received),
	       (unsigned long long)side->disorder, (unsigned long long)side->damaged);
	return complete(side) && side->duplicates + side->disorder + side->damaged == 0;
}

int main(int argc, char **argv)
{
	struct plan plan = {.count = 100, .qos = 1, .size = 64, .protocol = 5, .timeout_ms = 60000};
	struct side sides[2] = {
		{.name = "a", .inbox = "exchange/a", .outbox = "exchange/b", .plan = &plan},
		{.name = "b", .inbox = "exchange/b", .outbox = "exchange/a", .plan = &plan},
	};
	struct mquic_endpoint *endpoint;
	struct target target;
	bool good;

	target_init(&target);
	for (int i = 1; i < argc; i++)
		if (!option_number(argv[i], "--count=", &plan.count) &&
		    !option_number(argv[i], "--qos=", &plan.qos) &&
		    !option_number(argv[i], "--size=", &plan.size) &&
		    !option_number(argv[i], "--protocol=", &plan.protocol) &&
		    !option_number(argv[i], "--interval-ms=", &plan.interval_ms) &&
		    !option_number(argv[i], "--timeout-ms=", &plan.timeout_ms))
			target_option(&target, argv[i]);
	if (plan.size < sizeof(uint64_t) || plan.count == 0)
		fail("--size= is at least %zu, --count= at least 1", sizeof(uint64_t));
	must(mquic_endpoint_new(&endpoint), "mquic_endpoint_new", "");
	good = run(endpoint, sides, &target);
	for (int i = 0; i < 2; i++) {
		good = report(&sides[i]) && good;
		mquic_session_free(sides[i].session);
		free(sides[i].payload);
		free(sides[i].seen);
	}
	mquic_endpoint_free(endpoint);
	target_free(&target);
	return good ? 0 : 1;
}
