/* SPDX-License-Identifier: MIT */
/* Life of a merge, and the bytes it cuts into packets. See merge.h. */
#include <stdlib.h>
#include <string.h>

#include "mqtt/merge-body.h"

#define HEAD_MAX 327680u /* of what passes by: as much as merge-scan.c ever wants to see */

/* Bytes that the broker has not taken, before streams wait. */
#define UP_MAX 65536u

/* An empty buffer keeps no more than this. */
#define KEPT_MAX 8192u

struct merge *merge_new(int version)
{
	struct merge *merge = calloc(1, sizeof(*merge));

	if (merge == NULL)
		return NULL;
	merge->version = version;
	list_init(&merge->requests);
	buf_writer_init(&merge->client.head, HEAD_MAX);
	buf_writer_init(&merge->broker.head, HEAD_MAX);
	return merge;
}

static void clear_slot(struct merge_slot *slot)
{
	mqtt_framing_clear(&slot->framing);
	buf_writer_clear(&slot->parked);
	buf_writer_clear(&slot->output);
	mqtt_alias_in_clear(&slot->aliases);
	slot->open = false;
	slot->fault = MQTT_SUCCESS;
}

void merge_free(struct merge *merge)
{
	size_t slot;

	if (merge == NULL)
		return;
	for (slot = 0; merge->slots != NULL && slot < MERGE_SLOTS; slot++)
		clear_slot(&merge->slots[slot]);
	free(merge->slots);
	merge_forget_requests(merge);
	merge_filters_clear(&merge->filters);
	merge_ids_clear(&merge->taken);
	merge_ids_clear(&merge->given);
	merge_ids_clear(&merge->deliveries);
	mqtt_alias_in_clear(&merge->aliases);
	mqtt_framing_clear(&merge->down);
	buf_writer_clear(&merge->client.head);
	buf_writer_clear(&merge->broker.head);
	buf_writer_clear(&merge->up);
	free(merge);
}

static size_t slot_memory(const struct merge_slot *slot)
{
	return slot->framing.assembly.capacity + slot->parked.capacity + slot->output.capacity +
	       slot->aliases.bytes;
}

size_t merge_memory(const struct merge *merge)
{
	size_t entries = merge->taken.size + merge->given.size + merge->deliveries.size;
	size_t bytes = sizeof(*merge) + merge->filters.bytes + merge->request_bytes +
		       merge->client.head.capacity + merge->broker.head.capacity +
		       merge->up.capacity + merge->down.assembly.capacity +
		       entries * sizeof(struct merge_entry) +
		       merge->filters.count * sizeof(struct merge_filter);
	size_t slot;

	for (slot = 0; merge->slots != NULL && slot < MERGE_SLOTS; slot++)
		bytes += sizeof(*merge->slots) + slot_memory(&merge->slots[slot]);
	return bytes;
}

bool merge_has_failed(const struct merge *merge)
{
	return merge->failed;
}

/* ---- The start ------------------------------------------------------------------------------- */

bool merge_start(struct merge *merge, uint32_t chance)
{
	merge->slots = calloc(MERGE_SLOTS, sizeof(*merge->slots));
	if (merge->slots == NULL)
		return false;
	merge->first_route = chance % MERGE_ROUTES;
	merge->raw_up = !merge_scan_is_between(&merge->client);
	merge->raw_down = !merge_scan_is_between(&merge->broker);
	buf_writer_init(&merge->up, SIZE_MAX);
	mqtt_framing_init(&merge->down, MQTT_PACKET_MAX);
	merge->down.maximum_other = MQTT_PACKET_MAX;
	mqtt_alias_in_init(&merge->aliases, UINT16_MAX);
	merge_count_ids(merge);
	merge_open(merge, 0);
	merge->slots[0].framing.maximum_publish = MQTT_PACKET_MAX;
	merge->slots[0].framing.maximum_other = MQTT_PACKET_MAX; /* the broker's to judge */
	return !merge->failed;
}

bool merge_is_started(const struct merge *merge)
{
	return merge->slots != NULL;
}

void merge_open(struct merge *merge, size_t slot)
{
	struct merge_slot *opened = &merge->slots[slot];
	size_t requests = opened->requests;

	memset(opened, 0, sizeof(*opened));
	opened->open = true;
	opened->requests = requests;
	mqtt_framing_init(&opened->framing, MERGE_PACKET_MAX);
	buf_writer_init(&opened->parked, SIZE_MAX);
	buf_writer_init(&opened->output, SIZE_MAX);
	mqtt_alias_in_init(&opened->aliases, merge->limits.alias_maximum);
}

/* ---- Several: up ----------------------------------------------------------------------------- */

static enum mqtt_reason reason_of(enum mqtt_framing_result result)
{
	return result == MQTT_FRAMING_TOO_LARGE ? MQTT_PACKET_TOO_LARGE : MQTT_MALFORMED_PACKET;
}

/* Bytes of the control stream that go up as they are. */
static void pass_up(struct merge *merge, struct bytes *input, size_t len)
{
	buf_write_bytes(&merge->up, bytes_of(input->data, len));
	merge->failed |= merge->up.failed;
	input->data += len;
	input->len -= len;
}

/* The rest of a packet of before the start. */
static void take_raw(struct merge *merge, struct bytes *input)
{
	while (input->len > 0 && merge->raw_up && !merge->client.head.failed) {
		struct bytes rest = *input;
		struct mqtt_packet packet;

		if (merge_scan_next(&merge->client, &rest, &packet))
			merge_watch_client_packet(merge, &packet);
		pass_up(merge, input, input->len - rest.len);
		merge->raw_up = !merge_scan_is_between(&merge->client);
	}
	merge->failed |= merge->client.head.failed;
}

/* No MQTT. Of a data stream that is its end; of the control stream the broker gets all of it. */
static void take_malformed(struct merge *merge, size_t slot, enum mqtt_framing_result result)
{
	struct buf_writer *assembly = &merge->slots[slot].framing.assembly;

	merge->failed |= result == MQTT_FRAMING_MEMORY;
	merge_blame(merge, slot, reason_of(result));
	if (slot > 0)
		return;
	merge->broken = true;
	buf_write_bytes(&merge->up, buf_writer_content(assembly));
	buf_writer_clear(assembly);
}

static bool may_take(const struct merge *merge, size_t slot)
{
	const struct merge_slot *from = &merge->slots[slot];

	return !merge->failed && !merge->broken && from->fault == MQTT_SUCCESS &&
	       merge->up.len < UP_MAX && merge->request_count < MERGE_REQUESTS_MAX &&
	       merge->request_bytes < MERGE_REQUEST_BYTES_MAX &&
	       from->parked.len <= MERGE_OUTPUT_HARD && !(slot > 0 && merge->raw_up) &&
	       from->output.len <= MERGE_OUTPUT_HARD;
}

/* Whether what comes next is a DISCONNECT that has to wait. */
static bool must_stay(const struct merge *merge, size_t slot, struct bytes input)
{
	const struct mqtt_framing *framing = &merge->slots[slot].framing;

	return slot == 0 && merge->stays && (framing->assembly.len == 0 || framing->shown) &&
	       input.data[0] >> 4 == MQTT_DISCONNECT;
}

void merge_let_leave(struct merge *merge, bool may)
{
	merge->stays = !may;
}

void merge_take(struct merge *merge, size_t slot, struct bytes *input)
{
	struct merge_slot *from = &merge->slots[slot];
	enum mqtt_framing_result result = MQTT_FRAMING_PACKET;
	struct mqtt_packet packet;

	if (slot == 0 && merge->raw_up)
		take_raw(merge, input);
	while (input->len > 0 && result == MQTT_FRAMING_PACKET && may_take(merge, slot) &&
	       !must_stay(merge, slot, *input)) {
		result = mqtt_framing_next(&from->framing, input, &packet);
		if (result == MQTT_FRAMING_PACKET)
			merge_take_packet(merge, slot, &packet);
		else if (result != MQTT_FRAMING_MORE)
			take_malformed(merge, slot, result);
	}
	if (slot == 0 && merge->broken && merge->up.len < UP_MAX)
		pass_up(merge, input, input->len);
}

/* What waited for the receive maximum, as long as there is room. */
static void take_parked(struct merge *merge, size_t slot)
{
	struct merge_slot *from = &merge->slots[slot];
	struct buf_writer waiting = from->parked;
	struct bytes left = buf_writer_content(&waiting);
	struct mqtt_framing cut;
	struct mqtt_packet packet;

	mqtt_framing_init(&cut, MQTT_PACKET_MAX);
	cut.maximum_other = MQTT_PACKET_MAX;
	buf_writer_init(&from->parked, SIZE_MAX);
	while (from->parked.len == 0 && from->fault == MQTT_SUCCESS &&
	       mqtt_framing_next(&cut, &left, &packet) == MQTT_FRAMING_PACKET)
		merge_take_packet(merge, slot, &packet);
	/* The one that must wait again stands in front. */
	buf_write_bytes(&from->parked, left);
	merge->failed |= from->parked.failed;
	buf_writer_clear(&waiting);
}

static void take_all_parked(struct merge *merge)
{
	size_t i;

	for (i = 0; i < MERGE_SLOTS && !merge_must_wait(merge); i++) {
		size_t slot = (merge->turn + i) % MERGE_SLOTS;

		if (merge->slots[slot].open && merge->slots[slot].parked.len > 0)
			take_parked(merge, slot);
	}
	merge->turn = (merge->turn + 1) % MERGE_SLOTS;
}

struct bytes merge_up(const struct merge *merge)
{
	return buf_writer_content(&merge->up);
}

void merge_consume_up(struct merge *merge, size_t len)
{
	buf_writer_consume(&merge->up, len);
	if (merge->up.len == 0 && merge->up.capacity > KEPT_MAX)
		buf_writer_clear(&merge->up);
}

/* ---- Several: down --------------------------------------------------------------------------- */

static void give_raw(struct merge *merge, struct bytes *input)
{
	while (input->len > 0 && merge->raw_down && !merge->broker.head.failed) {
		const uint8_t *from = input->data;
		struct mqtt_packet packet;

		if (merge_scan_next(&merge->broker, input, &packet))
			merge_watch_broker_packet(merge, &packet);
		buf_write_bytes(&merge->slots[0].output,
				bytes_of(from, (size_t)(input->data - from)));
		merge->raw_down = !merge_scan_is_between(&merge->broker);
	}
	merge->failed |= merge->broker.head.failed || merge->slots[0].output.failed;
}

void merge_give(struct merge *merge, struct bytes bytes)
{
	enum mqtt_framing_result result = MQTT_FRAMING_PACKET;
	struct mqtt_packet packet;

	if (merge->raw_down)
		give_raw(merge, &bytes);
	while (bytes.len > 0 && !merge->failed &&
	       (result = mqtt_framing_next(&merge->down, &bytes, &packet)) == MQTT_FRAMING_PACKET)
		merge_give_packet(merge, &packet);
	/* A broker that speaks no MQTT is no broker. */
	merge->failed |= result != MQTT_FRAMING_PACKET && result != MQTT_FRAMING_MORE;
	take_all_parked(merge);
}

bool merge_is_full(const struct merge *merge)
{
	return merge->slots[0].output.len > MERGE_OUTPUT_HARD;
}

struct bytes merge_output(const struct merge *merge, size_t slot)
{
	return buf_writer_content(&merge->slots[slot].output);
}

void merge_consume_output(struct merge *merge, size_t slot, size_t len)
{
	struct buf_writer *output = &merge->slots[slot].output;

	buf_writer_consume(output, len);
	if (output->len == 0 && output->capacity > KEPT_MAX)
		buf_writer_clear(output);
}

/* ---- The end of a stream --------------------------------------------------------------------- */

enum mqtt_reason merge_fault(const struct merge *merge, size_t slot)
{
	return merge->slots[slot].fault;
}

uint64_t merge_dropped(const struct merge *merge, size_t slot)
{
	return merge->slots[slot].dropped;
}

size_t merge_unacknowledged(const struct merge *merge, size_t slot, uint64_t *acknowledged)
{
	*acknowledged = merge->slots[slot].acknowledged;
	return merge->slots[slot].deliveries;
}

void merge_finish(struct merge *merge, size_t slot)
{
	if (merge->slots[slot].finished)
		return;
	merge->slots[slot].finished = true;
	merge_unsubscribe_all(merge, slot);
	merge_settle(merge, slot);
	merge_release_all(merge, slot, false);
}

static bool awaits_pong(const struct merge *merge, size_t slot)
{
	size_t i;

	for (i = 0; i < merge->ping_count; i++)
		if (merge->pings[i] == slot)
			return true;
	return false;
}

bool merge_is_finished(const struct merge *merge, size_t slot)
{
	const struct merge_slot *ended = &merge->slots[slot];

	return ended->finished && ended->requests == 0 && ended->parked.len == 0 &&
	       ended->output.len == 0 && !awaits_pong(merge, slot);
}

void merge_close(struct merge *merge, size_t slot)
{
	size_t i;

	merge_unsubscribe_all(merge, slot);
	merge_settle(merge, slot);
	merge_release_all(merge, slot, true);
	for (i = 0; i < merge->ping_count; i++)
		if (merge->pings[i] == slot)
			merge->pings[i] = MERGE_NOBODY;
	clear_slot(&merge->slots[slot]);
}
