/* SPDX-License-Identifier: MIT */
/* Packets written, identifiers noted. See merge-body.h. */
#include "mqtt/ack.h"
#include "mqtt/merge-body.h"

void merge_blame(struct merge *merge, size_t slot, enum mqtt_reason reason)
{
	if (slot > 0 && merge->slots[slot].fault == MQTT_SUCCESS)
		merge->slots[slot].fault = reason;
}

/* Beyond, Mosquitto ends the client (TOPIC_HIERARCHY_LIMIT). */
#define TOPIC_LEVELS_MAX 200

bool merge_is_too_deep(struct bytes topic)
{
	size_t levels = 0;
	size_t i;

	for (i = 0; i < topic.len; i++)
		levels += topic.data[i] == '/';
	return levels > TOPIC_LEVELS_MAX;
}

static void check(struct merge *merge, const struct buf_writer *writer)
{
	if (writer->failed)
		merge->failed = true;
}

void merge_write(struct merge *merge, struct buf_writer *to, const struct mqtt_packet *packet)
{
	mqtt_header_write(to, packet->type, packet->flags, packet->body.len);
	buf_write_bytes(to, packet->body);
	check(merge, to);
}

void merge_write_with_id(struct merge *merge, struct buf_writer *to,
			 const struct mqtt_packet *packet, size_t at, uint16_t id)
{
	struct buf_reader reader = buf_reader_of(packet->body);

	mqtt_header_write(to, packet->type, packet->flags, packet->body.len);
	buf_write_bytes(to, buf_read_bytes(&reader, at));
	(void)buf_read_u16(&reader);
	buf_write_u16(to, id);
	buf_write_bytes(to, buf_read_rest(&reader));
	check(merge, to);
}

void merge_write_ack(struct merge *merge, struct buf_writer *to, enum mqtt_type type, uint16_t id)
{
	struct mqtt_ack ack = {.type = type, .packet_id = id};

	mqtt_properties_init(&ack.properties);
	mqtt_ack_write(to, &ack, merge->version);
	check(merge, to);
}

/* One property with its identifier. */
static bool is_wanted(uint32_t id, struct bytes all, const struct merge_changes *changes)
{
	struct buf_reader value = buf_reader_of(all);

	(void)buf_read_u8(&value);
	if (id == MQTT_SUBSCRIPTION_ID)
		return mqtt_read_varint(&value) < changes->ids_end;
	return id != MQTT_TOPIC_ALIAS || changes->alias;
}

static void write_section(struct buf_writer *to, const struct mqtt_publish *publish,
			  const struct merge_changes *changes)
{
	struct buf_reader walk = buf_reader_of(publish->properties.section);
	const uint8_t *from = walk.next;
	uint32_t id;

	while (mqtt_properties_next(&walk, &id)) {
		struct bytes all = bytes_of(from, (size_t)(walk.next - from));

		if (is_wanted(id, all, changes))
			buf_write_bytes(to, all);
		from = walk.next;
	}
	if (changes->client_id == 0)
		return;
	buf_write_u8(to, MQTT_SUBSCRIPTION_ID);
	mqtt_write_varint(to, changes->client_id);
}

static void write_body(struct buf_writer *to, const struct mqtt_publish *publish,
		       const struct merge_changes *changes)
{
	struct buf_writer counter;

	mqtt_write_binary(to, publish->topic);
	if (publish->qos > 0)
		buf_write_u16(to, changes->id);
	buf_writer_init_counter(&counter);
	write_section(&counter, publish, changes);
	mqtt_write_varint(to, (uint32_t)counter.len);
	write_section(to, publish, changes);
	buf_write_bytes(to, publish->payload);
}

void merge_write_publish(struct merge *merge, struct buf_writer *to,
			 const struct mqtt_publish *publish, const struct merge_changes *changes)
{
	uint8_t flags = (uint8_t)(publish->duplicate << 3 | publish->qos << 1 | publish->retain);
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	write_body(&counter, publish, changes);
	mqtt_header_write(to, MQTT_PUBLISH, flags, counter.len);
	write_body(to, publish, changes);
	check(merge, to);
}

void merge_output_with_id(struct merge *merge, size_t slot, const struct mqtt_packet *packet,
			  uint16_t id)
{
	struct merge_slot *to;

	if (slot >= MERGE_SLOTS || merge->slots == NULL || !merge->slots[slot].open)
		return;
	to = &merge->slots[slot];
	if (to->output.len > MERGE_OUTPUT_HARD)
		merge_blame(merge, slot, MQTT_QUOTA_EXCEEDED);
	if (to->fault == MQTT_SUCCESS)
		merge_write_with_id(merge, &to->output, packet, 0, id);
}

/* ---- Requests ------------------------------------------------------------------------------ */

bool merge_find_id(const struct merge *merge, uint16_t id, struct merge_request_id *request)
{
	uint64_t value = merge_ids_get(&merge->taken, id);

	request->slot = (uint8_t)value;
	request->kind = (enum merge_kind)(value >> 8 & 0xff);
	request->client_id = (uint16_t)(value >> 16);
	return value != 0;
}

static uint32_t key_of(size_t slot, uint16_t client_id)
{
	return (uint32_t)slot << 16 | client_id;
}

static bool is_publish(enum merge_kind kind)
{
	return kind <= MERGE_RELEASED;
}

/* Takes what is known of the number out of the counts, which there are from the start on. */
static void uncount(struct merge *merge, uint16_t id)
{
	struct merge_request_id old;

	if (merge->slots == NULL || !merge_find_id(merge, id, &old))
		return;
	merge->publishes -= is_publish(old.kind);
	if (old.slot < MERGE_SLOTS) {
		merge->slots[old.slot].requests--;
		merge_ids_remove(&merge->given, key_of(old.slot, old.client_id));
	}
}

static void count(struct merge *merge, uint16_t id, const struct merge_request_id *request)
{
	merge->publishes += is_publish(request->kind);
	if (request->slot >= MERGE_SLOTS)
		return;
	merge->slots[request->slot].requests++;
	merge->failed |=
		!merge_ids_put(&merge->given, key_of(request->slot, request->client_id), id);
}

void merge_note_id(struct merge *merge, uint16_t id, const struct merge_request_id *request)
{
	uncount(merge, id);
	merge->failed |= !merge_ids_put(&merge->taken, id, merge_id_value(request));
	if (merge->slots != NULL)
		count(merge, id, request);
}

void merge_count_ids(struct merge *merge)
{
	size_t i;

	for (i = 0; i < merge->taken.size; i++) {
		uint16_t id = (uint16_t)merge->taken.entries[i].key;
		struct merge_request_id request;

		if (id != 0 && merge_find_id(merge, id, &request))
			count(merge, id, &request);
	}
}

void merge_drop_id(struct merge *merge, uint16_t id)
{
	uncount(merge, id);
	merge_ids_remove(&merge->taken, id);
}

uint16_t merge_id_of(const struct merge *merge, size_t slot, uint16_t client_id)
{
	return (uint16_t)merge_ids_get(&merge->given, key_of(slot, client_id));
}

/* Whether the number stands for a message, and this is none, or the other way round. */
static bool is_of_other_kind(const struct merge *merge, uint16_t id, enum merge_kind kind)
{
	struct merge_request_id out;

	return merge_find_id(merge, id, &out) && is_publish(out.kind) != is_publish(kind);
}

uint16_t merge_make_id(struct merge *merge, const struct merge_request_id *request)
{
	uint16_t id = request->client_id;
	uint16_t out = 0;

	if (id != 0 && request->slot < MERGE_SLOTS)
		out = merge_id_of(merge, request->slot, id);
	if (out != 0 && request->slot > 0 && is_of_other_kind(merge, out, request->kind))
		return 0;
	if (out != 0) {
		id = out;
	} else if (merge->taken.count >= UINT16_MAX) {
		return 0;
	} else if (id == 0 || merge_ids_get(&merge->taken, id) != 0) {
		do
			id = ++merge->last_id;
		while (id == 0 || merge_ids_get(&merge->taken, id) != 0);
	}
	merge_note_id(merge, id, request);
	return id;
}

void merge_blame_without_id(struct merge *merge, size_t slot, uint16_t id)
{
	if (id != 0)
		return;
	merge_blame(merge, slot, MQTT_PACKET_ID_IN_USE);
	merge->failed |= slot == 0; /* more than there are numbers */
}

/* ---- Deliveries ---------------------------------------------------------------------------- */

bool merge_find_delivery(const struct merge *merge, uint16_t id, struct merge_delivery *delivery)
{
	uint64_t value = merge_ids_get(&merge->deliveries, id);

	delivery->slots = (uint16_t)value;
	delivery->waiting = (uint16_t)(value >> 16);
	delivery->phase = (enum merge_phase)(value >> 32);
	return value != 0;
}

/* How many deliveries each stream owes an answer to. */
static void count_waiting(struct merge *merge, uint16_t before, uint16_t after)
{
	size_t slot;

	for (slot = 0; before != after && slot < MERGE_SLOTS; slot++) {
		bool was = before >> slot & 1;
		bool is = after >> slot & 1;

		if (was && !is) {
			merge->slots[slot].deliveries--;
			merge->slots[slot].acknowledged++;
		} else if (is && !was) {
			merge->slots[slot].deliveries++;
		}
	}
}

void merge_note_delivery(struct merge *merge, uint16_t id, const struct merge_delivery *delivery)
{
	struct merge_delivery old;
	uint64_t value = delivery->slots | (uint64_t)delivery->waiting << 16 |
			 (uint64_t)delivery->phase << 32;

	(void)merge_find_delivery(merge, id, &old);
	count_waiting(merge, old.waiting, delivery->waiting);
	if (delivery->phase == 0)
		merge_ids_remove(&merge->deliveries, id);
	else
		merge->failed |= !merge_ids_put(&merge->deliveries, id, value);
}
