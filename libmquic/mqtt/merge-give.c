/* SPDX-License-Identifier: MIT */
/* Packets of the broker, on their way to the streams. See merge-body.h. */
#include <string.h>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/merge-body.h"

/*
 * 3.1.1 does not tell how many messages the broker takes that are not settled. One more is the end
 * of the client with Mosquitto (max_inflight_messages).
 */
#define INFLIGHT_3 20

void merge_read_connack(struct merge *merge, const struct mqtt_packet *packet)
{
	struct mqtt_connack connack;
	const struct mqtt_properties *said = &connack.properties;
	struct merge_limits *limits = &merge->limits;

	if (mqtt_connack_read(&connack, packet, merge->version) != MQTT_SUCCESS ||
	    connack.reason != MQTT_SUCCESS)
		return;
	merge->accepted = true;
	limits->receive_maximum = mqtt_properties_number(
		said, MQTT_RECEIVE_MAXIMUM, merge->version == MQTT_5 ? UINT16_MAX : INFLIGHT_3);
	limits->maximum_packet =
		mqtt_properties_number(said, MQTT_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX);
	limits->alias_maximum = (uint16_t)mqtt_properties_number(said, MQTT_TOPIC_ALIAS_MAXIMUM, 0);
	limits->maximum_qos = (uint8_t)mqtt_properties_number(said, MQTT_MAXIMUM_QOS, 2);
	limits->retain = mqtt_properties_number(said, MQTT_RETAIN_AVAILABLE, 1) != 0;
	limits->subscription_ids =
		mqtt_properties_number(said, MQTT_SUBSCRIPTION_IDS_AVAILABLE, 1) != 0;
}

/* ---- PUBLISH: for whom ------------------------------------------------------------------- */

/* By one identifier of ours; one of before this connection is the control stream's. */
static void choose_by_id(struct merge *merge, uint32_t id, const struct mqtt_publish *publish,
			 struct merge_choice *choice)
{
	uint32_t number = (id - MERGE_SUBSCRIPTION_ID - merge->first_route) % MERGE_ROUTES;

	merge_filters_choose_by_route(&merge->filters, id, publish->topic, publish->retain, choice);
	choice->known |= number < merge->routes;
}

static void choose_5(struct merge *merge, const struct mqtt_publish *publish,
		     struct merge_choice *choice)
{
	struct buf_reader walk = buf_reader_of(publish->properties.section);
	uint32_t id;

	while (mqtt_properties_next_id(&walk, &id))
		if (id >= MERGE_SUBSCRIPTION_ID)
			choose_by_id(merge, id, publish, choice);
		else
			choice->slots |= 1;
}

static void choose(struct merge *merge, const struct mqtt_publish *publish,
		   struct merge_choice *choice)
{
	memset(choice, 0, sizeof(*choice));
	if (merge->version == MQTT_5 && merge->limits.subscription_ids)
		choose_5(merge, publish, choice);
	else
		merge_filters_choose_by_topic(&merge->filters, publish->topic, publish->retain,
					      choice);
	if (choice->slots == 0 && !choice->known)
		choice->slots = 1;
}

/* ---- PUBLISH: what ------------------------------------------------------------------------- */

static void write_publish(struct merge *merge, size_t slot, const struct mqtt_packet *packet,
			  const struct mqtt_publish *publish, uint32_t client_id)
{
	/* The control stream has aliases and identifiers that we know nothing of. */
	struct merge_changes changes = {
		.id = publish->packet_id,
		.alias = slot == 0,
		.ids_end = slot == 0 ? MERGE_SUBSCRIPTION_ID : 0,
		.client_id = client_id,
	};

	if (merge->version == MQTT_5 &&
	    (mqtt_properties_has(&publish->properties, MQTT_SUBSCRIPTION_ID) ||
	     mqtt_properties_has(&publish->properties, MQTT_TOPIC_ALIAS)))
		merge_write_publish(merge, &merge->slots[slot].output, publish, &changes);
	else
		merge_write(merge, &merge->slots[slot].output, packet);
}

/* A message beyond the bound goes alone, and not to so many streams that it fills memory. */
static bool is_too_large(const struct merge *merge, size_t slot, size_t size)
{
	size_t waiting = merge->slots[slot].output.len;
	size_t all = 0;
	size_t i;

	if (waiting + size <= MERGE_OUTPUT_HARD)
		return false;
	for (i = 1; i < MERGE_SLOTS; i++)
		all += merge->slots[i].output.len;
	return waiting > 0 || (all > 0 && all + size > MERGE_OUTPUT_ALL);
}

/* Whether there is room for it; if not, QoS 0 is lost, and a data stream owed more is given up. */
static bool has_room(struct merge *merge, size_t slot, const struct mqtt_publish *publish,
		     size_t size)
{
	struct merge_slot *to = &merge->slots[slot];
	bool too_large;

	if (!to->open || to->fault != MQTT_SUCCESS)
		return false;
	too_large = slot > 0 && is_too_large(merge, slot, size);
	if (publish->qos == 0 && (too_large || to->output.len > MERGE_OUTPUT_SOFT)) {
		to->dropped++;
		return false;
	}
	if (too_large)
		merge_blame(merge, slot, MQTT_QUOTA_EXCEEDED);
	if (slot > 0 && publish->topic.len == 0)
		merge_blame(merge, slot, MQTT_TOPIC_ALIAS_INVALID); /* of before the start */
	return to->fault == MQTT_SUCCESS;
}

/* Nobody will answer it: we do. */
static void answer(struct merge *merge, uint16_t id, struct merge_delivery *delivery)
{
	static const enum mqtt_type types[] = {
		[MERGE_WANTS_PUBACK] = MQTT_PUBACK,
		[MERGE_WANTS_PUBREC] = MQTT_PUBREC,
		[MERGE_WANTS_PUBCOMP] = MQTT_PUBCOMP,
	};

	merge_write_ack(merge, &merge->up, types[delivery->phase], id);
	if (delivery->phase != MERGE_WANTS_PUBREC)
		delivery->phase = 0;
	merge_note_delivery(merge, id, delivery);
}

static void deliver(struct merge *merge, const struct mqtt_packet *packet,
		    const struct mqtt_publish *publish)
{
	struct merge_delivery delivery = {.phase = publish->qos == 1 ? MERGE_WANTS_PUBACK
								     : MERGE_WANTS_PUBREC};
	struct merge_choice choice;
	size_t slot;

	choose(merge, publish, &choice);
	for (slot = 0; slot < MERGE_SLOTS; slot++) {
		if ((choice.slots >> slot & 1) == 0 ||
		    !has_room(merge, slot, publish, packet->body.len))
			continue;
		write_publish(merge, slot, packet, publish, choice.client_ids[slot]);
		delivery.slots |= (uint16_t)(1u << slot);
	}
	if (publish->qos == 0)
		return;
	delivery.waiting = delivery.slots;
	if (delivery.waiting == 0)
		answer(merge, publish->packet_id, &delivery);
	else
		merge_note_delivery(merge, publish->packet_id, &delivery);
}

static void give_publish(struct merge *merge, const struct mqtt_packet *packet)
{
	struct mqtt_publish publish;

	if (mqtt_publish_read(&publish, packet, merge->version) != MQTT_SUCCESS) {
		merge_write(merge, &merge->slots[0].output, packet);
		return;
	}
	if (merge->version == MQTT_5)
		(void)mqtt_alias_in_resolve(&merge->aliases, &publish);
	deliver(merge, packet, &publish);
}

static void give_release(struct merge *merge, const struct mqtt_packet *packet, uint16_t id)
{
	struct merge_delivery delivery;
	size_t slot;

	if (!merge_find_delivery(merge, id, &delivery)) {
		merge_output_with_id(merge, 0, packet, id);
		return;
	}
	delivery.phase = MERGE_WANTS_PUBCOMP;
	delivery.waiting = delivery.slots;
	if (delivery.waiting == 0) {
		answer(merge, id, &delivery);
		return;
	}
	merge_note_delivery(merge, id, &delivery);
	for (slot = 0; slot < MERGE_SLOTS; slot++)
		if (delivery.slots >> slot & 1)
			merge_output_with_id(merge, slot, packet, id);
}

static void settle_one(struct merge *merge, uint16_t id, uint16_t bit)
{
	struct merge_delivery delivery;
	bool last;

	if (!merge_find_delivery(merge, id, &delivery) || (delivery.slots & bit) == 0)
		return;
	last = delivery.waiting == bit;
	delivery.slots &= (uint16_t)~bit;
	delivery.waiting &= (uint16_t)~bit;
	if (last)
		answer(merge, id, &delivery);
	else
		merge_note_delivery(merge, id, &delivery);
}

void merge_settle(struct merge *merge, size_t slot)
{
	size_t i = 0;

	/* What is removed makes others move up to its place. */
	while (i < merge->deliveries.size) {
		uint32_t key = merge->deliveries.entries[i].key;

		if (key != 0)
			settle_one(merge, (uint16_t)key, (uint16_t)(1u << slot));
		if (i < merge->deliveries.size && merge->deliveries.entries[i].key == key)
			i++;
	}
}

/* ---- Answers to what the streams asked ------------------------------------------------------ */

/* PUBREC for a stream that can release nothing any more. */
static bool is_silent(const struct merge *merge, const struct merge_request_id *request)
{
	return request->slot == MERGE_NOBODY || merge->slots[request->slot].finished;
}

static void release(struct merge *merge, uint16_t id, struct merge_request_id request)
{
	request.kind = MERGE_RELEASED;
	merge_note_id(merge, id, &request);
	merge_write_ack(merge, &merge->up, MQTT_PUBREL, id);
}

static void receive(struct merge *merge, uint16_t id, struct merge_request_id request)
{
	request.kind = MERGE_RECEIVED;
	merge_note_id(merge, id, &request);
}

void merge_release_all(struct merge *merge, size_t slot, bool gone)
{
	size_t i;

	for (i = 0; i < merge->taken.size; i++) {
		uint16_t id = (uint16_t)merge->taken.entries[i].key;
		struct merge_request_id request;

		if (id == 0 || !merge_find_id(merge, id, &request) || request.slot != slot)
			continue;
		if (gone)
			request.slot = MERGE_NOBODY;
		if (request.kind == MERGE_RECEIVED)
			release(merge, id, request);
		else if (gone)
			merge_note_id(merge, id, &request);
	}
}

/* PUBACK, PUBREC, PUBCOMP. */
static void give_ack(struct merge *merge, const struct mqtt_packet *packet,
		     const struct mqtt_ack *ack)
{
	bool more = packet->type == MQTT_PUBREC && ack->reason < MQTT_FIRST_ERROR;
	struct merge_request_id request;

	if (!merge_find_id(merge, ack->packet_id, &request) || request.kind > MERGE_RELEASED) {
		merge_output_with_id(merge, 0, packet, ack->packet_id);
		return;
	}
	if (!more)
		merge_drop_id(merge, ack->packet_id);
	merge_output_with_id(merge, request.slot, packet, request.client_id);
	if (!more)
		return;
	if (is_silent(merge, &request))
		release(merge, ack->packet_id, request);
	else
		receive(merge, ack->packet_id, request);
}

static void give_answer(struct merge *merge, const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;

	if (mqtt_ack_read(&ack, packet, merge->version) != MQTT_SUCCESS)
		merge_write(merge, &merge->slots[0].output, packet);
	else if (packet->type == MQTT_PUBREL)
		give_release(merge, packet, ack.packet_id);
	else
		give_ack(merge, packet, &ack);
}

static void give_pong(struct merge *merge, const struct mqtt_packet *packet)
{
	size_t slot = merge->ping_count > 0 ? merge->pings[0] : 0;

	if (merge->ping_count > 0)
		memmove(merge->pings, merge->pings + 1, --merge->ping_count);
	if (slot < MERGE_SLOTS && merge->slots[slot].open &&
	    merge->slots[slot].output.len <= MERGE_OUTPUT_HARD)
		merge_write(merge, &merge->slots[slot].output, packet);
}

void merge_give_packet(struct merge *merge, const struct mqtt_packet *packet)
{
	switch (packet->type) {
	case MQTT_PUBLISH:
		give_publish(merge, packet);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		give_answer(merge, packet);
		break;
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		merge_answer_request(merge, packet);
		break;
	case MQTT_PINGRESP:
		give_pong(merge, packet);
		break;
	default:
		merge_write(merge, &merge->slots[0].output, packet);
		break;
	}
}
