/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "core/list.h"
#include "core/timer.h"

#define TIMERS 200

struct alarm {
	struct timer timer;
	unsigned int fired;
	uint64_t fired_at_ns;
	uint64_t again_ns; /* sets itself to this when it fires; 0: does not */
	struct alarm *silences;
};

static struct timers timers;
static struct alarm alarms[TIMERS];
static uint64_t last_deadline_ns;

static void fire(struct timer *timer, uint64_t now_ns)
{
	struct alarm *alarm = list_entry(timer, struct alarm, timer);

	ck_assert_uint_le(timer->deadline_ns, now_ns);
	ck_assert_uint_ge(timer->deadline_ns, last_deadline_ns);
	last_deadline_ns = timer->deadline_ns;
	alarm->fired++;
	alarm->fired_at_ns = now_ns;
	if (alarm->again_ns != 0)
		timer_set(&timers, timer, alarm->again_ns);
	if (alarm->silences != NULL)
		timer_set(&timers, &alarm->silences->timer, TIMER_NEVER);
}

static void set_up(void)
{
	size_t i;

	timers_init(&timers);
	last_deadline_ns = 0;
	for (i = 0; i < TIMERS; i++) {
		alarms[i] = (struct alarm){.timer = {.fire = fire}};
		ck_assert(timers_reserve(&timers));
	}
}

static void tear_down(void)
{
	timers_fini(&timers);
}

START_TEST(timers_fire_in_order_and_not_before_their_time)
{
	size_t i;

	for (i = 0; i < TIMERS; i++)
		timer_set(&timers, &alarms[i].timer, 1000 + (i * 7919) % 1000);
	ck_assert_uint_eq(timers_next(&timers), 1000);
	timers_run(&timers, 999);
	ck_assert_uint_eq(alarms[0].fired, 0);
	timers_run(&timers, 1500);
	for (i = 0; i < TIMERS; i++)
		ck_assert_uint_eq(alarms[i].fired, (i * 7919) % 1000 <= 500);
	timers_run(&timers, 3000);
	for (i = 0; i < TIMERS; i++)
		ck_assert_uint_eq(alarms[i].fired, 1);
	ck_assert_uint_eq(timers_next(&timers), TIMER_NEVER);
}
END_TEST

START_TEST(timer_can_be_moved_and_unset)
{
	size_t i;

	for (i = 0; i < TIMERS; i++)
		timer_set(&timers, &alarms[i].timer, i + 1);
	for (i = 0; i < TIMERS; i += 2)
		timer_set(&timers, &alarms[i].timer, TIMER_NEVER);
	for (i = 1; i < TIMERS; i += 4)
		timer_set(&timers, &alarms[i].timer, 2000 - i);
	timer_set(&timers, &alarms[0].timer, TIMER_NEVER); /* it is not set */
	timers_run(&timers, 1000);
	last_deadline_ns = 0;
	for (i = 0; i < TIMERS; i++)
		ck_assert_uint_eq(alarms[i].fired, i % 4 == 3);
	timers_run(&timers, 2000);
	for (i = 0; i < TIMERS; i++)
		ck_assert_uint_eq(alarms[i].fired, i % 2);
}
END_TEST

START_TEST(timer_that_sets_itself_into_the_past_waits_for_the_next_run)
{
	alarms[0].again_ns = 1;
	timer_set(&timers, &alarms[0].timer, 5);
	timer_set(&timers, &alarms[1].timer, 6);
	timer_set(&timers, &alarms[2].timer, 7);
	timers_run(&timers, 10);
	ck_assert_uint_eq(alarms[0].fired, 1);
	ck_assert_uint_eq(alarms[1].fired, 1);
	ck_assert_uint_eq(alarms[2].fired, 1);
	ck_assert_uint_le(timers_next(&timers), 11);
	timers_run(&timers, 11);
	ck_assert_uint_eq(alarms[0].fired, 2);
}
END_TEST

START_TEST(timer_can_silence_another_that_is_due)
{
	alarms[0].silences = &alarms[1];
	timer_set(&timers, &alarms[0].timer, 5);
	timer_set(&timers, &alarms[1].timer, 6);
	timers_run(&timers, 10);
	ck_assert_uint_eq(alarms[0].fired, 1);
	ck_assert_uint_eq(alarms[1].fired, 0);
}
END_TEST

START_TEST(timers_of_none_have_no_deadline)
{
	ck_assert_uint_eq(timers_next(&timers), TIMER_NEVER);
	timers_run(&timers, TIMER_NEVER);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&timers_fire_in_order_and_not_before_their_time,
		&timer_can_be_moved_and_unset,
		&timer_that_sets_itself_into_the_past_waits_for_the_next_run,
		&timer_can_silence_another_that_is_due,
		&timers_of_none_have_no_deadline,
	};

	return unit_run("timer", set_up, tear_down, tests, COUNT(tests));
}
