/* SPDX-License-Identifier: MIT */
/* Packets of a client, on their way to the broker. See merge-body.h. */
#include "mqtt/ack.h"
#include "mqtt/merge-body.h"
#include "mqtt/ping.h"

bool merge_must_wait(const struct merge *merge)
{
	return merge->publishes >= merge->limits.receive_maximum ||
	       merge->taken.count >= UINT16_MAX;
}

/* ---- PUBLISH ----------------------------------------------------------------------------- */

/* What would make the broker end the client, and so all its streams, is the stream's own. */
static enum mqtt_reason check_publish(struct merge *merge, size_t slot,
				      struct mqtt_publish *publish)
{
	enum mqtt_reason reason;

	if (publish->qos > merge->limits.maximum_qos)
		return MQTT_QOS_NOT_SUPPORTED;
	if (publish->retain && !merge->limits.retain)
		return MQTT_RETAIN_NOT_SUPPORTED;
	reason = mqtt_alias_in_resolve(&merge->slots[slot].aliases, publish);
	if (reason != MQTT_SUCCESS)
		return reason;
	if (merge_is_too_deep(publish->topic))
		return MQTT_TOPIC_NAME_INVALID;
	if (mqtt_properties_has(&publish->properties, MQTT_SUBSCRIPTION_ID))
		return MQTT_PROTOCOL_ERROR; /* [MQTT-3.3.4-6] */
	return MQTT_SUCCESS;
}

/* Nothing but the topic's length stands before the identifier. */
static void write_publish(struct merge *merge, size_t slot, const struct mqtt_packet *packet,
			  const struct mqtt_publish *publish, uint16_t id)
{
	struct merge_changes resolved = {.id = id, .ids_end = UINT32_MAX};

	/* With its topic, which an alias has stood for. */
	if (slot > 0 && mqtt_properties_has(&publish->properties, MQTT_TOPIC_ALIAS))
		merge_write_publish(merge, &merge->up, publish, &resolved);
	else if (publish->qos > 0)
		merge_write_with_id(merge, &merge->up, packet, 2 + publish->topic.len, id);
	else
		merge_write(merge, &merge->up, packet);
}

static void park(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	struct merge_slot *from = &merge->slots[slot];

	if (from->parked.len > MERGE_OUTPUT_HARD)
		merge_blame(merge, slot, MQTT_RECEIVE_MAXIMUM_EXCEEDED);
	if (from->fault == MQTT_SUCCESS)
		merge_write(merge, &from->parked, packet);
}

static void take_publish(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	struct mqtt_publish publish;
	struct merge_request_id request = {.slot = (uint8_t)slot, .kind = MERGE_QOS1};
	enum mqtt_reason reason = mqtt_publish_read(&publish, packet, merge->version);
	uint16_t id = 0;

	if (reason == MQTT_SUCCESS && publish.qos > 0 && merge_must_wait(merge)) {
		park(merge, slot, packet); /* before an alias of it counts */
		return;
	}
	if (reason == MQTT_SUCCESS && slot > 0)
		reason = check_publish(merge, slot, &publish);
	if (reason == MQTT_SUCCESS && slot > 0 &&
	    packet->body.len + MQTT_HEADER_MAX + publish.topic.len > merge->limits.maximum_packet)
		reason = MQTT_PACKET_TOO_LARGE;
	if (reason != MQTT_SUCCESS) {
		merge_blame(merge, slot, reason);
		if (slot == 0)
			merge_write(merge, &merge->up, packet); /* the broker will say so */
		return;
	}
	if (publish.qos > 0) {
		request.kind = publish.qos == 1 ? MERGE_QOS1 : MERGE_QOS2;
		request.client_id = publish.packet_id;
		id = merge_make_id(merge, &request);
		merge_blame_without_id(merge, slot, id);
		if (id == 0)
			return;
	}
	write_publish(merge, slot, packet, &publish, id);
}

/* ---- Acknowledgements ---------------------------------------------------------------------- */

/* PUBREL; one of a session from before this connection has never been seen here. */
static void take_release(struct merge *merge, size_t slot, const struct mqtt_packet *packet,
			 uint16_t client_id)
{
	struct merge_request_id request = {(uint8_t)slot, MERGE_RELEASED, client_id};
	uint16_t id = merge_id_of(merge, slot, client_id);

	if (id == 0 && merge_ids_get(&merge->taken, client_id) != 0) {
		merge_write_ack(merge, &merge->slots[slot].output, MQTT_PUBCOMP, client_id);
		return;
	}
	if (id == 0)
		id = client_id;
	merge_note_id(merge, id, &request);
	merge_write_with_id(merge, &merge->up, packet, 0, id);
}

static enum merge_phase phase_of(enum mqtt_type type)
{
	return type == MQTT_PUBACK   ? MERGE_WANTS_PUBACK
	       : type == MQTT_PUBREC ? MERGE_WANTS_PUBREC
				     : MERGE_WANTS_PUBCOMP;
}

/* All streams that got the delivery have answered. */
static void pass_on(struct merge *merge, const struct mqtt_packet *packet, uint16_t id,
		    bool refused, struct merge_delivery *delivery)
{
	/* A stream that refuses does not speak for those that have taken the message. */
	if (refused && delivery->slots != 0)
		merge_write_ack(merge, &merge->up, MQTT_PUBREC, id);
	else
		merge_write(merge, &merge->up, packet);
	if (delivery->phase != MERGE_WANTS_PUBREC || delivery->slots == 0)
		delivery->phase = 0;
	merge_note_delivery(merge, id, delivery);
}

static void take_ack(struct merge *merge, size_t slot, const struct mqtt_packet *packet,
		     const struct mqtt_ack *ack)
{
	bool refused = packet->type == MQTT_PUBREC && ack->reason >= MQTT_FIRST_ERROR;
	uint16_t bit = (uint16_t)(1u << slot);
	struct merge_delivery delivery;

	if (!merge_find_delivery(merge, ack->packet_id, &delivery)) {
		/* Of a session from before this connection; it is the control stream's. */
		if (slot == 0)
			merge_write(merge, &merge->up, packet);
		return;
	}
	if ((delivery.waiting & bit) == 0 || delivery.phase != phase_of(packet->type))
		return;
	delivery.waiting &= (uint16_t)~bit;
	if (refused)
		delivery.slots &= (uint16_t)~bit;
	if (delivery.waiting == 0)
		pass_on(merge, packet, ack->packet_id, refused, &delivery);
	else
		merge_note_delivery(merge, ack->packet_id, &delivery);
}

static void take_answer(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;
	enum mqtt_reason reason = mqtt_ack_read(&ack, packet, merge->version);

	if (reason != MQTT_SUCCESS) {
		merge_blame(merge, slot, reason);
		if (slot == 0)
			merge_write(merge, &merge->up, packet);
	} else if (packet->type == MQTT_PUBREL) {
		take_release(merge, slot, packet, ack.packet_id);
	} else {
		take_ack(merge, slot, packet, &ack);
	}
}

/* ---- The others ---------------------------------------------------------------------------- */

/* The broker hears of each, for its keep-alive; beyond some it need not be asked. */
static void take_ping(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	if (packet->body.len != 0 || packet->flags != 0) {
		merge_blame(merge, slot, MQTT_MALFORMED_PACKET);
		if (slot > 0)
			return;
	}
	if (merge->ping_count == sizeof(merge->pings)) {
		mqtt_ping_write(&merge->slots[slot].output, MQTT_PINGRESP);
		return;
	}
	merge->pings[merge->ping_count++] = (uint8_t)slot;
	merge_write(merge, &merge->up, packet);
}

/* CONNECT, DISCONNECT, AUTH, and what only servers send. */
static void take_other(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	if (slot == 0)
		merge_write(merge, &merge->up, packet);
	else
		merge_blame(merge, slot, MQTT_PROTOCOL_ERROR);
}

void merge_take_packet(struct merge *merge, size_t slot, const struct mqtt_packet *packet)
{
	switch (packet->type) {
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		take_answer(merge, slot, packet);
		return;
	case MQTT_PINGREQ:
		take_ping(merge, slot, packet);
		return;
	default:
		break;
	}
	/* Behind a message that waits all waits, but for what it may be waiting for. */
	if (merge->slots[slot].parked.len > 0)
		park(merge, slot, packet);
	else if (packet->type == MQTT_PUBLISH)
		take_publish(merge, slot, packet);
	else if (packet->type == MQTT_SUBSCRIBE)
		merge_take_subscribe(merge, slot, packet);
	else if (packet->type == MQTT_UNSUBSCRIBE)
		merge_take_unsubscribe(merge, slot, packet);
	else
		take_other(merge, slot, packet);
}
