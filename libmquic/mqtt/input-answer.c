/* SPDX-License-Identifier: MIT */
/* Answers to packets of ours: PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK. */
#include "mqtt/input.h"

#include <stdlib.h>

#include "mqtt/ack.h"
#include "mqtt/outgoing.h"
#include "mqtt/subscribe.h"
#include "mqtt/suspect.h"
#include "mqtt/verdict.h"

static enum mquic_status settle(struct mqtt_engine *engine, struct mqtt_lane *lane,
				struct mqtt_outgoing *outgoing, const struct mqtt_ack *ack)
{
	if (!engine_delivered(engine, lane, ack->packet_id, ack->reason, &ack->properties))
		return engine_cannot_go_on(engine);
	mqtt_inflight_settle(&lane->inflight, outgoing);
	return MQUIC_OK;
}

static enum mquic_status release(struct mqtt_engine *engine, struct mqtt_lane *lane,
				 uint16_t packet_id, uint8_t reason)
{
	if (!engine_write_ack(engine, lane, MQTT_PUBREL, packet_id, reason))
		return engine_cannot_go_on(engine);
	return MQUIC_OK;
}

/* PUBACK, PUBREC and PUBCOMP: answers to what we have published. */
enum mquic_status engine_handle_ack(struct mqtt_engine *engine, struct mqtt_lane *lane,
				    const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;
	enum mqtt_reason reason = mqtt_ack_read(&ack, packet, engine_version(engine));
	struct mqtt_outgoing *outgoing;
	enum mqtt_step step;

	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, packet->type);
	outgoing = packet_id_get(&lane->inflight.outgoing, ack.packet_id);
	step = mqtt_outgoing_step(outgoing, ack.type, ack.reason);
	if (outgoing != NULL && step != MQTT_STEP_VIOLATION)
		mqtt_suspect_answered(&lane->inflight, outgoing);
	switch (step) {
	case MQTT_STEP_IGNORE:
		return MQUIC_OK;
	case MQTT_STEP_SETTLE:
		return settle(engine, lane, outgoing, &ack);
	case MQTT_STEP_TAKE:
		mqtt_inflight_taken(&lane->inflight, outgoing);
		return release(engine, lane, ack.packet_id, MQTT_SUCCESS);
	case MQTT_STEP_REPEAT:
		return release(engine, lane, ack.packet_id, MQTT_SUCCESS);
	case MQTT_STEP_NOT_FOUND:
		return release(engine, lane, ack.packet_id, MQTT_PACKET_ID_NOT_FOUND);
	case MQTT_STEP_VIOLATION:
		break;
	}
	return engine_violation(engine, MQTT_PROTOCOL_ERROR,
				"an acknowledgement does not fit the message it names");
}

/* UNSUBACK of 3.1.1 has no codes: all filters are gone. */
static enum mquic_status settle_plain_unsuback(struct mqtt_engine *engine, struct mqtt_lane *lane,
					       struct mqtt_outgoing *outgoing,
					       struct mqtt_suback *suback)
{
	uint8_t *codes = calloc(outgoing->filter_count, 1);
	bool done;

	suback->reasons = bytes_of(codes, outgoing->filter_count);
	done = codes != NULL && engine_subscribed(engine, lane, suback);
	free(codes);
	if (!done)
		return engine_cannot_go_on(engine);
	mqtt_inflight_settle(&lane->inflight, outgoing);
	return MQUIC_OK;
}

enum mquic_status engine_handle_suback(struct mqtt_engine *engine, struct mqtt_lane *lane,
				       const struct mqtt_packet *packet)
{
	struct mqtt_suback suback;
	enum mqtt_reason reason = mqtt_suback_read(&suback, packet, engine_version(engine));
	struct mqtt_outgoing *outgoing;
	enum mqtt_type asked;

	if (reason != MQTT_SUCCESS)
		return engine_malformed(engine, reason, packet->type);
	asked = suback.type == MQTT_SUBACK ? MQTT_SUBSCRIBE : MQTT_UNSUBSCRIBE;
	outgoing = packet_id_get(&lane->inflight.outgoing, suback.packet_id);
	if (outgoing == NULL || outgoing->state != MQTT_OUT_WAIT_SUBACK || outgoing->type != asked)
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it answered a subscription that was not asked for");
	mqtt_suspect_answered(&lane->inflight, outgoing);
	if (engine_version(engine) != MQTT_5 && suback.type == MQTT_UNSUBACK)
		return settle_plain_unsuback(engine, lane, outgoing, &suback);
	if (suback.reasons.len != outgoing->filter_count)
		return engine_violation(engine, MQTT_PROTOCOL_ERROR,
					"it answered with more or fewer codes than filters");
	if (!engine_subscribed(engine, lane, &suback))
		return engine_cannot_go_on(engine);
	mqtt_inflight_settle(&lane->inflight, outgoing);
	return MQUIC_OK;
}
