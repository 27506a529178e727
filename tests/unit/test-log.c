/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>

#include "core/log.h"

static char last[512];
static int lines;
static enum mquic_log_level last_level;

static void keep(void *userdata, enum mquic_log_level level, const char *line)
{
	(void)userdata;
	lines++;
	last_level = level;
	(void)snprintf(last, sizeof(last), "%s", line);
}

static struct log log_;

static void set_up(void)
{
	log_ = (struct log){.sink = keep, .level = MQUIC_LOG_DEBUG};
	lines = 0;
	last[0] = '\0';
}

START_TEST(a_step_is_one_line_for_who_debugs)
{
	log_step(&log_, "session", 3, "CONNECTING", "CONNECTED");
	ck_assert_int_eq(lines, 1);
	ck_assert_int_eq(last_level, MQUIC_LOG_DEBUG);
	ck_assert_str_eq(last, "session 3: CONNECTING → CONNECTED");
}
END_TEST

START_TEST(a_part_is_named_by_its_whole)
{
	log_part_step(&log_, "connection", 12, "stream", -1, "SEND", "DATA_SENT");
	ck_assert_str_eq(last, "connection 12: stream -1: SEND → DATA_SENT");
}
END_TEST

START_TEST(a_fault_says_whose_it_is)
{
	static const struct {
		enum log_culprit culprit;
		const char *line;
	} cases[] = {
		{LOG_CALLER, "relay 1: OPEN → CLOSED (caller: wrong)"},
		{LOG_PEER, "relay 1: OPEN → CLOSED (peer: wrong)"},
		{LOG_SYSTEM, "relay 1: OPEN → CLOSED (system: wrong)"},
		{LOG_MQUIC, "relay 1: OPEN → CLOSED (mquic: wrong)"},
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		log_step_fault(&log_, "relay", 1, "OPEN", "CLOSED", cases[i].culprit, "wrong");
		ck_assert_str_eq(last, cases[i].line);
	}
	ck_assert_int_eq(lines, COUNT(cases));
}
END_TEST

START_TEST(a_fault_stays_one_line)
{
	log_step_fault(&log_, "session", 1, "CONNECTED", "ENDED", LOG_PEER, "a\nsession 2: \x1b[m");
	ck_assert_str_eq(last, "session 1: CONNECTED → ENDED (peer: a?session 2: ?[m)");
}
END_TEST

START_TEST(the_end_tells_who_erred)
{
	ck_assert_int_eq(log_culprit_of(MQUIC_ORIGIN_LOCAL, MQUIC_OK), LOG_CALLER);
	ck_assert_int_eq(log_culprit_of(MQUIC_ORIGIN_LOCAL, MQUIC_ERR_MEMORY), LOG_SYSTEM);
	ck_assert_int_eq(log_culprit_of(MQUIC_ORIGIN_SYSTEM, MQUIC_ERR_REFUSED), LOG_SYSTEM);
	ck_assert_int_eq(log_culprit_of(MQUIC_ORIGIN_PEER, MQUIC_ERR_CLOSED), LOG_PEER);
	ck_assert_int_eq(log_culprit_of(MQUIC_ORIGIN_TRANSPORT, MQUIC_ERR_TIMEOUT), LOG_PEER);
	ck_assert_int_eq(log_culprit_of(MQUIC_ORIGIN_TLS, MQUIC_ERR_TLS), LOG_PEER);
	ck_assert_int_eq(log_culprit_of(MQUIC_ORIGIN_MQTT, MQUIC_ERR_PROTOCOL), LOG_PEER);
}
END_TEST

static int asked;

static const char *ask(void)
{
	asked++;
	return "CONNECTED";
}

static void take_steps(void)
{
	log_step(&log_, "session", 1, "CONNECTING", ask());
	log_part_step(&log_, "connection", 1, "stream", 0, "SEND", ask());
	log_step_fault(&log_, "session", 1, "CONNECTED", "ENDED", LOG_PEER, ask());
}

START_TEST(nothing_is_computed_for_nobody)
{
	log_.level = MQUIC_LOG_INFO;
	take_steps();
	ck_assert_int_eq(lines, 0);
	ck_assert_int_eq(asked, 0);
	log_ = (struct log){.level = MQUIC_LOG_DEBUG};
	take_steps();
	ck_assert_int_eq(asked, 0);
	log_.sink = keep;
	take_steps();
	ck_assert_int_eq(lines, 3);
	ck_assert_int_eq(asked, 3);
}
END_TEST

START_TEST(objects_are_numbered_by_kind)
{
	ck_assert_uint_eq(log_number(&log_, LOG_CONNECTION), 1);
	ck_assert_uint_eq(log_number(&log_, LOG_CONNECTION), 2);
	ck_assert_uint_eq(log_number(&log_, LOG_SESSION), 1);
	ck_assert_uint_eq(log_number(&log_, LOG_RELAY), 1);
	ck_assert_uint_eq(log_number(&log_, LOG_SESSION), 2);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&a_step_is_one_line_for_who_debugs, &a_part_is_named_by_its_whole,
		&a_fault_says_whose_it_is,          &a_fault_stays_one_line,
		&the_end_tells_who_erred,           &nothing_is_computed_for_nobody,
		&objects_are_numbered_by_kind,
	};

	return unit_run("log", set_up, NULL, tests, COUNT(tests));
}
