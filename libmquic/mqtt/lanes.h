/* SPDX-License-Identifier: MIT */
/*
 * Which lane it is about. A server may take several streams of one client, each with identifiers,
 * aliases and a window of its own; what answers a packet leaves on the lane of that packet. Other
 * files are told the lane or ask here, where an engine with one lane has one answer:
 *
 *     a message or filter of ours ──▶ engine_lane_for...() ──▶ the lane it leaves on
 *     a number of the application ──▶ engine_lane_of() ──────▶ lane and identifier
 *     an identifier of a lane ──────▶ engine_number_...() ───▶ the application's number
 *
 * The application's packet identifiers are numbers of the session, unique while they are out. On
 * one lane they are what stands on the wire. Two lanes may have the same identifier out, in either
 * direction: then a table of numbers enters here, and nowhere else.
 *
 * What else an engine with several would do: start each with what the options and CONNACK allow,
 * pump each when CONNACK has come, and end all but the control lane with the connection.
 */
#ifndef MQUIC_MQTT_LANES_H
#define MQUIC_MQTT_LANES_H

#include "mqtt/body.h"

static inline struct mqtt_lane *engine_lane_for(struct mqtt_engine *engine,
						const struct mquic_message *message)
{
	(void)message;
	return &engine->control;
}

/* UNSUBSCRIBE belongs on the lane of its SUBSCRIBE. */
static inline struct mqtt_lane *engine_lane_for_filters(
	struct mqtt_engine *engine, const struct mquic_subscription *subscription)
{
	(void)subscription;
	return &engine->control;
}

/* The lane on which the message with this number came. */
static inline struct mqtt_lane *engine_lane_of(struct mqtt_engine *engine, uint16_t number,
					       uint16_t *packet_id)
{
	*packet_id = number;
	return &engine->control;
}

/* The number of a packet of ours, and of the server's. */
static inline uint16_t engine_number_sent(const struct mqtt_lane *lane, uint16_t packet_id)
{
	(void)lane;
	return packet_id;
}

static inline uint16_t engine_number_received(const struct mqtt_lane *lane, uint16_t packet_id)
{
	(void)lane;
	return packet_id;
}

/* ---- All lanes together ---- */

/* Bytes that count against the buffer. */
static inline size_t engine_buffered(const struct mqtt_engine *engine)
{
	return engine->control.inflight.cost + engine->control.output.len;
}

/* QoS 1 and 2 messages of ours that are not settled. */
static inline size_t engine_unsettled(const struct mqtt_engine *engine)
{
	return engine->control.inflight.messages;
}

/* Whether nothing waits in a queue any more. */
static inline bool engine_all_sent(const struct mqtt_engine *engine)
{
	return mqtt_inflight_next(&engine->control.inflight) == NULL;
}

#endif
