/* SPDX-License-Identifier: MIT */
/* Messages of the server: PUBLISH and PUBREL. */
#include "mqtt/input.h"

#include <stdio.h>

#include "core/text.h"
#include "mqtt/ack.h"
#include "mqtt/lanes.h"
#include "mqtt/outgoing.h"
#include "mqtt/verdict.h"

static struct mquic_event *message_event(const struct mqtt_lane *lane,
					 const struct mqtt_publish *publish)
{
	struct mquic_event *event = event_new(MQUIC_EVENT_MESSAGE);

	if (event == NULL)
		return NULL;
	event->message = mqtt_message_pack(publish);
	event->message_free = mquic_message_free;
	if (event->message == NULL) {
		mquic_event_free(event);
		return NULL;
	}
	event->packet_id = engine_number_received(lane, publish->packet_id);
	event->message->packet_id = event->packet_id;
	event_charge(event, event->message->block_size);
	return event;
}

/* The acknowledgement that follows at once, PUBACK or PUBREC. */
static enum mquic_status answer(struct mqtt_engine *engine, struct mqtt_lane *lane,
				const struct mqtt_publish *publish)
{
	enum mqtt_type type = publish->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;

	if (!engine_write_ack(engine, lane, type, publish->packet_id, MQTT_SUCCESS))
		return engine_cannot_go_on(engine);
	return MQUIC_OK;
}

/* Sends the acknowledgements whose turn it is. */
static enum mquic_status flush_acks(struct mqtt_engine *engine, struct mqtt_lane *lane)
{
	return engine_flush_acks(engine, lane) ? MQUIC_OK : engine_cannot_go_on(engine);
}

/*
 * A message with more properties than the application takes: refused alone, as one that is too
 * large is dropped by the server. Ending the connection would bring it back at once.
 */
static bool is_refused(struct mqtt_engine *engine, const struct mqtt_publish *publish)
{
	size_t count = publish->properties.pair_count + publish->properties.subscription_id_count;
	char topic[64];

	if (count <= engine->settings.maximum_properties)
		return false;
	text_printable(topic, sizeof(topic), (const char *)publish->topic.data,
		       publish->topic.len < sizeof(topic) ? publish->topic.len : sizeof(topic) - 1);
	(void)snprintf(engine->notice, sizeof(engine->notice),
		       "a message with topic %s was refused: it has %zu user properties and "
		       "subscription identifiers, and no more than %u are taken (set the maximum "
		       "of properties)",
		       topic, count, (unsigned int)engine->settings.maximum_properties);
	engine->has_notice = true;
	return true;
}

/* The queue has the event, or it is of no use. */
static enum mquic_status arrived(struct mqtt_engine *engine, struct mqtt_lane *lane,
				 const struct mqtt_publish *publish, struct mquic_event *event)
{
	if (event != NULL)
		event_queue_push(&engine->events, event);
	else if (publish->qos > 0)
		(void)mqtt_inflight_acknowledge(&lane->inflight, publish->packet_id,
						MQTT_QUOTA_EXCEEDED);
	if (publish->qos == 0)
		return MQUIC_OK;
	if (event == NULL || engine->settings.manual_ack)
		return flush_acks(engine, lane);
	return answer(engine, lane, publish);
}

static enum mquic_status deliver(struct mqtt_engine *engine, struct mqtt_lane *lane,
				 const struct mqtt_publish *publish)
{
	bool refused = is_refused(engine, publish);
	bool manual = engine->settings.manual_ack || refused;
	size_t maximum = UINT16_MAX;
	struct mquic_event *event = refused ? NULL : message_event(lane, publish);
	enum mqtt_arrival arrival = MQTT_ARRIVAL_NEW;

	if (event == NULL && !refused)
		return engine_cannot_go_on(engine);
	if (engine_version(engine) == MQTT_5)
		maximum = engine->settings.receive_maximum;
	if (publish->qos > 0)
		arrival = mqtt_inflight_arrived(&lane->inflight, publish->packet_id, publish->qos,
						manual, maximum);
	if (arrival != MQTT_ARRIVAL_NEW)
		mquic_event_free(event);
	switch (arrival) {
	case MQTT_ARRIVAL_NEW:
		return arrived(engine, lane, publish, event);
	case MQTT_ARRIVAL_DUPLICATE:
		return flush_acks(engine, lane);
	case MQTT_ARRIVAL_REPEAT:
		return answer(engine, lane, publish);
	case MQTT_ARRIVAL_VIOLATION:
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it used the packet identifier of an unsettled message");
	case MQTT_ARRIVAL_TOO_MANY:
		return engine_violation(engine, MQTT_RECEIVE_MAXIMUM_EXCEEDED,
					"it has more messages unsettled than we allow");
	case MQTT_ARRIVAL_MEMORY:
		break;
	}
	return engine_cannot_go_on(engine);
}

enum mquic_status engine_handle_publish(struct mqtt_engine *engine, struct mqtt_lane *lane,
					const struct mqtt_packet *packet)
{
	struct mqtt_publish publish;
	enum mqtt_reason reason = mqtt_publish_read(&publish, packet, engine_version(engine));

	if (reason == MQTT_SUCCESS)
		reason = mqtt_alias_in_resolve(&lane->alias_in, &publish);
	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, MQTT_PUBLISH);
	return deliver(engine, lane, &publish);
}

enum mquic_status engine_handle_pubrel(struct mqtt_engine *engine, struct mqtt_lane *lane,
				       const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;
	enum mqtt_reason reason = mqtt_ack_read(&ack, packet, engine_version(engine));
	uint8_t code = MQTT_SUCCESS;

	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, MQTT_PUBREL);
	switch (mqtt_inflight_released(&lane->inflight, ack.packet_id)) {
	case MQTT_STEP_VIOLATION:
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it sent PUBREL before our PUBREC");
	case MQTT_STEP_NOT_FOUND:
		code = MQTT_PACKET_ID_NOT_FOUND;
		break;
	default:
		break;
	}
	if (!engine_write_ack(engine, lane, MQTT_PUBCOMP, ack.packet_id, code))
		return engine_cannot_go_on(engine);
	return MQUIC_OK;
}
