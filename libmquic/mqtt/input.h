/* SPDX-License-Identifier: MIT */
/* What the server says: one handler for each kind of packet that may come to a client. */
#ifndef MQUIC_MQTT_INPUT_H
#define MQUIC_MQTT_INPUT_H

#include "mqtt/body.h"
#include "mqtt/packet.h"

/* Takes any packet. The failure it returns has ended the connection. */
enum mquic_status engine_handle_packet(struct mqtt_engine *engine, struct mqtt_lane *lane,
				       const struct mqtt_packet *packet, uint64_t now_ms);

/* ---- input-connection.c ---- */

enum mquic_status engine_handle_connack(struct mqtt_engine *engine,
					const struct mqtt_packet *packet);
enum mquic_status engine_handle_auth(struct mqtt_engine *engine, const struct mqtt_packet *packet,
				     uint64_t now_ms);
enum mquic_status engine_handle_disconnect(struct mqtt_engine *engine,
					   const struct mqtt_packet *packet);

/* ---- input-message.c ---- */

enum mquic_status engine_handle_publish(struct mqtt_engine *engine, struct mqtt_lane *lane,
					const struct mqtt_packet *packet);
enum mquic_status engine_handle_pubrel(struct mqtt_engine *engine, struct mqtt_lane *lane,
				       const struct mqtt_packet *packet);

/* ---- input-answer.c ---- */

enum mquic_status engine_handle_ack(struct mqtt_engine *engine, struct mqtt_lane *lane,
				    const struct mqtt_packet *packet);
enum mquic_status engine_handle_suback(struct mqtt_engine *engine, struct mqtt_lane *lane,
				       const struct mqtt_packet *packet);

#endif
