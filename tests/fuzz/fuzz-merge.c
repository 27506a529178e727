/* SPDX-License-Identifier: MIT */
/*
 * Several streams of a client on one session of a broker. The input is a list of events: a byte
 * whose halves say what happens and on which stream, a length, and so many bytes. Streams and
 * broker may say anything, but there is also a broker that keeps to the rules, and answers what
 * has come to it. After each event the books must be in order and memory within its bounds.
 */
#include "fuzz.h"

#include <string.h>

#include "mqtt/ack.h"
#include "mqtt/merge-body.h"
#include "mqtt/publish.h"

enum event {
	EVENT_WATCH_CLIENT,
	EVENT_WATCH_BROKER,
	EVENT_OPEN,
	EVENT_TAKE,
	EVENT_GIVE,
	EVENT_FINISH,
	EVENT_CLOSE,
	EVENT_READ_UP,
	EVENT_READ,
	EVENT_ANSWER, /* the broker that keeps to the rules */
	EVENT_DELIVER /* so does this: QoS, identifier, topic, route */
};

static struct merge *merge;
static struct mqtt_framing broker;

/* ---- The books ------------------------------------------------------------------- */

static void check_requests(void)
{
	size_t requests[MERGE_SLOTS] = {0};
	size_t publishes = 0;
	size_t known = 0;
	size_t all = 0;
	size_t i;

	for (i = 0; i < merge->taken.size; i++) {
		struct merge_request_id request;
		uint16_t id = (uint16_t)merge->taken.entries[i].key;

		if (id == 0)
			continue;
		all++;
		MUST(merge_find_id(merge, id, &request));
		publishes += request.kind <= MERGE_RELEASED;
		if (request.slot >= MERGE_SLOTS)
			continue;
		known++;
		requests[request.slot]++;
		if (merge->slots != NULL)
			MUST(merge_id_of(merge, request.slot, request.client_id) == id);
	}
	MUST(all == merge->taken.count && all <= merge->taken.room);
	if (merge->slots == NULL)
		return;
	MUST(publishes == merge->publishes);
	MUST(known == merge->given.count);
	for (i = 0; i < MERGE_SLOTS; i++)
		MUST(requests[i] == merge->slots[i].requests);
}

static void check_deliveries(void)
{
	size_t waiting[MERGE_SLOTS] = {0};
	size_t slot;
	size_t i;

	for (i = 0; i < merge->deliveries.size; i++) {
		struct merge_delivery delivery;

		if (merge->deliveries.entries[i].key == 0)
			continue;
		MUST(merge_find_delivery(merge, (uint16_t)merge->deliveries.entries[i].key,
					 &delivery));
		MUST(delivery.phase != 0 && (delivery.waiting & ~delivery.slots) == 0);
		for (slot = 0; slot < MERGE_SLOTS; slot++)
			waiting[slot] += delivery.waiting >> slot & 1;
	}
	for (slot = 0; slot < MERGE_SLOTS; slot++)
		MUST(waiting[slot] == merge->slots[slot].deliveries);
}

static void check_filters(void)
{
	size_t bytes = 0;
	size_t i;

	for (i = 0; i < merge->filters.count; i++) {
		const struct merge_filter *filter = &merge->filters.items[i];

		bytes += filter->len;
		MUST(filter->slot < MERGE_SLOTS || filter->slot == MERGE_NOBODY);
		if (filter->slot < MERGE_SLOTS && merge->slots != NULL)
			MUST(merge->slots[filter->slot].open);
	}
	MUST(bytes == merge->filters.bytes);
	MUST(merge->filters.count <= MERGE_FILTERS_MAX);
}

static void check_books(void)
{
	size_t slot;

	MUST(merge_memory(merge) < 64 * 1048576);
	check_requests();
	check_filters();
	if (merge->slots == NULL)
		return;
	check_deliveries();
	for (slot = 1; slot < MERGE_SLOTS; slot++)
		MUST(merge->slots[slot].output.len <= MERGE_OUTPUT_HARD + 70000);
}

/* ---- A broker that keeps to the rules ------------------------------------------------ */

static void say_ack(enum mqtt_type type, struct bytes body)
{
	uint8_t packet[4] = {(uint8_t)(type << 4), 2, body.data[0], body.data[1]};

	packet[0] |= type == MQTT_PUBREL ? 2 : 0;
	merge_give(merge, bytes_of(packet, sizeof(packet)));
}

static void say_suback(const struct mqtt_packet *packet)
{
	struct mqtt_subscribe asked;
	struct mqtt_suback answer = {.type = packet->type + 1};
	struct buf_writer writer;
	uint8_t codes[MERGE_FILTERS_MAX] = {0};

	if (mqtt_subscribe_read(&asked, packet, merge->version) != MQTT_SUCCESS ||
	    asked.filter_count > sizeof(codes))
		return;
	answer.packet_id = asked.packet_id;
	answer.reasons = bytes_of(codes, asked.filter_count);
	mqtt_properties_init(&answer.properties);
	buf_writer_init(&writer, SIZE_MAX);
	mqtt_suback_write(&writer, &answer, merge->version);
	merge_give(merge, buf_writer_content(&writer));
	buf_writer_clear(&writer);
}

static void answer(const struct mqtt_packet *packet)
{
	static const uint8_t pong[] = {0xd0, 0};
	struct mqtt_publish publish;

	if (packet->type == MQTT_PUBLISH &&
	    mqtt_publish_read(&publish, packet, merge->version) == MQTT_SUCCESS && publish.qos > 0)
		say_ack(publish.qos == 1 ? MQTT_PUBACK : MQTT_PUBREC,
			bytes_of(packet->body.data + 2 + publish.topic.len, 2));
	else if (packet->type == MQTT_PUBREL && packet->body.len >= 2)
		say_ack(MQTT_PUBCOMP, packet->body);
	else if (packet->type == MQTT_PUBREC && packet->body.len >= 2)
		say_ack(MQTT_PUBREL, packet->body);
	else if (packet->type == MQTT_SUBSCRIBE || packet->type == MQTT_UNSUBSCRIBE)
		say_suback(packet);
	else if (packet->type == MQTT_PINGREQ)
		merge_give(merge, bytes_of(pong, sizeof(pong)));
}

static void answer_all(void)
{
	size_t len = merge_up(merge).len;
	uint8_t *copy = malloc(len + 1);
	struct bytes input = bytes_of(copy, len);
	struct mqtt_packet packet;

	MUST(copy != NULL);
	if (len > 0)
		memcpy(copy, merge_up(merge).data, len);
	merge_consume_up(merge, len);
	while (mqtt_framing_next(&broker, &input, &packet) == MQTT_FRAMING_PACKET)
		answer(&packet);
	free(copy);
}

static void deliver(struct bytes bytes)
{
	struct buf_reader reader = buf_reader_of(bytes);
	uint8_t topic = 'a' + buf_read_u8(&reader) % 3;
	struct mqtt_publish publish = {.topic = bytes_of(&topic, 1)};
	uint32_t route;
	struct buf_writer writer;

	publish.qos = buf_read_u8(&reader) % 3;
	publish.packet_id = publish.qos > 0 ? (uint16_t)(1 + buf_read_u8(&reader)) : 0;
	route = MERGE_SUBSCRIPTION_ID + (merge->first_route + buf_read_u8(&reader)) % MERGE_ROUTES;
	publish.payload = buf_read_rest(&reader);
	mqtt_properties_init(&publish.properties);
	if (merge->version == MQTT_5)
		mqtt_properties_set_ids(&publish.properties, &route, 1);
	buf_writer_init(&writer, SIZE_MAX);
	mqtt_publish_write(&writer, &publish, merge->version);
	merge_give(merge, buf_writer_content(&writer));
	buf_writer_clear(&writer);
}

/* ---- Events ---------------------------------------------------------------------------- */

static void open_slot(size_t slot)
{
	if (!merge_is_started(merge))
		MUST(merge_start(merge, 7) || merge_has_failed(merge));
	if (!merge->slots[slot].open)
		merge_open(merge, slot);
}

/* What a stream is given up for, its relay sees at once. */
static void give_up_faulty(void)
{
	size_t slot;

	for (slot = 1; slot < MERGE_SLOTS; slot++)
		if (merge->slots[slot].open && merge_fault(merge, slot) != MQTT_SUCCESS)
			merge_close(merge, slot);
	MUST(merge_fault(merge, 0) == MQTT_SUCCESS);
}

static void happen_early(enum event event, size_t slot, struct bytes bytes)
{
	if (event == EVENT_WATCH_CLIENT)
		merge_watch_client(merge, bytes);
	else if (event == EVENT_WATCH_BROKER)
		merge_watch_broker(merge, bytes);
	else if (event == EVENT_OPEN)
		open_slot(slot);
}

static void happen_on(enum event event, size_t slot, struct bytes bytes)
{
	switch (event) {
	case EVENT_TAKE:
		merge_let_leave(merge, slot > 0 || bytes.len % 2 == 0);
		merge_take(merge, slot, &bytes);
		break;
	case EVENT_FINISH:
		if (slot > 0)
			merge_finish(merge, slot);
		break;
	case EVENT_CLOSE:
		if (slot > 0)
			merge_close(merge, slot);
		break;
	case EVENT_READ:
		merge_consume_output(merge, slot, bytes.len * 16);
		break;
	default:
		break;
	}
}

static void happen(enum event event, size_t slot, struct bytes bytes)
{
	if (event == EVENT_OPEN)
		open_slot(slot);
	else if (event == EVENT_GIVE && !merge_is_full(merge))
		merge_give(merge, bytes);
	else if (event == EVENT_READ_UP)
		merge_consume_up(merge, bytes.len);
	else if (event == EVENT_ANSWER)
		answer_all();
	else if (event == EVENT_DELIVER && !merge_is_full(merge))
		deliver(bytes);
	else if (merge->slots[slot].open)
		happen_on(event, slot, bytes);
	give_up_faulty();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf_reader reader = buf_reader_of(bytes_of(data, size));

	merge = merge_new((buf_read_u8(&reader) & 1) != 0 ? MQTT_5 : MQTT_3_1_1);
	MUST(merge != NULL);
	mqtt_framing_init(&broker, MQTT_PACKET_MAX);
	while (reader.left > 0 && !merge_has_failed(merge)) {
		uint8_t what = buf_read_u8(&reader);
		size_t len = buf_read_u8(&reader);
		struct bytes bytes = buf_read_bytes(&reader, len < reader.left ? len : reader.left);

		if (merge_is_started(merge))
			happen(what >> 4, what & 0x0f, bytes);
		else
			happen_early(what >> 4, what & 0x0f, bytes);
		if (!merge_has_failed(merge))
			check_books();
	}
	merge_free(merge);
	mqtt_framing_clear(&broker);
	return 0;
}
