/* SPDX-License-Identifier: MIT */
/* What the application is told: how its packets were received, and why the connection is over. */
#ifndef MQUIC_MQTT_VERDICT_H
#define MQUIC_MQTT_VERDICT_H

#include "mqtt/body.h"
#include "mqtt/subscribe.h"

/* The end by MQTT: OVER, with a DISCONNECTED event. The text is the whole sentence. */
__attribute__((format(printf, 4, 5))) enum mquic_status engine_end(struct mqtt_engine *engine,
								   enum mquic_status status,
								   uint8_t code, const char *format,
								   ...);

/* The same because of `reason`, which 5.0 tells the server in DISCONNECT. */
enum mquic_status engine_violation(struct mqtt_engine *engine, enum mqtt_reason reason,
				   const char *what);
/* The same because a packet of this type makes no sense. */
enum mquic_status engine_malformed(struct mqtt_engine *engine, enum mqtt_reason reason,
				   enum mqtt_type type);

/* The same because what has to be said could not be: out of memory, or see `oversized`. */
enum mquic_status engine_cannot_go_on(struct mqtt_engine *engine);

/* The same because the server says so; `what` begins the sentence, its reasons follow. */
enum mquic_status engine_ended_by_server(struct mqtt_engine *engine, enum mquic_status status,
					 uint8_t code, const char *what,
					 const struct mqtt_properties *properties);

/* Fills in reason string and user properties; false if out of memory. */
bool engine_describe(const struct mqtt_engine *engine, struct mquic_event *event,
		     const struct mqtt_properties *properties);

/* A DELIVERED event in the queue; false if out of memory. `properties` may be NULL. */
bool engine_delivered(struct mqtt_engine *engine, struct mqtt_lane *lane, uint16_t packet_id,
		      uint8_t reason, const struct mqtt_properties *properties);

/* A SUBSCRIBED or UNSUBSCRIBED event in the queue; false if out of memory. */
bool engine_subscribed(struct mqtt_engine *engine, struct mqtt_lane *lane,
		       const struct mqtt_suback *suback);

#endif
