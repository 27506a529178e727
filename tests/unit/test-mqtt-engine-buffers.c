/* SPDX-License-Identifier: MIT */
/* The engine and its buffers: what may pile up, and when it goes on. */
#include "engine-kit.h"

#include <string.h>

START_TEST(publishing_stops_at_the_buffer_and_goes_on_after_writable)
{
	static char payload[10001];
	enum mquic_status status;
	size_t taken = 0;
	size_t id;

	memset(payload, 'p', 10000);
	kit_up();
	while ((status = kit_try_publish("t", payload, 1, false)) == MQUIC_OK)
		ck_assert_uint_lt(++taken, 100);
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	ck_assert_uint_ge(taken, 4);
	for (id = 1; id <= taken; id++)
		kit_sends_publish(payload, 1, (uint16_t)id, false);
	kit_no_event();
	for (id = 1; id <= taken; id++) {
		struct mquic_event *event;

		ck_assert_int_eq(kit_ack(MQTT_PUBACK, (uint16_t)id, 0), MQUIC_OK);
		kit_delivered((uint16_t)id, 0);
		event = mqtt_engine_next_event(kit.engine);
		if (event == NULL)
			continue;
		ck_assert_int_eq(mquic_event_type(event), MQUIC_EVENT_WRITABLE);
		mquic_event_free(event);
		ck_assert_int_eq(kit_try_publish("t", payload, 1, false), MQUIC_OK);
		return;
	}
	ck_abort_msg("no WRITABLE");
}
END_TEST

START_TEST(one_message_may_be_larger_than_the_buffer)
{
	static char payload[KIT_BUFFER * 3];

	memset(payload, 'p', sizeof(payload) - 1);
	kit_up();
	ck_assert_int_eq(kit_try_publish("t", payload, 0, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("t", "x", 0, false), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(mqtt_engine_state(kit.engine), MQTT_ENGINE_CONNECTED);
}
END_TEST

START_TEST(writable_follows_when_output_has_left)
{
	const uint8_t *data;
	size_t len;
	enum mquic_status status;
	struct mquic_event *event;

	kit_up();
	while ((status = kit_try_publish("t", "some payload for the wire", 0, false)) == MQUIC_OK)
		;
	ck_assert_int_eq(status, MQUIC_ERR_AGAIN);
	kit_no_event();
	mqtt_lane_output(kit.lane, &data, &len);
	ck_assert_uint_le(len, 66000);
	while (len > 0) {
		mqtt_engine_output_consume(kit.engine, kit.lane, len < 1000 ? len : 1000,
					   kit.now_ms);
		mqtt_lane_output(kit.lane, &data, &len);
	}
	event = kit_event(MQUIC_EVENT_WRITABLE);
	mquic_event_free(event);
	kit_no_event();
}
END_TEST

START_TEST(packet_identifiers_can_run_out)
{
	struct mquic_event *event;
	size_t i;

	kit_close();
	kit_open_with(SIZE_MAX);
	kit_up();
	for (i = 0; i < 65535; i++)
		ck_assert_int_eq(kit_try_publish("t", "", 1, false), MQUIC_OK);
	ck_assert_int_eq(kit_try_publish("t", "", 1, false), MQUIC_ERR_AGAIN);
	ck_assert_int_eq(kit_try_publish("t", "", 0, false), MQUIC_OK);
	kit_sends_publish("", 1, 1, false);
	kit_no_event();
	ck_assert_int_eq(kit_ack(MQTT_PUBACK, 1, 0), MQUIC_OK);
	kit_delivered(1, 0);
	event = kit_event(MQUIC_EVENT_WRITABLE);
	mquic_event_free(event);
	ck_assert_int_eq(kit_try_publish("t", "", 1, false), MQUIC_OK);
}
END_TEST

START_TEST(input_is_not_wanted_while_answers_pile_up)
{
	const uint8_t *data;
	size_t len;
	uint16_t id = 1;

	kit_up();
	while (mqtt_lane_wants_input(kit.lane)) {
		ck_assert_int_eq(kit_deliver("t", "x", 1, id, false), MQUIC_OK);
		kit_message("t", "x");
		id = id == 65535 ? 1 : (uint16_t)(id + 1);
	}
	mqtt_lane_output(kit.lane, &data, &len);
	ck_assert_uint_ge(len, 262144);
	ck_assert_uint_lt(len, 262160);
	mqtt_engine_output_consume(kit.engine, kit.lane, 1000, kit.now_ms);
	ck_assert(mqtt_lane_wants_input(kit.lane));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&publishing_stops_at_the_buffer_and_goes_on_after_writable,
		&one_message_may_be_larger_than_the_buffer,
		&writable_follows_when_output_has_left,
		&packet_identifiers_can_run_out,
		&input_is_not_wanted_while_answers_pile_up,
	};

	return unit_run("mqtt-engine-buffers", kit_open, kit_close, tests, COUNT(tests));
}
