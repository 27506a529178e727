/* SPDX-License-Identifier: MIT */
#include "mqtt/inflight.h"

#include <stdlib.h>
#include <string.h>

static struct mqtt_outgoing *outgoing_of(struct list *node)
{
	return list_entry(node, struct mqtt_outgoing, link);
}

void mqtt_inflight_init(struct mqtt_inflight *inflight)
{
	memset(inflight, 0, sizeof(*inflight));
	list_init(&inflight->queue);
	list_init(&inflight->sent);
	list_init(&inflight->unacknowledged[0]);
	list_init(&inflight->unacknowledged[1]);
}

/* ---- Theirs: removal ---- */

static void incoming_remove(struct mqtt_inflight *inflight, struct mqtt_incoming *incoming)
{
	packet_id_remove(&inflight->incoming, incoming->packet_id);
	list_remove(&incoming->link);
	if (incoming->counted)
		inflight->incoming_count--;
	free(incoming);
}

/* Removes those of QoS 1, or all; keeps the rest, which no longer counts. */
static void incoming_drop(struct mqtt_inflight *inflight, bool all)
{
	uint32_t id;

	for (id = 1; id <= UINT16_MAX && inflight->incoming.count > 0; id++) {
		struct mqtt_incoming *incoming;

		if (inflight->incoming.pages[id / PACKET_ID_PAGE_SIZE] == NULL) {
			id |= PACKET_ID_PAGE_SIZE - 1;
			continue;
		}
		incoming = packet_id_get(&inflight->incoming, (uint16_t)id);
		if (incoming == NULL)
			continue;
		if (all || incoming->qos == 1) {
			incoming_remove(inflight, incoming);
		} else if (incoming->counted) {
			incoming->counted = false;
			inflight->incoming_count--;
		}
	}
}

/* ---- Ours ---- */

struct mqtt_outgoing *mqtt_outgoing_new(enum mqtt_type type)
{
	struct mqtt_outgoing *outgoing = calloc(1, sizeof(*outgoing));

	if (outgoing != NULL) {
		outgoing->type = type;
		outgoing->cost = sizeof(*outgoing);
	}
	return outgoing;
}

struct mqtt_outgoing *mqtt_outgoing_for_message(struct mquic_message *message)
{
	struct mqtt_outgoing *outgoing = mqtt_outgoing_new(MQTT_PUBLISH);

	if (outgoing != NULL) {
		outgoing->message = message;
		outgoing->packet_id = message->packet_id;
		outgoing->cost += message->block_size;
	}
	return outgoing;
}

void mqtt_outgoing_free(struct mqtt_outgoing *outgoing)
{
	if (outgoing == NULL)
		return;
	mquic_message_free(outgoing->message);
	free(outgoing->packet);
	free(outgoing);
}

uint16_t mqtt_inflight_free_id(const struct mqtt_inflight *inflight)
{
	return packet_id_next_free(&inflight->outgoing, inflight->last_id);
}

bool mqtt_inflight_enqueue(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing)
{
	if (outgoing->packet_id != 0) {
		if (!packet_id_put(&inflight->outgoing, outgoing->packet_id, outgoing))
			return false;
		inflight->last_id = outgoing->packet_id;
		if (outgoing->type == MQTT_PUBLISH)
			inflight->messages++;
	}
	outgoing->state = MQTT_OUT_QUEUED;
	list_append(&inflight->queue, &outgoing->link);
	inflight->cost += outgoing->cost;
	return true;
}

struct mqtt_outgoing *mqtt_inflight_next(const struct mqtt_inflight *inflight)
{
	return list_is_empty(&inflight->queue) ? NULL : outgoing_of(inflight->queue.next);
}

/* Whether it occupies the server's receive maximum (section 4.9). */
static bool is_in_window(const struct mqtt_outgoing *outgoing)
{
	return outgoing->state == MQTT_OUT_WAIT_PUBACK || outgoing->state == MQTT_OUT_WAIT_PUBREC ||
	       outgoing->state == MQTT_OUT_WAIT_PUBCOMP;
}

void mqtt_inflight_settle(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing)
{
	list_remove(&outgoing->link);
	if (outgoing->packet_id != 0) {
		packet_id_remove(&inflight->outgoing, outgoing->packet_id);
		if (outgoing->type == MQTT_PUBLISH)
			inflight->messages--;
	}
	if (is_in_window(outgoing) && inflight->window > 0)
		inflight->window--;
	inflight->cost -= outgoing->cost;
	mqtt_outgoing_free(outgoing);
}

void mqtt_inflight_sent(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing)
{
	if (outgoing->packet_id == 0) {
		mqtt_inflight_settle(inflight, outgoing);
		return;
	}
	list_remove(&outgoing->link);
	list_append(&inflight->sent, &outgoing->link);
	outgoing->turn = ++inflight->turns;
	if (outgoing->type != MQTT_PUBLISH) {
		outgoing->state = MQTT_OUT_WAIT_SUBACK;
		inflight->cost -= outgoing->packet_len;
		outgoing->cost -= outgoing->packet_len;
		outgoing->packet_len = 0;
		free(outgoing->packet);
		outgoing->packet = NULL;
		return;
	}
	outgoing->state = outgoing->message->qos == 1 ? MQTT_OUT_WAIT_PUBACK : MQTT_OUT_WAIT_PUBREC;
	inflight->window++;
}

void mqtt_inflight_taken(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing)
{
	outgoing->state = MQTT_OUT_WAIT_PUBCOMP;
	inflight->cost -= outgoing->message->block_size;
	outgoing->cost -= outgoing->message->block_size;
	mquic_message_free(outgoing->message);
	outgoing->message = NULL;
	/* PUBREL packets are repeated in the order of PUBREC [MQTT-4.6.0-4]. */
	list_remove(&outgoing->link);
	list_append(&inflight->sent, &outgoing->link);
	outgoing->turn = ++inflight->turns;
}

void mqtt_inflight_resumed(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing)
{
	inflight->window++;
	outgoing->turn = ++inflight->turns;
}

enum mqtt_step mqtt_outgoing_step(const struct mqtt_outgoing *outgoing, enum mqtt_type type,
				  uint8_t reason)
{
	if (outgoing == NULL)
		return type == MQTT_PUBREC ? MQTT_STEP_NOT_FOUND : MQTT_STEP_IGNORE;
	switch (outgoing->state) {
	case MQTT_OUT_WAIT_PUBACK:
		return type == MQTT_PUBACK ? MQTT_STEP_SETTLE : MQTT_STEP_VIOLATION;
	case MQTT_OUT_WAIT_PUBREC:
		if (type != MQTT_PUBREC)
			return MQTT_STEP_VIOLATION;
		return reason >= MQTT_FIRST_ERROR ? MQTT_STEP_SETTLE : MQTT_STEP_TAKE;
	case MQTT_OUT_WAIT_PUBCOMP:
		if (type == MQTT_PUBREC)
			return MQTT_STEP_REPEAT;
		return type == MQTT_PUBCOMP ? MQTT_STEP_SETTLE : MQTT_STEP_VIOLATION;
	case MQTT_OUT_QUEUED:
	case MQTT_OUT_WAIT_SUBACK:
		break;
	}
	return MQTT_STEP_VIOLATION;
}

/* ---- Theirs ---- */

/* What a PUBLISH means when its identifier is known already. */
static enum mqtt_arrival arrived_again(struct mqtt_inflight *inflight,
				       struct mqtt_incoming *incoming, uint8_t qos)
{
	if (incoming->qos != qos)
		return MQTT_ARRIVAL_VIOLATION;
	if (!incoming->counted) {
		incoming->counted = true;
		inflight->incoming_count++;
	}
	return incoming->state == MQTT_IN_WAIT_PUBREL ? MQTT_ARRIVAL_REPEAT
						      : MQTT_ARRIVAL_DUPLICATE;
}

enum mqtt_arrival mqtt_inflight_arrived(struct mqtt_inflight *inflight, uint16_t packet_id,
					uint8_t qos, bool manual, size_t maximum)
{
	struct mqtt_incoming *incoming = packet_id_get(&inflight->incoming, packet_id);

	if (incoming != NULL)
		return arrived_again(inflight, incoming, qos);
	if (inflight->incoming_count >= maximum)
		return MQTT_ARRIVAL_TOO_MANY;
	if (qos == 1 && !manual)
		return MQTT_ARRIVAL_NEW;
	incoming = calloc(1, sizeof(*incoming));
	if (incoming == NULL)
		return MQTT_ARRIVAL_MEMORY;
	if (!packet_id_put(&inflight->incoming, packet_id, incoming)) {
		free(incoming);
		return MQTT_ARRIVAL_MEMORY;
	}
	incoming->packet_id = packet_id;
	incoming->qos = qos;
	incoming->state = manual ? MQTT_IN_WAIT_ACK : MQTT_IN_WAIT_PUBREL;
	incoming->counted = true;
	inflight->incoming_count++;
	if (manual)
		list_append(&inflight->unacknowledged[qos - 1], &incoming->link);
	return MQTT_ARRIVAL_NEW;
}

bool mqtt_inflight_acknowledge(struct mqtt_inflight *inflight, uint16_t packet_id, uint8_t reason)
{
	struct mqtt_incoming *incoming = packet_id_get(&inflight->incoming, packet_id);

	if (incoming == NULL || incoming->state != MQTT_IN_WAIT_ACK)
		return false;
	incoming->state = MQTT_IN_ACKED;
	incoming->reason = reason;
	return true;
}

bool mqtt_inflight_next_ack(struct mqtt_inflight *inflight, enum mqtt_type *type,
			    uint16_t *packet_id, uint8_t *reason)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		struct list *head = &inflight->unacknowledged[i];
		struct mqtt_incoming *incoming;

		if (list_is_empty(head))
			continue;
		incoming = list_entry(head->next, struct mqtt_incoming, link);
		if (incoming->state != MQTT_IN_ACKED)
			continue;
		*type = incoming->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;
		*packet_id = incoming->packet_id;
		*reason = incoming->reason;
		if (incoming->qos == 1 || incoming->reason >= MQTT_FIRST_ERROR) {
			incoming_remove(inflight, incoming);
		} else {
			list_remove(&incoming->link);
			incoming->state = MQTT_IN_WAIT_PUBREL;
		}
		return true;
	}
	return false;
}

enum mqtt_step mqtt_inflight_released(struct mqtt_inflight *inflight, uint16_t packet_id)
{
	struct mqtt_incoming *incoming = packet_id_get(&inflight->incoming, packet_id);

	if (incoming == NULL)
		return MQTT_STEP_NOT_FOUND;
	if (incoming->state != MQTT_IN_WAIT_PUBREL)
		return MQTT_STEP_VIOLATION;
	incoming_remove(inflight, incoming);
	return MQTT_STEP_SETTLE;
}

/* ---- Both ---- */

/* Moves what was not taken over back to the front of the queue, in order. */
static void requeue(struct mqtt_inflight *inflight)
{
	struct list again;
	struct list *node;
	struct list *following;

	list_init(&again);
	list_for_each (node, following, &inflight->sent) {
		struct mqtt_outgoing *outgoing = outgoing_of(node);

		outgoing->turn = 0;
		if (outgoing->message == NULL)
			continue;
		outgoing->state = MQTT_OUT_QUEUED;
		outgoing->message->duplicate = true;
		list_remove(node);
		list_append(&again, node);
	}
	while ((node = list_take_first(&inflight->queue)) != NULL)
		list_append(&again, node);
	while ((node = list_take_first(&again)) != NULL)
		list_append(&inflight->queue, node);
}

static void drop_subscribes(struct mqtt_inflight *inflight, struct list *head)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, head) {
		struct mqtt_outgoing *outgoing = outgoing_of(node);

		if (outgoing->type != MQTT_PUBLISH)
			mqtt_inflight_settle(inflight, outgoing);
	}
}

void mqtt_inflight_lost(struct mqtt_inflight *inflight)
{
	drop_subscribes(inflight, &inflight->queue);
	drop_subscribes(inflight, &inflight->sent);
	requeue(inflight);
	inflight->window = 0;
	inflight->answered = 0;
	incoming_drop(inflight, false);
}

void mqtt_inflight_absent(struct mqtt_inflight *inflight)
{
	struct list *node;
	struct list *following;

	list_for_each (node, following, &inflight->queue) {
		struct mqtt_outgoing *outgoing = outgoing_of(node);

		if (outgoing->message != NULL)
			outgoing->message->duplicate = false;
	}
	incoming_drop(inflight, true);
}

void mqtt_inflight_clear(struct mqtt_inflight *inflight)
{
	struct list *node;

	while ((node = list_take_first(&inflight->queue)) != NULL)
		mqtt_outgoing_free(outgoing_of(node));
	while ((node = list_take_first(&inflight->sent)) != NULL)
		mqtt_outgoing_free(outgoing_of(node));
	packet_id_clear(&inflight->outgoing);
	incoming_drop(inflight, true);
	packet_id_clear(&inflight->incoming);
	mqtt_inflight_init(inflight);
}
