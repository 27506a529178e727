/* SPDX-License-Identifier: MIT */
/* Several streams of a client on one session of a broker: where deliveries go, and aliases. */
#include "merge-kit.h"

/* ---- Deliveries -------------------------------------------------------------------- */

START_TEST(delivery_goes_to_the_stream_that_subscribed)
{
	uint32_t route;

	kit_is_subscribed(1, 1, "a/#", 0);
	route = kit_route;
	kit_is_subscribed(2, 1, "b", 0);
	kit_give(kit_delivery(0, 0, "a/x", route));
	kit_expect(1, "PUBLISH:q0,0,a/x,m");
	kit_give(kit_delivery(1, 1, "b", kit_route));
	kit_expect(2, "PUBLISH:q1,1,b,m");
	kit_give(kit_delivery(0, 0, "c", 0));
	kit_expect(0, "PUBLISH:q0,0,c,m");
	kit_expect_silence();
}
END_TEST

START_TEST(delivery_is_acknowledged_by_its_stream_alone)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(kit_delivery(1, 8, "a", kit_route));
	kit_expect(1, "PUBLISH:q1,8,a,m");
	kit_take(2, kit_ack(MQTT_PUBACK, 8, 0));
	kit_take(0, kit_ack(MQTT_PUBACK, 8, 0));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0)); /* of another QoS */
	kit_expect_up("");
	kit_take(1, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("PUBACK:8");
	/* One of before this connection is the control stream's. */
	kit_take(1, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("");
	kit_take(0, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("PUBACK:8");
}
END_TEST

START_TEST(qos_2_delivery_goes_its_way_on_one_stream)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(kit_delivery(2, 8, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0));
	kit_expect_up("PUBREC:8");
	kit_give(kit_ack(MQTT_PUBREL, 8, 0));
	kit_expect(1, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_take(1, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("PUBCOMP:8");
	kit_expect_silence();
}
END_TEST

/* One filter, two streams: one subscription at the broker. */
START_TEST(same_filter_on_two_streams_is_delivered_twice)
{
	kit_both_are_subscribed();
	kit_give(kit_delivery(1, 8, "a", kit_route));
	kit_expect(1, "PUBLISH:q1,8,a,m");
	kit_expect(2, "PUBLISH:q1,8,a,m");
	kit_take(2, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up(""); /* not before the other */
	kit_take(1, kit_ack(MQTT_PUBACK, 8, 0));
	kit_expect_up("PUBACK:8");
	kit_expect_silence();
}
END_TEST

START_TEST(qos_2_for_two_streams_is_complete_when_both_are)
{
	kit_both_are_subscribed();
	kit_give(kit_delivery(2, 8, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0));
	kit_expect_up("");
	kit_take(2, kit_ack(MQTT_PUBREC, 8, 0));
	kit_expect_up("PUBREC:8");
	kit_give(kit_ack(MQTT_PUBREL, 8, 0));
	kit_expect(1, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_expect(2, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_take(2, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("");
	kit_take(1, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("PUBCOMP:8");
	kit_expect_silence();
}
END_TEST

START_TEST(one_that_refuses_does_not_speak_for_the_other)
{
	kit_both_are_subscribed();
	kit_give(kit_delivery(2, 8, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 8, 0));
	kit_take(2, kit_ack(MQTT_PUBREC, 8, 0x83));
	kit_expect_up("PUBREC:8");
	kit_give(kit_ack(MQTT_PUBREL, 8, 0));
	kit_expect(1, "PUBLISH:q2,8,a,m PUBREL:8");
	kit_expect(2, "PUBLISH:q2,8,a,m");
	kit_take(1, kit_ack(MQTT_PUBCOMP, 8, 0));
	kit_expect_up("PUBCOMP:8");
	/* If all refuse, the broker hears it. */
	kit_give(kit_delivery(2, 9, "a", kit_route));
	kit_take(1, kit_ack(MQTT_PUBREC, 9, 0x83));
	kit_take(2, kit_ack(MQTT_PUBREC, 9, 0x83));
	kit_expect_up("PUBREC:9,83");
}
END_TEST

/* MQTT 5.0: the broker sends a copy for each subscription. */
START_TEST(overlapping_subscriptions_of_5_are_told_by_identifier)
{
	uint32_t wide;

	kit_is_subscribed(1, 1, "a/#", 0);
	wide = kit_route;
	kit_is_subscribed(2, 1, "a/b", 0);
	ck_assert_uint_ne(wide, kit_route);
	kit_give(kit_delivery(0, 0, "a/b", wide));
	kit_give(kit_delivery(0, 0, "a/b", kit_route));
	kit_expect(1, "PUBLISH:q0,0,a/b,m");
	kit_expect(2, "PUBLISH:q0,0,a/b,m");
	kit_expect_silence();
}
END_TEST

/* 3.1.1: Mosquitto sends one. */
START_TEST(overlapping_subscriptions_of_3_1_1_share_one_copy)
{
	kit_is_subscribed(1, 1, "a/#", 0);
	kit_is_subscribed(2, 1, "+/b", 0);
	kit_is_subscribed(0, 1, "#", 0);
	kit_give(kit_delivery(1, 3, "a/b", 0));
	kit_expect(0, "PUBLISH:q1,3,a/b,m");
	kit_expect(1, "PUBLISH:q1,3,a/b,m");
	kit_expect(2, "PUBLISH:q1,3,a/b,m");
	kit_give(kit_delivery(1, 4, "c", 0));
	kit_expect(0, "PUBLISH:q1,4,c,m");
	kit_expect_silence();
}
END_TEST

START_TEST(subscriptions_of_before_the_start_count)
{
	kit_connect(_i);
	merge_watch_client(kit_merge, kit_subscribe(1, "a kept", 3));
	merge_watch_broker(kit_merge, kit_suback(MQTT_SUBACK, 1, "00 00"));
	merge_watch_client(kit_merge, kit_subscribe(2, "refused given/up", 0));
	merge_watch_broker(kit_merge, kit_suback(MQTT_SUBACK, 2, "80 00"));
	merge_watch_client(kit_merge, kit_unsubscribe(3, "given/up"));
	merge_watch_broker(kit_merge, kit_suback(MQTT_UNSUBACK, 3, _i == MQTT_5 ? "00" : ""));
	kit_open_slot(1);
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(kit_delivery(0, 0, "a", kit_route));
	kit_expect(0, _i == MQTT_5 ? "PUBLISH:q0,0,a,m/3" : "PUBLISH:q0,0,a,m");
	kit_expect(1, "PUBLISH:q0,0,a,m");
	kit_is_subscribed(1, 2, "refused", 0);
	kit_give(kit_delivery(0, 0, "refused", kit_route));
	kit_expect(1, "PUBLISH:q0,0,refused,m");
	kit_is_subscribed(1, 2, "given/up", 0);
	kit_give(kit_delivery(0, 0, "given/up", kit_route));
	kit_expect(1, "PUBLISH:q0,0,given/up,m");
	kit_expect_silence();
}
END_TEST

START_TEST(the_clients_own_identifiers_come_back)
{
	uint32_t first;

	kit_is_subscribed(1, 1, "a", 77);
	first = kit_route;
	kit_is_subscribed(2, 1, "a", 88);
	kit_is_subscribed(0, 1, "c", 99);
	kit_give(kit_delivery(0, 0, "c", kit_route));
	kit_expect(0, "PUBLISH:q0,0,c,m/99");
	kit_is_subscribed(2, 1, "a", 78);
	kit_give(kit_delivery(0, 0, "a", kit_route));
	kit_expect(1, "PUBLISH:q0,0,a,m/77");
	kit_expect(2, "PUBLISH:q0,0,a,m/78");
	/* What comes under a number that is nobody's any more is not for the others either. */
	kit_give(kit_delivery(1, 5, "a", first));
	kit_expect_up("PUBACK:5");
	kit_expect_silence();
}
END_TEST

START_TEST(identifiers_of_an_earlier_connection_are_taken_out)
{
	kit_give(kit_delivery(1, 5, "old", MERGE_SUBSCRIPTION_ID + 5000));
	kit_expect(0, "PUBLISH:q1,5,old,m");
	kit_take(0, kit_ack(MQTT_PUBACK, 5, 0));
	kit_expect_up("PUBACK:5");
}
END_TEST

START_TEST(without_identifiers_filters_are_compared)
{
	kit_no_subscription_ids = true;
	kit_connect(MQTT_5);
	kit_open_slot(1);
	kit_take(1, kit_subscribe(1, "a", 0));
	kit_expect_up("SUBSCRIBE:1,a");
	kit_give(kit_suback(MQTT_SUBACK, 1, "00"));
	kit_give(kit_delivery(0, 0, "a", 0));
	kit_expect(1, "SUBACK:1,00 PUBLISH:q0,0,a,m");
}
END_TEST

START_TEST(shared_subscriptions_have_their_stream)
{
	kit_is_subscribed(1, 1, "$share/g/a/+", 0);
	kit_is_subscribed(2, 1, "b", 0);
	if (_i != MQTT_5)
		kit_route = 0;
	kit_give(kit_delivery(0, 0, "b", kit_route));
	kit_expect(2, "PUBLISH:q0,0,b,m");
	if (_i == MQTT_5)
		return;
	kit_give(kit_delivery(0, 0, "a/1", 0));
	kit_expect(1, "PUBLISH:q0,0,a/1,m");
	/* 3.1.1: who shares may get it or not, who has subscribed alone must. */
	kit_is_subscribed(2, 1, "a/2", 0);
	kit_give(kit_delivery(0, 0, "a/2", 0));
	kit_expect(2, "PUBLISH:q0,0,a/2,m");
	kit_expect_silence();
}
END_TEST

static struct bytes retained(uint16_t id, uint32_t route)
{
	return kit_publish(&(struct kit_message){.qos = 1,
						 .id = id,
						 .topic = "a",
						 .payload = "r",
						 .subscription_id = route,
						 .retain = true});
}

START_TEST(retained_message_answers_one_subscribe)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_give(retained(1, kit_route));
	kit_expect(1, "PUBLISH:Rq1,1,a,r");
	/* Mosquitto sends it before SUBACK; two of them wait, and the first is answered first. */
	kit_take(2, kit_subscribe(4, "a", 0));
	kit_take(0, kit_subscribe(5, "+", 0));
	kit_expect_up(_i == MQTT_5 ? "SUBSCRIBE:4,a/ours SUBSCRIBE:5,+/ours"
				   : "SUBSCRIBE:4,a SUBSCRIBE:5,+");
	if (_i == MQTT_5) {
		kit_give(retained(3, kit_route));
		kit_expect(0, "PUBLISH:Rq1,3,a,r");
		kit_give(kit_suback(MQTT_SUBACK, 4, "00"));
		kit_expect(2, "SUBACK:4,00");
		kit_give(retained(4, MERGE_SUBSCRIPTION_ID + MERGE_ROUTES -
					     1)); /* the stream of the same filter has it */
		kit_expect(2, "PUBLISH:Rq1,4,a,r");
	} else {
		kit_give(retained(2, 0));
		kit_expect(2, "PUBLISH:Rq1,2,a,r");
		kit_give(kit_suback(MQTT_SUBACK, 4, "00"));
		kit_expect(2, "SUBACK:4,00");
		kit_give(retained(3, 0));
		kit_expect(0, "PUBLISH:Rq1,3,a,r");
		kit_give(kit_suback(MQTT_SUBACK, 5, "00"));
		kit_expect(0, "SUBACK:5,00");
		kit_give(retained(4, 0));
		kit_expect(0, "PUBLISH:Rq1,4,a,r");
	}
	kit_expect_silence();
}
END_TEST

/* ---- Topic aliases --------------------------------------------------------------------- */

static struct bytes aliased(const char *topic, uint16_t alias)
{
	return kit_publish(&(struct kit_message){
		.qos = 1, .id = 3, .topic = topic, .payload = "x", .alias = alias});
}

START_TEST(aliases_of_a_client_are_its_streams_own)
{
	kit_take(1, aliased("one", 4));
	kit_take(2, aliased("two", 4));
	kit_take(0, aliased("control", 4));
	kit_take(1, aliased("", 4));
	kit_take(2, aliased("", 4));
	kit_take(0, aliased("", 4));
	kit_expect_up("PUBLISH:q1,3,one,x PUBLISH:q1,1,two,x PUBLISH:q1,2,control,x=4 "
		      "PUBLISH:q1,3,one,x PUBLISH:q1,1,two,x PUBLISH:q1,2,,x=4");
}
END_TEST

START_TEST(aliases_of_the_broker_are_for_the_control_stream)
{
	uint32_t route;

	kit_is_subscribed(1, 1, "a", 0);
	route = kit_route;
	kit_give(kit_publish(&(struct kit_message){
		.topic = "a", .payload = "1", .subscription_id = route, .alias = 2}));
	kit_give(kit_publish(&(struct kit_message){
		.topic = "", .payload = "2", .subscription_id = route, .alias = 2}));
	kit_expect(1, "PUBLISH:q0,0,a,1 PUBLISH:q0,0,a,2");
	kit_give(kit_publish(&(struct kit_message){.topic = "", .payload = "3", .alias = 2}));
	kit_expect(0, "PUBLISH:q0,0,a,3=2"); /* it may not have heard of it */
}
END_TEST

/* ------------------------------------------------------------------------------------------ */

int main(void)
{
	/* `_i` is the version. */
	static const TTest *const *const both[] = {
		&delivery_goes_to_the_stream_that_subscribed,
		&delivery_is_acknowledged_by_its_stream_alone,
		&qos_2_delivery_goes_its_way_on_one_stream,
		&same_filter_on_two_streams_is_delivered_twice,
		&qos_2_for_two_streams_is_complete_when_both_are,
		&shared_subscriptions_have_their_stream,
		&retained_message_answers_one_subscribe,
	};
	static const TTest *const *const three[] = {
		&overlapping_subscriptions_of_3_1_1_share_one_copy,
	};
	static const TTest *const *const five[] = {
		&one_that_refuses_does_not_speak_for_the_other,
		&overlapping_subscriptions_of_5_are_told_by_identifier,
		&the_clients_own_identifiers_come_back,
		&identifiers_of_an_earlier_connection_are_taken_out,
		&aliases_of_a_client_are_its_streams_own,
		&aliases_of_the_broker_are_for_the_control_stream,
	};
	static const TTest *const *const alone[] = {
		&subscriptions_of_before_the_start_count,
		&without_identifiers_filters_are_compared,
	};
	const struct kit_case cases[] = {
		{"3.1.1", kit_two_of_3, MQTT_3_1_1, both, COUNT(both)},
		{"5.0", kit_two_of_5, MQTT_5, both, COUNT(both)},
		{"3.1.1 alone", kit_two_of_3, MQTT_3_1_1, three, COUNT(three)},
		{"5.0 alone", kit_two_of_5, MQTT_5, five, COUNT(five)},
		{"starting with 3.1.1", NULL, MQTT_3_1_1, alone, COUNT(alone)},
		{"starting with 5.0", NULL, MQTT_5, alone, COUNT(alone)},
	};

	return kit_run("merge-deliver", cases, COUNT(cases));
}
