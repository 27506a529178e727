/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "core/event.h"

static struct event_queue queue;
static int owner_a;
static int owner_b;

static void set_up(void)
{
	event_queue_init(&queue);
}

static void tear_down(void)
{
	struct mquic_event *event;

	while ((event = event_queue_pop(&queue)) != NULL)
		mquic_event_free(event);
	ck_assert_uint_eq(queue.cost, 0);
}

static struct mquic_event *push(enum mquic_event_type type, const void *owner, bool *queued)
{
	struct mquic_event *event = event_new(type);

	ck_assert_ptr_nonnull(event);
	event->owner = owner;
	event->queued = queued;
	event_queue_push(&queue, event);
	return event;
}

START_TEST(event_queue_is_first_in_first_out)
{
	enum mquic_event_type type;

	for (type = MQUIC_EVENT_ACCEPTABLE; type <= MQUIC_EVENT_STREAM_CLOSED; type++)
		(void)push(type, &owner_a, NULL);
	for (type = MQUIC_EVENT_ACCEPTABLE; type <= MQUIC_EVENT_STREAM_CLOSED; type++) {
		struct mquic_event *event = event_queue_pop(&queue);

		ck_assert_int_eq(mquic_event_type(event), type);
		mquic_event_free(event);
	}
	ck_assert_ptr_null(event_queue_pop(&queue));
}
END_TEST

START_TEST(event_queue_purges_one_owner_only)
{
	struct mquic_event *event;
	bool queued = false;

	(void)push(MQUIC_EVENT_STREAM_READABLE, &owner_a, &queued);
	(void)push(MQUIC_EVENT_STREAM_READABLE, &owner_b, NULL);
	(void)push(MQUIC_EVENT_STREAM_CLOSED, &owner_a, NULL);
	ck_assert(queued);
	event_queue_purge(&queue, &owner_a);
	ck_assert(!queued);
	event = event_queue_pop(&queue);
	ck_assert_ptr_eq(event->owner, &owner_b);
	mquic_event_free(event);
	ck_assert_ptr_null(event_queue_pop(&queue));
}
END_TEST

START_TEST(event_queue_tells_whether_an_event_waits)
{
	bool queued = false;

	(void)push(MQUIC_EVENT_STREAM_READABLE, &owner_a, &queued);
	ck_assert(queued);
	mquic_event_free(event_queue_pop(&queue));
	ck_assert(!queued);
}
END_TEST

START_TEST(event_queue_adds_up_what_events_cost)
{
	struct mquic_event *event = push(MQUIC_EVENT_MESSAGE, &owner_a, NULL);
	size_t one = queue.cost;

	ck_assert_uint_gt(one, 0);
	mquic_event_free(event_queue_pop(&queue));
	event = event_new(MQUIC_EVENT_MESSAGE);
	event->cost += 1000;
	event_queue_push(&queue, event);
	ck_assert_uint_eq(queue.cost, one + 1000);
}
END_TEST

START_TEST(event_text_is_printable)
{
	struct mquic_event *event = push(MQUIC_EVENT_CONNECTION_CLOSED, &owner_a, NULL);

	ck_assert_str_eq(mquic_event_text(event), "");
	event_set_text(event, "a\nb\0c", 5);
	ck_assert_str_eq(mquic_event_text(event), "a?b?c");
	event_set_text(event, "again", 5);
	ck_assert_str_eq(mquic_event_text(event), "again");
}
END_TEST

START_TEST(event_reasons_are_one_or_a_list)
{
	struct mquic_event *event = push(MQUIC_EVENT_SUBSCRIBED, &owner_a, NULL);

	ck_assert_uint_eq(mquic_event_reason_count(event), 0);
	ck_assert_uint_eq(mquic_event_reason(event, 0), 0);
	event->has_reason = true;
	event->reason = 0x87;
	ck_assert_uint_eq(mquic_event_reason_count(event), 1);
	ck_assert_uint_eq(mquic_event_reason(event, 0), 0x87);
	ck_assert_uint_eq(mquic_event_reason(event, 1), 0);
	ck_assert_ptr_nonnull(event_details(event));
	event->details->reasons = malloc(2);
	ck_assert_ptr_nonnull(event->details->reasons);
	memcpy(event->details->reasons, "\1\2", 2);
	event->details->reason_count = 2;
	ck_assert_uint_eq(mquic_event_reason_count(event), 2);
	ck_assert_uint_eq(mquic_event_reason(event, 1), 2);
	ck_assert_uint_eq(mquic_event_reason(event, 2), 0);
}
END_TEST

START_TEST(event_user_properties_may_be_read_in_part)
{
	struct mquic_event *event = push(MQUIC_EVENT_CONNECTED, &owner_a, NULL);
	struct event_user_property *property;
	const char *value;
	size_t len;

	ck_assert(!mquic_event_user_property(event, 0, NULL, NULL, NULL, NULL));
	ck_assert_ptr_nonnull(event_details(event));
	property = calloc(1, sizeof(*property));
	ck_assert_ptr_nonnull(property);
	event->details->user_properties = property;
	event->details->user_property_count = 1;
	ck_assert(text_set(&property->name, "n", 1));
	ck_assert(text_set(&property->value, "value", 5));
	ck_assert(mquic_event_user_property(event, 0, NULL, NULL, &value, &len));
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq(value, "value");
	ck_assert(mquic_event_user_property(event, 0, &value, NULL, NULL, NULL));
	ck_assert_str_eq(value, "n");
	ck_assert(!mquic_event_user_property(event, 1, &value, NULL, NULL, NULL));
}
END_TEST

START_TEST(event_of_none_answers_harmlessly)
{
	size_t len = 1;

	mquic_event_free(NULL);
	ck_assert_int_eq(mquic_event_type(NULL), 0);
	ck_assert_str_eq(mquic_event_type_text((enum mquic_event_type)0), "UNKNOWN");
	ck_assert_str_eq(mquic_event_type_text(MQUIC_EVENT_RELAY_CLOSED), "RELAY_CLOSED");
	ck_assert_ptr_null(mquic_event_connection(NULL));
	ck_assert_ptr_null(mquic_event_stream(NULL));
	ck_assert_ptr_null(mquic_event_session(NULL));
	ck_assert_ptr_null(mquic_event_relay(NULL));
	ck_assert_ptr_null(mquic_event_message(NULL));
	ck_assert_ptr_null(mquic_event_take_message(NULL));
	ck_assert_uint_eq(mquic_event_packet_id(NULL), 0);
	ck_assert_uint_eq(mquic_event_reason_count(NULL), 0);
	ck_assert(!mquic_event_session_present(NULL));
	ck_assert_int_eq(mquic_event_status(NULL), MQUIC_ERR_INVALID);
	ck_assert_uint_eq(mquic_event_code(NULL), 0);
	ck_assert_str_eq(mquic_event_text(NULL), "");
	ck_assert_ptr_null(mquic_event_auth_data(NULL, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_ptr_null(mquic_event_auth_data(NULL, NULL));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&event_queue_is_first_in_first_out,
		&event_queue_purges_one_owner_only,
		&event_queue_tells_whether_an_event_waits,
		&event_queue_adds_up_what_events_cost,
		&event_text_is_printable,
		&event_reasons_are_one_or_a_list,
		&event_user_properties_may_be_read_in_part,
		&event_of_none_answers_harmlessly,
	};

	return unit_run("event", set_up, tear_down, tests, COUNT(tests));
}
