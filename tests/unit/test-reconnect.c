/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "mqtt/reason.h"
#include "mquic.h"
#include "session/reconnect.h"

/* ---- How long ---- */

struct pause {
	uint32_t failures, first_ms, longest_ms;
	uint64_t shortest, longest; /* with no chance at all, and with the most */
};

static const struct pause pauses[] = {
	{0, 1000, 30000, 1000, 1249},
	{1, 1000, 30000, 2000, 2499},
	{4, 1000, 30000, 16000, 19999},
	{5, 1000, 30000, 30000, 37499},
	{6, 1000, 30000, 30000, 37499},
	/* Many failures are no more than some. */
	{31, 1000, 30000, 30000, 37499},
	{32, 1000, 30000, 30000, 37499},
	{33, 1000, 30000, 30000, 37499},
	{64, 1000, 30000, 30000, 37499},
	{UINT32_MAX, 1000, 30000, 30000, 37499},
	{UINT32_MAX, 1, UINT32_MAX, UINT32_MAX, 5368709117},
	{0, UINT32_MAX, UINT32_MAX, UINT32_MAX, 5368709117},
	{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 5368709117},
	/* Always the same, but for chance. */
	{7, 50, 50, 50, 61},
	/* The longest is the longest. */
	{0, 2000, 100, 100, 124},
	/* Too little for a quarter. */
	{0, 1, 3, 1, 1},
	{9, 1, 3, 3, 3},
	/* None at all. */
	{0, 0, 30000, 0, 0},
	{UINT32_MAX, 0, 30000, 0, 0},
	{3, 1000, 0, 0, 0},
};

START_TEST(pause_doubles_up_to_the_longest)
{
	const struct pause *pause = &pauses[_i];

	ck_assert_uint_eq(
		reconnect_pause_ms(pause->failures, pause->first_ms, pause->longest_ms, 0),
		pause->shortest);
	ck_assert_uint_eq(
		reconnect_pause_ms(pause->failures, pause->first_ms, pause->longest_ms, UINT32_MAX),
		pause->longest);
}
END_TEST

START_TEST(pause_grows_evenly_with_chance)
{
	ck_assert_uint_eq(reconnect_pause_ms(0, 1000, 30000, 1u << 30), 1062);
	ck_assert_uint_eq(reconnect_pause_ms(0, 1000, 30000, 1u << 31), 1125);
	ck_assert_uint_eq(reconnect_pause_ms(0, 1000, 30000, 3u << 30), 1187);
}
END_TEST

/* The chance that 100 of 250001 numbers are the same one is nothing. */
START_TEST(pause_is_chosen_by_chance)
{
	uint64_t first = mquic_reconnect_pause_ms(0, 1000000, 2000000);
	bool differs = false;
	int i;

	for (i = 0; i < 100; i++) {
		uint64_t pause_ms = mquic_reconnect_pause_ms(0, 1000000, 2000000);

		ck_assert_uint_ge(pause_ms, 1000000);
		ck_assert_uint_lt(pause_ms, 1250000);
		differs = differs || pause_ms != first;
	}
	ck_assert(differs);
}
END_TEST

/* ---- Whether ---- */

/* Each reason of MQTT that is not final; table 2-6 has 0x80 to 0xa2. */
static enum mquic_reconnect expected_of_reason(unsigned int reason)
{
	switch (reason) {
	case 0x80:
	case 0x83:
	case 0x88:
	case 0x89:
	case 0x8b:
	case 0x8d:
	case 0x96:
	case 0x97:
	case 0x9f:
	case 0xa0:
		return MQUIC_RECONNECT_LATER;
	case 0x9c:
	case 0x9d:
		return MQUIC_RECONNECT_ELSEWHERE;
	default:
		return reason < 0x80 ? MQUIC_RECONNECT_LATER : MQUIC_RECONNECT_NEVER;
	}
}

START_TEST(advice_knows_every_reason_of_mqtt)
{
	unsigned int reason;

	for (reason = 0; reason <= 0xff; reason++)
		ck_assert_msg(mquic_reconnect_advice(MQUIC_ERR_REFUSED, MQUIC_ORIGIN_MQTT,
						     reason) == expected_of_reason(reason),
			      "0x%02x", reason);
}
END_TEST

/* MQTT 3.1.1 table 3.1; only "server unavailable" passes. */
START_TEST(advice_knows_return_codes_of_3_1_1)
{
	uint8_t code;

	for (code = 1; code <= 5; code++)
		ck_assert_int_eq(mquic_reconnect_advice(MQUIC_ERR_REFUSED, MQUIC_ORIGIN_MQTT,
							mqtt_reason_of_return_code(code)),
				 code == 3 ? MQUIC_RECONNECT_LATER : MQUIC_RECONNECT_NEVER);
}
END_TEST

struct end {
	enum mquic_status status;
	enum mquic_origin origin;
	uint64_t code;
	enum mquic_reconnect advice;
};

static const struct end ends[] = {
	/* Alerts: bad, unsupported, revoked, expired, unknown certificate, unknown CA. */
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 42, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 43, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 44, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 45, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 46, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 48, MQUIC_RECONNECT_NEVER},
	/* Handshake failure, access denied, wrong version, internal error, cancelled. */
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 40, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 49, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 70, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 80, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 90, MQUIC_RECONNECT_LATER},
	/* Unrecognized name, certificate required, no application protocol, no reason. */
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 112, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 116, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 120, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, 0, MQUIC_RECONNECT_LATER},
	/* The network, the system, the peer. */
	{MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM, 111, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_CLOSED, MQUIC_ORIGIN_TRANSPORT, 0, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_REFUSED, MQUIC_ORIGIN_TRANSPORT, 2, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT, 10, MQUIC_RECONNECT_LATER},
	{MQUIC_OK, MQUIC_ORIGIN_PEER, 0, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 2, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, UINT64_MAX, MQUIC_RECONNECT_LATER},
	/* Ourselves. */
	{MQUIC_OK, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_INVALID, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_STATE, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_UNSUPPORTED, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_FORKED, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_RESOLVE, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_MEMORY, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_LATER},
	{MQUIC_ERR_LIMIT, MQUIC_ORIGIN_LOCAL, 0, MQUIC_RECONNECT_LATER},
	/* Codes that are none. */
	{MQUIC_ERR_REFUSED, MQUIC_ORIGIN_MQTT, UINT64_MAX, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_REFUSED, MQUIC_ORIGIN_MQTT, 0x188, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_TLS, MQUIC_ORIGIN_TLS, UINT64_MAX, MQUIC_RECONNECT_NEVER},
	{MQUIC_ERR_CLOSED, (enum mquic_origin)99, 0, MQUIC_RECONNECT_LATER},
};

START_TEST(advice_knows_what_ended_it)
{
	const struct end *end = &ends[_i];

	ck_assert_msg(mquic_reconnect_advice(end->status, end->origin, end->code) == end->advice,
		      "status %d, origin %d, code %llu", end->status, end->origin,
		      (unsigned long long)end->code);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reconnect");
	TCase *group = tcase_create("reconnect");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(group, pause_doubles_up_to_the_longest, 0, COUNT(pauses));
	tcase_add_test(group, pause_grows_evenly_with_chance);
	tcase_add_test(group, pause_is_chosen_by_chance);
	tcase_add_test(group, advice_knows_every_reason_of_mqtt);
	tcase_add_test(group, advice_knows_return_codes_of_3_1_1);
	tcase_add_loop_test(group, advice_knows_what_ended_it, 0, COUNT(ends));
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
