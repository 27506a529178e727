/* SPDX-License-Identifier: MIT */
/* What we say: each kind of packet that a client sends, and what the server would not take. */
#ifndef MQUIC_MQTT_OUTGOING_H
#define MQUIC_MQTT_OUTGOING_H

#include "mqtt/body.h"
#include "mqtt/publish.h"

/*
 * Each writes one packet, or nothing and returns false: out of memory, or too large for the server
 * [MQTT-3.2.2-15].
 */
bool engine_write_connect(struct mqtt_engine *engine);
bool engine_write_ack(struct mqtt_engine *engine, struct mqtt_lane *lane, enum mqtt_type type,
		      uint16_t packet_id, uint8_t reason);
bool engine_write_disconnect(struct mqtt_engine *engine, uint8_t reason);
/* The last DISCONNECT, with or without what the program wants to be said beside the reason. */
bool engine_write_goodbye(struct mqtt_engine *engine, bool words);
bool engine_write_auth(struct mqtt_engine *engine, uint8_t reason, struct bytes data);
bool engine_write_ping(struct mqtt_engine *engine);
/* One that is encoded already. */
bool engine_write_encoded(struct mqtt_engine *engine, struct mqtt_lane *lane, struct bytes packet);
bool engine_write_publish(struct mqtt_engine *engine, struct mqtt_lane *lane,
			  const struct mqtt_publish *publish);

/* Writes the acknowledgements of received messages whose turn it is; false if out of memory. */
bool engine_flush_acks(struct mqtt_engine *engine, struct mqtt_lane *lane);

/* Fills in what a message looks like when we send it: nothing that only the server may say. */
void engine_view_outgoing(const struct mquic_message *message, uint16_t packet_id,
			  struct mqtt_publish *publish);

/* Why the server would not take it, going by CONNACK; MQTT_SUCCESS if it would. */
enum mqtt_reason engine_publish_refusal(const struct mqtt_engine *engine,
					const struct mqtt_publish *publish);
enum mqtt_reason engine_subscribe_refusal(const struct mqtt_engine *engine, unsigned int needs,
					  size_t size);

#endif
