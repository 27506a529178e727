/* SPDX-License-Identifier: MIT */
/* The engine on one connection: messages both ways, and subscriptions. */
#include "engine-kit.h"

#include <string.h>

/* ---- Publishing ---- */

START_TEST(publish_waits_for_connack_and_keeps_its_order)
{
	uint16_t one;
	uint16_t two;
	struct mqtt_connect connect;

	kit_connect();
	(void)kit_publish("zero", 0);
	one = kit_publish("one", 1);
	two = kit_publish("two", 2);
	kit_sends_connect(&connect);
	kit_sends_nothing();
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 2);
	ck_assert_int_eq(kit_connack(MQTT_SUCCESS, false), MQUIC_OK);
	kit_connected(false);
	kit_sends_publish("zero", 0, 0, false);
	kit_sends_publish("one", 1, one, false);
	kit_sends_publish("two", 2, two, false);
	kit_no_event();
}
END_TEST

static void settle_one_of_each(void)
{
	uint16_t one;
	uint16_t two;

	kit_up();
	(void)kit_publish("zero", 0);
	kit_sends_publish("zero", 0, 0, false);
	one = kit_publish("one", 1);
	kit_sends_publish("one", 1, one, false);
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, one, 0), MQUIC_OK);
	kit_delivered(one, 0);
	two = kit_publish("two", 2);
	ck_assert_uint_ne(two, one);
	kit_sends_publish("two", 2, two, false);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, two, 0), MQUIC_OK);
	kit_no_event();
	kit_sends_ack(MQTT_PUBREL, two, 0);
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 1);
	ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, two, 0), MQUIC_OK);
	kit_delivered(two, 0);
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
}

START_TEST(publish_is_settled_at_every_qos)
{
	settle_one_of_each();
}
END_TEST

START_TEST(publish_is_settled_at_every_qos_in_3_1_1)
{
	kit.settings->version = 4;
	settle_one_of_each();
}
END_TEST

START_TEST(publish_carries_all_properties)
{
	struct mquic_message *message;
	struct mqtt_publish publish;
	struct mqtt_packet packet;

	kit_up();
	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_expiry_s(message, 5), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_utf8_payload(message, true), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_response_topic(message, "r", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_correlation_data(message, (const uint8_t *)"c", 1),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_message_add_user_property(message, "k", 1, "v", 1), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_publish(kit.engine, message, NULL, &kit.error), MQUIC_OK);
	mquic_message_free(message);
	kit_sends(MQTT_PUBLISH, &packet);
	ck_assert_int_eq(mqtt_publish_read(&publish, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_uint_eq(mqtt_properties_number(&publish.properties, MQTT_MESSAGE_EXPIRY, 0), 5);
	ck_assert_uint_eq(mqtt_properties_number(&publish.properties, MQTT_PAYLOAD_FORMAT, 0), 1);
	ck_assert(bytes_equal(mqtt_properties_text(&publish.properties, MQTT_RESPONSE_TOPIC),
			      bytes_of("r", 1)));
	ck_assert_uint_eq(publish.properties.pair_count, 1);
}
END_TEST

START_TEST(received_message_can_be_published_again)
{
	static const uint32_t id = 5;
	struct mqtt_publish publish;
	struct mqtt_packet packet;
	struct mquic_message *message;
	struct mquic_event *event;

	kit_up();
	mqtt_properties_set_ids(&kit.properties, &id, 1);
	ck_assert_int_eq(kit_deliver("t", "again", 1, 9, true), MQUIC_OK);
	kit_sends_ack(MQTT_PUBACK, 9, 0);
	event = kit_event(MQUIC_EVENT_MESSAGE);
	message = mquic_event_take_message(event);
	mquic_event_free(event);
	ck_assert_uint_eq(mquic_message_subscription_id(message, 0), 5);
	ck_assert(mquic_message_duplicate(message));
	ck_assert_int_eq(mqtt_engine_publish(kit.engine, message, NULL, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, 0), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_publish(kit.engine, message, NULL, &kit.error), MQUIC_OK);
	mquic_message_free(message);
	kit_sends(MQTT_PUBLISH, &packet);
	ck_assert_int_eq(mqtt_publish_read(&publish, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_uint_eq(publish.packet_id, 1);
	ck_assert(!publish.duplicate);
	ck_assert_uint_eq(publish.properties.subscription_id_count, 0);
	kit_sends_publish("again", 0, 0, false);
}
END_TEST

/* Mosquitto answers PUBLISH with 0x95, which table 2-6 does not give to PUBACK. */
START_TEST(publish_refusals_with_any_error_concern_that_message_alone)
{
	unsigned int code;

	kit_up();
	for (code = MQTT_FIRST_ERROR; code < 256; code++) {
		uint16_t one = kit_publish("one", 1);
		uint16_t two = kit_publish("two", 2);
		uint16_t released = kit_publish("three", 2);

		ck_assert_int_eq(kit_ack(MQTT_PUBACK, one, (uint8_t)code), MQUIC_OK);
		ck_assert_int_eq(kit_ack(MQTT_PUBREC, two, (uint8_t)code), MQUIC_OK);
		ck_assert_int_eq(kit_ack(MQTT_PUBREC, released, 0), MQUIC_OK);
		ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, released, (uint8_t)code), MQUIC_OK);
		ck_assert_int_eq(kit_ack(MQTT_PUBREL, 9, (uint8_t)code), MQUIC_OK);
		kit_delivered(one, (uint8_t)code);
		kit_delivered(two, (uint8_t)code);
		kit_delivered(released, (uint8_t)code);
	}
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
	kit_no_event();
}
END_TEST

START_TEST(publish_refusals_of_the_server_are_reported)
{
	uint16_t id;

	kit_up();
	id = kit_publish("one", 1);
	mqtt_properties_set_text(&kit.properties, MQTT_REASON_STRING, bytes_of("no", 2));
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, id, MQTT_NOT_AUTHORIZED), MQUIC_OK);
	kit_delivered(id, MQTT_NOT_AUTHORIZED);
	id = kit_publish("two", 2);
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, id, MQTT_QUOTA_EXCEEDED), MQUIC_OK);
	kit_delivered(id, MQTT_QUOTA_EXCEEDED);
	ck_assert_uint_eq(mqtt_engine_inflight(kit.engine), 0);
}
END_TEST

START_TEST(answers_to_nothing_do_no_harm)
{
	kit_up();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, 77, 0), MQUIC_OK);
	ck_assert_int_eq(kit_ack(MQTT_PUBCOMP, 77, 0), MQUIC_OK);
	kit_sends_nothing();
	ck_assert_int_eq(kit_ack(MQTT_PUBREC, 77, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREL, 77, MQTT_PACKET_ID_NOT_FOUND);
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 78, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBCOMP, 78, MQTT_PACKET_ID_NOT_FOUND);
	kit_no_event();
}
END_TEST

START_TEST(answers_of_the_wrong_kind_are_violations)
{
	uint16_t id;

	kit_up();
	id = kit_publish("two", 2);
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, id, 0), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "does not fit");
}
END_TEST

START_TEST(errors_publish_before_connect)
{
	ck_assert_int_eq(kit_try_publish("t", "x", 0, false), MQUIC_ERR_STATE);
	ck_assert_str_ne(kit.error.text, "");
	ck_assert_int_eq(mqtt_engine_publish(kit.engine, NULL, NULL, &kit.error),
			 MQUIC_ERR_INVALID);
}
END_TEST

START_TEST(errors_publish_without_topic)
{
	struct mquic_message *message;

	kit_up();
	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_publish(kit.engine, message, NULL, &kit.error),
			 MQUIC_ERR_INVALID);
	mquic_message_free(message);
	kit_sends_nothing();
}
END_TEST

/* ---- Receiving ---- */

static void receive_one_of_each(void)
{
	kit_up();
	ck_assert_int_eq(kit_deliver("t/0", "zero", 0, 0, false), MQUIC_OK);
	kit_message("t/0", "zero");
	kit_sends_nothing();
	ck_assert_int_eq(kit_deliver("t/1", "one", 1, 5, false), MQUIC_OK);
	kit_message("t/1", "one");
	kit_sends_ack(MQTT_PUBACK, 5, 0);
	ck_assert_int_eq(kit_deliver("t/2", "two", 2, 6, false), MQUIC_OK);
	kit_message("t/2", "two");
	kit_sends_ack(MQTT_PUBREC, 6, 0);
	ck_assert_int_eq(kit_deliver("t/2", "two", 2, 6, true), MQUIC_OK);
	kit_no_event();
	kit_sends_ack(MQTT_PUBREC, 6, 0);
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 6, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBCOMP, 6, 0);
	kit_no_event();
	ck_assert_int_eq(kit_deliver("t/2", "next", 2, 6, false), MQUIC_OK);
	kit_message("t/2", "next");
}

START_TEST(messages_arrive_at_every_qos)
{
	receive_one_of_each();
}
END_TEST

START_TEST(messages_arrive_at_every_qos_in_3_1_1)
{
	kit.settings->version = 4;
	receive_one_of_each();
}
END_TEST

START_TEST(several_packets_in_one_call_are_all_handled)
{
	kit_up();
	ck_assert_int_eq(kit_feed("30 04 0001'a' 00  30 05 0001'b' 00 'x'  d0 00  30 04 0001'c'"),
			 MQUIC_OK);
	kit_message("a", "");
	kit_message("b", "x");
	kit_no_event();
	ck_assert_int_eq(kit_feed("00"), MQUIC_OK);
	kit_message("c", "");
}
END_TEST

START_TEST(manual_acknowledgement_waits_for_the_application)
{
	ck_assert_int_eq(mqtt_settings_set_manual_ack(kit.settings, true, &kit.error), MQUIC_OK);
	kit_up();
	ck_assert_int_eq(kit_deliver("t", "one", 1, 5, false), MQUIC_OK);
	ck_assert_int_eq(kit_deliver("t", "two", 2, 6, false), MQUIC_OK);
	kit_message("t", "one");
	kit_message("t", "two");
	kit_sends_nothing();
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 7, 0, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 6, 0x01, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 6, 0, &kit.error), MQUIC_OK);
	kit_sends_ack(MQTT_PUBREC, 6, 0);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 6, 0, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 5, MQTT_QUOTA_EXCEEDED, &kit.error), MQUIC_OK);
	kit_sends_ack(MQTT_PUBACK, 5, MQTT_QUOTA_EXCEEDED);
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 6, 0), MQUIC_OK);
	kit_sends_ack(MQTT_PUBCOMP, 6, 0);
}
END_TEST

START_TEST(release_before_acknowledgement_is_a_violation)
{
	ck_assert_int_eq(mqtt_settings_set_manual_ack(kit.settings, true, &kit.error), MQUIC_OK);
	kit_up();
	ck_assert_int_eq(kit_deliver("t", "two", 2, 6, false), MQUIC_OK);
	kit_message("t", "two");
	ck_assert_int_eq(kit_ack(MQTT_PUBREL, 6, 0), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "PUBREL before");
}
END_TEST

START_TEST(message_brings_all_its_properties)
{
	const struct mquic_message *message;
	struct mquic_event *event;
	const char *name;
	const char *value;
	uint32_t seconds;
	size_t len;

	kit_up();
	ck_assert_int_eq(
		kit_feed("30 2c 0001't' 27 0101 02 00000005 03 0001'c' 08 0001'r' "
			 "09 0001'd' 0b 01 26 0001'k' 0001'v' 0b 8001 26 0000 0003'two' 'x'"),
		MQUIC_OK);
	event = kit_event(MQUIC_EVENT_MESSAGE);
	message = mquic_event_message(event);
	ck_assert(mquic_message_utf8_payload(message));
	ck_assert(mquic_message_expiry_s(message, &seconds));
	ck_assert_uint_eq(seconds, 5);
	ck_assert_str_eq(mquic_message_content_type(message, NULL), "c");
	ck_assert_str_eq(mquic_message_response_topic(message, NULL), "r");
	ck_assert_mem_eq(mquic_message_correlation_data(message, &len), "d", 1);
	ck_assert_uint_eq(mquic_message_subscription_id(message, 0), 1);
	ck_assert_uint_eq(mquic_message_subscription_id(message, 1), 128);
	ck_assert(mquic_message_user_property(message, 0, &name, &len, &value, &len));
	ck_assert_str_eq(name, "k");
	ck_assert_str_eq(value, "v");
	ck_assert(mquic_message_user_property(message, 1, &name, &len, &value, &len));
	ck_assert_str_eq(name, "");
	ck_assert_str_eq(value, "two");
	ck_assert(!mquic_message_user_property(message, 2, &name, &len, &value, &len));
	ck_assert_str_eq((const char *)mquic_message_payload(message, NULL), "x");
	mquic_event_free(event);
}
END_TEST

START_TEST(manual_acknowledgement_cannot_refuse_in_3_1_1)
{
	kit.settings->version = 4;
	ck_assert_int_eq(mqtt_settings_set_manual_ack(kit.settings, true, &kit.error), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 5, 0, &kit.error), MQUIC_ERR_STATE);
	kit_up();
	ck_assert_int_eq(kit_deliver("t", "one", 1, 5, false), MQUIC_OK);
	kit_message("t", "one");
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 5, 0x87, &kit.error), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_engine_ack(kit.engine, 5, 0, &kit.error), MQUIC_OK);
	kit_sends_ack(MQTT_PUBACK, 5, 0);
}
END_TEST

/* ---- Subscribing ---- */

START_TEST(subscribe_is_answered_by_one_code_for_each_filter)
{
	struct mquic_subscription *subscription;
	struct mqtt_subscribe subscribe;
	struct mqtt_packet packet;
	struct mquic_event *event;
	uint16_t id;

	kit_up();
	ck_assert_int_eq(mquic_subscription_new(&subscription), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_subscribe(kit.engine, subscription, &id, &kit.error),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(
		mquic_subscription_add(subscription, "a/#", 3, 2, MQUIC_SUBSCRIBE_NO_LOCAL),
		MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_add(subscription, "b", 1, 0, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_set_id(subscription, 12), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_subscribe(kit.engine, subscription, &id, &kit.error),
			 MQUIC_OK);
	kit_sends(MQTT_SUBSCRIBE, &packet);
	ck_assert_int_eq(mqtt_subscribe_read(&subscribe, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_uint_eq(subscribe.packet_id, id);
	ck_assert_uint_eq(subscribe.filter_count, 2);
	ck_assert_uint_eq(subscribe.properties.subscription_id_count, 1);
	ck_assert_int_eq(kit_feed("90 05 0001 00 02 87"), MQUIC_OK);
	event = kit_event(MQUIC_EVENT_SUBSCRIBED);
	ck_assert_uint_eq(mquic_event_packet_id(event), id);
	ck_assert_uint_eq(mquic_event_reason_count(event), 2);
	ck_assert_uint_eq(mquic_event_reason(event, 0), 2);
	ck_assert_uint_eq(mquic_event_reason(event, 1), MQTT_NOT_AUTHORIZED);
	mquic_event_free(event);
	ck_assert_int_eq(mqtt_engine_unsubscribe(kit.engine, subscription, &id, &kit.error),
			 MQUIC_OK);
	mquic_subscription_free(subscription);
	kit_sends(MQTT_UNSUBSCRIBE, &packet);
	ck_assert_int_eq(mqtt_subscribe_read(&subscribe, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_int_eq(kit_feed("b0 05 0002 00 00 11"), MQUIC_OK);
	event = kit_event(MQUIC_EVENT_UNSUBSCRIBED);
	ck_assert_uint_eq(mquic_event_reason(event, 1), MQTT_NO_SUBSCRIPTION_EXISTED);
	mquic_event_free(event);
}
END_TEST

START_TEST(unsubscribe_of_3_1_1_reports_success_for_each_filter)
{
	struct mquic_subscription *subscription;
	struct mquic_event *event;

	kit.settings->version = 4;
	kit_up();
	ck_assert_int_eq(mquic_subscription_new(&subscription), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_add(subscription, "a", 1, 0, 0), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_add(subscription, "b", 1, 0, 0), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_unsubscribe(kit.engine, subscription, NULL, &kit.error),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_set_id(subscription, 1), MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_subscribe(kit.engine, subscription, NULL, &kit.error),
			 MQUIC_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "identifiers"));
	mquic_subscription_free(subscription);
	ck_assert_int_eq(mquic_subscription_new(&subscription), MQUIC_OK);
	ck_assert_int_eq(mquic_subscription_add(subscription, "a", 1, 0, MQUIC_SUBSCRIBE_NO_LOCAL),
			 MQUIC_OK);
	ck_assert_int_eq(mqtt_engine_subscribe(kit.engine, subscription, NULL, &kit.error),
			 MQUIC_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "options"));
	mquic_subscription_free(subscription);
	ck_assert_int_eq(kit_feed("b0 02 0001"), MQUIC_OK);
	event = kit_event(MQUIC_EVENT_UNSUBSCRIBED);
	ck_assert_uint_eq(mquic_event_reason_count(event), 2);
	ck_assert_uint_eq(mquic_event_reason(event, 1), 0);
	mquic_event_free(event);
}
END_TEST

START_TEST(suback_that_fits_nothing_is_a_violation)
{
	kit_up();
	(void)kit_subscribe("a", 0);
	ck_assert_int_eq(kit_feed("90 05 0001 00 00 00"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "codes");
	mqtt_engine_lost(kit.engine);
	kit_connect();
	ck_assert_int_eq(kit_connack(0, false), MQUIC_OK);
	kit_connected(false);
	ck_assert_int_eq(kit_feed("90 04 0001 00 00"), MQUIC_ERR_PROTOCOL);
	kit_over(MQUIC_ERR_PROTOCOL, MQTT_PROTOCOL_ERROR, "not asked for");
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&publish_waits_for_connack_and_keeps_its_order,
		&publish_is_settled_at_every_qos,
		&publish_is_settled_at_every_qos_in_3_1_1,
		&publish_carries_all_properties,
		&received_message_can_be_published_again,
		&publish_refusals_with_any_error_concern_that_message_alone,
		&publish_refusals_of_the_server_are_reported,
		&answers_to_nothing_do_no_harm,
		&answers_of_the_wrong_kind_are_violations,
		&errors_publish_before_connect,
		&errors_publish_without_topic,
		&messages_arrive_at_every_qos,
		&messages_arrive_at_every_qos_in_3_1_1,
		&several_packets_in_one_call_are_all_handled,
		&manual_acknowledgement_waits_for_the_application,
		&release_before_acknowledgement_is_a_violation,
		&message_brings_all_its_properties,
		&manual_acknowledgement_cannot_refuse_in_3_1_1,
		&subscribe_is_answered_by_one_code_for_each_filter,
		&unsubscribe_of_3_1_1_reports_success_for_each_filter,
		&suback_that_fits_nothing_is_a_violation,
	};

	return unit_run("mqtt-engine-messages", kit_open, kit_close, tests, COUNT(tests));
}
