/* SPDX-License-Identifier: MIT */
/* Several streams of a client on one session of a broker: subscriptions that they share. */
#include "merge-kit.h"

#include <stdio.h>
#include <string.h>

/* ---- UNSUBSCRIBE --------------------------------------------------------------------- */

START_TEST(any_stream_may_unsubscribe)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_take(0, kit_unsubscribe(9, "a"));
	kit_expect_up("UNSUBSCRIBE:9,a");
	kit_give(kit_suback(MQTT_UNSUBACK, 9, _i == MQTT_5 ? "00" : ""));
	kit_expect(0, _i == MQTT_5 ? "UNSUBACK:9,00" : "UNSUBACK:9");
	if (_i != MQTT_5) {
		kit_give(kit_delivery(0, 0, "a", 0));
		kit_expect(0, "PUBLISH:q0,0,a,m");
	}
	kit_expect_silence();
}
END_TEST

START_TEST(what_another_stream_holds_the_broker_keeps)
{
	kit_both_are_subscribed();
	kit_take(1, kit_unsubscribe(9, "a"));
	kit_expect_up("");
	kit_expect(1, _i == MQTT_5 ? "UNSUBACK:9,00" : "UNSUBACK:9");
	kit_give(kit_delivery(0, 0, "a", kit_route));
	kit_expect(2, "PUBLISH:q0,0,a,m");
	kit_take(2, kit_unsubscribe(9, "a"));
	kit_expect_up("UNSUBSCRIBE:9,a");
	kit_give(kit_suback(MQTT_UNSUBACK, 9, _i == MQTT_5 ? "00" : ""));
	kit_expect(2, _i == MQTT_5 ? "UNSUBACK:9,00" : "UNSUBACK:9");
	kit_expect_silence();
}
END_TEST

START_TEST(codes_stand_for_their_filters_though_some_are_kept)
{
	kit_both_are_subscribed();
	kit_take(1, kit_unsubscribe(9, "nothing a never"));
	kit_expect_up("UNSUBSCRIBE:9,nothing,never");
	kit_give(kit_suback(MQTT_UNSUBACK, 9, _i == MQTT_5 ? "11 87" : ""));
	kit_expect(1, _i == MQTT_5 ? "UNSUBACK:9,11,00,87" : "UNSUBACK:9");
	kit_expect_silence();
}
END_TEST

/* The broker has one subscription for both: a stream must not lower what another was granted. */
START_TEST(filter_of_two_streams_has_the_highest_qos_of_both)
{
	const char *ours = _i == MQTT_5 ? "/ours" : "";
	char expected[100];

	kit_take(1, kit_subscribe(1, "a@2 b", 0));
	snprintf(expected, sizeof(expected), "SUBSCRIBE:1,a@2,b%s", ours);
	kit_expect_up(expected);
	kit_give(kit_suback(MQTT_SUBACK, 1, "02 00"));
	kit_expect(1, "SUBACK:1,02,00");
	kit_take(2, kit_subscribe(1, "c a b@1", 0));
	snprintf(expected, sizeof(expected), "SUBSCRIBE:1,c,a@2,b@1%s", ours);
	kit_expect_up(expected);
	kit_give(kit_suback(MQTT_SUBACK, 1, "00 02 01"));
	kit_expect(2, "SUBACK:1,00,00,01"); /* what it asked for */
	kit_take(1, kit_unsubscribe(2, "a"));
	kit_expect(1, _i == MQTT_5 ? "UNSUBACK:2,00" : "UNSUBACK:2");
	kit_take(2, kit_subscribe(1, "a", 0));
	snprintf(expected, sizeof(expected), "SUBSCRIBE:1,a%s", ours);
	kit_expect_up(expected);
	kit_give(kit_suback(MQTT_SUBACK, 1, "80"));
	kit_expect(2, "SUBACK:1,80");
}
END_TEST

START_TEST(subscription_the_broker_refuses_is_nobodys)
{
	kit_take(1, kit_subscribe(1, "a b", 0));
	kit_expect_up(_i == MQTT_5 ? "SUBSCRIBE:1,a,b/ours" : "SUBSCRIBE:1,a,b");
	kit_give(kit_suback(MQTT_SUBACK, 1, "87 01"));
	kit_expect(1, "SUBACK:1,87,01");
	/* Another stream's is all there is. */
	kit_take(1, kit_unsubscribe(2, "b"));
	kit_take(2, kit_unsubscribe(2, "a"));
	kit_expect_up("UNSUBSCRIBE:2,b UNSUBSCRIBE:1,a");
}
END_TEST

START_TEST(more_filters_than_are_looked_after_are_refused)
{
	char filters[20000] = "";
	int i;

	for (i = 0; i < 512; i++)
		(void)snprintf(filters + strlen(filters), sizeof(filters) - strlen(filters), "f%d ",
			       i);
	kit_take(1, kit_subscribe(1, filters, 0));
	merge_consume_up(kit_merge, SIZE_MAX);
	kit_take(1, kit_subscribe(2, "one/more and/more", 0));
	kit_expect_up("");
	kit_expect(1, _i == MQTT_5 ? "SUBACK:2,97,97" : "SUBACK:2,80,80");
}
END_TEST

/* ------------------------------------------------------------------------------------------ */

int main(void)
{
	/* `_i` is the version. */
	static const TTest *const *const both[] = {
		&any_stream_may_unsubscribe,
		&what_another_stream_holds_the_broker_keeps,
		&codes_stand_for_their_filters_though_some_are_kept,
		&filter_of_two_streams_has_the_highest_qos_of_both,
		&subscription_the_broker_refuses_is_nobodys,
		&more_filters_than_are_looked_after_are_refused,
	};
	const struct kit_case cases[] = {
		{"3.1.1", kit_two_of_3, MQTT_3_1_1, both, COUNT(both)},
		{"5.0", kit_two_of_5, MQTT_5, both, COUNT(both)},
	};

	return kit_run("merge-subscribe", cases, COUNT(cases));
}
