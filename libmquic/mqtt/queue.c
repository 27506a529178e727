/* SPDX-License-Identifier: MIT */
#include "mqtt/queue.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/lanes.h"
#include "mqtt/outgoing.h"
#include "mqtt/state.h"
#include "mqtt/suspect.h"
#include "mqtt/verdict.h"

/* A server cannot say in 3.1.1 how many it takes, and Mosquitto cuts off who has more open. */
#define QOS_2_WINDOW_3_1_1 20

/* Ends an entry that was queued before CONNACK and that the server does not take. */
static bool refuse(struct mqtt_engine *engine, struct mqtt_lane *lane,
		   struct mqtt_outgoing *outgoing, uint8_t reason)
{
	struct mqtt_suback suback;
	uint8_t *codes;
	bool done;

	if (outgoing->type == MQTT_PUBLISH) {
		done = engine_delivered(engine, lane, outgoing->packet_id, reason, NULL);
	} else {
		codes = malloc(outgoing->filter_count);
		if (codes == NULL)
			return false;
		memset(codes, reason, outgoing->filter_count);
		suback.type = outgoing->type == MQTT_SUBSCRIBE ? MQTT_SUBACK : MQTT_UNSUBACK;
		suback.packet_id = outgoing->packet_id;
		suback.reasons = bytes_of(codes, outgoing->filter_count);
		mqtt_properties_init(&suback.properties);
		done = engine_subscribed(engine, lane, &suback);
		free(codes);
	}
	if (done)
		mqtt_inflight_settle(&lane->inflight, outgoing);
	return done;
}

static bool send_message(struct mqtt_engine *engine, struct mqtt_lane *lane,
			 struct mqtt_outgoing *outgoing)
{
	struct mqtt_publish publish;
	enum mqtt_reason reason;

	engine_view_outgoing(outgoing->message, outgoing->packet_id, &publish);
	reason = engine_publish_refusal(engine, &publish);
	if (reason != MQTT_SUCCESS)
		return refuse(engine, lane, outgoing, (uint8_t)reason);
	if (!engine_write_publish(engine, lane, &publish))
		return false;
	mqtt_inflight_sent(&lane->inflight, outgoing);
	return true;
}

static bool send_subscribe(struct mqtt_engine *engine, struct mqtt_lane *lane,
			   struct mqtt_outgoing *outgoing)
{
	enum mqtt_reason reason =
		engine_subscribe_refusal(engine, outgoing->needs, outgoing->packet_len);

	if (reason != MQTT_SUCCESS)
		return refuse(engine, lane, outgoing, (uint8_t)reason);
	if (!engine_write_encoded(engine, lane, bytes_of(outgoing->packet, outgoing->packet_len)))
		return false;
	mqtt_inflight_sent(&lane->inflight, outgoing);
	return true;
}

/* Messages that may be on their way when this one joins them (section 4.9). */
static size_t window_max(const struct mqtt_engine *engine, const struct mqtt_outgoing *outgoing)
{
	if (engine_version(engine) != MQTT_5 && outgoing->message->qos == 2)
		return QOS_2_WINDOW_3_1_1;
	return engine->server.receive_maximum;
}

/* Whether the entry must wait for the server to settle others. */
static bool must_wait(const struct mqtt_engine *engine, const struct mqtt_lane *lane,
		      const struct mqtt_outgoing *outgoing)
{
	if (mqtt_suspect_holds(&lane->inflight, outgoing))
		return true;
	return outgoing->type == MQTT_PUBLISH && outgoing->packet_id != 0 &&
	       lane->inflight.window >= window_max(engine, outgoing);
}

/* Sends of the queue what may leave; false if out of memory. */
static bool drain_queue(struct mqtt_engine *engine, struct mqtt_lane *lane)
{
	struct mqtt_outgoing *outgoing;

	while (lane->output.len < ENGINE_OUTPUT_ENOUGH) {
		outgoing = mqtt_inflight_next(&lane->inflight);
		if (outgoing == NULL || must_wait(engine, lane, outgoing))
			return true;
		if (outgoing->type == MQTT_PUBLISH ? !send_message(engine, lane, outgoing)
						   : !send_subscribe(engine, lane, outgoing))
			return false;
	}
	return true;
}

/* Half of the buffer must be free, so that WRITABLE is worth waking up for. */
static void tell_writable(struct mqtt_engine *engine, struct mqtt_lane *lane)
{
	struct mquic_event *event;

	if (!engine->wants_writable || engine_buffered(engine) > engine->buffer_bytes / 2 ||
	    mqtt_inflight_free_id(&lane->inflight) == 0)
		return;
	event = event_new(MQUIC_EVENT_WRITABLE);
	if (event == NULL)
		return;
	engine->wants_writable = false;
	event_queue_push(&engine->events, event);
}

/* All that was queued has left: say good-bye, without words if they are too many (3.14.2.2.3). */
void engine_finish(struct mqtt_engine *engine)
{
	if (engine_version(engine) == MQTT_5 || engine->closing_reason == MQTT_SUCCESS)
		(void)(engine_write_goodbye(engine, true) || engine_write_goodbye(engine, false));
	engine_step(engine, MQTT_ENGINE_OVER);
}

void engine_pump(struct mqtt_engine *engine, struct mqtt_lane *lane)
{
	if (!engine_is_up(engine))
		return;
	if (!drain_queue(engine, lane)) {
		(void)engine_cannot_go_on(engine);
		return;
	}
	if (engine->state == MQTT_ENGINE_CLOSING && engine_all_sent(engine))
		engine_finish(engine);
	else
		tell_writable(engine, lane);
}
