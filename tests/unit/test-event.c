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

START_TEST(event_costs_all_that_it_carries)
{
	struct mquic_event *event = event_new(MQUIC_EVENT_DELIVERED);
	size_t before = event->cost;

	ck_assert_uint_gt(before, sizeof(*event));
	event_set_text(event, "0123456789", 10);
	ck_assert_uint_gt(event->cost, before + 10);
	before = event->cost;
	ck_assert_ptr_nonnull(event_details(event));
	ck_assert_uint_gt(event->cost, before + sizeof(*event->details));
	before = event->cost;
	ck_assert_ptr_nonnull(event_details(event));
	ck_assert_uint_eq(event->cost, before);
	/* A thousand of nothing are not nothing. */
	for (int i = 0; i < 1000; i++)
		event_charge(event, 0);
	ck_assert_uint_ge(event->cost, before + 16000);
	event_queue_push(&queue, event);
	ck_assert_uint_eq(queue.cost, event->cost);
}
END_TEST

START_TEST(event_user_properties_may_be_read_in_part)
{
	struct mquic_event *event = push(MQUIC_EVENT_CONNECTED, &owner_a, NULL);
	struct pair_texts texts = {"n", 1, "value", 5};
	const char *value;
	size_t len;

	ck_assert(!mquic_event_user_property(event, 0, NULL, NULL, NULL, NULL));
	ck_assert_ptr_nonnull(event_details(event));
	ck_assert(!mquic_event_user_property(event, 0, NULL, NULL, NULL, NULL));
	ck_assert(pairs_reserve(&event->details->user_properties, 1, 6));
	pairs_add(&event->details->user_properties, &texts);
	ck_assert(mquic_event_user_property(event, 0, NULL, NULL, &value, &len));
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(memcmp(value, "value", 5), 0);
	ck_assert(mquic_event_user_property(event, 0, &value, NULL, NULL, NULL));
	ck_assert_int_eq(memcmp(value, "n", 1), 0);
	ck_assert(!mquic_event_user_property(event, 1, &value, NULL, NULL, NULL));
}
END_TEST

/* Whether the pair is there, and has these texts. */
static bool is_pair(struct pairs *pairs, size_t index, const char *name, const char *value)
{
	struct pair_texts texts;

	return pairs_get(pairs, index, &texts) && texts.name_len == strlen(name) &&
	       memcmp(texts.name, name, texts.name_len) == 0 && texts.value_len == strlen(value) &&
	       memcmp(texts.value, value, texts.value_len) == 0;
}

START_TEST(pairs_are_found_in_any_order)
{
	static const struct pair_texts all[] = {
		{"a", 1, "first", 5},
		{"", 0, "", 0},
		{"long name", 9, "", 0},
		{"", 0, "z", 1},
	};
	struct pair_texts texts = {"no", 2, "room", 4};
	struct pairs pairs;
	size_t i;

	ck_assert(pairs_reserve(&pairs, COUNT(all), 16));
	for (i = 0; i < COUNT(all); i++)
		pairs_add(&pairs, &all[i]);
	pairs_add(&pairs, &texts);
	ck_assert_uint_eq(pairs.count, COUNT(all));
	ck_assert_uint_eq(pairs.used, pairs.size);
	for (i = 0; i < 20; i++) {
		size_t index = i * 7 % COUNT(all);
		char name[16] = "";
		char value[16] = "";

		memcpy(name, all[index].name, all[index].name_len);
		memcpy(value, all[index].value, all[index].value_len);
		ck_assert(is_pair(&pairs, index, name, value));
		ck_assert(!pairs_get(&pairs, COUNT(all), &texts));
	}
	pairs_clear(&pairs);
	ck_assert(!pairs_get(&pairs, 0, &texts));
	ck_assert(pairs_reserve(&pairs, 0, 0));
	pairs_add(&pairs, &all[1]);
	ck_assert_uint_eq(pairs.count, 0);
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
		&event_costs_all_that_it_carries,
		&event_user_properties_may_be_read_in_part,
		&pairs_are_found_in_any_order,
		&event_of_none_answers_harmlessly,
	};

	return unit_run("event", set_up, tear_down, tests, COUNT(tests));
}
