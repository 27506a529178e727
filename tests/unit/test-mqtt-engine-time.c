/* SPDX-License-Identifier: MIT */
/* The engine and time: keep-alive. */
#include "engine-kit.h"

static void ping_is_sent(void)
{
	struct mqtt_packet packet;

	kit_sends(MQTT_PINGREQ, &packet);
	kit_sends_nothing();
}

START_TEST(keep_alive_pings_when_idle_and_lives_on_an_answer)
{
	int round;

	kit_up();
	for (round = 0; round < 3; round++) {
		ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 60000);
		mqtt_engine_tick(kit.engine, kit.now_ms + 59999);
		kit_sends_nothing();
		kit.now_ms += 60000;
		mqtt_engine_tick(kit.engine, kit.now_ms);
		ping_is_sent();
		ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 30000);
		kit.now_ms += 1000;
		ck_assert_int_eq(kit_feed("d0 00"), MQUIC_OK);
		kit.now_ms -= 1000;
		ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 60000);
	}
	kit_no_event();
}
END_TEST

START_TEST(keep_alive_failure_ends_the_session)
{
	kit_up();
	kit.now_ms += 60000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	mqtt_engine_tick(kit.engine, kit.now_ms + 29999);
	kit_no_event();
	mqtt_engine_tick(kit.engine, kit.now_ms + 30000);
	kit_over(MQUIC_ERR_TIMEOUT, MQTT_KEEP_ALIVE_TIMEOUT, "PINGREQ");
	kit_sends_nothing();
}
END_TEST

START_TEST(keep_alive_takes_any_traffic_as_a_sign_of_life)
{
	kit_up();
	kit.now_ms += 60000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	kit.now_ms += 20000;
	ck_assert_int_eq(kit_feed("30"), MQUIC_OK);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 40000);
	kit.now_ms += 40000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	ck_assert_int_eq(mqtt_engine_receive(kit.engine, kit.lane, NULL, 0, kit.now_ms), MQUIC_OK);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 60000);
}
END_TEST

START_TEST(keep_alive_pings_a_silent_server_though_we_talk)
{
	int i;

	kit_up();
	for (i = 0; i < 6; i++) {
		kit.now_ms += 10000;
		(void)kit_publish("x", 0);
		kit_sends_publish("x", 0, 0, false);
	}
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms);
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
}
END_TEST

START_TEST(keep_alive_of_the_server_replaces_ours)
{
	kit_up_with(MQTT_SERVER_KEEP_ALIVE, 2);
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 2000);
	kit.now_ms += 2000;
	mqtt_engine_tick(kit.engine, kit.now_ms);
	ping_is_sent();
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), kit.now_ms + 5000);
	mqtt_engine_lost(kit.engine);
	ck_assert_uint_eq(mqtt_engine_keep_alive_s(kit.engine), 60);
}
END_TEST

START_TEST(keep_alive_can_be_off)
{
	ck_assert_int_eq(mqtt_settings_set_keep_alive_s(kit.settings, 0, &kit.error), MQUIC_OK);
	kit_up();
	ck_assert_uint_eq(mqtt_engine_deadline_ms(kit.engine), UINT64_MAX);
	mqtt_engine_tick(kit.engine, kit.now_ms + 1000000000);
	kit_sends_nothing();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&keep_alive_pings_when_idle_and_lives_on_an_answer,
		&keep_alive_failure_ends_the_session,
		&keep_alive_takes_any_traffic_as_a_sign_of_life,
		&keep_alive_pings_a_silent_server_though_we_talk,
		&keep_alive_of_the_server_replaces_ours,
		&keep_alive_can_be_off,
	};

	return unit_run("mqtt-engine-time", kit_open, kit_close, tests, COUNT(tests));
}
