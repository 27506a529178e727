/* SPDX-License-Identifier: MIT */
/* Packet identifiers, and the QoS 1 and 2 state machines alone. */
#include "unit.h"

#include "mqtt/inflight.h"

static struct mqtt_inflight inflight;

static void setup(void)
{
	mqtt_inflight_init(&inflight);
}

static void teardown(void)
{
	mqtt_inflight_clear(&inflight);
}

static struct mqtt_outgoing *add(int qos)
{
	struct mqtt_outgoing *outgoing;
	struct mquic_message *message;

	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, qos), MQUIC_OK);
	if (qos > 0)
		message->packet_id = mqtt_inflight_free_id(&inflight);
	outgoing = mqtt_outgoing_for_message(message);
	ck_assert_ptr_nonnull(outgoing);
	ck_assert(mqtt_inflight_enqueue(&inflight, outgoing));
	return outgoing;
}

static struct mqtt_outgoing *add_sent(int qos)
{
	struct mqtt_outgoing *outgoing = add(qos);

	mqtt_inflight_sent(&inflight, outgoing);
	return outgoing;
}

START_TEST(ids_are_given_in_order_and_skip_those_in_use)
{
	struct packet_id_table table;
	int value;

	packet_id_init(&table);
	ck_assert_uint_eq(packet_id_next_free(&table, 0), 1);
	ck_assert_uint_eq(packet_id_next_free(&table, 65535), 1);
	ck_assert(packet_id_put(&table, 1, &value));
	ck_assert(packet_id_put(&table, 2, &value));
	ck_assert_uint_eq(packet_id_next_free(&table, 65535), 3);
	packet_id_remove(&table, 1);
	ck_assert_uint_eq(packet_id_next_free(&table, 65535), 1);
	ck_assert_ptr_null(packet_id_get(&table, 1));
	ck_assert_ptr_eq(packet_id_get(&table, 2), &value);
	packet_id_remove(&table, 1);
	ck_assert_uint_eq(table.count, 1);
	packet_id_clear(&table);
}
END_TEST

START_TEST(ids_run_out_at_65535_and_memory_is_given_back)
{
	struct packet_id_table table;
	uint16_t id = 0;
	int value;
	size_t i;

	packet_id_init(&table);
	for (i = 0; i < 65535; i++) {
		id = packet_id_next_free(&table, id);
		ck_assert_uint_eq(id, i + 1);
		ck_assert(packet_id_put(&table, id, &value));
	}
	ck_assert_uint_eq(packet_id_next_free(&table, id), 0);
	packet_id_remove(&table, 500);
	ck_assert_uint_eq(packet_id_next_free(&table, id), 500);
	for (i = 1; i <= 65535; i++)
		packet_id_remove(&table, (uint16_t)i);
	ck_assert_uint_eq(table.count, 0);
	for (i = 0; i < PACKET_ID_PAGES; i++)
		ck_assert_ptr_null(table.pages[i]);
}
END_TEST

struct answer {
	int qos;    /* 0: there is no such message */
	bool taken; /* PUBREC has come before */
	enum mqtt_type type;
	uint8_t reason;
	enum mqtt_step step;
};

START_TEST(every_answer_to_every_state_has_its_step)
{
	static const struct answer answers[] = {
		{1, false, MQTT_PUBACK, 0x00, MQTT_STEP_SETTLE},
		{1, false, MQTT_PUBACK, 0x87, MQTT_STEP_SETTLE},
		{1, false, MQTT_PUBREC, 0x00, MQTT_STEP_VIOLATION},
		{1, false, MQTT_PUBCOMP, 0x00, MQTT_STEP_VIOLATION},
		{2, false, MQTT_PUBACK, 0x00, MQTT_STEP_VIOLATION},
		{2, false, MQTT_PUBREC, 0x00, MQTT_STEP_TAKE},
		{2, false, MQTT_PUBREC, 0x10, MQTT_STEP_TAKE},
		{2, false, MQTT_PUBREC, 0x80, MQTT_STEP_SETTLE},
		{2, false, MQTT_PUBCOMP, 0x00, MQTT_STEP_VIOLATION},
		{2, true, MQTT_PUBACK, 0x00, MQTT_STEP_VIOLATION},
		{2, true, MQTT_PUBREC, 0x00, MQTT_STEP_REPEAT},
		{2, true, MQTT_PUBCOMP, 0x00, MQTT_STEP_SETTLE},
		{2, true, MQTT_PUBCOMP, 0x92, MQTT_STEP_SETTLE},
		{0, false, MQTT_PUBACK, 0x00, MQTT_STEP_IGNORE},
		{0, false, MQTT_PUBREC, 0x00, MQTT_STEP_NOT_FOUND},
		{0, false, MQTT_PUBCOMP, 0x00, MQTT_STEP_IGNORE},
	};
	size_t i;

	for (i = 0; i < COUNT(answers); i++) {
		struct mqtt_outgoing *outgoing = NULL;

		if (answers[i].qos > 0)
			outgoing = add_sent(answers[i].qos);
		if (answers[i].taken)
			mqtt_inflight_taken(&inflight, outgoing);
		ck_assert_msg(mqtt_outgoing_step(outgoing, answers[i].type, answers[i].reason) ==
				      answers[i].step,
			      "answer %zu", i);
	}
	ck_assert_int_eq(mqtt_outgoing_step(add(1), MQTT_PUBACK, 0), MQTT_STEP_VIOLATION);
}
END_TEST

START_TEST(window_and_cost_follow_what_is_settled)
{
	struct mqtt_outgoing *one = add_sent(1);
	struct mqtt_outgoing *two = add_sent(2);
	size_t cost = inflight.cost;

	ck_assert_uint_eq(inflight.window, 2);
	ck_assert_uint_eq(inflight.messages, 2);
	mqtt_inflight_taken(&inflight, two);
	ck_assert_uint_eq(inflight.window, 2);
	ck_assert_uint_lt(inflight.cost, cost);
	mqtt_inflight_settle(&inflight, one);
	mqtt_inflight_settle(&inflight, two);
	(void)add_sent(0);
	ck_assert_uint_eq(inflight.window, 0);
	ck_assert_uint_eq(inflight.messages, 0);
	ck_assert_uint_eq(inflight.cost, 0);
	ck_assert_uint_eq(inflight.outgoing.count, 0);
}
END_TEST

START_TEST(loss_queues_again_in_order_before_what_was_never_sent)
{
	struct mqtt_outgoing *first = add_sent(1);
	struct mqtt_outgoing *taken = add_sent(2);
	struct mqtt_outgoing *second = add_sent(2);
	struct mqtt_outgoing *queued = add(1);

	mqtt_inflight_taken(&inflight, taken);
	mqtt_inflight_lost(&inflight);
	ck_assert_uint_eq(inflight.window, 0);
	ck_assert_ptr_eq(mqtt_inflight_next(&inflight), first);
	ck_assert(first->message->duplicate);
	ck_assert(second->message->duplicate);
	ck_assert(!queued->message->duplicate);
	mqtt_inflight_sent(&inflight, first);
	ck_assert_ptr_eq(mqtt_inflight_next(&inflight), second);
	mqtt_inflight_sent(&inflight, second);
	ck_assert_ptr_eq(mqtt_inflight_next(&inflight), queued);
	ck_assert_int_eq(taken->state, MQTT_OUT_WAIT_PUBCOMP);
}
END_TEST

START_TEST(absent_session_makes_duplicates_new)
{
	struct mqtt_outgoing *outgoing = add_sent(2);

	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 5, 2, false, 10), MQTT_ARRIVAL_NEW);
	mqtt_inflight_lost(&inflight);
	mqtt_inflight_absent(&inflight);
	ck_assert(!outgoing->message->duplicate);
	ck_assert_uint_eq(inflight.incoming.count, 0);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 5, 2, false, 10), MQTT_ARRIVAL_NEW);
}
END_TEST

START_TEST(incoming_qos_2_is_new_once)
{
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 9, 2, false, 10), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 9, 2, false, 10), MQTT_ARRIVAL_REPEAT);
	mqtt_inflight_lost(&inflight);
	ck_assert_uint_eq(inflight.incoming_count, 0);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 9, 2, false, 10), MQTT_ARRIVAL_REPEAT);
	ck_assert_uint_eq(inflight.incoming_count, 1);
	ck_assert_int_eq(mqtt_inflight_released(&inflight, 9), MQTT_STEP_SETTLE);
	ck_assert_int_eq(mqtt_inflight_released(&inflight, 9), MQTT_STEP_NOT_FOUND);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 9, 2, false, 10), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 9, 1, false, 10), MQTT_ARRIVAL_VIOLATION);
}
END_TEST

START_TEST(incoming_is_held_to_the_maximum)
{
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 1, 2, false, 2), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 2, 1, true, 2), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 3, 1, false, 2), MQTT_ARRIVAL_TOO_MANY);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 3, 2, false, 2), MQTT_ARRIVAL_TOO_MANY);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 1, 2, false, 2), MQTT_ARRIVAL_REPEAT);
	ck_assert_int_eq(mqtt_inflight_released(&inflight, 1), MQTT_STEP_SETTLE);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 3, 2, false, 2), MQTT_ARRIVAL_NEW);
}
END_TEST

static void expect_ack(enum mqtt_type type, uint16_t id, uint8_t reason)
{
	enum mqtt_type got_type;
	uint16_t got_id;
	uint8_t got_reason;

	ck_assert(mqtt_inflight_next_ack(&inflight, &got_type, &got_id, &got_reason));
	ck_assert_int_eq(got_type, type);
	ck_assert_uint_eq(got_id, id);
	ck_assert_uint_eq(got_reason, reason);
}

static void expect_no_ack(void)
{
	enum mqtt_type type;
	uint16_t id;
	uint8_t reason;

	ck_assert(!mqtt_inflight_next_ack(&inflight, &type, &id, &reason));
}

START_TEST(manual_acknowledgements_keep_the_order_of_arrival)
{
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 1, 1, true, 10), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 2, 1, true, 10), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 3, 2, true, 10), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 3, 2, true, 10), MQTT_ARRIVAL_DUPLICATE);
	ck_assert(!mqtt_inflight_acknowledge(&inflight, 4, 0));
	ck_assert(mqtt_inflight_acknowledge(&inflight, 2, 0x87));
	ck_assert(!mqtt_inflight_acknowledge(&inflight, 2, 0));
	expect_no_ack();
	ck_assert_int_eq(mqtt_inflight_released(&inflight, 3), MQTT_STEP_VIOLATION);
	ck_assert(mqtt_inflight_acknowledge(&inflight, 3, 0));
	expect_ack(MQTT_PUBREC, 3, 0);
	expect_no_ack();
	ck_assert(mqtt_inflight_acknowledge(&inflight, 1, 0));
	expect_ack(MQTT_PUBACK, 1, 0);
	expect_ack(MQTT_PUBACK, 2, 0x87);
	expect_no_ack();
	ck_assert_int_eq(mqtt_inflight_released(&inflight, 3), MQTT_STEP_SETTLE);
	ck_assert_uint_eq(inflight.incoming_count, 0);
}
END_TEST

START_TEST(refused_qos_2_is_forgotten)
{
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 1, 2, true, 10), MQTT_ARRIVAL_NEW);
	ck_assert(mqtt_inflight_acknowledge(&inflight, 1, 0x97));
	expect_ack(MQTT_PUBREC, 1, 0x97);
	ck_assert_int_eq(mqtt_inflight_released(&inflight, 1), MQTT_STEP_NOT_FOUND);
	ck_assert_uint_eq(inflight.incoming.count, 0);
}
END_TEST

START_TEST(loss_drops_unacknowledged_qos_1_and_keeps_qos_2)
{
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 300, 1, true, 10), MQTT_ARRIVAL_NEW);
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 65535, 2, true, 10), MQTT_ARRIVAL_NEW);
	mqtt_inflight_lost(&inflight);
	ck_assert(!mqtt_inflight_acknowledge(&inflight, 300, 0));
	ck_assert_int_eq(mqtt_inflight_arrived(&inflight, 65535, 2, true, 10),
			 MQTT_ARRIVAL_DUPLICATE);
	ck_assert(mqtt_inflight_acknowledge(&inflight, 65535, 0));
	expect_ack(MQTT_PUBREC, 65535, 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&ids_are_given_in_order_and_skip_those_in_use,
		&ids_run_out_at_65535_and_memory_is_given_back,
		&every_answer_to_every_state_has_its_step,
		&window_and_cost_follow_what_is_settled,
		&loss_queues_again_in_order_before_what_was_never_sent,
		&absent_session_makes_duplicates_new,
		&incoming_qos_2_is_new_once,
		&incoming_is_held_to_the_maximum,
		&manual_acknowledgements_keep_the_order_of_arrival,
		&refused_qos_2_is_forgotten,
		&loss_drops_unacknowledged_qos_1_and_keeps_qos_2,
	};

	return unit_run("mqtt-inflight", setup, teardown, tests, COUNT(tests));
}
